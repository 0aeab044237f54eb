"""What a sequence is: when it begins, for whom, its steps with their waits and branches, when it ends, what it is for.

A definition is kept and published as JSON (`from_data`, `to_data`). Branches hold their steps inside themselves and the
way goes on behind them, so that no way leads back: a sequence cannot loop, and every step can be reached.
Conditions are those of segments (core.logic over segments.fields), judged when the moment has come, never before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from leadgen.core.logic import Condition

DAY, HOUR, MINUTE = 86_400, 3_600, 60  # seconds
LONGEST_WAIT = 365 * DAY
MOST_STEPS = 50
MOST_LEVELS = 3  # branches within branches
MOST_VARIANTS = 4
MOST_HOLDOUT = 20  # per cent
CATCH_UP_HOURS = 48
PRIORITIES = range(1, 10)  # 9 goes first
GOAL_DAYS = range(1, 91)


class Event(StrEnum):
    """What begins, ends or lets a sequence go on."""

    CONFIRMED = "confirmed"  # the entry was confirmed
    FRIEND_COUNTED = "friend_counted"
    FORM_FINISHED = "form_finished"
    ANSWERED = "answered"  # a question; `of` its key, empty for any
    ACTION_CREDITED = "action_credited"  # `of` the action's key, empty for any
    REWARD_GIVEN = "reward_given"
    CLICKED = "clicked"  # a link of a letter, by a human
    SCORE_CROSSED = "score_crossed"  # `of` the grade that was reached, empty for any
    SEGMENT_JOINED = "segment_joined"  # `of` the segment's id; looked at every hour
    INACTIVE = "inactive"  # no sign of life for `days`; looked at every hour
    CONTEST_CLOSING = "contest_closing"  # `days` before the end
    CONTEST_ENDED = "contest_ended"


BY_CLOCK = frozenset({Event.SEGMENT_JOINED, Event.INACTIVE, Event.CONTEST_CLOSING})  # nothing happens: somebody looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event, narrowed down by `of` or by `days`, as the event has it."""

    on: Event
    of: str = ""
    days: int = 0


class Again(StrEnum):
    """Whether a person may go through a sequence of one contest more than once; never twice at the same time."""

    NEVER = "never"
    AFTER = "after"  # so many days after the last time ended
    EACH = "each"  # at each event


class Until(StrEnum):
    """What a wait is counted towards."""

    AFTER = "after"  # so long after the step before (the first: after the event that began the sequence)
    BEFORE_END = "before_end"  # so long before the contest's end
    EVENT = "event"  # until something happens, at most so long


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long before a step. `at` ("10:00") and `weekdays` (1 Monday … 7 Sunday) are on the person's own wall."""

    until: Until = Until.AFTER
    seconds: int = 0
    at: str = ""
    weekdays: tuple[int, ...] = ()
    event: Happening | None = None  # of Until.EVENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One wording of a letter. `texts` is {locale: {"subject", "preheader", "heading", "body", "button", "url"}}."""

    key: str
    weight: int = 1  # share of the people, out of the sum of all weights
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Otherwise(StrEnum):
    """What becomes of somebody for whom the condition of a letter does not hold."""

    SKIP = "skip"
    EXIT = "exit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A step that sends a letter to whom `when` holds for as it leaves; `key` is sent once per enrolment."""

    key: str
    wait: Wait = Wait()
    when: Condition | None = None
    otherwise: Otherwise = Otherwise.SKIP
    catch_up_hours: int = CATCH_UP_HOURS  # so long after its time it may still leave
    variants: tuple[Variant, ...] = ()  # more than one: an A/B test, told apart by its `experiment`
    experiment: str = ""  # seeds who gets which; a new one whenever weights or variants change


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A fork: the steps of `yes` for whom `when` holds as they reach it, those of `no` for the others."""

    key: str
    when: Condition
    wait: Wait = Wait()
    yes: tuple[Step, ...] = ()
    no: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The sequence is over for whoever gets here."""

    key: str
    wait: Wait = Wait()


