"""Who begins a sequence: by events of the journal, for whom, how often, and who is held out (nurture.triggers)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.mail import clicks
from leadgen.nurture import happenings, inside, splitting, triggers
from leadgen.nurture.models import Enrolment, EnrolmentStatus, Sequence
from leadgen.reactions import drain
from tests.conftest import Clock
from tests.factories import letter_data, make_click, make_entry, make_fact, make_message, make_sequence
from tests.nurture.conftest import change, contact_of

FACTS: list[tuple[dict[str, Any], FactName, dict[str, Any]]] = [
    ({"on": "confirmed"}, FactName.ENTRY_CONFIRMED, {}),
    ({"on": "friend_counted"}, FactName.REFERRAL_COUNTED, {"friend": 0}),
    ({"on": "form_finished"}, FactName.FORM_FINISHED, {}),
    ({"on": "answered"}, FactName.QUESTION_ANSWERED, {"question": "budget"}),
    ({"on": "answered", "of": "budget"}, FactName.QUESTION_ANSWERED, {"question": "budget"}),
    ({"on": "action_credited", "of": "visit"}, FactName.ACTION_CREDITED, {"action": "visit"}),
    ({"on": "reward_given"}, FactName.REWARD_GIVEN, {"milestone": 1}),
    ({"on": "clicked"}, FactName.LETTER_CLICKED, {"message": 1}),
    ({"on": "score_crossed", "of": "A1"}, FactName.SCORE_CROSSED, {"kind": "fit", "to": "A", "grade": "A1"}),
]


def _enrolments() -> list[Enrolment]:
    db.session.expire_all()
    return list(db.session.scalars(select(Enrolment).order_by(Enrolment.id)))


def _sequence(campaign: Campaign, trigger: dict[str, Any], **more: Any) -> Sequence:
    definition = {"trigger": trigger, "steps": [letter_data(1, seconds=600), letter_data(2)], **more}
    return make_sequence(campaign, definition=definition, key=f"s{len(more)}{trigger['on']}")


def _willing(campaign: Campaign) -> Entry:
    return make_entry(campaign, confirmed=True, marketing=True)


def _tell(entry: Entry, name: FactName, **data: Any) -> Fact:
    whom: dict[str, Any] = {FactName.REFERRAL_COUNTED: {"contact_id": None}, FactName.SCORE_CROSSED: {"entry_id": None}}
    fact = make_fact(entry, name, data=data, **whom.get(name, {}))
    triggers.hear([fact])
    db.session.commit()
    return fact


@pytest.mark.parametrize(("trigger", "name", "data"), FACTS)
def test_each_event_begins_its_sequence(
    campaign: Campaign, trigger: dict[str, Any], name: FactName, data: dict[str, Any]
) -> None:
    sequence = _sequence(campaign, trigger)
    entry = _willing(campaign)
    _willing(campaign)

    fact = _tell(entry, name, **data)

    (enrolment,) = _enrolments()
    assert (enrolment.entry_id, enrolment.sequence_id, enrolment.version) == (entry.id, sequence.id, 1)
    assert (enrolment.fact_id, enrolment.step_key) == (fact.id, "step_1")
    since = entry.confirmed_at if name is FactName.ENTRY_CONFIRMED else fact.at
    assert (enrolment.anchor_at, enrolment.next_run_at) == (since, since + timedelta(minutes=10) if since else None)


def test_the_reactions_know_every_event() -> None:
    assert {name for _trigger, name, _data in FACTS} == set(happenings.EVENTS)


@pytest.mark.parametrize(
    ("trigger", "name", "data"),
    [
        ({"on": "answered", "of": "budget"}, FactName.QUESTION_ANSWERED, {"question": "month"}),
        ({"on": "action_credited", "of": "visit"}, FactName.ACTION_CREDITED, {}),
        ({"on": "confirmed"}, FactName.ENTRY_CREATED, {}),
        ({"on": "inactive", "days": 1}, FactName.ENTRY_CONFIRMED, {}),
    ],
)
def test_another_event_does_not(
    campaign: Campaign, trigger: dict[str, Any], name: FactName, data: dict[str, Any]
) -> None:
    _sequence(campaign, trigger)
    _tell(_willing(campaign), name, **data)

    assert _enrolments() == []


def test_an_event_of_another_contest_does_not(campaign: Campaign, context: None) -> None:
    _sequence(campaign, {"on": "reward_given"})
    entry = _willing(campaign)
    brand_mate = make_entry(None, contact_of(entry), confirmed=True, marketing=True)

    _tell(brand_mate, FactName.REWARD_GIVEN)

    assert _enrolments() == []


def test_only_those_whom_it_is_for(campaign: Campaign) -> None:
    _sequence(campaign, {"on": "reward_given"}, who={"field": "answer.question_1", "op": "eq", "value": "sea"})
    sea, city = _willing(campaign), _willing(campaign)
    change(contact_of(sea), answers={"question_1": "sea"})

    for entry in (sea, city):
        _tell(entry, FactName.REWARD_GIVEN)

    assert [enrolment.entry_id for enrolment in _enrolments()] == [sea.id]


def test_a_condition_that_cannot_be_judged_lets_nobody_in(campaign: Campaign) -> None:
    _sequence(campaign, {"on": "reward_given"}, who={"field": "answer.gone", "op": "eq", "value": "sea"})
    _tell(_willing(campaign), FactName.REWARD_GIVEN)

    assert _enrolments() == []


@pytest.mark.parametrize(
    ("again", "after_days", "times"),
    [
        ({"again": "never"}, 30, 1),
        ({"again": "after", "again_days": 7}, 6, 1),
        ({"again": "after", "again_days": 7}, 8, 2),
        ({"again": "each"}, 0, 2),
    ],
)
def test_who_comes_again(campaign: Campaign, clock: Clock, again: dict[str, Any], after_days: int, times: int) -> None:
    _sequence(campaign, {"on": "answered"}, **again)
    entry = _willing(campaign)
    _tell(entry, FactName.QUESTION_ANSWERED)
    (first,) = _enrolments()
    change(first, status=EnrolmentStatus.FINISHED, ended_at=product_clock.now())
    clock.forward(days=after_days)

    fact = _tell(entry, FactName.QUESTION_ANSWERED)
    triggers.hear([fact])
    db.session.commit()

    assert len(_enrolments()) == times, "and the same event twice is once"


def test_nobody_is_in_a_sequence_twice_at_the_same_time(campaign: Campaign) -> None:
    _sequence(campaign, {"on": "answered"}, again="each")
    entry = _willing(campaign)
    facts = [make_fact(entry, FactName.QUESTION_ANSWERED) for _ in range(3)]
    triggers.hear(facts)
    triggers.hear(facts)
    db.session.commit()

    assert len(_enrolments()) == 1


def test_some_are_held_out_and_get_nothing(campaign: Campaign) -> None:
    sequence = _sequence(campaign, {"on": "reward_given"}, holdout=20)
    entries = [_willing(campaign) for _ in range(25)]
    triggers.hear([make_fact(entry, FactName.REWARD_GIVEN) for entry in entries])
    db.session.commit()

    held_out = {one.contact_id for one in _enrolments() if one.status is EnrolmentStatus.HELD_OUT}
    drawn = {one.contact_id for one in entries if splitting.is_held_out(sequence.id, 20, one.contact_id)}
    assert held_out == drawn
    assert 0 < len(held_out) < 25
    told = db.session.scalars(select(Fact.contact_id).filter_by(name=FactName.SEQUENCE_ENTERED.value)).all()
    assert not held_out & set(told)


@pytest.mark.parametrize("state", [{"is_active": False}, {"archived_at": True}, {"version": None}])
def test_a_sequence_that_is_off_takes_nobody_in(campaign: Campaign, state: dict[str, Any]) -> None:
    sequence = _sequence(campaign, {"on": "reward_given"})
    change(sequence, **{name: product_clock.now() if value is True else value for name, value in state.items()})

    _tell(_willing(campaign), FactName.REWARD_GIVEN)

    assert _enrolments() == []


def test_a_pause_loses_nobody(campaign: Campaign) -> None:
    change(_sequence(campaign, {"on": "reward_given"}), paused_at=product_clock.now())
    _tell(_willing(campaign), FactName.REWARD_GIVEN)

    assert len(_enrolments()) == 1


def test_the_first_human_click_of_a_letter_is_an_event(campaign: Campaign, clock: Clock) -> None:
    _sequence(campaign, {"on": "clicked"}, again="each")
    entry = _willing(campaign)
    message = make_message(entry)
    make_click(message)
    make_click(message)
    clock.forward(minutes=6)
    clicks.fold()
    clicks.fold()
    db.session.commit()
    make_click(message)
    clock.forward(minutes=6)
    clicks.fold()
    drain()

    facts = db.session.scalars(select(Fact).filter_by(name=FactName.LETTER_CLICKED.value)).all()
    assert [(fact.entry_id, fact.data) for fact in facts] == [(entry.id, {"message": message.id})]
    assert len(_enrolments()) == 1


COUNTED = {"on": "friend_counted"}
_AWAITED = letter_data(1, wait={"until": "event", "seconds": 5 * 86_400, "event": COUNTED})


def _overtaken(entry: Entry) -> Enrolment:
    """The younger fact is told first."""
    confirmed = make_fact(entry, FactName.ENTRY_CONFIRMED)
    counted = make_fact(entry, FactName.REFERRAL_COUNTED, contact_id=None)
    for fact in (counted, confirmed):
        inside.hear([fact])
        triggers.hear([fact])
        db.session.commit()
    (enrolment,) = _enrolments()
    return enrolment


@pytest.mark.parametrize("holdout", [0, 100])
def test_a_goal_that_was_told_before_the_confirmation_counts(campaign: Campaign, holdout: int) -> None:
    _sequence(campaign, {"on": "confirmed"}, goal={"on": COUNTED}, holdout=holdout)
    assert _overtaken(_willing(campaign)).goal_at is not None


def test_an_exit_that_was_told_before_the_confirmation_ends_it(campaign: Campaign) -> None:
    _sequence(campaign, {"on": "confirmed"}, exits=[{"on": COUNTED}])
    assert _overtaken(_willing(campaign)).exit_reason == "exit_event"


def test_who_waits_for_what_was_told_before_the_confirmation_goes_on(campaign: Campaign) -> None:
    entry = _willing(campaign)
    make_sequence(campaign, definition={"steps": [_AWAITED]})
    assert _overtaken(entry).next_run_at <= product_clock.now()


def test_who_is_held_out_counts_once_where_each_event_begins(campaign: Campaign, clock: Clock) -> None:
    """The others are inside until they are through, whatever comes meanwhile."""
    _sequence(campaign, COUNTED, again="each", holdout=100)
    entry = _willing(campaign)
    triggers.hear([make_fact(entry, FactName.REFERRAL_COUNTED, contact_id=None) for _ in range(2)])
    db.session.commit()
    clock.forward(minutes=1)
    _tell(entry, FactName.REFERRAL_COUNTED)
    assert [one.status for one in _enrolments()] == [EnrolmentStatus.HELD_OUT]
