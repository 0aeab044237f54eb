"""Publishing a sequence: what changes for whom, who would get something at once, and the new version itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from leadgen.nurture.models import Sequence, SequenceVersion


class Timing(StrEnum):
    """What a changed wait means for people who wait already."""

    KEEP = "keep"  # their date stays
    RECOMPUTE = "recompute"  # the new wait counts from when theirs began


class Inside(StrEnum):
    """What becomes of people who are in the sequence already."""

    MOVE = "move"  # they go on in the new version
    STAY = "stay"  # they go through the version they are in


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the marketer chose in the dialog before publishing."""

    timing: Timing = Timing.KEEP
    spread_days: int = 0  # who would go now is spread evenly over so many days
    finished_within_days: int = 0  # who finished at most so long ago gets added steps too; 0: nobody
    those_inside: Inside = Inside.MOVE


class ChangeKind(StrEnum):
    """What changed."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    WORDS = "words"
    VARIANTS = "variants"
    SHORTER = "shorter"
    LONGER = "longer"
    TIME = "time"  # the wait differs in another way: hour, days of the week, event
    CONDITION = "condition"
    CATCH_UP = "catch_up"
    TRIGGER = "trigger"
    WHO = "who"
    AGAIN = "again"
    EXITS = "exits"
    GOAL = "goal"
    HOLDOUT = "holdout"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between what is published and the draft, with what it does to people who are inside.

    `step_key` is empty where it is no step's. `people_waiting` wait for this step now; `people_now` of them (or, of an
    added step, of those who finished) would be due as soon as it is published.
    """

    kind: ChangeKind
    step_key: str
    sentence: str
    people_waiting: int = 0
    people_now: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing would do at this moment with these choices."""

    changes: list[Change] = field(default_factory=list)
    is_first: bool = False  # nothing is published yet
    people_active: int = 0  # inside now, in whatever version
    people_moved: int = 0  # whose next step or date changes
    people_now: int = 0  # of all: due as soon as it is published, and not before
    people_back: int = 0  # who finished and come back for an added step
    first_at: datetime | None = None  # when the first of those who would go now goes
    last_at: datetime | None = None  # and the last, by `spread_days`


def preview(sequence: Sequence, choices: Choices) -> Preview:
    """The differences between what is published and the draft, and who would get what when; changes nothing."""
    raise NotImplementedError


def publish(sequence: Sequence, choices: Choices, by: str) -> SequenceVersion:
    """Make the draft the next version, and take the people inside along as chosen; commits nothing.

    Nobody gets a letter of a key again that they were sent. A paused sequence stays paused. Raises Invalid with the
    first problem of the draft, and Conflict when the sequence is archived or the draft is what is published.
    """
    raise NotImplementedError


def put_back(sequence: Sequence, number: int, by: str) -> None:
    """Make an old version the draft; it is published like any other. Raises NotFound."""
    raise NotImplementedError


def versions(sequence: Sequence) -> list[SequenceVersion]:
    """Every version, newest first."""
    raise NotImplementedError
