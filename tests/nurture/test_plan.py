"""Planning: each step once, in its order, by as many planners as there are (nurture.jobs.plan)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from leadgen.authoring import drafts, publishing
from leadgen.authoring.publishing import Choices
from leadgen.campaigns import publishing as campaigns
from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail import groups, streams
from leadgen.mail.jobs import pump_mail
from leadgen.mail.models import Message, MessageStatus
from leadgen.nurture import inside, jobs, planning, sequences
from leadgen.nurture.models import Enrolment, EnrolmentMove, EnrolmentStatus, MoveReason, Sequence
from tests import texts
from tests.conftest import Clock
from tests.factories import fresh, letter_data, make_campaign, make_enrolment, make_entry, make_fact, make_sequence
from tests.mail.conftest import noon  # noqa: F401 - fixture
from tests.nurture.crowd import letter, published, waiting

pytestmark = pytest.mark.usefixtures("context")


def _enrolled(**values: Any) -> tuple[Entry, Sequence, Enrolment]:
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True, marketing=True)
    sequence = make_sequence(campaign)
    return entry, sequence, make_enrolment(sequence, entry, **values)


def _publish(sequence: Sequence, *letters: dict[str, Any]) -> None:
    drafts.save(sequence, {"trigger": {"on": "confirmed"}, "steps": list(letters)}, sequence.revision, "Ada")
    publishing.publish(sequence, Choices(), "Ada")
    db.session.commit()


def _messages() -> list[Message]:
    return list(db.session.scalars(select(Message).order_by(Message.id)))


def test_a_due_step_becomes_a_message_with_everything_its_letter_needs() -> None:
    entry, sequence, enrolment = _enrolled()
    step = sequence.steps[0]
    due_at = enrolment.next_run_at

    assert jobs.plan() == 1

    (message,) = _messages()
    assert message.intent == f"seq:{enrolment.id}:{step.key}"
    assert (message.lane, message.purpose) == (Lane.NURTURE, MailPurpose.MARKETING)
    assert (message.letter, message.step_id, message.locale) == ("sequence", step.id, entry.locale)
    assert message.context == {"entry": entry.id, "access_version": entry.access_version, "code": entry.code}
    assert (message.enrolment_id, message.priority) == (enrolment.id, 5)
    assert message.status is MessageStatus.SCHEDULED
    assert message.due_at == due_at
    assert message.expires_at == due_at + timedelta(hours=49), "48, and an hour of grace"


def test_the_steps_follow_each_other_and_the_sequence_finishes(clock: Clock) -> None:
    _, sequence, enrolment = _enrolled()

    for step in sequence.steps:
        assert jobs.plan() == 1
        assert jobs.plan() == 0, "nothing is due before the delay has passed"
        assert _messages()[-1].step_id == step.id
        clock.forward(days=2, minutes=1)

    assert fresh(enrolment).status is EnrolmentStatus.FINISHED
    assert enrolment.ended_at is not None
    assert db.session.scalars(select(Fact.name)).all() == [FactName.SEQUENCE_FINISHED.value]


def test_what_is_not_due_waits() -> None:
    _, _, enrolment = _enrolled()
    enrolment.next_run_at += timedelta(minutes=1)
    db.session.commit()

    assert jobs.plan() == 0
    assert _messages() == []


def test_two_planners_at_once_plan_everybody_once(app: Flask) -> None:
    campaign = make_campaign()
    sequence = make_sequence(campaign, steps=2)
    for _ in range(40):
        make_enrolment(sequence, make_entry(campaign, confirmed=True, marketing=True))
    start = Barrier(4)

    def plan() -> int:
        with app.app_context():
            start.wait()
            total = 0
            while claimed := planning.plan_batch(7):
                db.session.commit()
                total += claimed
            return total

    with ThreadPoolExecutor(4) as pool:
        planned = [future.result() for future in [pool.submit(plan) for _ in range(4)]]

    assert sum(planned) == 40
    assert len({message.entry_id for message in _messages()}) == len(_messages()) == 40


def test_a_claim_that_is_not_committed_is_passed_over(app: Flask) -> None:
    _enrolled()
    assert planning.plan_batch() == 1  # not committed: the lock is held

    def other() -> int:
        with app.app_context():
            return planning.plan_batch()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(other).result() == 0
    db.session.commit()
    assert len(_messages()) == 1


def test_a_step_whose_letter_was_wanted_before_is_not_wanted_again() -> None:
    """A sent step is never sent again, whatever happened to the enrolment."""
    _, _, enrolment = _enrolled()
    jobs.plan()
    enrolment.step_key, enrolment.next_run_at = "step_1", enrolment.enrolled_at
    db.session.commit()

    assert jobs.plan() == 1
    assert len(_messages()) == 1


def test_a_paused_sequence_plans_nothing_and_goes_on_afterwards() -> None:
    _, sequence, _ = _enrolled()
    sequences.set_active(sequence, is_active=False)
    db.session.commit()
    assert jobs.plan() == 0

    sequences.set_active(sequence, is_active=True)
    db.session.commit()
    assert jobs.plan() == 1


@pytest.mark.usefixtures("noon")
def test_a_paused_campaign_loses_nobody_and_its_letters_have_their_time_from_when_it_goes_on(clock: Clock) -> None:
    """One letter waits in the outbox, another person's is not planned yet; both leave after a pause of two weeks."""
    entry, sequence, planned = _enrolled()
    jobs.plan()
    campaign = db.session.get_one(Campaign, entry.campaign_id)
    unplanned = make_enrolment(sequence, make_entry(campaign, confirmed=True, marketing=True))
    campaigns.pause(campaign)
    db.session.commit()
    for _day in range(2):
        clock.forward(days=7)
        assert jobs.plan() == 0
        pump_mail()
    assert [message.status for message in _messages()] == [MessageStatus.SCHEDULED]
    assert {fresh(one).status for one in (planned, unplanned)} == {EnrolmentStatus.ACTIVE}

    campaigns.resume(campaign)
    db.session.commit()
    jobs.plan()
    pump_mail()

    db.session.expire_all()
    firsts = [one for one in _messages() if one.intent.endswith(":step_1")]
    assert [one.status for one in firsts] == [MessageStatus.DELIVERED] * 2
    assert all(one.expires_at > product_clock.now() + timedelta(hours=47) for one in firsts)


