"""Visits and videos: the server's own clock says how long somebody was away or watched, never the browser's."""

from __future__ import annotations

from datetime import datetime

from leadgen.actions.deeds import Doer, Outcome, Result, finish, write
from leadgen.actions.models import DeedState
from leadgen.actions.rules import Way, occurrence
from leadgen.campaigns.cards import ActionCard
from leadgen.core import tokens
from leadgen.core.errors import TokenInvalid
from leadgen.core.tokens import Purpose

REPORT_SECONDS = 10  # how often a playing video is reported
_MOST_A_REPORT = 15  # seconds that one report can stand for: a pause is not watched
VISIT_LIFE_SECONDS = 24 * 3600


def visit(who: Doer, way: Way, *, is_back: bool) -> Result:
    """Leave for the site, or come back from it: credited after the action's seconds.

    Where the site calls back (`callback`) only its signed call finishes the deed.
    """
    name = occurrence(way, who.now, who.card.timezone)
    if way.deed is None or way.deed.state is not DeedState.BEGUN:
        write(who, way.action, name, DeedState.BEGUN, {})
        return Result(Outcome.BEGUN, seconds=_needed(way.action))
    left = _needed(way.action) - _seconds(who.now, way.deed.begun_at)
    if not is_back or way.action.settings.get("callback"):
        return Result(Outcome.BEGUN, seconds=max(0, left))
    return Result(Outcome.TOO_SOON, seconds=left) if left > 0 else finish(who, way.action, name)


def report(who: Doer, way: Way) -> Result:
    """The video plays: what passed since the last report counts, fifteen seconds at most."""
    name = occurrence(way, who.now, who.card.timezone)
    begun = way.deed if way.deed and way.deed.state is DeedState.BEGUN else None
    watched = 0
    if begun is not None:
        since = datetime.fromisoformat(begun.data["seen_at"])
        watched = int(begun.data["seconds"]) + max(0, min(_seconds(who.now, since), _MOST_A_REPORT))
    seen = {"seconds": watched, "seen_at": who.now.isoformat()}
    if watched >= _needed(way.action):
        return finish(who, way.action, name, data=seen)
    write(who, way.action, name, DeedState.BEGUN, seen)
    return Result(Outcome.BEGUN, seconds=_needed(way.action) - watched)


def _needed(action: ActionCard) -> int:
    return int(action.settings["seconds"])


def _seconds(now: datetime, then: datetime) -> int:
    return int((now - then).total_seconds())


def destination(action: ActionCard, entry_id: int) -> str:
    """Where a visit leads; for sites that call back, with the token that names the person to nobody but us."""
    url = str(action.settings["url"])
    if not action.settings.get("callback"):
        return url
    before, mark, fragment = url.partition("#")
    join = "&" if "?" in before else "?"
    return f"{before}{join}visit={tokens.sign(Purpose.VISIT, [entry_id, action.id])}{mark}{fragment}"


def visitor(token: str, action_id: int) -> int:
    """Whose visit of this action a token tells, at most a day old. Raises TokenInvalid."""
    found = tokens.read(Purpose.VISIT, token, max_age=VISIT_LIFE_SECONDS)
    entry_id, of = found
    if of != action_id:
        raise TokenInvalid("another action's visit")
    return int(entry_id)
