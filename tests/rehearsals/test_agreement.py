"""A rehearsal tells what the planner and the sender then really do: the same steps, ways, moments and reasons."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.journal.vocabulary import FactName
from leadgen.nurture.definition import from_data
from leadgen.rehearsals import service as rehearsals
from leadgen.rehearsals.plots import Kind, Line, Suppose
from tests.factories import make_campaign, make_contact, make_entry, make_sequence
from tests.rehearsals.conftest import NOON, Frozen, really
from tests.texts import step as words

SEA = {"field": "answer.question_1", "op": "eq", "value": "sea"}
DAY, HOUR = 86_400, 3_600


def letter(key: str, seconds: int = 0, **values: Any) -> dict[str, Any]:
    wait = {"seconds": seconds} | values.pop("wait", {})
    return {"kind": "letter", "key": key, "wait": wait, "variants": [{"key": "a", "texts": words(1)}], **values}


def branch(key: str, when: Any, yes: list[Any], no: list[Any], seconds: int = 0, **wait: Any) -> dict[str, Any]:
    return {"kind": "branch", "key": key, "when": when, "wait": {"seconds": seconds, **wait}, "yes": yes, "no": no}


def known(lines: Any) -> list[tuple[Kind, str, str, bool | None]]:
    """What can be told of a line besides its time, in the order of steps; the beginning is told by no table."""
    told = [line for line in lines if line.kind is not Kind.BEGAN]
    return [(line.kind, line.step_key, line.reason, line.way) for line in told]


def moments(lines: Any) -> list[datetime]:
    ended = {Kind.SKIPPED, Kind.EXPIRED, Kind.CANCELLED}  # when a mail was given up is noted nowhere
    return [line.at for line in lines if line.kind not in {Kind.BEGAN, *ended}]


def agree(rehearsed: Any, real: list[Line]) -> None:
    order = sorted(rehearsed, key=_place)
    assert known(order) == known(sorted(real, key=_place))
    assert moments(order) == moments(sorted(real, key=_place)), "to the second"


def _place(line: Line) -> tuple[str, str, str, datetime]:
    return line.step_key, line.kind.value, line.reason, line.at


def _entry(campaign: Campaign, zone: str = "Europe/Paris", **answers: Any) -> Entry:
    brand = db.session.get_one(Brand, campaign.brand_id)
    contact = make_contact(brand, marketing=True, timezone=zone, answers=answers)
    return make_entry(campaign, contact, confirmed=True)


def _both(
    frozen: Frozen, definition: dict[str, Any], entry: Entry, days: dict[str, float] | None = None, events: Any = ()
) -> tuple[list[Line], list[Line]]:
    """The rehearsal of a published definition, and what really happens then."""
    campaign = db.session.get_one(Campaign, entry.campaign_id)
    sequence = make_sequence(campaign, definition=definition)
    read = from_data({"trigger": {"on": "confirmed"}, **definition})
    told = rehearsals.rehearse(sequence, read, entry.contact_id, starts_at=frozen.at, suppose=Suppose(days=days or {}))
    return list(told.played.lines), really(frozen, entry, events)


def _campaign(**values: Any) -> Campaign:
    return make_campaign(starts_at=NOON - timedelta(days=1), ends_at=NOON + timedelta(days=20), **values)


MANY = [
    letter("first", HOUR),
    letter("soon", HOUR, catch_up_hours=96),
    letter("hour", 3 * DAY, wait={"at": "23:30", "weekdays": [1, 2]}),
    branch("sea", SEA, [letter("yes", DAY)], [letter("no", DAY), {"kind": "end", "key": "over"}]),
    letter("mine", 3 * DAY, when={"not": SEA}),
    letter("last", wait={"until": "before_end", "seconds": 2 * DAY}),
]


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Los_Angeles", "Pacific/Auckland", ""])
@pytest.mark.parametrize("answer", ["sea", "city"])
def test_letters_waits_nights_and_the_cap_come_as_rehearsed(frozen: Frozen, zone: str, answer: str) -> None:
    told, real = _both(frozen, {"steps": MANY}, _entry(_campaign(), zone, question_1=answer))
    agree(told, real)
    assert {line.kind for line in told} >= {Kind.PLANNED, Kind.SENT, Kind.MOVED, Kind.BRANCHED, Kind.FINISHED}


WAITS = [
    letter("welcome", HOUR),
    letter("asked", 5 * DAY, wait={"until": "event", "event": {"on": "answered", "of": "question_1"}, "at": "10:00"}),
    letter("after", 2 * DAY),
]


@pytest.mark.parametrize("after", [None, 1.5])
def test_an_event_comes_or_times_out_as_supposed(frozen: Frozen, after: float | None) -> None:
    began = frozen.at
    anchor = began + timedelta(hours=1)
    coming = [] if after is None else [(anchor + timedelta(days=after), FactName.QUESTION_ANSWERED)]
    days = {} if after is None else {"event:asked": after}
    events = [(at, name, {"question": "question_1"}) for at, name in coming]
    told, real = _both(frozen, {"steps": WAITS}, _entry(_campaign()), days, events)
    agree(told, real)
    assert (Kind.WENT_ON if coming else Kind.TIMED_OUT) in {line.kind for line in told}


@pytest.mark.parametrize(("key", "part"), [("goal", "goal"), ("exit:0", "exits")])
def test_goal_and_exit_end_it_when_supposed(frozen: Frozen, key: str, part: str) -> None:
    happening = {"on": "friend_counted"}
    more = {"goal": {"on": happening, "days": 30}} if part == "goal" else {"exits": [{"on": happening}]}
    steps = [letter("welcome", HOUR), letter("later", 3 * DAY), letter("last", 3 * DAY)]
    events = [(frozen.at + timedelta(days=4), FactName.REFERRAL_COUNTED, {})]
    told, real = _both(frozen, {"steps": steps, **more}, _entry(_campaign()), {key: 4.0}, events)
    agree(told, real)
    assert Kind.EXITED in {line.kind for line in told}


@pytest.mark.parametrize("on", [{"on": "contest_closing", "days": 15}, {"on": "inactive", "days": 5}])
def test_an_exit_that_the_clock_tells_stops_the_next_letter(frozen: Frozen, on: dict[str, Any]) -> None:
    steps = [letter("welcome", HOUR), letter("later", 4 * DAY), letter("last", 4 * DAY)]
    told, real = _both(frozen, {"steps": steps, "exits": [{"on": on}]}, _entry(_campaign()))
    agree(told, real)
    assert (Kind.SKIPPED, "last", "exit_event", None) in known(told)


def test_conditions_of_letters_and_exits_end_it_as_rehearsed(frozen: Frozen) -> None:
    steps = [letter("welcome", HOUR), letter("sea", 3 * DAY, when=SEA, otherwise="exit"), letter("last", 3 * DAY)]
    agree(*_both(frozen, {"steps": steps}, _entry(_campaign(), question_1="city")))
    agree(*_both(frozen, {"steps": steps, "exits": [{"when": SEA}]}, _entry(_campaign(), question_1="sea")))


_WAIT = st.builds(
    lambda seconds, hour, days: {"seconds": seconds, **({"at": hour} if hour else {}), "weekdays": days},
    st.sampled_from([0, 1800, 7 * HOUR, DAY, 2 * DAY, 3 * DAY + HOUR]),
    st.sampled_from(["", "", "02:30", "09:00", "21:15"]),
    st.sampled_from([[], [], [2, 4], [7]]),
)
_CONDITION = st.sampled_from([SEA, {"not": SEA}, {"field": "language", "op": "eq", "value": "fr"}])


def _steps(level: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.builds(
        lambda wait, when, hours: letter("", wait=wait, when=when, catch_up_hours=hours),
        _WAIT,
        st.one_of(st.none(), _CONDITION),
        st.sampled_from([6, 48, 120]),
    )
    if level:
        inner = _steps(level - 1)
        one = st.one_of(
            one,
            st.builds(lambda when, yes, no, wait: branch("", when, yes, no, **wait), _CONDITION, inner, inner, _WAIT),
        )
    return st.lists(one, min_size=1, max_size=3)


def _named(steps: list[dict[str, Any]], prefix: str = "s") -> list[dict[str, Any]]:
    """The same with a key for each step."""
    found = []
    for number, step in enumerate(steps):
        key = f"{prefix}{number}"
        inside = {side: _named(step[side], f"{key}{side[0]}") for side in ("yes", "no") if side in step}
        found.append({**step, "key": key, **inside})
    return found


@given(
    steps=_steps(1),
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
    answer=st.sampled_from(["sea", "city"]),
    hours=st.integers(0, 100),
)
@settings(max_examples=15)
def test_any_definition_goes_as_rehearsed(
    frozen: Frozen, steps: list[dict[str, Any]], zone: str, answer: str, hours: int
) -> None:
    frozen.at = NOON + timedelta(hours=hours)
    campaign = make_campaign(starts_at=NOON - timedelta(days=1), ends_at=NOON + timedelta(days=60))
    agree(*_both(frozen, {"steps": _named(steps)}, _entry(campaign, zone, question_1=answer)))
