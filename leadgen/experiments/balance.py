"""Whether as many people got each variant as were meant to: when not, something is broken and no figure can be trusted.

Pearson's chi-square test of the counts against the weights. The alarm at 0.001 is that of Fabijan et al., “Diagnosing
sample ratio mismatch in online controlled experiments” (2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, gamma, sqrt

ALARM = 0.001


def likelihood(people: Sequence[int], weights: Sequence[int]) -> float:
    """How likely a split at least so far from the weights is by chance, from 0 to 1.

    Somebody in a group without weight cannot be chance: 0. Nothing to compare, such as one group: 1.
    """
    if any(number and not weight for number, weight in zip(people, weights, strict=True)):
        return 0.0
    groups = [(number, weight) for number, weight in zip(people, weights, strict=True) if weight]
    total, whole = sum(number for number, _ in groups), sum(weight for _, weight in groups)
    if len(groups) < 2 or not total:
        return 1.0
    due = [total * weight / whole for _number, weight in groups]
    distance = sum((number - meant) ** 2 / meant for (number, _), meant in zip(groups, due, strict=True))
    return _beyond(distance, len(groups) - 1)


def is_off(people: Sequence[int], weights: Sequence[int]) -> bool:
    """Whether the split is so far from the weights that chance is no explanation."""
    return likelihood(people, weights) < ALARM


def _beyond(distance: float, freedom: int) -> float:
    """The upper tail of chi-square, from one or two degrees upwards (Abramowitz and Stegun 26.4.4 and 26.4.5)."""
    half = distance / 2
    tail, degrees = (exp(-half), 2) if freedom % 2 == 0 else (erfc(sqrt(half)), 1)
    while degrees < freedom:
        tail += half ** (degrees / 2) * exp(-half) / gamma(degrees / 2 + 1)
        degrees += 2
    return min(1.0, tail)
