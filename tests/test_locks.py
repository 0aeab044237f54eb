"""The order of locks in rooms that meet: messages before enrolments, each by its id. Otherwise two stop each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from leadgen.authoring import pausing
from leadgen.authoring.pausing import How
from leadgen.core.db import db
from leadgen.mail.models import MessageStatus
from leadgen.nurture import inside, planning
from leadgen.nurture.inside import Ending
from leadgen.nurture.models import Sequence
from leadgen.outcomes import jobs as outcomes
from tests.conftest import Clock
from tests.factories import fresh, make_campaign, make_enrolment, make_entry, make_sequence
from tests.nurture.audience import Deeds, make_tested, people
from tests.nurture.crowd import letter, published, waiting

Beside = Callable[[Callable[[], object]], "Future[None]"]
_WAITS = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
_HOLD_MAILS = text("SELECT FROM message WHERE status = 'scheduled' FOR UPDATE")


@pytest.fixture
def other(context: None) -> Iterator[Connection]:
    """Another transaction."""
    with db.engine.connect() as connection:
        yield connection


@pytest.fixture
def beside(app: Flask, other: Connection) -> Iterator[Beside]:
    """Does and commits something in a thread, and returns as soon as that is done or waits for a lock."""
    with ThreadPoolExecutor(1) as pool:

        def do(job: Callable[[], object]) -> Future[None]:
            def committed() -> None:
                with app.app_context():
                    job()
                    db.session.commit()

            future = pool.submit(committed)
            for _look in range(1000):
                if future.done() or other.scalar(_WAITS):
                    break
                other.execute(text("SELECT pg_sleep(0.01), pg_stat_clear_snapshot()"))
            return future

        db.session.commit()
        yield do
        other.rollback()


def test_enrolments_end_in_the_order_of_their_ids(other: Connection, beside: Beside) -> None:
    """Whoever waits for the first holds none of the others."""
    campaign = make_campaign()
    sequence = make_sequence(campaign)
    entries = [make_entry(campaign, confirmed=True, marketing=True) for _ in range(2)]
    found = [make_enrolment(sequence, entry) for entry in reversed(entries)]  # not as any index has them
    first, second = [one.id for one in found]
    given = [Ending(one.id, one.contact_id, "goal") for one in reversed(found)]
    db.session.commit()
    other.execute(text("SELECT FROM enrolment WHERE id = :id FOR UPDATE"), {"id": first})

    ended = beside(lambda: inside.end(given))
    other.execute(text("SELECT FROM enrolment WHERE id = :id FOR UPDATE NOWAIT"), {"id": second})

    other.rollback()
    ended.result()


def test_going_on_after_a_pause_locks_messages_before_enrolments(
    other: Connection, beside: Beside, clock: Clock
) -> None:
    """Somebody who leaves meanwhile has their message cancelled first, and then their enrolment ended."""
    sequence = published(make_campaign(), letter("hello", 0), letter("news", 0.5))
    waiting(sequence, 1, "hello", days=1, wait=0)
    planning.plan_batch()
    pausing.pause(sequence, "Ada")
    db.session.commit()
    clock.forward(days=1)
    number = sequence.id
    db.session.commit()
    other.execute(_HOLD_MAILS)

    gone_on = beside(lambda: pausing.resume(db.session.get_one(Sequence, number), How.SEND, by="Ada"))
    other.execute(text("SELECT FROM enrolment FOR UPDATE NOWAIT"))

    other.rollback()
    gone_on.result()


def test_a_guard_passes_by_what_is_being_sent(other: Connection, beside: Beside) -> None:
    """It holds the enrolments by then; the words of a letter that leaves this second are not changed any more."""
    sequence = make_tested("a", "b", "c", c=3)
    for variant in "abc":
        people(sequence, 188, Deeds(), variant)
        people(sequence, 12, Deeds(complained=variant == "b"), variant)
    people(sequence, 1, Deeds(status=MessageStatus.SCHEDULED, days_ago=0), "b")
    db.session.commit()
    other.execute(_HOLD_MAILS)

    guarded = beside(outcomes.guard)

    assert guarded.done()
    guarded.result()
    assert fresh(sequence).version == 2
