"""The waiting page: one step left, the code, another mail, another address — the same for known and new addresses."""

from __future__ import annotations

from flask import Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as AnyResponse

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.contacts import address
from leadgen.contacts.address import Address
from leadgen.core import clock, limits, links
from leadgen.core.errors import Conflict, Invalid, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.entries import confirming, correcting, entering, waiting
from leadgen.entries.confirming import Outcome
from leadgen.entries.entering import Entered, EntryRequest
from leadgen.entries.models import EntryStatus
from leadgen.mail import service as mail
from leadgen.web import headers, language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import browser, enter, seals, traces
from leadgen.web.public.mailboxes import mailbox_of
from leadgen.web.public.seals import Seat

CODE_LIMIT = "10 per 15 minutes"


@guarded_by(Guard.SIGNED_LINK)
def waiting_page(slug: str, token: str) -> ResponseReturnValue:
    """Say what to do now: open the mail, or type its code."""
    return _show(_card(slug), token)


@guarded_by(Guard.SIGNED_LINK)
def waiting_status(slug: str, token: str) -> ResponseReturnValue:
    """What the page asks for while it waits: whether our mail was refused, or the entry was confirmed elsewhere."""
    _campaign, seat = _seat(slug, token)
    return headers.private(jsonify(status=_word(seat)))


@guarded_by(Guard.SIGNED_LINK)
def waiting_code(slug: str, token: str) -> ResponseReturnValue:
    """Confirm with the six digits of the mail."""
    card, seat = _seat(slug, token)
    # One sentence for wrong, spent and late codes: how an entry stands is its owner's to know.
    wrong = _("This code does not work. Type the one from our latest mail, within 15 minutes, or ask for a new mail.")
    if not limits.allow(CODE_LIMIT, "code", str(seat.entry_id), seat.masked):
        return _show(card, token, status=429, code_error=wrong)
    try:
        found = confirming.confirm_by_code(seat.entry_id, request.form.get("code", ""), traces.of_request("/c/waiting"))
    except (Invalid, TooMany):
        return _show(card, token, status=400, code_error=wrong)
    if found.outcome is not Outcome.CONFIRMED:
        return _show(card, token, status=400, code_error=wrong)
    return headers.private(redirect(f"/me/{links.status_token(found.entry_id, found.access_version)}?new=1", 303))


@guarded_by(Guard.SIGNED_LINK)
def waiting_resend(slug: str, token: str) -> ResponseReturnValue:
    """Send the mail again."""
    card, seat = _seat(slug, token)
    is_early = _resend_in(seat) > 0 or not _is_resend_left(seat)
    # A token can be sent again and again, each time for a row: the network counts too.
    if is_early or not enter.is_calm("resend"):
        return _show(card, token, status=429)
    # What an entry allows is its owner's to know: the page counts the same pauses for every address.
    waiting.ask(seat.entry_id, is_own=seat.is_own)
    again = seat._replace(resends=seat.resends + 1, asked_at=int(clock.now().timestamp()))
    return _to_page(card, again, "sent")


@guarded_by(Guard.SIGNED_LINK)
def waiting_correct(slug: str, token: str) -> ResponseReturnValue:
    """Move the entry to another address."""
    card, seat = _seat(slug, token)
    typed = request.form.get("email", "")
    if refused := _too_many(seat):
        return _show(card, token, status=429, email_error=refused, typed=typed)
    try:
        new = address.parse(typed)
        address.refuse_disposable(new.email)
        entered = _corrected(card, seat, new)
    except (Invalid, TooMany, Conflict) as error:
        return _show(card, token, status=400, email_error=str(error), typed=typed)
    corrected = seat._replace(
        entry_id=entered.entry_id,
        is_own=entered.is_own,
        masked=entered.masked,
        domain=new.email.rpartition("@")[2],
        resends=seat.resends + 1,
        corrections=seat.corrections + 1,
        asked_at=int(clock.now().timestamp()),
    )
    response = _to_page(card, corrected, "corrected")
    browser.remember(response, card.id, corrected.entry_id if corrected.is_own else None)
    return response


