"""The sum: capped, replayable, and blind to the order in which things came."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from leadgen.fraud import scoring, weights
from leadgen.fraud.observations import Found, Observation
from leadgen.fraud.weights import Layer, Weights
from tests.fraud.conftest import MOMENT, USUAL, seen


@st.composite
def _people(draw: st.DrawFn) -> list[Observation]:
    number = draw(st.integers(2, 30))
    return [seen(1), *(_drawn(draw, one) for one in range(2, number + 2))]


def _drawn(draw: st.DrawFn, one: int) -> Observation:
    return seen(
        one,
        draw(st.one_of(st.none(), st.integers(1, one - 1))),
        device=draw(st.sampled_from(("", "x", "y", f"d{one}"))),
        address=draw(st.sampled_from(("", "p", "q", f"a{one}"))),
        agent=draw(st.sampled_from(("Chrome Android", "Safari iOS"))),
        domain=draw(st.sampled_from(("gmail.com", "odd.example"))),
        network_kind=draw(st.sampled_from(("isp", "datacentre"))),
        has_script=draw(st.booleans()),
        form_seconds=draw(st.sampled_from((1.0, 2.0, 20.0))),
        returns=draw(st.integers(0, 1)),
        created_at=float(draw(st.integers(0, 10)) * 3600),
    )


@settings(max_examples=60)
@given(_people(), st.randoms(use_true_random=False))
def test_the_order_in_which_entries_come_changes_nothing(people: list[Observation], chance: random.Random) -> None:
    before = scoring.score(people, MOMENT)
    shuffled = people[:]
    chance.shuffle(shuffled)
    assert scoring.score(shuffled, MOMENT) == before


@settings(max_examples=30)
@given(_people())
def test_scores_are_sums_of_signals_between_0_and_100(people: list[Observation]) -> None:
    for score in scoring.score(people, MOMENT, usual=USUAL).values():
        assert score.points == min(100, sum(found.points for found in score.found))
        assert all(found.points > 0 for found in score.found)


def test_a_sum_is_capped() -> None:
    assert scoring.total([Found("a", 60), Found("b", 50)]).points == 100


def test_stored_codes_can_be_weighed_anew() -> None:
    kinder = Weights(points={"same_device": 5})
    assert scoring.reweigh({1: ["same_device", "gone_since"], 2: []}, kinder) == {1: 5, 2: 0}


def test_no_signal_that_honest_people_share_reaches_a_band_alone() -> None:
    shared = {"fast_form", "no_script", "datacentre", "trapped", "same_device", "same_address", "one_line", "one_agent",
              "one_provider", "one_domain", "confirmed_at_once", "last_hours", "elsewhere"}  # fmt: skip
    assert all(weights.POINTS[code][1] < 34 for code in shared)


def test_layers_can_be_left_out() -> None:
    people = [seen(1), *(seen(n, 1, device="d1", has_script=False) for n in range(2, 12))]
    kept = scoring.score(people, MOMENT, usual=USUAL, without=frozenset({Layer.PAIR, Layer.GROUP}))
    assert {one.code for score in kept.values() for one in score.found} == {"no_script"}
