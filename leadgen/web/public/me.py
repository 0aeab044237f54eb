"""The person's page: points and rank, the link to share, friends, questions, prizes, and everything held about them."""

from __future__ import annotations

import contextlib
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as AnyResponse

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.contacts import service as contacts
from leadgen.core import links, tokens
from leadgen.core.errors import NotFound, TokenExpired, TokenInvalid
from leadgen.core.i18n import gettext as _
from leadgen.core.tokens import Purpose
from leadgen.entries import person, waiting
from leadgen.entries.models import EntryStatus
from leadgen.entries.person import Standing
from leadgen.fraud import returns
from leadgen.web import headers, language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import sections, share, stages, traces

LINK_SECONDS = 30 * 24 * 3600
_CHANNEL = "my page"


@guarded_by(Guard.SIGNED_LINK)
def me(token: str) -> ResponseReturnValue:
    """Show where the person stands and what is next; an old link offers a new one by mail."""
    standing, card = opened(token)
    returns.note(standing.entry_id)
    return shown(token, standing, card)


@guarded_by(Guard.SIGNED_LINK)
def me_consent(token: str) -> ResponseReturnValue:
    """Give or take back consent to marketing: both on the same page, both one press."""
    standing, card = opened(token)
    if request.form.get("marketing") == "give":
        wording = card.text("consent_marketing", language.current())
        shown: dict[str, Any] = {"wording": wording, "control": "button"}
        shown |= {"rules_version": card.rules_version, "page_version": card.version}
        contacts.resubscribe(standing.contact_id, _CHANNEL, shown | traces.of_request("/me"))
        return back(token, "data", done="given")
    contacts.unsubscribe(standing.contact_id, _CHANNEL, traces.of_request("/me"))
    return back(token, "data", done="withdrawn")


@guarded_by(Guard.SIGNED_LINK)
def me_erase_page(token: str) -> ResponseReturnValue:
    """Ask before everything is forgotten: it cannot be undone."""
    standing, card = opened(token)
    return page("public/erase.html", token=token, card=card, standing=standing)


@guarded_by(Guard.SIGNED_LINK)
def me_erase(token: str) -> ResponseReturnValue:
    """Forget the person once they typed the word that says so."""
    standing, card = opened(token)
    if request.form.get("word", "").strip().casefold() != _("erase").casefold():
        return page("public/erase.html", 400, token=token, card=card, standing=standing, is_wrong=True)
    person.erase(standing.entry_id)
    return page("public/erased.html", card=card)


@guarded_by(Guard.SIGNED_LINK)
def me_link(token: str) -> ResponseReturnValue:
    """Mail a new link to whoever comes with an old one; the answer does not tell whether there is somebody."""
    payload = tokens.read(Purpose.STATUS, token)
    language.speak()
    with contextlib.suppress(NotFound):
        waiting.mail_page_link(int(payload["e"]))
    return page("public/old_link.html", token=token, is_sent=True)


class OldLink(Exception):
    """The link was signed by us, but is too old or was replaced."""


def answer_old_link(_error: Exception) -> ResponseReturnValue:
    """The page behind a link that was good once: one press, and a new one comes by mail."""
    language.speak()
    token = (request.view_args or {}).get("token", "")
    if _is_erased(token):
        return page("public/erased_link.html", 410)
    return page("public/old_link.html", 410, token=token, is_sent=False)


def _is_erased(token: str) -> bool:
    """Whether this link belonged to somebody whose data were erased since."""
    try:
        found = waiting.look(int(tokens.read(Purpose.STATUS, token)["e"]))
    except TokenInvalid:
        return False
    return found is not None and found.status is EntryStatus.ERASED


def opened(token: str) -> tuple[Standing, CampaignCard]:
    """Who this link belongs to. Raises OldLink when it is not good any more, TokenInvalid when it never was."""
    try:
        payload = tokens.read(Purpose.STATUS, token, max_age=LINK_SECONDS)
        standing = person.standing(int(payload["e"]), int(payload["a"]))
    except (TokenExpired, NotFound):
        raise OldLink from None
    card = cards.by_id(standing.campaign_id)
    if "lang" in request.args or standing.locale not in card.locales:
        language.speak(card.locales, card.default_locale)
    else:
        language.use(standing.locale)
    return standing, card


def shown(
    token: str,
    standing: Standing,
    card: CampaignCard,
    *,
    status: int = 200,
    problem: dict[str, Any] | None = None,
    **said: Any,
) -> Response:
    """The whole page; `problem` is a refused answer, `said` what a section's own refused form brings."""
    locale = language.current()
    return page(
        "public/me.html",
        status,
        token=token,
        card=card,
        texts=lambda key: card.text(key, locale),
        standing=standing,
        stage=stages.stage_of(card),
        left=stages.left_in_words(card.ends_at),
        shares=share.buttons(card, standing, locale),
        link=links.referral(standing.code),
        problem=problem,
        is_new="new" in request.args,
        earned=request.args.get("earned", ""),
        done=request.args.get("done", ""),
        is_confirmed=standing.status is EntryStatus.CONFIRMED,
        **sections.of(standing, card, token) | said,
    )


def page(template: str, status: int = 200, **values: Any) -> Response:
    """An answer that is somebody's own: kept nowhere, told to nobody."""
    return headers.private(Response(render_template(template, **values), status, mimetype="text/html"))


def back(token: str, anchor: str, **said: Any) -> AnyResponse:
    """303 to the page, at one of its parts, with what it says once."""
    values = {name: value for name, value in said.items() if value not in {"", 0}}
    if "lang" in request.args:
        values["lang"] = request.args["lang"]
    return headers.private(redirect(url_for("public.me", token=token, _anchor=anchor, **values), 303))