def _too_many(seat: Seat) -> str:
    """Why the address cannot be changed (now), in words; a token can be sent again, so the network counts too."""
    if seat.corrections >= correcting.CORRECTIONS:
        return _("The address has been changed as often as it may be.")
    if not enter.is_calm("enter"):
        return _("Many entries came from your network in the last minutes. Please press the button again in a while.")
    return ""


def _corrected(card: CampaignCard, seat: Seat, new: Address) -> Entered:
    """Move this browser's own entry; somebody else's stays untouched, and the new address enters by itself."""
    if seat.is_own:
        return correcting.correct(card, seat.entry_id, new)
    return entering.enter(
        card,
        EntryRequest(
            address=new,
            first_name=seat.first_name,
            wants_marketing=seat.wants_marketing,
            referral_code=seat.referral_code,
            channel=seat.channel,
            source={},
            locale=language.current(),
            timezone="",
            ip=request.remote_addr or "",
            user_agent=request.headers.get("User-Agent", ""),
            page=links.landing(card.slug),
            seconds=0.0,
        ),
    )


def _card(slug: str) -> CampaignCard:
    card = cards.by_slug(slug)
    language.speak(card.locales, card.default_locale)
    return card


def _seat(slug: str, token: str) -> tuple[CampaignCard, Seat]:
    """The campaign, and who waits. Raises TokenInvalid for a token of another campaign."""
    card = _card(slug)
    return card, seals.unseal(token, card.id)


def _show(card: CampaignCard, token: str, *, status: int = 200, **said: str) -> ResponseReturnValue:
    seat = seals.unseal(token, card.id)
    word = _word(seat)
    if word == "confirmed":  # on another device: this one need not wait any longer
        html = render_template("public/confirmed_elsewhere.html", card=card, seat=seat)
        return headers.private(Response(html, mimetype="text/html"))
    html = render_template(
        "public/waiting.html",
        card=card,
        seat=seat,
        token=token,
        said={"done": request.args.get("done", ""), **said},
        resend_in=_resend_in(seat),
        is_resend_left=_is_resend_left(seat),
        trouble=word,
        mailbox=mailbox_of(seat.domain),
        subject=mail.subject(card.id, "confirm", language.current(), seat.first_name),
        sender=f"{card.brand.sender_name} <{card.brand.sender_email}>",
    )
    return headers.private(Response(html, status, mimetype="text/html"))


def _to_page(card: CampaignCard, seat: Seat, done: str) -> AnyResponse:
    lang = f"&lang={request.args['lang']}" if request.args.get("lang", "") in card.locales else ""
    address_of_page = f"/c/{card.slug}/waiting/{seals.seal(seat, card.id)}?done={done}{lang}"
    return headers.private(redirect(address_of_page, 303))


def _resend_in(seat: Seat) -> int:
    """Seconds until another mail may be asked for; counted on the page itself, so that it tells nothing."""
    pauses = waiting.RESEND_PAUSES
    pause = int(pauses[min(seat.resends, len(pauses) - 1)].total_seconds())
    return max(0, seat.asked_at + pause - int(clock.now().timestamp()))


def _is_resend_left(seat: Seat) -> bool:
    return seat.resends < len(waiting.RESEND_PAUSES)


def _word(seat: Seat) -> str:
    """How the entry stands: `waiting`, `confirmed`, `bounced`, or `no_mx` when nobody takes mail at its domain.

    The same is read for everybody; of an entry that is not this browser's own only what its domain's name servers tell
    the whole world is said.
    """
    found = waiting.look(seat.entry_id)
    if found is not None and seat.is_own and found.status in {EntryStatus.BOUNCED, EntryStatus.CONFIRMED}:
        return found.status.value
    return found.address_problem if found and found.address_problem else "waiting"
