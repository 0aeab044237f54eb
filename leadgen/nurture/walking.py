"""Where an enrolment goes next: pure, so that the planner and the rehearsal walk the same way.

One call is one step: what the letter of a due step wants, which way a branch is taken, and what is waited for then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadgen.nurture import hours
from leadgen.nurture.definition import Branch, Definition, End, Letter, Step, Until
from leadgen.nurture.hours import Calendar
from leadgen.nurture.models import MoveReason


@dataclass(frozen=True, slots=True)
class Place:
    """Which step is next, since when it is waited for, and when it is due."""

    step_key: str
    anchor_at: datetime
    run_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a step has to ask. `holds`: its condition (None: it cannot be judged, which counts as no)."""

    holds: bool | None = None
    has_come: bool = False  # the event that was waited for
    stays: bool = True  # whether `who` still holds, where the sequence asks for it
    is_removed: bool = False  # the letter left the sequence since this version was published


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the enrolment's story."""

    step_key: str
    reason: MoveReason
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What one step came to. Without `then` the enrolment is over: finished, or exited for `exit_reason`."""

    letter: Letter | None = None
    told: tuple[Told, ...] = ()
    then: Place | None = None
    exit_reason: str = ""


def begin(definition: Definition, anchor: datetime, calendar: Calendar) -> Place | None:
    """Where somebody begins for whom it happened at `anchor`; None in a sequence without steps."""
    return waiting_for(definition.steps[0], anchor, calendar) if definition.steps else None


def waiting_for(step: Step | None, anchor: datetime, calendar: Calendar) -> Place | None:
    """The place in front of a step; one that can never be due is reached at once, to be passed over."""
    if step is None:
        return None
    return Place(step.key, anchor, hours.due(step.wait, anchor, calendar) or anchor)


def go(definition: Definition, place: Place, now: datetime, calendar: Calendar, answers: Answers) -> Move:
    """Take the step that is due. Raises LookupError when the definition does not have it."""
    if not place.step_key:
        return Move()
    step = definition.step(place.step_key)
    if step is None:
        raise LookupError(place.step_key)
    if not answers.stays:
        return Move(exit_reason="left_audience")
    is_possible = True
    if step.wait.until is Until.BEFORE_END:
        due = hours.due(step.wait, place.anchor_at, calendar)
        if due is not None and due > now:  # the contest goes on for longer
            told = Told(step.key, MoveReason.RETIMED, {"why": "contest_end"})
            return Move(told=(told,), then=Place(step.key, place.anchor_at, due))
        is_possible = due is not None
    return _taken(definition, step, now, calendar, answers, is_possible=is_possible)


def _taken(
    definition: Definition, step: Step, now: datetime, calendar: Calendar, answers: Answers, *, is_possible: bool
) -> Move:
    told: list[Told] = []
    letter: Letter | None = None
    way: bool | None = None
    if step.wait.until is Until.EVENT and not answers.has_come:
        told.append(Told(step.key, MoveReason.TIMED_OUT))
    if isinstance(step, End):
        return Move(told=tuple(told))
    if isinstance(step, Branch):
        way = bool(answers.holds)
        unsure = {"unsound": True} if answers.holds is None else {}
        told.append(Told(step.key, MoveReason.BRANCHED, {"way": "yes" if way else "no", **unsure}))
    elif answers.is_removed or not is_possible:
        told.append(Told(step.key, MoveReason.SKIPPED, {"why": "step_removed" if is_possible else "no_end"}))
    else:
        letter = step
    return Move(
        letter=letter,
        told=tuple(told),
        then=waiting_for(definition.after(step.key, way=way), now, calendar),
    )
