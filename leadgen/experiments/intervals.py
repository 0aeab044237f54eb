"""How much more often people of one group reach something than those of another, and how sure that is.

The interval may be looked at after every single person, and the test stopped whenever one likes: over all looks
together it misses the truth with a probability of at most `alpha`. It is the normal mixture of Robbins (1970) with the
variance that was seen in place of the true one: an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy
and Ramdas, “Time-uniform central limit theory and asymptotic confidence sequences”, theorem 2.2), which is the mixture
sequential test of Johari, Pekelis and Walsh (“Always valid inference”) turned round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

ALPHA = 0.05
# The spread of differences that the mixture expects: the interval is tightest when it is about so wide. It has to be
# fixed before there are data.
SPREAD = 0.04
NOTICED = 0.02  # a smaller difference, of two people in a hundred, is as good as none


@dataclass(frozen=True, slots=True)
class Arm:
    """A group: how many people, and how many of them reached what is counted."""

    people: int
    reached: int

    @property
    def rate(self) -> float | None:
        """The share that reached it, from 0 to 1; None of nobody."""
        return self.reached / self.people if self.people else None

    @property
    def variance(self) -> float:
        """Of the rate. One who did and one who did not are added (Agresti and Caffo 2000): nothing is ever certain."""
        if not self.people:
            return 1.0
        likely = (self.reached + 1) / (self.people + 2)
        return likely * (1 - likely) / self.people


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference of two rates as it was seen, and between which bounds it lies; 0.02 are two people of a hundred."""

    low: float
    middle: float
    high: float

    @property
    def is_more(self) -> bool:
        """Whether the first group is ahead for sure."""
        return self.low > 0

    @property
    def is_less(self) -> bool:
        """Whether the second group is ahead for sure."""
        return self.high < 0

    def is_within(self, bound: float) -> bool:
        """Whether the difference is smaller than this for sure, whichever group is ahead."""
        return -bound < self.low and self.high < bound


UNKNOWN = Interval(-1.0, 0.0, 1.0)


def difference(one: Arm, other: Arm, alpha: float = ALPHA) -> Interval:
    """The rate of `one` minus the rate of `other`; everything is possible where a group is empty."""
    return pooled([(1.0, one, other)], alpha)


def pooled(strata: Sequence[tuple[float, Arm, Arm]], alpha: float = ALPHA) -> Interval:
    """The mean of the differences of several pairs of groups, each by its weight; pairs with an empty group count not.

    Each pair is compared within itself and only the differences are averaged (post-stratification, Cochran, “Sampling
    Techniques”, 5A), so that pairs may differ in size, in how people were split, and in how often they reach it.
    """
    sound = [(weight, one, other) for weight, one, other in strata if weight > 0 and one.people and other.people]
    total = sum(weight for weight, _one, _other in sound)
    if not total:
        return UNKNOWN
    shares = [(weight / total, one, other) for weight, one, other in sound]
    middle = sum(share * (one.reached / one.people - other.reached / other.people) for share, one, other in shares)
    around = margin(sum(share**2 * (one.variance + other.variance) for share, one, other in shares), alpha)
    return Interval(max(-1.0, middle - around), middle, min(1.0, middle + around))


def margin(variance: float, alpha: float = ALPHA) -> float:
    """How far the truth lies at most from an estimate of this variance, at all looks together."""
    known, expected = 1 / variance, 1 / SPREAD**2
    return sqrt((known + expected) * (log((known + expected) / expected) + 2 * log(1 / alpha))) / known