def test_people_whom_nobody_may_take_are_not_read_at_each_tick() -> None:
    """However many wait in what is paused or archived, a claim reads those of open sequences only."""
    campaign = make_campaign()
    away, live = published(campaign, letter("hello", 1)), published(campaign, letter("hello", 1))
    waiting(away, 500, "hello", days=3, wait=1)
    waiting(live, 3, "hello", days=2, wait=1)
    sequences.archive(away)
    db.session.execute(text("ANALYZE enrolment"))
    db.session.execute(text("SET LOCAL enable_seqscan = off"))
    values = {"now": product_clock.now(), "batch": 10, **groups.columns()}
    explained = text("EXPLAIN (ANALYZE, FORMAT JSON) " + planning._CLAIM.text)
    (plan,) = db.session.execute(explained, values).scalar_one()

    assert _read_of("enrolment", plan["Plan"]) <= 2 * 3


def _read_of(table: str, node: dict[str, Any]) -> int:
    """How many rows of a table a plan read, those that it threw away as well."""
    mine = node.get("Relation Name") == table
    read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] if mine else 0
    return int(read) + sum(_read_of(table, one) for one in node.get("Plans", ()))


def test_after_an_outage_one_letter_is_planned_and_a_stale_one_is_expired_already(clock: Clock) -> None:
    """Within 48 h or not at all, and one letter at a time."""
    _enrolled()
    clock.forward(days=10)

    jobs.plan()

    (message,) = _messages()
    assert message.expires_at < message.created_at
    assert jobs.plan() == 0, "the next step counts its delay from now"


def test_new_words_reach_people_who_wait_and_the_date_they_wait_for_stays() -> None:
    _, sequence, enrolment = _enrolled(step_key="step_2")
    waited_for = enrolment.next_run_at
    second = sequence.steps[1]

    other = letter_data(2, seconds=9, variants=[{"key": "a", "texts": texts.step(9)}])
    _publish(sequence, letter_data(1), other, letter_data(3))
    jobs.plan()

    assert _messages()[0].due_at == waited_for
    assert fresh(second).version == 2
    assert second.texts["en"]["subject"] == "Letter 9"


def test_a_new_delay_counts_for_people_who_reach_the_step_later() -> None:
    _, sequence, enrolment = _enrolled()
    _publish(sequence, letter_data(1), letter_data(2, seconds=7 * 86_400), letter_data(3))

    jobs.plan()

    waits = fresh(enrolment).next_run_at - _messages()[0].created_at
    assert timedelta(days=7, hours=-1) <= waits <= timedelta(days=7, hours=1)


def test_what_is_planned_of_a_removed_step_is_cancelled() -> None:
    _, sequence, _ = _enrolled()
    jobs.plan()

    _publish(sequence, letter_data(2), letter_data(3))

    assert fresh(_messages()[0]).status is MessageStatus.CANCELLED


def test_a_step_that_is_added_without_delay_follows_at_once() -> None:
    _, sequence, _ = _enrolled(step_key="step_3")
    _publish(sequence, *(letter_data(number) for number in (1, 2, 3, 4)))

    assert jobs.plan() == 2, "the third step, and at once the fourth, which has no delay"
    assert len(_messages()) == 2


def test_a_sequence_that_a_breaker_stopped_plans_nothing() -> None:
    """Its letters would expire while nobody looks; once it is resumed they are planned."""
    _entry, sequence, enrolment = _enrolled()
    streams.stop(sequence.stream_id, "errors")
    db.session.commit()
    assert sequence.is_active
    assert jobs.plan() == 0
    assert _messages() == []
    assert fresh(enrolment).status is EnrolmentStatus.ACTIVE

    sequences.set_active(sequence, is_active=True, by="Ada")
    db.session.commit()
    assert jobs.plan() == 1
    assert len(_messages()) == 1


@pytest.mark.parametrize("is_told", [True, False])
def test_an_event_that_came_while_somebody_was_led_to_its_wait_has_come(
    app: Flask, clock: Clock, is_told: bool
) -> None:
    """Whoever tells it meanwhile still sees the step before, so that nobody is woken; the journal knows better."""
    event = {"until": "event", "seconds": 5 * 86_400, "event": {"on": "form_finished"}}
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True, marketing=True)
    sequence = make_sequence(campaign, definition={"steps": [letter_data(1), letter_data(2, wait=event)]})
    enrolment = make_enrolment(sequence, entry)

    def tell() -> None:
        with app.app_context():
            inside.hear([make_fact(db.session.get_one(Entry, entry_id), FactName.FORM_FINISHED)])
            db.session.commit()

    entry_id = entry.id
    planning.plan_batch()  # holds the lock of the enrolment
    if is_told:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(tell).result(timeout=20)
    db.session.commit()
    assert fresh(enrolment).step_key == "step_2"
    clock.forward(days=6)
    jobs.plan()

    timed_out = db.session.scalars(select(EnrolmentMove).filter_by(reason=MoveReason.TIMED_OUT)).all()
    assert len(timed_out) == (0 if is_told else 1)
