"""The scorer on one small contest: the direction, not the figures; those are `python -m bench --only fraud`."""

from __future__ import annotations

import pytest

from bench.fraud import scored
from bench.fraud.generator import FEWEST, generate


@pytest.fixture(scope="module")
def found() -> dict[str, float]:
    return scored.judged(generate(3, hard=True, evade=0.0, entries=FEWEST))


def test_most_cheats_are_found_and_hardly_anybody_else(found: dict[str, float]) -> None:
    assert found["precision"] > 0.9
    assert found["recall"] > 0.65
    assert found["fpr"] < 0.015


def test_the_top_gets_cleaner_and_each_flag_says_why(found: dict[str, float]) -> None:
    assert found["cheats_after"] < found["cheats_before"]
    assert found["flags_without_sentence"] == 0


def test_no_layer_alone_does_it() -> None:
    contest = generate(3, hard=True, evade=0.0, entries=FEWEST)
    recalls = {layer: scored.judged(contest, [layer])["recall"] for layer in (scored.Layer.PAIR, scored.Layer.GROUP)}
    assert all(recall < scored.judged(contest)["recall"] for recall in recalls.values())
