"""Where an enrolment goes next (nurture.walking), without any database."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from leadgen.nurture import walking
from leadgen.nurture.definition import DAY, Definition, from_data
from leadgen.nurture.hours import Calendar
from leadgen.nurture.models import MoveReason
from leadgen.nurture.walking import Answers, Move, Place

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CALENDAR = Calendar(ZoneInfo("Europe/Paris"), NOW + timedelta(days=10))


def _letter(key: str, **wait: Any) -> dict[str, Any]:
    return {"kind": "letter", "key": key, "wait": wait, "variants": [{"key": "a"}]}


def _definition(*steps: dict[str, Any], **more: Any) -> Definition:
    return from_data({"trigger": {"on": "confirmed"}, "steps": list(steps), **more})


FORK = _definition(
    {"kind": "branch", "key": "fork", "when": {"all": []}, "yes": [_letter("y1"), _letter("y2", seconds=DAY)],
     "no": [{"kind": "end", "key": "over"}]},
    _letter("last"),
)  # fmt: skip


def _go(definition: Definition, key: str, **answers: Any) -> Move:
    return walking.go(definition, Place(key, NOW, NOW), NOW, CALENDAR, Answers(**answers))


def test_a_letter_is_wanted_and_the_next_wait_begins_now() -> None:
    move = _go(_definition(_letter("a"), _letter("b", seconds=2 * DAY)), "a")

    assert move.letter is not None
    assert move.letter.key == "a"
    assert move.then == Place("b", NOW, NOW + timedelta(days=2))
    assert move.told == ()


def test_behind_the_last_step_it_is_over() -> None:
    assert _go(_definition(_letter("a")), "a").then is None
    assert walking.begin(_definition(), NOW, CALENDAR) is None


@pytest.mark.parametrize(
    ("holds", "way", "then", "more"),
    [(True, "yes", "y1", {}), (False, "no", "over", {}), (None, "no", "over", {"unsound": True})],
)
def test_a_fork_leads_one_way_or_the_other(holds: bool | None, way: str, then: str, more: dict[str, bool]) -> None:
    move = _go(FORK, "fork", holds=holds)

    assert move.letter is None
    assert [(told.reason, told.detail) for told in move.told] == [(MoveReason.BRANCHED, {"way": way, **more})]
    assert move.then is not None
    assert move.then.step_key == then


def test_a_branch_leads_back_to_what_stands_behind_the_fork() -> None:
    then = _go(FORK, "y2").then
    assert then is not None
    assert then.step_key == "last"
    assert _go(FORK, "over") == Move()


def test_a_letter_that_was_removed_is_passed_over() -> None:
    move = _go(_definition(_letter("a"), _letter("b")), "a", is_removed=True)

    assert move.letter is None
    assert move.told[0].detail == {"why": "step_removed"}
    assert move.then is not None


def test_a_wait_for_an_event_tells_whether_it_came() -> None:
    waits = _definition(_letter("a", until="event", seconds=5 * DAY, event={"on": "answered"}))

    begun = walking.begin(waits, NOW, CALENDAR)
    assert begun == Place("a", NOW, NOW + timedelta(days=5))
    assert [told.reason for told in _go(waits, "a").told] == [MoveReason.TIMED_OUT]
    assert _go(waits, "a", has_come=True).told == ()


def test_a_contest_that_goes_on_for_longer_makes_its_last_letters_wait() -> None:
    last = _definition(_letter("a", until="before_end", seconds=3 * DAY))
    move = _go(last, "a")

    assert move.letter is None
    assert move.told[0].reason is MoveReason.RETIMED
    assert move.then == Place("a", NOW, NOW + timedelta(days=7))
    ended = Calendar(CALENDAR.zone, NOW + timedelta(days=1))
    assert walking.go(last, Place("a", NOW, NOW), NOW, ended, Answers()).letter is not None


def test_before_an_end_that_there_is_not_nothing_is_sent() -> None:
    last = _definition(_letter("a", until="before_end", seconds=DAY), _letter("b"))
    endless = Calendar(CALENDAR.zone)

    assert walking.begin(last, NOW, endless) == Place("a", NOW, NOW)
    move = walking.go(last, Place("a", NOW, NOW), NOW, endless, Answers())
    assert (move.letter, move.told[0].detail) == (None, {"why": "no_end"})
    assert move.then is not None


def test_who_no_longer_belongs_leaves() -> None:
    assert _go(FORK, "fork", stays=False) == Move(exit_reason="left_audience")


def test_a_step_that_the_definition_does_not_have() -> None:
    with pytest.raises(LookupError):
        _go(FORK, "nowhere")
    assert _go(FORK, "") == Move(), "nothing is left to do"
