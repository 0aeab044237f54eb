"""A person's link: people go on to the landing page with a signed ref, preview machines get a page with its tags."""

from __future__ import annotations

import io
import secrets

import segno
from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.campaigns import cards
from leadgen.core import links, tokens
from leadgen.core.errors import NotFound
from leadgen.core.tokens import Purpose
from leadgen.entries import person
from leadgen.entries.person import ReferrerCard
from leadgen.journal import counters
from leadgen.journal.vocabulary import CounterName
from leadgen.visits import service as visits
from leadgen.visits.models import VisitKind
from leadgen.web import language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import browser, traces

CHANNELS = frozenset({"wa", "fb", "x", "li", "tg", "em", "sms", "qr", "copy", "native", "kiosk", "embed"})
_MACHINES = frozenset({VisitKind.PREVIEW, VisitKind.SCANNER, VisitKind.PREFETCH})


@guarded_by(Guard.ANYONE)
def referral(code: str) -> ResponseReturnValue:
    """Go on to the landing page; the ref in its address says who invited, so that no cookie is needed."""
    inviter = person.referrer(code)
    if inviter is None:
        language.speak()
        return render_template("public/unknown_invitation.html"), 404
    card = cards.by_id(inviter.campaign_id)
    channel = request.args.get("ch", "")
    channel = channel if channel in CHANNELS else ""
    kind, nonce = _note(inviter, channel)
    if kind in {VisitKind.PREVIEW, VisitKind.SCANNER}:
        locale = language.speak(card.locales, card.default_locale)
        return render_template("public/preview.html", card=card, texts=lambda key: card.text(key, locale), code=code)
    ref = tokens.sign(Purpose.REFERRAL, [inviter.code, channel, nonce])
    lang = f"&lang={request.args['lang']}" if request.args.get("lang", "") in card.locales else ""
    response = redirect(f"/c/{card.slug}?ref={ref}{lang}", 302, Response)
    response.headers["Cache-Control"] = "no-store"
    return response


def _note(inviter: ReferrerCard, channel: str) -> tuple[VisitKind, str]:
    """Count this opening of the link as what it is."""
    is_own = browser.made(inviter.entry_id, inviter.campaign_id)
    kind = visits.kind_of(
        traces.agent(), is_head=request.method == "HEAD", is_prefetch=traces.is_prefetch(), is_self=is_own
    )
    nonce = secrets.token_urlsafe(9)
    visits.note(
        entry_id=inviter.entry_id,
        campaign_id=inviter.campaign_id,
        channel=channel,
        kind=kind,
        visitor=traces.visitor(),
        nonce=nonce,
    )
    if kind in _MACHINES:
        counters.count(inviter.campaign_id, CounterName.MACHINE_VISIT, channel)
    elif kind is not VisitKind.SELF:
        counters.count(inviter.campaign_id, CounterName.REFERRAL_VISIT, channel)
    return kind, nonce


@guarded_by(Guard.ANYONE)
def qr(code: str) -> ResponseReturnValue:
    """The person's link as a QR code, to show or to print."""
    if person.referrer(code) is None:
        raise NotFound
    picture = io.BytesIO()
    segno.make(links.referral(code, "qr"), error="m").save(picture, kind="svg", scale=8, border=3, light="#fff")
    return Response(picture.getvalue(), mimetype="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})
