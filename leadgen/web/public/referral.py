"""A person's link: people go on to the landing page with a signed ref, preview machines get a page with its tags."""

from __future__ import annotations

import io

import segno
from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.campaigns import cards
from leadgen.core import links, tokens
from leadgen.core.errors import NotFound
from leadgen.core.tokens import Purpose
from leadgen.entries import person
from leadgen.journal import counters
from leadgen.journal.vocabulary import CounterName
from leadgen.web import language
from leadgen.web.guards import Guard, guarded_by

CHANNELS = frozenset({"wa", "fb", "x", "li", "tg", "em", "sms", "qr", "copy", "native"})
_MACHINES = (
    "bot",
    "crawler",
    "spider",
    "preview",
    "facebookexternalhit",
    "whatsapp",
    "embedly",
    "slurp",
    "curl",
    "wget",
)


@guarded_by(Guard.ANYONE)
def referral(code: str) -> ResponseReturnValue:
    """Go on to the landing page; the ref in its address says who invited, so that no cookie is needed."""
    channel = request.args.get("ch", "")
    channel = channel if channel in CHANNELS else ""
    inviter = person.referrer(code)
    if inviter is None:
        language.speak()
        return render_template("public/unknown_invitation.html"), 404
    card = cards.by_id(inviter.campaign_id)
    if is_machine():
        counters.count(card.id, CounterName.MACHINE_VISIT, channel)
        locale = language.speak(card.locales, card.default_locale)
        return render_template("public/preview.html", card=card, texts=lambda key: card.text(key, locale), code=code)
    counters.count(card.id, CounterName.REFERRAL_VISIT, channel)
    ref = tokens.sign(Purpose.REFERRAL, [inviter.code, channel])
    lang = f"&lang={request.args['lang']}" if request.args.get("lang", "") in card.locales else ""
    response = redirect(f"/c/{card.slug}?ref={ref}{lang}", 302, Response)
    response.headers["Cache-Control"] = "no-store"
    return response


@guarded_by(Guard.ANYONE)
def qr(code: str) -> ResponseReturnValue:
    """The person's link as a QR code, to show or to print."""
    if person.referrer(code) is None:
        raise NotFound
    picture = io.BytesIO()
    segno.make(links.referral(code, "qr"), error="m").save(picture, kind="svg", scale=8, border=3, light="#fff")
    return Response(picture.getvalue(), mimetype="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})


def is_machine() -> bool:
    """Whether a preview machine or scanner asks: no browser name, or the name of one of them, or only the head."""
    agent = request.headers.get("User-Agent", "").lower()
    return request.method == "HEAD" or not agent or any(word in agent for word in _MACHINES)
