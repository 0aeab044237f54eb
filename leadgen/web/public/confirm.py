"""Double opt-in: a link shows a page, only its POST acts; and the same for “it wasn't me”."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import links, tokens
from leadgen.core.errors import Conflict, NotFound, TokenInvalid, TooMany
from leadgen.core.tokens import Purpose
from leadgen.entries import confirming, waiting
from leadgen.entries.confirming import ConfirmView, Outcome
from leadgen.journal import counters
from leadgen.journal.vocabulary import CounterName
from leadgen.web import headers, language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import browser, traces

# How each outcome is answered besides its page.
_STATUS = {Outcome.EXPIRED: 410, Outcome.CLOSED: 410, Outcome.INERT: 404}


@guarded_by(Guard.SIGNED_LINK)
def confirm_page(token: str) -> ResponseReturnValue:
    """Show what one more tap does. GET and HEAD count a view and change nothing (rule 2)."""
    view = _view(token, Purpose.CONFIRM)
    if view is None:
        return _unknown()
    counters.count(view.campaign_id, CounterName.CONFIRM_VIEW)
    if _is_seen(view):
        confirming.note_view(view.entry_id)
    return _show(view, token)


@guarded_by(Guard.SIGNED_LINK)
def confirm(token: str) -> ResponseReturnValue:
    """Confirm; pressing twice is the same as once."""
    try:
        entry_id, generation = _read(token, Purpose.CONFIRM)
        view = confirming.view(entry_id, generation)
        is_same_browser = browser.made(entry_id, view.campaign_id)
        method = "cookie_post" if is_same_browser else "button_post"
        found = confirming.confirm(entry_id, generation, method, traces.of_request("/confirm"))
    except (TokenInvalid, NotFound):
        return _unknown()
    if found.outcome is Outcome.CONFIRMED:
        page = links.status_token(found.entry_id, found.access_version)
        return headers.private(redirect(f"/me/{page}?new=1", 303))
    return _show(confirming.view(entry_id, generation), token)


@guarded_by(Guard.SIGNED_LINK)
def confirm_again(token: str) -> ResponseReturnValue:
    """One tap for whoever comes too late or too early: a new confirmation mail, or the link to the person's page."""
    try:
        entry_id, generation = _read(token, Purpose.CONFIRM)
        view = confirming.view(entry_id, generation)
        if view.outcome is Outcome.ALREADY:
            waiting.mail_page_link(entry_id)
        elif view.outcome in {Outcome.EXPIRED, Outcome.READY}:
            waiting.resend(entry_id)
    except (TokenInvalid, NotFound):
        return _unknown()
    except (TooMany, Conflict) as error:
        return _show(view, token, problem=str(error))
    return _show(view, token, is_sent=True)


@guarded_by(Guard.SIGNED_LINK)
def refuse_page(token: str) -> ResponseReturnValue:
    """Ask once more before an entry is ended: scanners follow this link too."""
    view = _view(token, Purpose.REFUSE)
    if view is None:
        return _unknown()
    if view.outcome is Outcome.ERASED:
        return _erased(view)
    return _page("public/refuse.html", view, token=token, is_done=False)


@guarded_by(Guard.SIGNED_LINK)
def refuse(token: str) -> ResponseReturnValue:
    """“It wasn't me”: end the entry and never write to this address for it again."""
    try:
        entry_id, generation = _read(token, Purpose.REFUSE)
        view = confirming.view(entry_id, generation)
        if view.outcome is Outcome.ERASED:
            return _erased(view)
        waiting.refuse(entry_id, generation)
    except (TokenInvalid, NotFound):
        return _unknown()
    except Conflict as error:
        return _page("public/refuse.html", view, token=token, is_done=False, problem=str(error))
    return _page("public/refuse.html", view, token=token, is_done=True)


def _read(token: str, purpose: Purpose) -> tuple[int, int]:
    """Entry and generation. How long a link is good stands in the row, so that it can be extended."""
    payload = tokens.read(purpose, token)
    return int(payload["s"]), int(payload["g"])


def _view(token: str, purpose: Purpose) -> ConfirmView | None:
    try:
        return confirming.view(*_read(token, purpose))
    except (TokenInvalid, NotFound):
        return None


def _show(view: ConfirmView, token: str, *, is_sent: bool = False, problem: str = "") -> Response:
    if view.outcome is Outcome.ERASED:
        return _erased(view)
    is_same_browser = browser.made(view.entry_id, view.campaign_id)
    may_submit = is_same_browser and request.method == "GET" and not traces.is_prefetch()
    page_of_person = ""
    if view.outcome is Outcome.ALREADY and is_same_browser:
        page_of_person = links.status_token(view.entry_id, view.access_version)
    return _page(
        "public/confirm.html",
        view,
        status=200 if is_sent else _STATUS.get(view.outcome, 200),
        token=token,
        is_submitting=may_submit and view.outcome is Outcome.READY,
        page_of_person=page_of_person,
        is_sent=is_sent,
        problem=problem,
    )


def _page(template: str, view: ConfirmView, *, status: int = 200, **values: Any) -> Response:
    card: CampaignCard = cards.by_id(view.campaign_id)
    if "lang" in request.args or view.locale not in card.locales:
        language.speak(card.locales, card.default_locale)
    else:
        language.use(view.locale)
    html = render_template(template, card=card, view=view, **values)
    return headers.private(Response(html, status, mimetype="text/html"))


def _erased(view: ConfirmView) -> Response:
    """An old link of somebody who asked to be forgotten, or was: nothing is left that it could lead to."""
    return _page("public/erased_link.html", view, status=410)


def _unknown() -> Response:
    language.speak()
    return headers.private(Response(render_template("public/unknown_link.html"), 404, mimetype="text/html"))


def _is_seen(view: ConfirmView) -> bool:
    """Whether a person is likely to look at the button: no scanner, no prefetch, no page that presses by itself."""
    is_machine = traces.is_machine() or traces.is_prefetch()
    return view.outcome is Outcome.READY and not is_machine and not browser.made(view.entry_id, view.campaign_id)
