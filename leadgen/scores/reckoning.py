"""The meaning of the rules, without a database: what a person's answers and deeds give, and what is left of it now.

What is shown are whole numbers. Fit is one by itself. Of engagement the sum of what is left is rounded half up, and the
parts of an explanation are rounded by largest remainder to exactly that; what silence takes and what the bounds of 0
and 100 cut are whole numbers and lines of their own. So the lines of an explanation add up to the number, always.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from leadgen.core import logic
from leadgen.scores.models import ContributionKind
from leadgen.scores.rules import Band, DeedRule, Rules

LOWEST, HIGHEST = 0, 100
LETTER_DAYS = 90
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Event:
    """A deed of a human: `day` is its day on the brand's calendar."""

    deed: str
    detail: str
    contest: int | None
    event: str
    at: datetime
    day: date


@dataclass(slots=True)
class Person:
    """What rules may look at."""

    id: int
    answers: Mapping[str, Any]
    alive_at: datetime
    events: list[Event] = field(default_factory=list)
    letters: int = 0
    reactions: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the ledger."""

    rule: str
    event: str
    kind: ContributionKind
    points: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a version of the rules says of a person."""

    lines: Sequence[Line]
    fit: int
    disqualified_by: str
    worth: float
    worth_at: datetime


class Reactivity(StrEnum):
    """How an address answers to letters."""

    LIVELY = "lively"
    QUIET = "quiet"
    SILENT = "silent"


def outcome(rules: Rules, person: Person, now: datetime) -> Outcome:
    """Everything that the rules give; the order of events that are told does not matter."""
    known = known_of(person.answers)
    fit = [
        Line(one.key, "", ContributionKind.FIT, one.points, now) for one in rules.fit if logic.holds(one.when, known)
    ]
    out = next((one.key for one in rules.out if logic.holds(one.when, known)), "")
    deeds = _earned(rules.deeds, person.events)
    worth_at = max((line.at for line in deeds), default=person.alive_at)
    total = sum(line.points for line in fit)
    return Outcome(
        lines=[*fit, *deeds],
        fit=0 if out else clamped(total),
        disqualified_by=out,
        worth=math.fsum(left(line.points, line.at, worth_at, rules.half_life) for line in deeds),
        worth_at=worth_at,
    )


def known_of(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of fit rules: `answered`, how many answers there are, and `answer.<key>` for each."""
    return {"answered": len(answers)} | {f"answer.{key}": value for key, value in answers.items()}


def _earned(rules: Sequence[DeedRule], events: Sequence[Event]) -> list[Line]:
    """Oldest first, each as far as the limits of its rule leave room."""
    all_time: Counter[str] = Counter()
    by_day: Counter[tuple[str, date]] = Counter()
    found = []
    for event in sorted(events, key=lambda one: (one.at, one.event)):
        for rule in rules:
            if rule.deed != event.deed or not _is_meant(rule, event):
                continue
            points = rule.points
            if rule.most:
                points = min(points, rule.most - all_time[rule.key])
            if rule.day:
                points = min(points, rule.day - by_day[rule.key, event.day])
            if rule.points > 0 >= points:
                continue
            all_time[rule.key] += points
            by_day[rule.key, event.day] += points
            found.append(Line(rule.key, event.event, ContributionKind.ENGAGEMENT, points, event.at))
    return found


def _is_meant(rule: DeedRule, event: Event) -> bool:
    return (not rule.contest or rule.contest == event.contest) and (not rule.detail or rule.detail == event.detail)


def left(points: float, at: datetime, now: datetime, half_life: int) -> float:
    """What is left of points after a while; a half-life is in days."""
    return float(points * 0.5 ** (max(0.0, (now - at).total_seconds()) / (_DAY * half_life)))


def taken_by_silence(rules: Rules, alive_at: datetime, now: datetime) -> int:
    """Points, never negative."""
    silence = rules.silence
    return min(silence.most, silence.points * max(0, (now - alive_at) // timedelta(days=silence.days)))


def engagement(rules: Rules, worth: float, worth_at: datetime, alive_at: datetime, now: datetime) -> int:
    """The number shown; `scores.sql.ENGAGEMENT` is its twin."""
    return clamped(whole(left(worth, worth_at, now, rules.half_life)) - taken_by_silence(rules, alive_at, now))


def whole(value: float) -> int:
    """Rounded half up."""
    return math.floor(value + 0.5)


def clamped(value: int) -> int:
    """Within the bounds of what is shown."""
    return max(LOWEST, min(HIGHEST, value))


def shared(total: int, parts: Sequence[float]) -> list[int]:
    """The parts as whole numbers that add up to the total: rounded down, the largest remainders up first."""
    if not parts:
        return []
    found = [math.floor(part) for part in parts]
    order = sorted(range(len(parts)), key=lambda n: (found[n] - parts[n], n))
    missing = total - sum(found)
    for step in range(abs(missing)):
        found[order[step % len(order)]] += 1 if missing > 0 else -1
    return found


def band(bands: Sequence[Band], value: int, before: str) -> str:
    """The best band whose edge is reached; one that was held before is left only below its lower edge."""
    is_held = False
    for one in bands[:-1]:
        is_held = is_held or one.key == before
        if value >= (one.leave if is_held else one.enter):
            return one.key
    return bands[-1].key


def reactivity(letters: int, reactions: int, alive_at: datetime, now: datetime) -> Reactivity:
    """Lively: reacts to one letter of four, or gave a sign of life within 30 days. Silent: neither reacted to any
    letter of LETTER_DAYS nor gave a sign of life within 180 days. `scores.sql.REACTIVITY` is its twin.
    """  # noqa: D205 - one sentence for each word
    if (reactions and reactions * 4 >= letters) or alive_at > now - timedelta(days=30):
        return Reactivity.LIVELY
    return Reactivity.QUIET if reactions or alive_at > now - timedelta(days=180) else Reactivity.SILENT
