"""The contest on a tablet that everybody uses: one entry after another, and nothing of a person stays on it."""

from __future__ import annotations

import io
from urllib.parse import urlencode

import segno
from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import i18n, links, tokens
from leadgen.core.tokens import Purpose
from leadgen.entries import person
from leadgen.journal import counters
from leadgen.journal.vocabulary import CounterName
from leadgen.web import headers, language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import enter, forms, stages
from leadgen.web.public.enter import Refusal
from leadgen.web.public.forms import EntryForm
from leadgen.web.public.landing import Invitation

_CHANNEL = "kiosk"


@guarded_by(Guard.FORM_TOKEN)
def kiosk(slug: str) -> ResponseReturnValue:
    """The form for the next person, or the thanks to the one before; `stand` is whose link it enters through."""
    card = cards.by_slug(slug)
    language.speak(card.locales, card.default_locale)
    counters.count(card.id, CounterName.VIEW, _CHANNEL)
    return _shown(card)


@guarded_by(Guard.FORM_TOKEN)
def kiosk_enter(slug: str) -> ResponseReturnValue:
    """Take the form. No cookie is set and no page of the person opens: the next one would find both."""
    card = cards.by_slug(slug)
    locale = language.speak(card.locales, card.default_locale)
    form = forms.read(card.id)
    done = enter.attempt(card, form, locale, _stand(card), channel=_CHANNEL)
    if isinstance(done, Refusal):
        return enter.with_retry(_shown(card, form=form, refusal=done), done)
    response = redirect(_address(card, done="1"), 303, Response)
    response.headers["Cache-Control"] = "no-store"
    return response


@guarded_by(Guard.ANYONE)
def kiosk_qr(slug: str) -> ResponseReturnValue:
    """For people who would rather enter on their own phone: the same contest, through the same stand."""
    card = cards.by_slug(slug)
    stages.stage_of(card)
    stand = _stand(card)
    source = urlencode({"utm_source": _CHANNEL, "utm_medium": "qr"})
    link = links.referral(stand.inviter.code, _CHANNEL) if stand else f"{links.landing(card.slug)}?{source}"
    picture = io.BytesIO()
    segno.make(link, error="m", boost_error=False).save(picture, kind="svg", scale=8, border=3, light="#fff")
    return Response(picture.getvalue(), mimetype="image/svg+xml", headers={"Cache-Control": "public, max-age=3600"})


def _stand(card: CampaignCard) -> Invitation | None:
    """Whose link the kiosk stands for, or nobody's: an unknown code must not keep people from entering."""
    code = request.args.get("stand", "")
    inviter = person.referrer(code) if code else None
    if inviter is None or inviter.campaign_id != card.id:
        return None
    return Invitation(inviter, _CHANNEL, tokens.sign(Purpose.REFERRAL, [inviter.code, _CHANNEL]))


def _address(card: CampaignCard, **more: str) -> str:
    kept = {name: request.args[name] for name in ("lang", "stand") if request.args.get(name)}
    query = urlencode(kept | more)
    return f"/c/{card.slug}/kiosk" + (f"?{query}" if query else "")


def _shown(card: CampaignCard, *, form: EntryForm | None = None, refusal: Refusal | None = None) -> Response:
    locale = i18n.locale()
    stand = _stand(card)
    html = render_template(
        "public/kiosk.html",
        card=card,
        texts=lambda key: card.text(key, locale),
        stage=stages.stage_of(card),
        slots={"token": forms.new_token(card.id), "origin": ""},
        form=form,
        notice=refusal.notice if refusal else "",
        stand=stand.inviter if stand else None,
        is_done="done" in request.args and form is None,
        again=_address(card),
        is_kiosk=True,
    )
    return headers.private(Response(html, refusal.status if refusal else 200, mimetype="text/html"))
