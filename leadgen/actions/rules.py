"""When an action may be done: repeat rules, windows, prerequisites. Pure: it knows neither database nor clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from leadgen.actions.models import DeedState
from leadgen.campaigns.cards import ActionCard
from leadgen.campaigns.models import ActionKind, Repeat

# What a person did that counts against the repeat rule.
_SPENT = frozenset({DeedState.DONE, DeedState.WAITING})
MOST_HAND_INS = 3  # a proof that staff refused may be handed in again, so often in all


class Stand(StrEnum):
    """Where a person stands with an action."""

    OPEN = "open"
    BEGUN = "begun"
    WAITING = "waiting"
    REFUSED = "refused"
    DONE = "done"
    FAILED = "failed"  # no points, and no further try
    AGAIN = "again"  # over for this day or week, and comes back
    LOCKED = "locked"
    NOT_YET = "not_yet"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Done:
    """One deed as its row has it."""

    action_id: int
    occurrence: str
    state: DeedState
    begun_at: datetime
    done_at: datetime | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """One action for one person. `at` is when it opens (again); `missing` counts other actions to be done before."""

    action: ActionCard
    stand: Stand
    times: int = 0
    at: datetime | None = None
    missing: int = 0
    must: tuple[int, ...] = ()  # mandatory actions that come first
    deed: Done | None = None  # the one of this period
    names: frozenset[str] = field(default_factory=frozenset)  # networks done in this period
    streak: int = 0  # days in a row, of a daily one
    number: int = 1  # of the next deed, where there may be many

    @property
    def is_open(self) -> bool:
        """Whether the person can do it now, or go on with it."""
        return self.stand in {Stand.OPEN, Stand.BEGUN, Stand.REFUSED}


def period(repeat: Repeat, moment: datetime, zone: str) -> str:
    """What may happen once under this rule: nothing more, a local day, a local week (ISO)."""
    local = moment.astimezone(ZoneInfo(zone)).date()
    if repeat is Repeat.DAILY:
        return local.isoformat()
    if repeat is Repeat.WEEKLY:
        year, week, _day = local.isocalendar()
        return f"{year}-W{week:02d}"
    return ""


def occurrence(way: Way, moment: datetime, zone: str, *, name: str = "", number: int | None = None) -> str:
    """The name of the deed that is being done: what may happen once. A number that was used already repeats itself."""
    if way.action.repeat is Repeat.UNLIMITED:
        chosen = str(min(number or way.number, way.number))
    else:
        chosen = period(way.action.repeat, moment, zone)
    return ":".join(part for part in (name, chosen) if part)


def next_opening(repeat: Repeat, moment: datetime, zone: str) -> datetime:
    """When the next local day, or the next local Monday, begins."""
    here = ZoneInfo(zone)
    local = moment.astimezone(here).date()
    days = 1 if repeat is Repeat.DAILY else 7 - local.weekday()
    return datetime.combine(local + timedelta(days=days), time.min, tzinfo=here)


def ways(actions: Sequence[ActionCard], deeds: Iterable[Done], moment: datetime, zone: str) -> list[Way]:
    """Where a person stands with every action, in the marketer's order."""
    by_action: dict[int, list[Done]] = {}
    for deed in deeds:
        by_action.setdefault(deed.action_id, []).append(deed)
    finished = {
        action.id for action in actions if any(deed.state is DeedState.DONE for deed in by_action.get(action.id, ()))
    }
    must = tuple(a.id for a in actions if a.is_mandatory and a.id not in finished and _is_on(a, moment))
    found = []
    for action in actions:
        way = _own(action, by_action.get(action.id, []), moment, zone)
        missing = max(0, action.needs_others - len(finished - {action.id}))
        before = () if action.is_mandatory else must
        if way.is_open and way.stand is not Stand.BEGUN and (missing or before):
            way = replace(way, stand=Stand.LOCKED, missing=missing, must=before)
        found.append(way)
    return found


def _is_on(action: ActionCard, moment: datetime) -> bool:
    return (action.starts_at is None or action.starts_at <= moment) and (
        action.ends_at is None or moment < action.ends_at
    )


