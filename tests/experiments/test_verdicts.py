"""Sample ratio, guard rails, and the one thing that a test says (experiments.balance, rails, verdicts)."""

import random

import pytest

from leadgen.experiments import balance, rails, verdicts
from leadgen.experiments.intervals import Arm
from leadgen.experiments.verdicts import Finding


@pytest.mark.parametrize(("distance", "freedom"), [(3.841, 1), (5.991, 2), (7.815, 3), (9.488, 4)])
def test_the_tail_of_chi_square_is_that_of_the_tables(distance: float, freedom: int) -> None:
    assert balance._beyond(distance, freedom) == pytest.approx(0.05, abs=1e-4)


def test_a_planted_fault_in_the_split_is_found() -> None:
    """Every tenth person of one variant gets lost on the way."""
    assert balance.is_off((5_000, 4_500), (1, 1))
    assert not balance.is_off((5_000, 4_960), (1, 1))
    assert not balance.is_off((1_000, 2_020, 990), (1, 2, 1))


def test_somebody_in_a_variant_without_weight_is_no_chance() -> None:
    assert balance.is_off((50, 1), (1, 0))
    assert balance.likelihood((50, 0), (1, 0)) == 1.0


def test_a_variant_that_drives_people_away_is_found_by_ten_of_ten_complaints() -> None:
    assert rails.culprits((0, 10), (1_000, 1_000), (1, 1), 2) == [1]
    assert rails.culprits((9, 10), (1_000, 1_000), (1, 1), 2) == []
    assert rails.culprits((0, 2), (20, 20), (1, 1), 2) == [], "one or two may press the wrong button"


def test_more_people_than_meant_are_no_evidence_of_harm() -> None:
    assert rails.culprits((1, 14), (100, 1_400), (1, 1)) == []


def test_guard_rails_stop_few_innocents_although_they_look_after_every_letter() -> None:
    drawn, stopped = random.Random(3), 0
    for _ in range(200):
        people, harms = [0, 0], [0, 0]
        for _letter in range(1_500):
            place = drawn.getrandbits(1)
            people[place] += 1
            if drawn.random() < 0.02:
                harms[place] += 1
                if rails.culprits(harms, people, (1, 1)):
                    stopped += 1
                    break
    assert stopped / 200 <= rails.ALPHA


def _judged(*arms: Arm, weights: tuple[int, ...] = (1, 1), harmful: tuple[int, ...] = ()) -> verdicts.Verdict:
    return verdicts.judge(arms, weights, [arm.people for arm in arms], harmful)


def test_who_leads_for_sure_is_told_with_how_far() -> None:
    found = _judged(Arm(2_000, 160), Arm(2_000, 260))
    assert (found.finding, found.first, found.next, found.more) == (Finding.LEADS, 1, 0, 0)
    assert found.may_stop


def test_no_difference_that_matters_is_an_answer_too() -> None:
    found = _judged(Arm(30_000, 3_000), Arm(30_000, 3_010))
    assert found.finding is Finding.SAME
    assert found.interval.is_within(0.02)


def test_too_few_people_are_told_how_many_are_missing() -> None:
    found = _judged(Arm(40, 4), Arm(40, 30))
    assert found.finding is Finding.GO_ON, "however clear it looks"
    assert found.more == 120


def test_as_many_more_as_it_says_settle_it() -> None:
    found = _judged(Arm(1_000, 100), Arm(1_000, 130))
    assert found.finding is Finding.GO_ON
    assert found.more is not None
    each = (2_000 + found.more) // 2
    assert _judged(Arm(each, each // 10), Arm(each, each * 13 // 100)).finding is Finding.LEADS
    fewer = 1_000 + (each - 1_000) * 9 // 10
    assert _judged(Arm(fewer, fewer // 10), Arm(fewer, fewer * 13 // 100)).finding is Finding.GO_ON


def test_of_three_the_first_has_to_lead_before_each_other() -> None:
    weights = (1, 1, 1)
    assert _judged(Arm(2_000, 200), Arm(2_000, 320), Arm(2_000, 310), weights=weights).finding is Finding.GO_ON
    found = _judged(Arm(2_000, 200), Arm(2_000, 330), Arm(2_000, 210), weights=weights)
    assert (found.finding, found.first, found.next) == (Finding.LEADS, 1, 2)


def test_a_broken_split_and_harm_come_before_any_winner() -> None:
    assert _judged(Arm(2_000, 160), Arm(1_500, 260)).finding is Finding.UNTRUSTED
    found = _judged(Arm(2_000, 160), Arm(2_000, 260), harmful=(1,))
    assert (found.finding, found.harmful) == (Finding.HARMFUL, (1,))


def test_nobody_yet() -> None:
    found = _judged(Arm(0, 0), Arm(0, 0))
    assert (found.finding, found.more) == (Finding.GO_ON, 200)
