"""What a rehearsal is made of: who and what is played, the questions that it asks, and the lines that come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from leadgen.core.logic import Condition
from leadgen.nurture.definition import Definition, End, Event, Happening, Until


class Kind(StrEnum):
    """What happens at a moment of the play."""

    BEGAN = "began"
    NOT_BEGUN = "not_begun"
    HELD_OUT = "held_out"
    WENT_ON = "went_on"  # the event came that was waited for
    TIMED_OUT = "timed_out"
    BRANCHED = "branched"
    RETIMED = "retimed"  # the contest ends later than it was to
    PLANNED = "planned"  # the letter's time has come
    MOVED = "moved"  # it waits, until when
    SENT = "sent"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    CANCELLED = "cancelled"  # planned, and the enrolment ended first
    GOAL = "goal"
    EXITED = "exited"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that would happen. `until`: when a letter that waits is looked at again, or by when one has left.

    `reason` is a code of mail.reasons for letters, of the enrolment's exit for ends.
    """

    at: datetime
    kind: Kind
    step_key: str = ""
    reason: str = ""
    until: datetime | None = None
    way: bool | None = None  # of a branch
    variant: str = ""  # of a letter: the key of the wording that this person gets
    is_supposed: bool = False  # the marketer assumed it
    is_unsound: bool = False  # its condition cannot be judged, which counts as no


@dataclass(frozen=True, slots=True)
class Suppose:
    """What the marketer assumes, by the keys of `Met`: conditions that hold or do not, days until an event comes."""

    holds: Mapping[str, bool] = field(default_factory=dict)
    days: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A condition to be judged for this person, looked at from that moment."""

    key: str
    condition: Condition
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """Something on the way that might be otherwise: a condition (`answer`: as things stand), or an event that may come.

    Keys: may, who, stays, holdout, when:<step>, event:<step>, exit:<number>, goal.
    """

    key: str
    step_key: str = ""
    condition: Condition | None = None
    happening: Happening | None = None
    answer: bool | None = None
    supposed: bool | float | None = None  # a condition's answer, or an event's days


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A marketing letter of somebody else's wish that is in this person's outbox already."""

    due_at: datetime
    expires_at: datetime
    priority: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody as the planner and the gates see them; `contact_id` is 0 for one who is made up."""

    contact_id: int
    zone: ZoneInfo  # of waits
    quiet_zone: ZoneInfo  # of the quiet hours
    bar: str = ""  # why no sequence begins for them
    obstacle: str = ""  # why no letter leaves for them
    sent: tuple[datetime, ...] = ()  # marketing of the last 48 hours
    waiting: tuple[Waiting, ...] = ()
    alive_at: datetime | None = None  # the last sign of life


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What is played: a sequence's definition, from when on, with the contest's end."""

    sequence_id: int
    definition: Definition
    starts_at: datetime
    end: datetime | None
    suppose: Suppose = Suppose()
    segments: Mapping[str, Condition] = field(default_factory=dict)  # that exits name, by id


@dataclass(frozen=True, slots=True)
class Played:
    """The whole of it, in the order of time, and everything on the way that might have been otherwise."""

    lines: tuple[Line, ...]
    met: tuple[Met, ...]


def possible(definition: Definition) -> tuple[Met, ...]:
    """Everything in a definition that may go one way or the other, in the order in which people come to it."""
    found: list[Met] = []
    if definition.who:
        found.append(Met(key="who", condition=definition.who))
    for step in definition.walk():
        if step.wait.until is Until.EVENT and step.wait.event:
            found.append(Met(key=f"event:{step.key}", step_key=step.key, happening=step.wait.event))
        if not isinstance(step, End) and step.when:
            found.append(Met(key=f"when:{step.key}", step_key=step.key, condition=step.when))
    if definition.goal:
        found.append(Met(key="goal", happening=definition.goal.on))
    for number, one in enumerate(definition.exits):
        is_joining = one.on is not None and one.on.on is Event.SEGMENT_JOINED
        happening = None if is_joining else one.on
        found.append(Met(key=f"exit:{number}", condition=None if happening else one.when or {}, happening=happening))
    return tuple(found)
