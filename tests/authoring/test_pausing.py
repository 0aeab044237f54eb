"""Pausing and going on: nobody is lost, what piled up is sent, skipped or spread, and time may have stood still."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from leadgen.authoring import pausing
from leadgen.authoring.pausing import How
from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.mail import streams
from leadgen.mail.models import Message, MessageMove, MessageStatus
from leadgen.nurture import planning, sequences
from leadgen.nurture.definition import DAY, Branch, Until, Wait
from leadgen.nurture.models import Enrolment, EnrolmentMove, EnrolmentStatus, MoveReason, Sequence
from tests.conftest import Clock
from tests.factories import fresh, make_campaign
from tests.nurture.crowd import dates, letter, published, unpublished, waiting

pytestmark = pytest.mark.usefixtures("context")
FREEZE, KEEP = pausing.Clock.FREEZE, pausing.Clock.KEEP


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign()


@pytest.fixture
def sequence(campaign: Campaign) -> Sequence:
    """Four people wait for the news, due in six, seven, eight and nine hours; one has a mail of it in the outbox."""
    made = published(campaign, letter("hello", 0), letter("news", 3), letter("last", 4))
    waiting(made, 1, "news", days=3, wait=3)
    planning.plan_batch()
    waiting(made, 4, "news", days=2.75, hours=4, wait=3)
    return made


def _paused(sequence: Sequence, clock: Clock, *, days: float) -> None:
    pausing.pause(sequence, "Ada")
    db.session.commit()
    clock.forward(days=days)


def _mails() -> list[Message]:
    return list(db.session.scalars(select(Message).order_by(Message.id).execution_options(populate_existing=True)))


def _due_in(sequence: Sequence) -> list[tuple[str, float]]:
    """Where everybody stands, and in how many hours they are due."""
    now = product_clock.now()
    return [(key, round((due - now).total_seconds() / 3600, 1)) for key, due in dates(sequence)]


def test_a_pause_stops_planning_and_claims_and_loses_nobody(sequence: Sequence, clock: Clock) -> None:
    _paused(sequence, clock, days=1)

    assert not streams.is_open(sequence.stream_id)
    assert planning.plan_batch() == 0
    assert len(_mails()) == 1
    assert {one.status for one in db.session.scalars(select(Enrolment))} == {EnrolmentStatus.ACTIVE}
    since = sequence.paused_at
    pausing.pause(sequence, "Bob")
    assert sequence.paused_at == since, "a second pause is the same as one"


def test_what_is_overdue_is_counted_by_step_and_since_when(sequence: Sequence, clock: Clock) -> None:
    """The mail that waits, and the four whose time passed; with a frozen clock only the mail."""
    first_due = _mails()[0].due_at
    _paused(sequence, clock, days=1)

    found = pausing.overdue(sequence)
    assert (found.people, found.since, found.paused_at) == (5, first_due, sequence.paused_at)
    assert [(one.step_key, one.name, one.people) for one in found.steps] == [("news", "Step 2 “Letter 1”", 5)]
    assert pausing.overdue(sequence, FREEZE).people == 1


def test_send_lets_everything_go_now_each_with_its_full_time_to_catch_up(sequence: Sequence, clock: Clock) -> None:
    _paused(sequence, clock, days=5)

    assert pausing.resume(sequence, How.SEND, by="Ada").people == 5
    db.session.commit()

    assert planning.plan_batch() == 5, "the fifth is the one whose first mail waits: their last letter is due too"
    now = product_clock.now()
    assert len(_mails()) == 6
    for mail in _mails():
        assert mail.status is MessageStatus.SCHEDULED
        assert abs(mail.due_at - now) < timedelta(minutes=1)
        assert timedelta(hours=48) <= mail.expires_at - mail.due_at < timedelta(hours=50)
    assert db.session.scalars(select(MessageMove.reason)).all() == ["sequence_paused"]
    assert streams.is_open(sequence.stream_id)
    assert sequence.paused_at is None


def test_skip_passes_over_what_is_overdue_and_goes_on_as_if_it_had_been_sent(sequence: Sequence, clock: Clock) -> None:
    _paused(sequence, clock, days=2)

    pausing.resume(sequence, How.SKIP, by="Ada")
    db.session.commit()

    assert [(mail.status, mail.reason) for mail in _mails()] == [(MessageStatus.SKIPPED, "sequence_paused")]
    assert _due_in(sequence) == [("last", 48.0), ("last", 54.0), ("last", 55.0), ("last", 56.0), ("last", 57.0)]
    told = db.session.scalars(select(EnrolmentMove).order_by(EnrolmentMove.id)).all()
    assert {(one.step_key, one.reason, one.detail["why"]) for one in told} == {("news", MoveReason.SKIPPED, "pause")}
    assert planning.plan_batch() == 0


def test_skip_over_the_last_letter_is_the_end(sequence: Sequence, clock: Clock) -> None:
    _paused(sequence, clock, days=9)

    pausing.resume(sequence, How.SKIP, by="Ada")
    db.session.commit()

    everybody = db.session.scalars(select(Enrolment)).all()
    assert {fresh(one).status for one in everybody} == {EnrolmentStatus.FINISHED}
    assert planning.plan_batch() == 0


def test_skip_stops_at_a_fork_which_is_judged_when_it_goes_on(campaign: Campaign, clock: Clock) -> None:
    fork = Branch(key="fork", when={"field": "marketing", "op": "eq", "value": True}, yes=(letter("yes", 1),))
    sequence = published(campaign, letter("news", 3), fork, letter("last", 4))
    waiting(sequence, 1, "news", days=2)
    _paused(sequence, clock, days=4)

    pausing.resume(sequence, How.SKIP, by="Ada")
    db.session.commit()

    assert _due_in(sequence) == [("fork", -72.0)]
    assert planning.plan_batch() == 1
    assert _due_in(sequence)[0][0] == "yes"


def test_spread_gives_each_person_a_place_in_the_days(sequence: Sequence, clock: Clock) -> None:
    _paused(sequence, clock, days=1)

    pausing.resume(sequence, How.SPREAD, spread_days=5, by="Ada")
    db.session.commit()

    assert _due_in(sequence)[1:] == [("news", 24.0), ("news", 48.0), ("news", 72.0), ("news", 96.0)]
    (mail,) = _mails()
    assert abs(mail.due_at - product_clock.now()) < timedelta(minutes=1), "who waited longest goes first"
    told = db.session.scalars(select(EnrolmentMove.reason)).all()
    assert set(told) == {MoveReason.RETIMED}


def test_a_frozen_clock_moves_every_date_by_the_pause(sequence: Sequence, clock: Clock) -> None:
    before = dates(sequence)
    mail = _mails()[0]
    late = mail.due_at
    _paused(sequence, clock, days=10)

    found = pausing.resume(sequence, How.SEND, clock=FREEZE, by="Ada")
    db.session.commit()

    assert found.people == 1, "only what was overdue when the pause began"
    moved = [after - timedelta(days=10) - due for (_key, due), (_, after) in zip(before, dates(sequence), strict=True)]
    assert all(timedelta(0) <= one < timedelta(minutes=1) for one in moved)
    assert timedelta(days=10) <= fresh(mail).due_at - late < timedelta(days=10, minutes=1)
    assert planning.plan_batch() == 0


def test_a_frozen_clock_moves_newcomers_only_by_what_they_saw_of_the_pause(campaign: Campaign, clock: Clock) -> None:
    sequence = published(campaign, letter("hello", 1), letter("soon", 0))
    _paused(sequence, clock, days=30)
    waiting(sequence, 1, "hello", days=2, wait=3)
    waiting(sequence, 1, "soon", days=1, wait=0)

    found = pausing.resume(sequence, How.SEND, clock=FREEZE, by="Ada")
    db.session.commit()

    assert _due_in(sequence) == [("hello", 72.0), ("soon", 0.0)]
    assert [(one.step_key, one.people) for one in found.steps] == [("soon", 1)], "who waits for nothing is due"


def test_a_frozen_clock_finds_the_hour_again_and_leaves_the_contests_end_alone(
    campaign: Campaign, clock: Clock
) -> None:
    hour = letter("hour", wait=Wait(seconds=3 * DAY, at="10:00"))
    end = letter("end", wait=Wait(until=Until.BEFORE_END, seconds=2 * DAY))
    sequence = published(campaign, hour, end)
    waiting(sequence, 1, "hour", days=1)
    waiting(sequence, 1, "end", days=1, wait=13)
    before = dates(sequence)
    _paused(sequence, clock, days=5.25)

    pausing.resume(sequence, How.SEND, clock=FREEZE, by="Ada")
    db.session.commit()

    (_, at_ten), (_, at_end) = dates(sequence)
    assert (at_ten.hour, at_ten.minute) == (9, 0), "10:00 in Lagos"
    assert timedelta(days=4) < at_ten - before[0][1] < timedelta(days=6, hours=1)
    assert at_end == before[1][1]


def test_what_is_not_published_cannot_be_paused(campaign: Campaign) -> None:
    with pytest.raises(Conflict):
        pausing.pause(unpublished(campaign), "Ada")


def test_what_cannot_be_resumed(sequence: Sequence, clock: Clock) -> None:
    with pytest.raises(Conflict):
        pausing.resume(sequence, How.SEND, by="Ada")
    _paused(sequence, clock, days=1)
    for days in (0, 31):
        with pytest.raises(Invalid) as refused:
            pausing.resume(sequence, How.SPREAD, spread_days=days, by="Ada")
        assert refused.value.field == "spread_days"


def test_nothing_of_an_archived_sequence_leaves(sequence: Sequence) -> None:
    sequences.archive(sequence, "Ada")
    db.session.commit()
    with pytest.raises(Conflict, match="archived"):
        pausing.resume(sequence, How.SEND, by="Bob")
    with pytest.raises(Conflict, match="archived"):
        sequences.set_active(sequence, is_active=True, by="Bob")
    assert not streams.is_open(sequence.stream_id)


def test_a_sequence_that_a_breaker_stopped_goes_on_the_same_way(sequence: Sequence, clock: Clock) -> None:
    streams.stop(sequence.stream_id, "errors")
    db.session.commit()
    clock.forward(days=1)

    assert pausing.resume(sequence, How.SPREAD, spread_days=2, by="Ada").people == 5
    assert streams.get(sequence.stream_id).reason == ""