def _own(action: ActionCard, deeds: list[Done], moment: datetime, zone: str) -> Way:
    """Where the person stands by this action's own rules."""
    now = period(action.repeat, moment, zone)
    mine = [deed for deed in deeds if _is_of(deed, action, now)]
    way = Way(
        action,
        Stand.OPEN,
        times=sum(deed.state in _SPENT for deed in deeds),
        deed=mine[-1] if mine else None,
        names=frozenset(deed.occurrence.split(":", 1)[0] for deed in mine if deed.state in _SPENT),
        streak=_streak(deeds, moment, zone) if action.repeat is Repeat.DAILY else 0,
        number=1 + max((_number(deed) for deed in deeds if _is_settled(deed)), default=0),
    )
    way = replace(way, stand=_stand(way))
    if way.stand in {Stand.DONE, Stand.FAILED}:
        return _coming_back(way, moment, zone)
    if way.is_open and not _is_on(action, moment):
        is_early = action.starts_at is not None and moment < action.starts_at
        return replace(way, stand=Stand.NOT_YET if is_early else Stand.OVER, at=action.starts_at if is_early else None)
    return way


def _coming_back(way: Way, moment: datetime, zone: str) -> Way:
    """What is over for this day or week, and when it opens again."""
    action = way.action
    if action.repeat not in {Repeat.DAILY, Repeat.WEEKLY} or _is_spent(way):
        return way
    at = next_opening(action.repeat, moment, zone)
    return way if action.ends_at is not None and at >= action.ends_at else replace(way, stand=Stand.AGAIN, at=at)


def _number(deed: Done) -> int:
    return int(deed.occurrence) if deed.occurrence.isdecimal() else 0


def _is_settled(deed: Done) -> bool:
    """Whether its occurrence is used up: what was refused may be handed in again under the same name."""
    return deed.state in _SPENT or (deed.state is DeedState.REFUSED and not may_hand_in(deed))


def _is_of(deed: Done, action: ActionCard, now: str) -> bool:
    """Whether a deed belongs to the present period."""
    if action.repeat is Repeat.UNLIMITED:
        return deed.state is not DeedState.DONE
    return action.repeat is Repeat.ONCE or deed.occurrence.rsplit(":", 1)[-1] == now


def _is_spent(way: Way) -> bool:
    return way.action.most_times is not None and way.times >= way.action.most_times


def _stand(way: Way) -> Stand:
    deed = way.deed
    if way.action.kind is ActionKind.SHARE:
        wanted = set(way.action.settings.get("networks", ()))
        return Stand.DONE if wanted <= way.names or _is_spent(way) else Stand.OPEN
    if deed is None:
        return Stand.DONE if _is_spent(way) else Stand.OPEN
    if deed.state is DeedState.REFUSED and not may_hand_in(deed):
        return Stand.OPEN if way.action.repeat is Repeat.UNLIMITED else Stand.FAILED
    return _STANDS[deed.state]


_STANDS = {
    DeedState.BEGUN: Stand.BEGUN,
    DeedState.WAITING: Stand.WAITING,
    DeedState.REFUSED: Stand.REFUSED,
    DeedState.DONE: Stand.DONE,
}


def may_hand_in(deed: Done) -> bool:
    """Whether a refused deed may be tried again."""
    return int(deed.data.get("tries", 1)) < MOST_HAND_INS and not deed.data.get("is_final")


def _streak(deeds: list[Done], moment: datetime, zone: str) -> int:
    """Days in a row up to today, or up to yesterday while today's is still to be done."""
    days = set()
    for deed in deeds:
        if deed.state is DeedState.DONE:
            try:
                days.add(date.fromisoformat(deed.occurrence.rsplit(":", 1)[-1]))
            except ValueError:
                continue
    day = moment.astimezone(ZoneInfo(zone)).date()
    if day not in days:
        day -= timedelta(days=1)
    count = 0
    while day in days:
        count, day = count + 1, day - timedelta(days=1)
    return count
