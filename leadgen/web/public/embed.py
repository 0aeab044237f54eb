"""The window on a contest in other people's pages: the script that makes it, and the page inside its frame.

Nothing here sets or reads a cookie, because browsers give none to frames of other sites: the form is guarded by a token
signed for the campaign and the page around it, and by `frame-ancestors` with the campaign's list of sites.
"""

from __future__ import annotations

import json
from functools import lru_cache

from flask import Response, g, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import i18n, links, settings, tokens
from leadgen.core.errors import NotAllowed
from leadgen.core.i18n import gettext as _
from leadgen.core.tokens import Purpose
from leadgen.entries import person
from leadgen.entries.entering import Entered
from leadgen.journal import counters
from leadgen.journal.vocabulary import CounterName
from leadgen.web import headers, language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.pages import STATIC
from leadgen.web.public import enter, forms, landing, stages
from leadgen.web.public.enter import Refusal
from leadgen.web.public.forms import EntryForm
from leadgen.web.public.landing import Invitation

_MINUTES = 300  # seconds that a site may keep the script


@guarded_by(Guard.ANYONE)
def embed_script(slug: str) -> ResponseReturnValue:
    """The script that a site includes; it makes the element <leadgen-contest>. The same for everybody."""
    card = cards.by_slug(slug)
    stages.stage_of(card)  # a draft is not there
    kept = {"Cache-Control": f"public, max-age={_MINUTES}"}
    script = _script(links.absolute(""), card.slug, card.default_locale)
    return Response(script, mimetype="text/javascript", headers=kept)


@guarded_by(Guard.FORM_TOKEN)
def embed_page(slug: str) -> ResponseReturnValue:
    """The page inside the frame: promise and form. Raises NotAllowed for a site that is not on the list."""
    card = cards.by_slug(slug)
    language.speak(card.locales, card.default_locale)
    host = _host(card)
    invited = _invitation(card)
    counters.count(card.id, CounterName.VIEW, invited.channel if invited else "")
    return _shown(card, host, invited)


@guarded_by(Guard.FORM_TOKEN)
def embed_enter(slug: str) -> ResponseReturnValue:
    """Take the form from inside the frame, and hand over to a page of our own in a tab of its own."""
    card = cards.by_slug(slug)
    locale = language.speak(card.locales, card.default_locale)
    host = _host(card)
    if request.headers.get("Origin", settings.get().base_url) not in {settings.get().base_url, request.host_url[:-1]}:
        raise NotAllowed(_("This form was sent from another site."))
    form = forms.read(card.id, host)
    invited = _invitation(card)
    done = enter.attempt(card, form, locale, invited)
    if isinstance(done, Refusal):
        return enter.with_retry(_shown(card, host, invited, form=form, refusal=done), done)
    return _entered(card, host, form, done, invited)


def _host(card: CampaignCard) -> str:
    """The origin of the page around the frame, else our own. Raises NotAllowed when it is not on the list."""
    host = request.args.get("host") or settings.get().base_url
    if host not in {*card.embed_origins, settings.get().base_url}:
        raise NotAllowed(_("This contest is not shown on that site."))
    g.framed_by = card.embed_origins  # an error of this request is read inside their frame
    return host


def _invitation(card: CampaignCard) -> Invitation | None:
    """Who invited: a ref as on the landing page, or the code that the page around the frame was opened with."""
    if found := landing.invitation(card):
        return found
    inviter = person.referrer(request.args.get("code", "")) if request.args.get("code") else None
    if inviter is None or inviter.campaign_id != card.id:
        return None
    return Invitation(inviter, "embed", tokens.sign(Purpose.REFERRAL, [inviter.code, "embed"]))


def _shown(
    card: CampaignCard,
    host: str,
    invited: Invitation | None,
    *,
    form: EntryForm | None = None,
    refusal: Refusal | None = None,
) -> Response:
    locale = i18n.locale()
    slots = {
        "token": forms.new_token(card.id, host),
        "inviter": Markup(landing.inviter_html(invited)),  # noqa: S704 - escaped where it is put together
        "origin": Markup(landing.origin_html(invited, host)),  # noqa: S704 - as above
    }
    html = render_template(
        "public/embed.html",
        card=card,
        texts=lambda key: card.text(key, locale),
        stage=stages.stage_of(card),
        host=host,
        slots=slots,
        form=form,
        notice=refusal.notice if refusal else "",
    )
    return _framed(Response(html, refusal.status if refusal else 200, mimetype="text/html"), card)


def _entered(
    card: CampaignCard, host: str, form: EntryForm, entered: Entered, invited: Invitation | None
) -> AnyResponse:
    html = render_template(
        "public/embed_entered.html",
        card=card,
        host=host,
        masked=entered.masked,
        onward=enter.waiting_address(card, form, entered, invited),
    )
    return _framed(Response(html, mimetype="text/html"), card)


def _framed(response: Response, card: CampaignCard) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return headers.frameable_by(response, *card.embed_origins)


@lru_cache(maxsize=256)
def _script(base: str, slug: str, locale: str) -> str:
    """The static script with the few things that differ, as JSON: nothing of it is typed by anybody but us."""
    words = {}
    for code in i18n.LOCALES:
        with i18n.speaking(code):
            words[code] = {"title": _("Contest"), "close": _("Close"), "open": _("Enter the contest")}
    settled = json.dumps({"base": base, "slug": slug, "locale": locale, "words": words}, ensure_ascii=True)
    return (STATIC / "embed.js").read_text(encoding="utf-8").replace('"SETTLED"', settled, 1)
