"""Intervals that may be watched: they hold at all looks together (experiments.intervals)."""

import random
from math import isclose, log

import pytest

from leadgen.experiments import intervals
from leadgen.experiments.intervals import Arm

SIMULATED, PEOPLE = 150, 1_500


def _ever(rates: tuple[float, float], seed: int) -> float:
    """In which part of simulated tests the interval, looked at after every person, ever missed the true difference."""
    drawn, misses = random.Random(seed), 0
    truth = rates[1] - rates[0]
    for _ in range(SIMULATED):
        people, reached = [0, 0], [0, 0]
        for _person in range(PEOPLE):
            place = drawn.getrandbits(1)
            people[place] += 1
            reached[place] += drawn.random() < rates[place]
            found = intervals.difference(Arm(people[1], reached[1]), Arm(people[0], reached[0]))
            if not found.low <= truth <= found.high:
                misses += 1
                break
    return misses / SIMULATED


@pytest.mark.parametrize("rates", [(0.1, 0.1), (0.02, 0.02), (0.1, 0.2)])
def test_false_alarms_stay_below_alpha_although_one_looks_after_every_person(rates: tuple[float, float]) -> None:
    assert _ever(rates, seed=7) <= intervals.ALPHA


def test_looking_at_a_plain_interval_all_the_time_would_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same simulation sees what it is there to see: 1.96 standard errors miss far more often."""
    monkeypatch.setattr(intervals, "margin", lambda variance, _alpha: 1.96 * variance**0.5)
    assert _ever((0.1, 0.1), seed=7) > 0.15


def test_the_margin_is_the_one_of_the_paper() -> None:
    """Waudby-Smith et al., theorem 2.2, for a mean of t observations of variance s²: rho² is spread² / s²."""
    s, t, alpha = 0.3, 5_000, 0.05
    rho2 = intervals.SPREAD**2 / s**2
    inner = (rho2 * t + 1) ** 0.5 / alpha
    written = s * (2 * (t * rho2 + 1) / (t**2 * rho2)) ** 0.5 * log(inner) ** 0.5
    assert isclose(intervals.margin(s**2 / t, alpha), written)


def test_a_difference_that_is_there_is_found() -> None:
    found = intervals.difference(Arm(2_000, 260), Arm(2_000, 160))
    assert found.is_more
    assert found.low < found.middle == 0.05 < found.high
    assert intervals.difference(Arm(2_000, 160), Arm(2_000, 260)).is_less


def test_nobody_says_nothing() -> None:
    assert intervals.difference(Arm(0, 0), Arm(10, 3)) == intervals.UNKNOWN
    assert Arm(0, 0).rate is None


def test_pairs_are_compared_within_themselves() -> None:
    """Two sequences, each with the same rate for both groups, but split otherwise: together nothing is gained."""
    often, seldom = (9_000.0, Arm(9_000, 4_500), Arm(1_000, 500)), (1_000.0, Arm(1_000, 50), Arm(9_000, 450))
    pooled = intervals.pooled([often, seldom])
    assert pooled.middle == 0
    naive = (4_500 + 50) / 10_000 - (500 + 450) / 10_000
    assert naive > 0.3, "what adding up the groups would have said"


def test_a_pair_without_one_group_counts_not() -> None:
    whole = (100.0, Arm(100, 30), Arm(100, 20))
    assert intervals.pooled([whole, (500.0, Arm(500, 5), Arm(0, 0))]) == intervals.pooled([whole])
