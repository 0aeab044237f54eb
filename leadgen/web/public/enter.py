"""Sending the entry form: checked here, entered by one verb, answered with 303 to the waiting page."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import quote

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as AnyResponse

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import limits, links, settings
from leadgen.core.errors import Conflict
from leadgen.core.i18n import gettext as _
from leadgen.entries import entering
from leadgen.entries.entering import Entered, EntryRequest
from leadgen.visits import service as visits
from leadgen.web import errors, language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import browser, forms, landing, seals
from leadgen.web.public.forms import EntryForm
from leadgen.web.public.landing import Invitation

log = logging.getLogger(__name__)
# A lecture hall or a mobile network shares one address: generous enough for them, tight enough for a script.
LIMIT = "60 per 10 minutes"
LIMIT_SECONDS = 600
SOURCE_KEYS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")


class Refusal(NamedTuple):
    """Why a form is not taken (yet): the page shows `notice`, and what was typed stays in it."""

    status: int
    notice: str = ""
    retry_after: int = 0  # seconds


@guarded_by(Guard.FORM_TOKEN)
def enter(slug: str) -> ResponseReturnValue:
    """Enter the campaign. New, known and suppressed addresses get the same answer for the same work."""
    card = cards.by_slug(slug)
    locale = language.speak(card.locales, card.default_locale)
    form = forms.read(card.id)
    invited = landing.invitation(card)
    done = attempt(card, form, locale, invited)
    if isinstance(done, Refusal):
        return with_retry(landing.again(card, form, status=done.status, notice=done.notice), done)
    return waiting_page(card, form, done, invited)


def attempt(
    card: CampaignCard, form: EntryForm, locale: str, invited: Invitation | None, *, channel: str = ""
) -> Entered | Refusal:
    """Enter, or say why the form cannot be taken (yet). `channel` is where nobody invited, such as a kiosk."""
    if refused := _refused(form):
        return refused
    if invited and invited.nonce:
        visits.prove_human(invited.nonce)  # whoever fills in a form has seen the page
    try:
        return _enter(card, form, locale, invited, channel)
    except Conflict as error:
        return Refusal(409, str(error))
    except errors.DATABASE_AWAY:
        log.exception("an entry could not be written")
        notice = _(
            "We could not save your entry just now; the fault is ours. Please press the button again in a minute."
        )
        return Refusal(503, notice, errors.RETRY_SECONDS)


def with_retry(response: Response, refusal: Refusal) -> Response:
    """Tell when trying again makes sense."""
    if refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _refused(form: EntryForm) -> Refusal | None:
    if not form.validate():
        return Refusal(400)
    if (form.age or 0.0) < forms.FASTEST_SECONDS:
        return Refusal(400, _("That was very quick. Please press the button once more."))
    if not is_calm("enter"):
        notice = _("Many entries came from your network in the last minutes. Please press the button again in a while.")
        return Refusal(429, notice, LIMIT_SECONDS)
    return None


def waiting_page(card: CampaignCard, form: EntryForm, entered: Entered, invited: Invitation | None) -> AnyResponse:
    """303 to the waiting page, and the cookie that lets this browser confirm with one tap."""
    is_own = entered.is_own or browser.made(entered.entry_id, card.id)
    response = redirect(waiting_address(card, form, replace(entered, is_own=is_own), invited), 303)
    browser.remember(response, card.id, entered.entry_id if is_own else None)
    response.headers["Cache-Control"] = "no-store"
    return response


def waiting_address(card: CampaignCard, form: EntryForm, entered: Entered, invited: Invitation | None) -> str:
    """The sealed address of the page on which this browser waits for its mail."""
    seat = seals.Seat(
        entry_id=entered.entry_id,
        is_own=entered.is_own,
        masked=entered.masked,
        first_name=form.first_name.data or "",
        wants_marketing=bool(form.consent_marketing.data),
        domain=(form.address.email if form.address else "").rpartition("@")[2],
        referral_code=invited.inviter.code if invited else "",
        channel=invited.channel if invited else "",
    )
    lang = f"?lang={quote(wanted)}" if (wanted := landing.asked("lang")) else ""
    return f"/c/{card.slug}/waiting/{seals.seal(seat, card.id)}{lang}"


def is_calm(deed: str) -> bool:
    """Whether the network that asks is within the limit of this deed.

    The crowd that is played in development comes from this machine and has no limit.
    """
    ip = request.remote_addr or ""
    is_played = ip in {"127.0.0.1", "::1"} and not settings.get().is_production
    return is_played or limits.allow_newcomer(LIMIT, deed, limits.network(ip))


def _enter(card: CampaignCard, form: EntryForm, locale: str, invited: Invitation | None, channel: str) -> Entered:
    """Write the entry; one whose honeypot is filled is an entry like any other, and the review hears of it."""
    assert form.address is not None
    return entering.enter(
        card,
        EntryRequest(
            address=form.address,
            first_name=form.first_name.data or "",
            wants_marketing=bool(form.consent_marketing.data),
            referral_code=(invited.last_code or invited.inviter.code) if invited else "",
            first_code=invited.first_code if invited else "",
            typed_code=entering.tidy_code(form.invited_by.data or ""),
            channel=invited.channel if invited else channel,
            source=_source(),
            locale=locale,
            timezone=request.form.get("tz", "")[:64],
            ip=request.remote_addr or "",
            user_agent=request.headers.get("User-Agent", ""),
            page=links.landing(card.slug),
            seconds=form.age or 0.0,
            device=browser.device(card.id),
            is_trapped=bool(request.form.get("homepage")),
        ),
    )


def _source() -> dict[str, str]:
    args = request.args if request.query_string else {}
    source = {key: args[key][:100] for key in SOURCE_KEYS if key in args}
    if host := request.form.get("from"):
        source["host"] = host[:100]
    return source
