"""What goes wrong while letters of sequences leave: nothing is lost, and nobody else waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.mail import jobs as mail
from leadgen.mail import outbox
from leadgen.mail.reasons import reason_in_words
from leadgen.nurture import conditions, jobs
from leadgen.segments.compiling import Fragment
from tests.conftest import Clock
from tests.factories import letter_data, make_enrolment, make_entry
from tests.mail.conftest import claimed
from tests.nurture.conftest import Inside, messages

Put = Callable[..., Inside]

SEA = {"field": "answer.question_1", "op": "eq", "value": "sea"}
_STUMBLE = text("SELECT 1 / (CASE enrolment_id WHEN :bad THEN 0 ELSE 1 END) FROM message WHERE id = ANY(:ids)")


def _states() -> list[tuple[str, str]]:
    return [(message.status.value, message.reason) for message in messages()]


def test_a_failing_last_check_puts_the_letters_back(
    inside: Put, mailbox: Callable[[], list[Any]], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease that runs out would have them given up."""
    inside()
    inside()
    jobs.plan()
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "closed", lambda *_: db.session.execute(text("SELECT 1 / 0")))
        mail.pump_mail()

    assert _states() == [("scheduled", "not_checked")] * 2
    assert {(message.attempts, message.sent_at) for message in messages()} == {(0, None)}
    assert reason_in_words("not_checked") != "not_checked"
    clock.forward(minutes=1)
    mail.pump_mail()
    assert len(mailbox()) == 2


@pytest.mark.parametrize("is_late", [False, True])
def test_a_letter_that_cannot_be_judged_waits_and_nobody_else_does(
    inside: Put, mailbox: Callable[[], list[Any]], clock: Clock, monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    """Met by the claim, or only right before the call."""
    entry, sequence, enrolment = inside()
    bad = enrolment.id
    other = make_entry(db.session.get_one(Campaign, entry.campaign_id), confirmed=True, marketing=True)
    make_enrolment(sequence, other)
    jobs.plan()
    real, calls = outbox._judge, []

    def stumbling(numbers: Sequence[int]) -> Mapping[int, str]:
        calls.append(numbers)
        if len(calls) > is_late:
            db.session.execute(_STUMBLE, {"bad": bad, "ids": list(numbers)})
        assert real is not None
        return real(numbers)

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_judge", stumbling)
        mail.pump_mail()

    assert [one[0] for one in _states()] == ["scheduled", "delivered"]
    (message, _other) = messages()
    assert (message.reason, message.attempts, message.sent_at) == ("not_judged", 0, None)
    assert message.due_at - product_clock.now() > timedelta(minutes=59)
    assert reason_in_words("not_judged") != "not_judged"
    clock.forward(hours=1, minutes=1)
    mail.pump_mail()
    assert len(mailbox()) == 2


def test_a_sequence_that_is_being_published_keeps_no_other_waiting(inside: Put) -> None:
    """The claim has the lock of all marketing; it gives up a sequence whose people are locked."""
    held = inside({"exits": [{"on": {"on": "contest_closing", "days": 400}}]}).enrolment.id
    inside()
    jobs.plan()
    with db.engine.connect() as other:
        other.execute(text("SELECT FROM enrolment WHERE id = :id FOR UPDATE"), {"id": held})
        assert len(outbox.claim(Lane.NURTURE, 10).recipients) == 1
        db.session.commit()
    assert _states() == [("scheduled", ""), ("sending", "")]
    assert claimed(Lane.NURTURE) == []
    assert _states()[0] == ("skipped", "exit_event")


def test_a_fault_that_passes_says_nothing_about_a_condition(
    inside: Put, mailbox: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside({"steps": [{**letter_data(1, seconds=0), "when": {"all": [SEA]}}]})
    jobs.plan()
    canceled = Fragment("pg_sleep(1) IS NOT NULL", {})
    db.session.execute(text("SET statement_timeout = 100"))
    monkeypatch.setattr(conditions, "fragment", lambda *_, **__: canceled)
    with pytest.raises(OperationalError):
        outbox.claim(Lane.NURTURE, 10)
    db.session.rollback()
    db.session.execute(text("SET statement_timeout = 0"))
    db.session.commit()
    assert _states() == [("scheduled", "")]
