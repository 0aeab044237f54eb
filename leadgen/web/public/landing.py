"""The landing page: rendered once per version, language, stage and minute; the visitor's own is filled in."""

from __future__ import annotations

import re
import secrets
import time
from html import escape
from typing import NamedTuple

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import CampaignStatus, TouchModel
from leadgen.core import i18n, links, text, tokens
from leadgen.core.errors import TokenInvalid
from leadgen.core.i18n import gettext as _
from leadgen.core.tokens import Purpose
from leadgen.entries import person
from leadgen.entries.person import ReferrerCard
from leadgen.journal import counters
from leadgen.journal.vocabulary import CounterName
from leadgen.web import headers, language, preview
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import board, forms, pictures, stages, touches
from leadgen.web.public.forms import EntryForm
from leadgen.web.public.stages import Stage

REFERRAL_SECONDS = 24 * 3600
_KEPT_PAGES = 256
_HEADERS = (("Cache-Control", "no-store"), ("Vary", "Accept-Language"))
# Marks of the places that are filled in for each visitor; random, so that nobody can type one.
_TOKEN, _INVITER, _ORIGIN, _BOARD = (f"slot-{secrets.token_hex(12)}" for _ in range(4))
_SLOTS = re.compile(f"({_TOKEN}|{_INVITER}|{_ORIGIN}|{_BOARD})".encode())
_PLACES = tuple(mark.encode() for mark in (_TOKEN, _INVITER, _ORIGIN, _BOARD))


class Invitation(NamedTuple):
    """Who invited this visitor, as the signed `ref` of the address says; `token` is that ref."""

    inviter: ReferrerCard
    channel: str
    token: str
    nonce: str = ""  # of the opening that it began with; a ref without one proves nothing
    first_code: str = ""  # of the link followed first, where the campaign remembers that
    last_code: str = ""  # of the link that led here, where another one brings the credit


_pages: dict[tuple[int, int, str, Stage, int], list[bytes]] = {}


def forget() -> None:
    """Render every page anew (tests)."""
    _pages.clear()


@guarded_by(Guard.FORM_TOKEN)
def landing(slug: str) -> ResponseReturnValue:
    """Show the campaign. Nothing is written but a counter, and no cookie is set (rules 2 and 11)."""
    card = cards.by_slug(slug)
    locale = language.speak(card.locales, card.default_locale)
    stage = stages.stage_of(card)
    invited = invitation(card)
    counters.count(card.id, CounterName.VIEW, invited.channel if invited else "")
    html = _filled(_page(card, locale, stage), card, invited, forms.new_token(card.id))
    response = Response(html, mimetype="text/html", headers=_HEADERS)
    touches.remember(response, card, asked("ref") if invited else "")
    return response


@guarded_by(Guard.SIGNED_LINK)
def preview_page(token: str) -> ResponseReturnValue:
    """The page as it will be, a draft's too, for the studio's frame. Nothing is counted, no form can be sent."""
    card = cards.by_id(preview.campaign_id_of(token))
    locale = language.speak(card.locales, card.default_locale)
    html = _filled(_parts(_render(card, locale, Stage.OPEN)), card, None, "")
    return headers.frameable_by_us(headers.private(Response(html, mimetype="text/html")))


def again(card: CampaignCard, form: EntryForm, *, status: int, notice: str = "") -> Response:
    """The landing page with what was typed still in it, and what has to be mended."""
    html = _render(card, i18n.locale(), stages.stage_of(card), form=form, notice=notice)
    token = _token_to_keep(form) or forms.new_token(card.id)
    return Response(
        _filled(_parts(html), card, invitation(card), token), status, mimetype="text/html", headers=_HEADERS
    )


def invitation(card: CampaignCard) -> Invitation | None:
    """Who invited this visitor to this campaign, or None when nobody (still) did: whoever would get the credit."""
    token = asked("ref") or (request.form.get("ref") if request.method == "POST" else "") or ""
    last = _read(card, token, max_age=REFERRAL_SECONDS * (1 + (request.method == "POST")))
    first = _read(card, touches.first(card), max_age=touches.LIFE_SECONDS)
    if first is None:
        return last
    chosen = first if last is None or card.touch_model is TouchModel.FIRST else last
    return chosen._replace(first_code=first.inviter.code, last_code=last.inviter.code if last else "")


