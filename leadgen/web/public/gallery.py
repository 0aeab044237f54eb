"""The public gallery: works in a fair order, one work with its vote, and the result; no cookie, no script needed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from wtforms import Form

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import links, tokens
from leadgen.core.errors import Conflict, NotFound, TokenInvalid, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.core.tokens import Purpose
from leadgen.entries import person
from leadgen.gallery import phases, votes, works
from leadgen.gallery.phases import Phase
from leadgen.gallery.voters import Voter
from leadgen.gallery.works import Order, Shown
from leadgen.web import headers, language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import enter, forms, stages
from leadgen.web.public.forms import FormToken

VOTER_SECONDS = 30 * 24 * 3600


class VoteForm(Form):
    """One press; the form token stands in for a session."""

    class Meta:
        """As the entry form."""

        csrf = True
        csrf_class = FormToken

    age: float | None = None


@guarded_by(Guard.ANYONE)
def works_page(slug: str) -> ResponseReturnValue:
    """The gallery. While people vote it is shuffled, and nobody sees who leads: both would decide the vote."""
    card = _card(slug)
    phase = phases.phase_of(card)
    order = _order(phase)
    page = request.args.get("page", 1, type=int)
    found = works.published(card.id, order, page=page, limit=works.PAGE + 1)
    placed = works.result(card) if phase is Phase.OVER and page == 1 else []
    values = {"works": found[: works.PAGE], "has_more": len(found) > works.PAGE, "page": max(1, page), "order": order}
    return _answer(card, "public/works.html", phase=phase, placed=placed, **values)


@guarded_by(Guard.ANYONE)
def work_page(slug: str, public_id: str) -> ResponseReturnValue:
    """One work, with its vote while there is one."""
    card = _card(slug)
    return _work_page(card, works.one(card.id, public_id))


@guarded_by(Guard.FORM_TOKEN)
def work_vote(slug: str, public_id: str) -> ResponseReturnValue:
    """Vote. A repeated press changes nothing; a refused one says why, and how to go on."""
    card = _card(slug)
    work = works.one(card.id, public_id)
    form = VoteForm(request.form, meta={"csrf_context": (card.id, "")})
    if not form.validate():
        return _work_page(card, work, status=400, problem=str(form["csrf_token"].errors[0]))
    try:
        given = votes.cast(card, public_id, _calm_voter())
    except Conflict as error:
        return _work_page(card, work, status=409, problem=str(error))
    except TooMany as error:
        response = _work_page(card, work, status=429, problem=str(error))
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    said = {"voted": "new" if given.is_new else "again", "left": given.left}
    return headers.private(redirect(_address(card, work, said), 303))


def _card(slug: str) -> CampaignCard:
    card = cards.by_slug(slug)
    stages.stage_of(card)  # a draft is not there yet
    language.speak(card.locales, card.default_locale)
    if not phases.has_gallery(card):
        raise NotFound
    return card


def _order(phase: Phase) -> Order:
    asked = request.args.get("sort", "")
    if phase is Phase.VOTING:
        return Order.NEW if asked == Order.NEW else Order.RANDOM
    if phase is Phase.OVER:
        return Order.NEW if asked == Order.NEW else Order.TOP
    return Order.NEW


def _voter_token() -> str:
    return request.form.get("v", "") if request.method == "POST" else request.args.get("v", "")


def _voter_id() -> int | None:
    """The entrant whose own link this is; None for a stranger, and for a link that is not good (any more)."""
    try:
        return int(tokens.read(Purpose.VOTER, _voter_token(), max_age=VOTER_SECONDS))
    except (TokenInvalid, TypeError, ValueError):
        return None


def _calm_voter() -> Voter:
    """Who votes. Raises TooMany when a script seems to."""
    voter = Voter(request.remote_addr or "", request.headers.get("User-Agent", ""), _voter_id())
    if voter.entry_id is None and not enter.is_calm("vote"):
        raise TooMany(_("Many votes came from your network in the last minutes. Please try again in a while."), 600)
    return voter


def _work_page(card: CampaignCard, work: Shown, *, status: int = 200, problem: str = "") -> Response:
    code = request.args.get("r", "")
    inviter = person.referrer(code) if code else None
    ref = tokens.sign(Purpose.REFERRAL, [inviter.code, "copy"]) if inviter and inviter.campaign_id == card.id else ""
    share = links.absolute(f"/c/{card.slug}/works/{work.public_id}?r={work.maker_code}")
    values = {"work": work, "phase": phases.phase_of(card), "problem": problem, "ref": ref, "share_link": share}
    response = _answer(card, "public/work.html", is_own=_voter_id() == work.maker_entry_id, **values)
    response.status_code = status
    return response


def _answer(card: CampaignCard, template: str, **values: Any) -> Response:
    voter_id = _voter_id()
    html = render_template(
        template,
        card=card,
        texts=lambda key: card.text(key, language.current()),
        stage=stages.stage_of(card),
        token=forms.new_token(card.id),
        voter=_voter_token() if voter_id else "",
        voted=request.args.get("voted", ""),
        left=max(0, min(request.args.get("left", 0, type=int), card.votes_a_day)),
        left_in_words=stages.left_in_words,
        **values,
    )
    response = Response(html, mimetype="text/html", headers={"Cache-Control": "no-store", "Vary": "Accept-Language"})
    # Whoever came by their own link does not hand it on to the next page.
    return headers.private(response) if voter_id else response


def _address(card: CampaignCard, work: Shown, said: dict[str, Any]) -> str:
    kept = {"v": _voter_token()} if _voter_id() else {}
    lang = {"lang": request.args["lang"]} if request.args.get("lang", "") in card.locales else {}
    return f"/c/{card.slug}/works/{work.public_id}?{urlencode(kept | lang | said)}#vote"
