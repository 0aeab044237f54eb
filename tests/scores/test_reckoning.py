"""What rules mean: caps, decay, rounding to a sum, bands that do not flap, reactivity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgen.scores import reckoning
from leadgen.scores import rules as documents
from leadgen.scores.reckoning import Event, Outcome, Person, Reactivity
from leadgen.scores.rules import Band, Rules

NOW = datetime(2027, 5, 1, 12, tzinfo=UTC)


def _rules(**changes: Any) -> Rules:
    return documents.read(documents.default() | changes)


def _event(deed: str, hours: float, number: int = 1, detail: str = "", contest: int = 1) -> Event:
    at = NOW - timedelta(hours=hours)
    return Event(deed, detail, contest, f"f{number}", at, at.date())


def _outcome(rules: Rules, *events: Event, **answers: Any) -> Outcome:
    return reckoning.outcome(rules, Person(1, answers, NOW, list(events)), NOW)


def _points(outcome: Outcome) -> list[int]:
    return [line.points for line in outcome.lines]


def test_a_rule_gives_so_much_a_day_and_so_much_in_all() -> None:
    seven_a_day = [_event("question.answered", hours, hours) for hours in range(1, 8)]
    assert _points(_outcome(_rules(), *seven_a_day)) == [4, 4, 4]
    ten_days = [_event("question.answered", 24 * day + hour, 10 * day + hour) for day in range(10) for hour in range(3)]
    assert sum(_points(_outcome(_rules(), *ten_days))) == 32


def test_the_order_in_which_deeds_are_told_does_not_matter() -> None:
    events = [_event("question.answered", hours, hours) for hours in range(1, 30)]
    assert _outcome(_rules(), *events) == _outcome(_rules(), *reversed(events))


def test_a_rule_may_be_narrowed_to_a_question_and_a_contest() -> None:
    one = documents.default()["deeds"][1] | {"detail": "budget", "contest": 2}
    rules = _rules(deeds=[one])
    found = _outcome(
        rules,
        _event("question.answered", 1, 1, "budget", 1),
        _event("question.answered", 2, 2, "month", 2),
        _event("question.answered", 3, 3, "budget", 2),
    )
    assert [line.event for line in found.lines] == ["f3"]


def test_half_of_engagement_is_left_after_a_half_life() -> None:
    rules = _rules()
    found = _outcome(rules, _event("form.finished", 0))
    for days, expected in ((0, 15), (21, 8), (42, 4), (63, 2)):
        now = NOW + timedelta(days=days)
        assert reckoning.engagement(rules, found.worth, found.worth_at, now, now) == expected


def test_silence_takes_step_by_step_and_no_more_than_its_most() -> None:
    rules = _rules()
    taken = [reckoning.taken_by_silence(rules, NOW - timedelta(days=days), NOW) for days in (0, 29, 30, 89, 900)]
    assert taken == [0, 0, 5, 10, 20]


def test_fit_is_a_sum_within_bounds_and_zero_where_a_disqualifier_holds() -> None:
    is_child = {"field": "answer.age", "op": "lt", "value": 18}
    rules = _rules(out=[{"key": "child", "when": is_child, "reason": "Too young"}])
    told = {f"question_{number}": "x" for number in range(8)}
    assert _outcome(rules, **told).fit == 100
    found = _outcome(rules, **told, age=12)
    assert (found.fit, found.disqualified_by) == (0, "child")
    assert sum(_points(found)) == 100


BANDS = (Band(key="A", enter=60, leave=50), Band(key="B", enter=30, leave=20), Band(key="C"))


@pytest.mark.parametrize(
    ("before", "values", "expected"),
    [
        ("", [59, 60, 55, 50, 49, 55, 60], "BAAABBA"),
        ("A", [49, 19, 29, 30, 21, 19], "BCCBBC"),
        ("A", [25], "B"),
        ("A", [10], "C"),
        ("C", [100], "A"),
    ],
)
def test_a_band_entered_at_60_is_left_below_50(before: str, values: list[int], expected: str) -> None:
    found = ""
    for value in values:
        before = reckoning.band(BANDS, value, before)
        found += before
    assert found == expected


@given(st.lists(st.floats(-60, 60), max_size=30), st.integers(-1, 1))
def test_shares_add_up_to_the_total_and_differ_from_the_parts_by_less_than_two(parts: list[float], more: int) -> None:
    total = reckoning.whole(sum(parts)) + (more if parts else 0)
    shares = reckoning.shared(total, parts)
    assert sum(shares) == (total if parts else 0)
    assert all(abs(share - part) < 2 for share, part in zip(shares, parts, strict=True))


def test_an_address_is_lively_quiet_or_silent() -> None:
    def said(letters: int, reactions: int, days: int) -> Reactivity:
        return reckoning.reactivity(letters, reactions, NOW - timedelta(days=days), NOW)

    assert said(8, 2, 100) is Reactivity.LIVELY
    assert said(0, 0, 29) is Reactivity.LIVELY
    assert said(9, 2, 100) is Reactivity.QUIET
    assert said(0, 0, 31) is Reactivity.QUIET
    assert said(9, 1, 400) is Reactivity.QUIET
    assert said(9, 0, 181) is Reactivity.SILENT
