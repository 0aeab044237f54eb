"""A person's link: people go on to the landing page with a signed ref, preview machines get a page with its tags."""

from __future__ import annotations

import io
import math
import secrets
from typing import Any
from urllib.parse import urlencode

import segno
from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.campaigns import cards, sharing
from leadgen.campaigns.cards import CampaignCard
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
from leadgen.web.public import browser, enter, pictures, share, stages, traces

_QR_DOTS, _QR_BORDER = 600, 4
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
    channel = channel if channel in share.CHANNELS else ""
    kind, nonce = _note(inviter, channel)
    if kind in {VisitKind.PREVIEW, VisitKind.SCANNER}:
        return _tags(card, inviter)
    values = {"ref": tokens.sign(Purpose.REFERRAL, [inviter.code, channel, nonce]), **_source(card, channel)}
    if request.args.get("lang", "") in card.locales:
        values["lang"] = request.args["lang"]
    response = redirect(f"/c/{card.slug}?{urlencode(values)}", 302, Response)
    response.headers["Cache-Control"] = "no-store"
    return response


def _tags(card: CampaignCard, inviter: ReferrerCard) -> str:
    """What a crawler draws its card from, in the language that it asks for, else in the inviter's (F12)."""
    stage = stages.stage_of(card)
    own = inviter.locale if inviter.locale in card.locales else card.default_locale
    locale = language.speak(card.locales, own)
    return render_template(
        "public/preview.html",
        card=card,
        stage=stage,
        texts=lambda key: card.text(key, locale),
        code=inviter.code,
        og_image=pictures.card_address(card, locale, inviter),
    )


def _source(card: CampaignCard, channel: str) -> dict[str, str]:
    """Where the visitor comes from, for the destination's own address: the link that people see stays clean (F12)."""
    given = {key: request.args[key][:100] for key in enter.SOURCE_KEYS if key in request.args}
    return given or {
        "utm_source": channel or "link",
        "utm_medium": "referral",
        "utm_campaign": card.slug,
    }


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
    """The person's link as a QR code, to show or to print at any size."""
    return _qr(code, "svg", scale=8, light="#fff")


@guarded_by(Guard.ANYONE)
def qr_png(code: str) -> ResponseReturnValue:
    """The same in dots, at least 600 of them in each direction, for programs that take no drawing."""
    return _qr(code, "png")


@guarded_by(Guard.ANYONE)
def sheet(code: str) -> ResponseReturnValue:
    """The person's link on a sheet of A6, to print and to hang up."""
    inviter = person.referrer(code)
    if inviter is None:
        raise NotFound
    card = cards.by_id(inviter.campaign_id)
    stages.stage_of(card)
    locale = language.speak(card.locales, card.default_locale)
    return render_template(
        "public/sheet.html",
        card=card,
        texts=lambda key: card.text(key, locale),
        prize=sharing.prize_title(card, locale),
        name=inviter.name_on_card,
        code=inviter.code,
        link=links.referral(inviter.code).split("://", 1)[1],
    )


def _qr(code: str, kind: str, **options: Any) -> Response:
    if person.referrer(code) is None:
        raise NotFound
    drawn = segno.make(links.referral(code, "qr"), error="m", boost_error=False)
    if kind == "png":
        options = {"scale": math.ceil(_QR_DOTS / drawn.symbol_size(border=_QR_BORDER)[0])}
    picture = io.BytesIO()
    drawn.save(picture, kind=kind, border=_QR_BORDER, **options)
    mimetype = "image/svg+xml" if kind == "svg" else "image/png"
    return Response(picture.getvalue(), mimetype=mimetype, headers={"Cache-Control": "public, max-age=86400"})