def asked(name: str) -> str:
    """What the address asks for; most have no query, and then nothing is parsed."""
    return request.args.get(name, "") if request.query_string else ""


def _read(card: CampaignCard, token: str, *, max_age: int) -> Invitation | None:
    """The invitation that a signed ref stands for, or None for one of another contest, of nobody, or none at all."""
    if not token:
        return None
    try:
        code, channel, *opening = tokens.read(Purpose.REFERRAL, token, max_age=max_age)
    except (TokenInvalid, TypeError, ValueError):
        return None
    inviter = person.referrer(code)
    if inviter is None or inviter.campaign_id != card.id:
        return None
    return Invitation(inviter, channel, token, *opening[:1])


def inviter_html(invited: Invitation | None) -> str:
    """The line that names the inviter by first name, or nothing."""
    if invited is None:
        return ""
    name = invited.inviter.first_name
    line = _("%(name)s invites you to take part") % {"name": name} if name else _("A friend invites you to take part")
    initial = name[:1].upper() or "★"
    return f'<p class="inviter"><span aria-hidden="true">{escape(initial)}</span>{escape(line)}</p>'


def origin_html(invited: Invitation | None, around: str = "") -> str:
    """Hidden fields: the signed ref again (queries get lost), and the page that sent the visitor.

    `around` is the origin of the page that shows the form in a frame, where there is one.
    """
    html = f'<input type="hidden" name="ref" value="{escape(invited.token)}">' if invited else ""
    if request.method == "POST":
        host = request.form.get("from")
    else:
        page = around or request.referrer
        host = text.address_parts(page).hostname if page else None
    if host and host != request.host.split(":")[0]:
        html += f'<input type="hidden" name="from" value="{escape(host[:100])}">'
    return html


def _page(card: CampaignCard, locale: str, stage: Stage) -> list[bytes]:
    """The page in parts, as they are sent: fixed texts, and between them the marks of what is filled in."""
    minute = int(time.time() // 60)  # the countdown is told to the minute
    key = (card.id, card.version, locale, stage, minute)
    parts = _pages.get(key)
    if parts is None:
        parts = _parts(_render(card, locale, stage))
        if len(_pages) >= _KEPT_PAGES:
            _pages.clear()
        _pages[key] = parts
    return parts


def _parts(html: str) -> list[bytes]:
    return [part for part in _SLOTS.split(html.encode()) if part]


def _filled(parts: list[bytes], card: CampaignCard, invited: Invitation | None, token: str) -> bytes:
    own = (token, inviter_html(invited), origin_html(invited), board.landing_html(card))
    filled = {slot: words.encode() for slot, words in zip(_PLACES, own, strict=True)}
    return b"".join([filled.get(part, part) for part in parts])


def _render(
    card: CampaignCard,
    locale: str,
    stage: Stage,
    *,
    form: EntryForm | None = None,
    notice: str = "",
) -> str:
    return render_template(
        "public/landing.html",
        card=card,
        texts=lambda key: card.text(key, locale),
        lists=card.texts.get(locale) or card.texts.get(card.default_locale, {}),
        stage=stage,
        og_image="" if card.status is CampaignStatus.DRAFT else pictures.card_address(card, locale),
        form=form,
        notice=notice,
        slots={"token": _TOKEN, "inviter": _INVITER, "origin": _ORIGIN, "board": _BOARD},
        left=stages.left(card.starts_at if stage is Stage.BEFORE else card.ends_at),
        left_in_words=stages.left_in_words(card.starts_at if stage is Stage.BEFORE else card.ends_at),
        links=links,
    )


def _token_to_keep(form: EntryForm) -> str:
    """The token that came, while it is good: a second press of the button is then never “too fast”."""
    return str(form["csrf_token"].data) if form.age is not None else ""
