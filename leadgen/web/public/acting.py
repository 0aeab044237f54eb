"""Doing actions from the person's page: one press, one deed; quizzes have a page of their own."""

from __future__ import annotations

from typing import Any

from flask import Response, g, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.actions import quizzes, watching
from leadgen.actions import service as actions
from leadgen.actions import ways as reading
from leadgen.actions.rules import Stand
from leadgen.actions.service import Outcome, Result, Shown
from leadgen.campaigns.cards import ActionCard
from leadgen.campaigns.models import ActionKind
from leadgen.core import clock, limits, tokens
from leadgen.core.errors import Invalid, TokenInvalid, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.core.tokens import Purpose
from leadgen.entries.person import Standing
from leadgen.web import headers
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import me, stages, way_words
from leadgen.web.public.stages import Stage
from leadgen.web.public.ways import Said

LIMIT = "60 per 10 minutes"  # deeds of one person, right or wrong
_QUIZ_SECONDS = 24 * 3600


@guarded_by(Guard.SIGNED_LINK)
def me_act(token: str, action_id: int) -> ResponseReturnValue:
    """Do one action; what came of it stands on its card. A script asks for JSON."""
    standing, card = me.opened(token)
    action = actions.action_of(card, action_id)
    if not limits.allow(LIMIT, "deeds", str(standing.entry_id)):
        raise TooMany(_("That was a lot at once. Wait a few minutes, then go on."), retry_after=600)
    try:
        result = actions.do(standing.entry_id, action, _shown(standing, action))
    except Invalid as error:
        g.way_said = Said(action.id, str(error), is_good=False)
        return me.shown(token, standing, card, status=400)
    if request.accept_mimetypes.best == "application/json":
        answer = {"outcome": result.outcome, "points": result.points, "seconds": result.seconds}
        return headers.private(jsonify(answer | {"said": way_words.result(action, result)}))
    return _back(token, action, result)


def _shown(standing: Standing, action: ActionCard) -> Shown:
    form = request.form
    number = form.get("n", "")[:6]
    return Shown(
        network=form.get("network", ""),
        code=form.get("code", ""),
        note=form.get("note", ""),
        answers={key.removeprefix("q-"): form.getlist(key) for key in form if key.startswith("q-")},
        number=int(number) if number.isdecimal() and number != "0" else None,
        seconds=_seconds_open(form.get("stamp", ""), standing, action),
        is_back="back" in form,
    )


def _seconds_open(stamp: str, standing: Standing, action: ActionCard) -> float:
    """For how long this person had the questions of this quiz before their eyes; 0 when we did not show them."""
    try:
        entry_id, of, shown_at = tokens.read(Purpose.QUIZ, stamp, max_age=_QUIZ_SECONDS)
    except (TokenInvalid, TypeError, ValueError):
        return 0.0
    return clock.now().timestamp() - shown_at if (entry_id, of) == (standing.entry_id, action.id) else 0.0


def _back(token: str, action: ActionCard, result: Result) -> ResponseReturnValue:
    if action.kind is ActionKind.QUIZ and result.outcome is not Outcome.ALREADY:
        values: dict[str, Any] = {"said": result.outcome.value, "points": result.points or None}
        return headers.private(redirect(_address("public.me_quiz", token, action_id=action.id, **values), 303))
    values = {"act": action.id, "said": result.outcome.value, "points": result.points or None}
    values |= {"wait": result.seconds or None, "_anchor": f"way-{action.id}"}
    return headers.private(redirect(_address("public.me", token, **values), 303))


def _to_card(token: str, action: ActionCard) -> ResponseReturnValue:
    return headers.private(redirect(_address("public.me", token, _anchor=f"way-{action.id}"), 303))


def _address(endpoint: str, token: str, **values: Any) -> str:
    if "lang" in request.args:
        values["lang"] = request.args["lang"]
    return url_for(endpoint, token=token, **values)


@guarded_by(Guard.SIGNED_LINK)
def me_quiz(token: str, action_id: int) -> ResponseReturnValue:
    """The questions of a quiz on a page of their own; the solutions once it is over for this person."""
    standing, card = me.opened(token)
    action = actions.action_of(card, action_id)
    if action.kind is not ActionKind.QUIZ:  # nothing but a card on the page
        return _to_card(token, action)
    way = next(way for way in reading.of(standing.entry_id, card).ways if way.action.id == action_id)
    outcome, points = request.args.get("said", ""), request.args.get("points", "")[:6]
    result = Result(Outcome(outcome), int(points) if points.isdecimal() else 0) if outcome in set(Outcome) else None
    return me.page(
        "public/quiz.html",
        token=token,
        card=card,
        way=way,
        may_act=stages.stage_of(card) is Stage.OPEN and way.stand in {Stand.OPEN, Stand.BEGUN},
        questions=quizzes.shown(action),
        marked=quizzes.marked(action, way.deed),
        tries_left=quizzes.tries_left(action, way.deed),
        stamp=tokens.sign(Purpose.QUIZ, [standing.entry_id, action.id, int(clock.now().timestamp())]),
        said=result and Said(action.id, way_words.result(action, result), outcome in way_words.GOOD),
        way_words=way_words,
    )


@guarded_by(Guard.SIGNED_LINK)
def me_out(token: str, action_id: int) -> ResponseReturnValue:
    """Lead to the site of a visit: its address stands in the action, never in the link, and learns nothing of ours."""
    standing, card = me.opened(token)
    action = actions.action_of(card, action_id)
    if action.kind is not ActionKind.VISIT:
        return _to_card(token, action)
    return headers.private(redirect(watching.destination(action, standing.entry_id), 302, Response))
