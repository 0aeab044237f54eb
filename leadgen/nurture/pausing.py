"""Pausing a sequence, what piled up meanwhile, and how it goes on: send, skip or spread; with or without the time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from leadgen.nurture.models import Sequence


class How(StrEnum):
    """What becomes of letters whose time passed during the pause."""

    SEND = "send"  # they leave now, their catch-up hours count from now
    SKIP = "skip"  # they never leave; people go on to their next step
    SPREAD = "spread"  # they leave evenly over some days


class Clock(StrEnum):
    """What the pause was for the people inside."""

    KEEP = "keep"  # time went on
    FREEZE = "freeze"  # time stood still: every date moves by the pause's length; the contest's end does not


@dataclass(frozen=True, slots=True)
class OverdueStep:
    """One step whose time passed for some people, the earliest at `since`."""

    step_key: str
    name: str
    people: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Overdue:
    """What is overdue now; `people` are counted once each."""

    people: int = 0
    steps: list[OverdueStep] = field(default_factory=list)
    since: datetime | None = None  # the earliest of all
    paused_at: datetime | None = None


def pause(sequence: Sequence, by: str) -> None:
    """Let no letter of this sequence leave from now on; nobody is lost, and entering goes on.

    Raises Conflict when it is not published, or archived. Pausing twice is the same as once.
    """
    raise NotImplementedError


def overdue(sequence: Sequence, clock: Clock = Clock.KEEP) -> Overdue:
    """How many people wait for a letter whose time passed, of which step, since when, if the pause ended now."""
    raise NotImplementedError


def resume(sequence: Sequence, how: How, *, spread_days: int = 0, clock: Clock = Clock.KEEP, by: str) -> Overdue:
    """Let the sequence go on, and answer what was overdue; a contact still gets one letter in 48 h at most (mail.gates).

    Raises Conflict when it is not paused, Invalid (`spread_days`) when spreading takes no or too many days.
    """
    raise NotImplementedError
