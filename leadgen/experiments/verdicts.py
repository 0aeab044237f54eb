"""What a test of wordings says so far, as data: who leads, whether to go on, or why nobody should believe it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import ceil

from leadgen.experiments import balance, intervals
from leadgen.experiments.intervals import Arm, Interval

LEAST_PEOPLE = 100  # of each variant: of fewer the interval, which trusts large numbers, says nothing
_LARGEST = 4096  # times the people so far: beyond that nobody waits


class Finding(StrEnum):
    """The one thing that a test says; the first that applies."""

    UNTRUSTED = "untrusted"  # the sample ratio is off
    HARMFUL = "harmful"  # a variant drives people away
    LEADS = "leads"
    SAME = "same"  # no difference that would be noticed
    GO_ON = "go_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A finding with what it rests on. Places are those of the variants, from 0.

    `interval` is how far the first is ahead of the next; `more` people, of all variants together, would settle it at
    the rates of today (None: nobody can wait for so many); `split` is how likely the sample ratio is by chance.
    """

    finding: Finding
    first: int
    next: int
    interval: Interval
    more: int | None
    harmful: tuple[int, ...]
    split: float

    @property
    def may_stop(self) -> bool:
        """Whether looking on teaches nothing more."""
        return self.finding in {Finding.LEADS, Finding.SAME}


def judge(arms: Sequence[Arm], weights: Sequence[int], people: Sequence[int], harmful: Collection[int] = ()) -> Verdict:
    """The verdict on two variants or more, valid however often it is asked for.

    `arms` are those of whom the outcome is known, `people` all who got each variant, `harmful` the places of those
    that a guard rail names.
    """
    alpha = intervals.ALPHA / max(1, len(arms) * (len(arms) - 1) // 2)  # of each pair, so that all hold together
    order = sorted(range(len(arms)), key=lambda place: (-(arms[place].rate or 0.0), place))
    first, following = order[0], _nearest(arms, order, alpha)
    interval = intervals.difference(arms[first], arms[following], alpha)
    finding = _finding(arms, interval, alpha)
    if balance.is_off(people, weights):
        finding = Finding.UNTRUSTED
    elif harmful:
        finding = Finding.HARMFUL
    return Verdict(
        finding=finding,
        first=first,
        next=following,
        interval=interval,
        more=_more(arms, arms[first], arms[following], alpha) if finding is Finding.GO_ON else 0,
        harmful=tuple(sorted(harmful)),
        split=balance.likelihood(people, weights),
    )


def _nearest(arms: Sequence[Arm], order: Sequence[int], alpha: float) -> int:
    """The one that the first is least surely ahead of."""
    return min(order[1:], key=lambda place: intervals.difference(arms[order[0]], arms[place], alpha).low)


def _finding(arms: Sequence[Arm], ahead: Interval, alpha: float) -> Finding:
    if min(arm.people for arm in arms) < LEAST_PEOPLE:
        return Finding.GO_ON
    if ahead.is_more:
        return Finding.LEADS
    pairs = (intervals.difference(one, other, alpha) for one, other in combinations(arms, 2))
    return Finding.SAME if all(pair.is_within(intervals.NOTICED) for pair in pairs) else Finding.GO_ON


def _more(arms: Sequence[Arm], one: Arm, other: Arm, alpha: float) -> int | None:
    """How many people more would settle it if the rates stayed: by halving the way between too few and enough."""
    total, fewest = sum(arm.people for arm in arms), min(arm.people for arm in arms)
    if not fewest:
        return LEAST_PEOPLE * len(arms) - min(total, LEAST_PEOPLE)
    low, high = 1.0, float(_LARGEST)
    if not _settles(one, other, high, alpha):
        return None
    while high - low > 0.01 * low:
        middle = (low + high) / 2
        low, high = (low, middle) if _settles(one, other, middle, alpha) else (middle, high)
    return ceil(total * max(high - 1, LEAST_PEOPLE / fewest - 1))


def _settles(one: Arm, other: Arm, times: float, alpha: float) -> bool:
    ahead = (one.rate or 0.0) - (other.rate or 0.0)
    around = intervals.margin((one.variance + other.variance) / times, alpha)
    return around < ahead or ahead + around < intervals.NOTICED
