"""Secret codes: as people mean them, as often as they may be used, and no guessing (F6)."""

from __future__ import annotations

import statistics
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from leadgen.actions import codes
from leadgen.actions.service import Outcome
from leadgen.campaigns.models import ActionKind, Campaign, Repeat
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.entries.models import Entry
from tests.actions.conftest import an, do, total
from tests.conftest import Clock
from tests.factories import make_entry


@pytest.mark.parametrize(
    "typed", ["SUMMER-26", "summer 26", " sum\u00admer\u201326 ", "ｓｕｍｍｅｒ２６", "S u m m e r — 26"]
)
def test_a_code_is_read_as_people_mean_it(campaign: Campaign, ben: Entry, typed: str) -> None:
    """NFKC, upper case, no blanks, no dashes."""
    action = an(ActionKind.CODE, campaign)
    codes.add(action.id, ["Summer26"])
    assert do(ben, action, code=typed).outcome is Outcome.DONE


@given(some.text(max_size=80))
def test_tidying_is_done_once(typed: str) -> None:
    assert codes.tidy(codes.tidy(typed)) == codes.tidy(typed)


def test_codes_come_one_a_line(campaign: Campaign) -> None:
    action = an(ActionKind.CODE, campaign)
    found = codes.add(action.id, ["alpha-1", "", "ALPHA 1", "beta2", "x", "y" * 99], most_uses=5)
    assert (found.added, found.known, found.refused) == (2, 0, ("x", "y" * 99))
    assert codes.add(action.id, ["Beta 2", "gamma3"]).known == 1
    assert [(line.code, line.most_uses) for line in codes.listed(action.id)] == [
        ("ALPHA1", 5),
        ("BETA2", 5),
        ("GAMMA3", None),
    ]


def test_a_code_has_its_number_of_uses(campaign: Campaign, ben: Entry) -> None:
    action = an(ActionKind.CODE, campaign)
    codes.add(action.id, ["once"], most_uses=1)
    other = make_entry(campaign, email="cleo@mail.example", confirmed=True)
    assert do(ben, action, code="ONCE").outcome is Outcome.DONE
    assert do(other, action, code="ONCE").outcome is Outcome.USED_UP
    assert total(other) == (0, 0)
    assert codes.listed(action.id)[0].uses == 1


def test_each_code_once_for_a_person_where_there_are_many(campaign: Campaign, ben: Entry) -> None:
    action = an(ActionKind.CODE, campaign, repeat=Repeat.UNLIMITED, most_times=2)
    codes.add(action.id, ["red", "green", "blue"])
    outcomes = [do(ben, action, code=code).outcome for code in ("red", "RED", "green", "blue")]
    assert outcomes == [Outcome.DONE, Outcome.ALREADY, Outcome.DONE, Outcome.ALREADY]
    assert [line.uses for line in codes.listed(action.id)] == [1, 1, 0]


def test_ten_wrong_codes_in_an_hour_then_an_hours_pause(campaign: Campaign, ben: Entry, clock: Clock) -> None:
    """F6, at n − 1, n and n + 1 (ASVS 2.4.1)."""
    action = an(ActionKind.CODE, campaign)
    codes.add(action.id, ["right"])
    for number in range(1, 10):
        assert do(ben, action, code=f"wrong{number}").outcome is Outcome.WRONG, number
    assert do(ben, action, code="wrong10").outcome is Outcome.RESTING
    resting = do(ben, action, code="right")
    assert resting.outcome is Outcome.RESTING, "the pause hides whether a code is right"
    assert 0 < resting.seconds <= 3600
    clock.forward(hours=1, seconds=1)
    assert do(ben, action, code="right").outcome is Outcome.DONE


def test_wrong_codes_of_more_than_an_hour_ago_are_forgotten(campaign: Campaign, ben: Entry, clock: Clock) -> None:
    action = an(ActionKind.CODE, campaign)
    for number in range(9):
        do(ben, action, code=f"wrong{number}")
    clock.forward(hours=1, seconds=1)
    assert do(ben, action, code="wrong-again").outcome is Outcome.WRONG


def test_an_empty_field_is_no_guess(campaign: Campaign, ben: Entry) -> None:
    action = an(ActionKind.CODE, campaign)
    for _ in range(12):
        assert do(ben, action, code=" - ").outcome is Outcome.WRONG
    assert hot.many("SELECT 1 FROM code_tries", {}) == []


def test_another_actions_code_does_not_open_this_one(campaign: Campaign, ben: Entry) -> None:
    codes.add(an(ActionKind.CODE, campaign).id, ["elsewhere"])
    assert do(ben, an(ActionKind.CODE, campaign), code="elsewhere").outcome is Outcome.WRONG


def test_most_uses_and_the_number_of_codes_have_bounds(campaign: Campaign) -> None:
    action = an(ActionKind.CODE, campaign)
    with pytest.raises(Invalid):
        codes.add(action.id, ["abc"], most_uses=0)
    with pytest.raises(Invalid):
        codes.add(action.id, (f"code{n}" for n in range(codes.MOST_CODES + 1)))
    assert codes.count(action.id) == 0


def test_a_nearly_right_code_takes_as_long_as_a_wrong_one(campaign: Campaign, ben: Entry) -> None:
    """ASVS 11.2: every code is hashed with a new salt, however much of it agrees; quartiles of interleaved asks."""
    action = an(ActionKind.CODE, campaign)
    codes.add(action.id, [f"LONGSECRET{n:04}" for n in range(500)])
    spent: dict[str, list[float]] = {"LONGSECRET049X": [], "ZZZZZZZZZZZZZZ": []}
    for _ in range(60):
        for typed, seconds in spent.items():
            begun = time.perf_counter()
            assert codes._find(action.id, typed) is None
            seconds.append(time.perf_counter() - begun)
    db.session.rollback()
    near, far = (statistics.quantiles(seconds, n=4)[0] for seconds in spent.values())
    assert abs(near - far) < 0.003
