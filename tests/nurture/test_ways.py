"""Ways through a sequence by the real tick: branches, waits for events, variants, and what stands alone when broken."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.journal.vocabulary import FactName
from leadgen.nurture import jobs, splitting, story
from leadgen.nurture.models import Enrolment, EnrolmentMove, EnrolmentStatus, SequenceVersion, Step
from leadgen.reactions import drain
from tests.conftest import Clock
from tests.factories import fresh, letter_data, make_enrolment, make_entry, make_fact, make_sequence, publish
from tests.nurture.conftest import Inside, change, contact_of, messages
from tests.texts import step as words

Put = Callable[..., Inside]
SEA = {"field": "answer.question_1", "op": "eq", "value": "sea"}
HOUR = 3600
DAY = 24 * HOUR


def _keys(enrolment: Enrolment) -> list[str]:
    """The letters that are planned for somebody, in order."""
    found = [message for message in messages() if message.enrolment_id == enrolment.id]
    return [message.intent.rpartition(":")[2] for message in found]


def _told(enrolment: Enrolment) -> list[tuple[str, str, dict[str, Any]]]:
    rows = select(EnrolmentMove).filter_by(enrolment_id=enrolment.id).order_by(EnrolmentMove.id)
    return [(move.step_key, move.reason.value, move.detail) for move in db.session.scalars(rows)]


def test_everybody_goes_the_way_of_the_moment(inside: Put, clock: Clock) -> None:
    """Judged when it is reached, not when somebody was enrolled."""
    fork = {"kind": "branch", "key": "fork", "when": SEA, "wait": {"seconds": HOUR}, "yes": [letter_data(1)], "no": []}
    definition = {"steps": [fork, letter_data(2, seconds=HOUR)]}
    sea, city = (inside(definition, next_run_at=product_clock.now() + timedelta(hours=1)) for _ in range(2))
    jobs.plan()
    change(contact_of(sea.entry), answers={"question_1": "sea"})
    clock.forward(hours=1)
    jobs.plan()
    clock.forward(hours=1)
    jobs.plan()

    assert _keys(sea.enrolment) == ["step_1", "step_2"]
    assert _keys(city.enrolment) == ["step_2"]
    assert _told(sea.enrolment) == [("fork", "branched", {"way": "yes"})]
    assert _told(city.enrolment) == [("fork", "branched", {"way": "no"})]
    told = [line.sentence for line in story.of_contact(sea.entry.contact_id).lines]
    assert any(sentence.startswith("Took the way “yes”") for sentence in told)


def test_a_branch_whose_condition_cannot_be_judged_leads_to_no(inside: Put) -> None:
    gone = {"field": "answer.gone", "op": "eq", "value": 1}
    fork = {"kind": "branch", "key": "fork", "when": gone, "yes": [letter_data(1)], "no": [letter_data(2)]}
    _entry, _sequence, enrolment = inside({"steps": [fork]}, at="fork")
    jobs.plan()

    assert _keys(enrolment) == ["step_2"]
    assert _told(enrolment) == [("fork", "branched", {"way": "no", "unsound": True})]


def _waits(**wait: Any) -> dict[str, Any]:
    event = {"on": "answered", "of": "budget"}
    waiting = {"until": "event", "seconds": 5 * DAY, "event": event, **wait}
    return {"steps": [letter_data(1, wait=waiting), letter_data(2, seconds=HOUR)]}


def test_an_event_that_was_waited_for_comes(inside: Put, clock: Clock) -> None:
    later = product_clock.now() + timedelta(days=5)
    waits, other = (inside(_waits(), next_run_at=later) for _ in range(2))
    clock.forward(hours=2)
    make_fact(waits.entry, FactName.QUESTION_ANSWERED, data={"question": "month"})
    drain()
    assert fresh(waits.enrolment).next_run_at == later
    make_fact(waits.entry, FactName.QUESTION_ANSWERED, data={"question": "budget"})
    make_fact(waits.entry, FactName.QUESTION_ANSWERED, data={"question": "budget"})
    drain()
    jobs.plan()

    assert _keys(waits.enrolment) == ["step_1"]
    assert _keys(other.enrolment) == []
    assert _told(waits.enrolment) == [("step_1", "went_on", {})]


def test_an_event_that_does_not_come_in_time(inside: Put, clock: Clock) -> None:
    _entry, _sequence, enrolment = inside(_waits(), next_run_at=product_clock.now() + timedelta(days=5))
    clock.forward(days=5)
    jobs.plan()

    assert _keys(enrolment) == ["step_1"]
    assert _told(enrolment) == [("step_1", "timed_out", {})]


def test_what_comes_at_night_waits_for_the_hour_that_is_asked_for(inside: Put, clock: Clock) -> None:
    waits = inside(_waits(at="10:00"), next_run_at=product_clock.now() + timedelta(days=5))
    make_fact(waits.entry, FactName.QUESTION_ANSWERED, data={"question": "budget"})
    drain()

    local = fresh(waits.enrolment).next_run_at.astimezone(product_clock.ZoneInfo("Europe/Paris"))
    assert (local.hour, local.minute) == (10, 0)
    assert timedelta() < waits.enrolment.next_run_at - product_clock.now() < timedelta(days=1)
    clock.forward(days=1)
    jobs.plan()
    assert _told(waits.enrolment) == [("step_1", "went_on", {})]


def test_each_gets_the_variant_that_is_drawn_for_them(campaign: Campaign) -> None:
    variants = [{"key": key, "weight": weight, "texts": words(1)} for key, weight in (("a", 1), ("b", 3))]
    definition = {"steps": [letter_data(1, variants=variants, experiment="subject")]}
    sequence = make_sequence(campaign, definition=definition)
    entries = [make_entry(campaign, confirmed=True, marketing=True) for _ in range(30)]
    for entry in entries:
        make_enrolment(sequence, entry)
    jobs.plan()

    ids = {step.variant: step.id for step in db.session.scalars(select(Step))}
    drawn = {one.id: ids["ab"[splitting.variant_of("subject", (1, 3), one.contact_id)]] for one in entries}
    assert {message.entry_id: message.step_id for message in messages()} == drawn
    assert set(Counter(drawn.values())) == set(ids.values())


def test_a_variant_that_was_dropped_gives_its_people_another(campaign: Campaign) -> None:
    variants = [{"key": key, "texts": words(1)} for key in "ab"]
    sequence = make_sequence(campaign, definition={"steps": [letter_data(1, variants=variants)]})
    for _ in range(8):
        make_enrolment(sequence, make_entry(campaign, confirmed=True, marketing=True))
    publish(sequence, {"trigger": {"on": "confirmed"}, "steps": [letter_data(1)]})
    jobs.plan()

    assert len(messages()) == 8
    (kept,) = {message.step_id for message in messages()}
    assert db.session.get_one(Step, kept).variant == "a"


def test_who_goes_by_an_old_version_goes_on_by_it(inside: Put, clock: Clock) -> None:
    """Words are the newest; the way is the old one, and what left the sequence is passed over."""
    old = {"steps": [letter_data(1), letter_data(2, seconds=HOUR), letter_data(3, seconds=HOUR)]}
    _entry, sequence, enrolment = inside(old)
    newest = {"trigger": {"on": "confirmed"}, "steps": [letter_data(3), letter_data(1)]}
    publish(sequence, newest)
    for _ in range(3):
        jobs.plan()
        clock.forward(hours=1)

    assert _keys(enrolment) == ["step_1", "step_3"]
    assert _told(enrolment) == [("step_2", "skipped", {"why": "step_removed"})]
    assert fresh(enrolment).status is EnrolmentStatus.FINISHED


@pytest.mark.parametrize(
    "spoil",
    [
        {"step_key": "nowhere"},
        {"version": 7},
        {"definition": {"steps": "none"}},
        {"definition": {"trigger": {"on": "confirmed"}, "steps": [{"kind": "letter", "key": "step_1"}]}},
        {"definition": {"trigger": {"on": "confirmed"}, "steps": [letter_data(1), letter_data(2, seconds=10**15)]}},
        {"definition": {"trigger": {"on": "confirmed"}, "priority": 10**9, "steps": [letter_data(1)]}},
        {"definition": {"trigger": {"on": "confirmed"}, "steps": [letter_data(1, catch_up_hours=10**9)]}},
        {"definition": {"trigger": {"on": "confirmed"}, "steps": [letter_data(1), letter_data(2, wait={"at": "x"})]}},
    ],
)  # fmt: skip
def test_what_is_broken_stands_alone(inside: Put, clock: Clock, spoil: dict[str, Any]) -> None:
    """The others go on; it is looked at again in an hour, and once it is mended it goes on too."""
    broken, sound = inside(), inside()
    good = db.session.get_one(SequenceVersion, (broken.sequence.id, 1)).definition
    definition = spoil.pop("definition", None)
    if definition:
        change(db.session.get_one(SequenceVersion, (broken.sequence.id, 1)), definition=definition)
    change(broken.enrolment, **spoil)
    spoil |= {"definition": definition} if definition else {}

    assert jobs.plan() == 2
    assert _keys(broken.enrolment) == []
    assert _keys(sound.enrolment) == ["step_1"]
    assert fresh(broken.enrolment).status is EnrolmentStatus.ACTIVE
    assert fresh(broken.enrolment).next_run_at > product_clock.now() + timedelta(minutes=59)
    change(db.session.get_one(SequenceVersion, (broken.sequence.id, 1)), definition=good)
    change(broken.enrolment, step_key="step_1", version=1)
    clock.forward(hours=1)
    jobs.plan()
    assert _keys(broken.enrolment) == ["step_1"]