Step = Letter | Branch | End


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """What ends an enrolment before its last step: something that happens, or a condition that holds."""

    on: Happening | None = None
    when: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the sequence is for; counted for each enrolment within `days` of its beginning, after an exit too.

    `value` is what one is worth to the marketer, in minor units of the brand's currency. Reaching it ends the sequence.
    """

    on: Happening
    days: int = 30
    value: int = 0


@dataclass(frozen=True, kw_only=True)  # no slots: the index of its steps is kept
class Definition:
    """A whole sequence. `holdout` per cent of the people are enrolled and get nothing, to be compared with."""

    trigger: Happening = Happening(on=Event.CONFIRMED)
    who: Condition | None = None  # for whom it begins
    stays_while: bool = False  # whether `who` must hold at every step, or the sequence ends
    again: Again = Again.NEVER
    again_days: int = 0
    exits: tuple[Exit, ...] = ()
    goal: Goal | None = None
    holdout: int = 0
    priority: int = 5
    steps: tuple[Step, ...] = ()

    def walk(self) -> Iterator[Step]:
        """All steps, each branch before its `yes` and its `no`."""
        yield from _walked(self.steps)

    def step(self, key: str) -> Step | None:
        """The step of that key, however deep."""
        return self._by_key.get(key)

    @cached_property
    def _by_key(self) -> dict[str, Step]:
        """The tick asks for three steps of each enrolment. Of two with one key the first is meant."""
        return {one.key: one for one in reversed(list(self.walk()))}

    def letters(self) -> Iterator[Letter]:
        """The steps that send something."""
        return (one for one in self.walk() if isinstance(one, Letter))

    def happenings(self) -> Iterator[Happening]:
        """What people inside hear of: the goal, exits by event, and the events that steps wait for."""
        told = [self.goal.on if self.goal else None, *(one.on for one in self.exits)]
        yield from (one for one in (*told, *(step.wait.event for step in self.walk())) if one is not None)

    def after(self, key: str, *, way: bool | None = None) -> Step | None:
        """The step behind that one: into a branch by its `way`, and out of one at its end; None at the very end."""
        return _behind(self.steps, key, None, way=way)[1]


def _walked(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, Branch):
            yield from _walked(step.yes)
            yield from _walked(step.no)


def _behind(steps: tuple[Step, ...], key: str, outside: Step | None, *, way: bool | None) -> tuple[bool, Step | None]:
    """Whether the key is in here, and what comes behind it; `outside` is where this list of steps leads to."""
    for number, step in enumerate(steps):
        following = steps[number + 1] if number + 1 < len(steps) else outside
        inside = {True: step.yes, False: step.no} if isinstance(step, Branch) else {}
        if step.key == key:
            chosen = inside.get(way, ()) if way is not None else ()
            return True, chosen[0] if chosen else following
        for part in inside.values():
            is_found, behind = _behind(part, key, following, way=way)
            if is_found:
                return True, behind
    return False, None


def from_data(data: Mapping[str, Any]) -> Definition:
    """The definition as JSON has it; what is left out is as by default. Raises KeyError, ValueError, TypeError."""
    goal = data.get("goal")
    return Definition(
        trigger=_happening(data["trigger"]),
        who=data.get("who"),
        stays_while=bool(data.get("stays_while", False)),
        again=Again(data.get("again", Again.NEVER)),
        again_days=int(data.get("again_days", 0)),
        exits=tuple(Exit(on=_happening_or_none(one.get("on")), when=one.get("when")) for one in data.get("exits", ())),
        goal=Goal(on=_happening(goal["on"]), days=int(goal.get("days", 30)), value=int(goal.get("value", 0)))
        if goal
        else None,
        holdout=int(data.get("holdout", 0)),
        priority=int(data.get("priority", 5)),
        steps=tuple(_step(one) for one in data.get("steps", ())),
    )


def _happening(data: Mapping[str, Any]) -> Happening:
    return Happening(on=Event(data["on"]), of=str(data.get("of", "")), days=int(data.get("days", 0)))


def _happening_or_none(data: Mapping[str, Any] | None) -> Happening | None:
    return _happening(data) if data else None


def _step(data: Mapping[str, Any]) -> Step:
    wait = _wait(data.get("wait") or {})
    if data["kind"] == "branch":
        yes, no = (tuple(_step(one) for one in data.get(side, ())) for side in ("yes", "no"))
        return Branch(key=data["key"], wait=wait, when=data["when"], yes=yes, no=no)
    if data["kind"] == "end":
        return End(key=data["key"], wait=wait)
    if data["kind"] != "letter":
        raise ValueError(data["kind"])
    return Letter(
        key=data["key"],
        wait=wait,
        when=data.get("when"),
        otherwise=Otherwise(data.get("otherwise", Otherwise.SKIP)),
        catch_up_hours=int(data.get("catch_up_hours", CATCH_UP_HOURS)),
        variants=tuple(
            Variant(key=one["key"], weight=int(one.get("weight", 1)), texts=one.get("texts", {}))
            for one in data.get("variants", ())
        ),
        experiment=str(data.get("experiment", "")),
    )


def _wait(data: Mapping[str, Any]) -> Wait:
    return Wait(
        until=Until(data.get("until", Until.AFTER)),
        seconds=int(data.get("seconds", 0)),
        at=str(data.get("at", "")),
        weekdays=tuple(int(day) for day in data.get("weekdays", ())),
        event=_happening_or_none(data.get("event")),
    )


def to_data(definition: Definition) -> dict[str, Any]:
    """As JSON; what is as by default is left out, so that two definitions are the same when their data are."""
    data: dict[str, Any] = _plain(definition)
    data["trigger"] = _plain(definition.trigger)
    data["steps"] = [_step_data(step) for step in definition.steps]
    return data


def _step_data(step: Step) -> dict[str, Any]:
    kind = {Letter: "letter", Branch: "branch", End: "end"}[type(step)]
    data = {"kind": kind, **_plain(step)}
    if isinstance(step, Branch):
        data |= {side: [_step_data(one) for one in steps] for side, steps in (("yes", step.yes), ("no", step.no))}
    return data


_LEFT_OUT: tuple[Any, ...] = (None, "", (), {}, False)


def _plain(value: Any) -> Any:
    """Dataclasses as dicts without what is empty; tuples as lists; words as text."""
    if hasattr(value, "__dataclass_fields__"):
        shown = {name: getattr(value, name) for name in value.__dataclass_fields__}
        if isinstance(value, (Definition, Branch)):
            shown = {name: one for name, one in shown.items() if name not in {"steps", "yes", "no"}}
        return {name: _plain(one) for name, one in shown.items() if not _is_default(one)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    return {name: _plain(one) for name, one in value.items()} if isinstance(value, Mapping) else value


def _is_default(value: Any) -> bool:
    return any(value is empty or (type(value) is type(empty) and value == empty) for empty in _LEFT_OUT) or (
        value == Wait() if isinstance(value, Wait) else False
    )
