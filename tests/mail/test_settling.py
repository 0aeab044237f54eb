"""What became of a mail: answers written down per recipient, lost ones settled once, nothing sent twice blindly."""

from __future__ import annotations

from typing import Any

import pytest

from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import Contact, SuppressionReason
from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail import jobs, outbox
from leadgen.mail.models import Message
from leadgen.mail.providers.interface import Outcome, Result
from tests.conftest import Clock
from tests.factories import make_entry, make_message, make_suppression
from tests.mail.conftest import claimed, confirmation, nurture, row, state


def settle(*outcomes: Outcome) -> None:
    outbox.settle(outcomes)
    db.session.commit()


def let_lease_end(message: Message) -> None:
    hot.many(
        "UPDATE message SET lease_until = clock_timestamp() - interval '1 s' WHERE id = %(id)s RETURNING id",
        {"id": message.id},
    )


def test_accepted_is_not_delivered(campaign: Campaign) -> None:
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    settle(Outcome(message.id, Result.ACCEPTED, reference="ref-1"))
    assert state(message) == ("accepted", "")
    assert row(message)["provider_reference"] == "ref-1"
    assert row(message)["lease_until"] is None


def test_temporary_trouble_is_tried_again_later(campaign: Campaign, clock: Clock) -> None:
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    settle(Outcome(message.id, Result.TEMPORARY, "provider_away", delay=30.0))
    assert state(message) == ("scheduled", "provider_away")
    assert claimed(Lane.CONFIRMATION) == []
    clock.forward(seconds=31)
    assert claimed(Lane.CONFIRMATION) == [message.id]
    assert row(message)["attempts"] == 2


def test_a_pause_is_no_attempt(campaign: Campaign) -> None:
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    settle(Outcome(message.id, Result.TEMPORARY, "rate_limited", is_free=True, delay=1.0))
    assert row(message)["attempts"] == 0


def test_trying_again_ends_with_the_life_of_the_mail(campaign: Campaign) -> None:
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    settle(Outcome(message.id, Result.TEMPORARY, "provider_away", delay=2 * 86400.0))
    assert state(message) == ("expired", "provider_away")


def test_a_failed_mail_does_not_use_up_the_cap(campaign: Campaign) -> None:
    message = nurture(campaign)
    claimed(Lane.NURTURE)
    settle(Outcome(message.id, Result.FAILED, "address"))
    assert row(message)["sent_at"] is None


def test_an_address_that_does_not_exist_is_suppressed(campaign: Campaign) -> None:
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    settle(Outcome(message.id, Result.FAILED, "smtp_550", is_address_fault=True))
    found = hot.one("SELECT reason FROM suppression", {})
    assert found == {"reason": SuppressionReason.HARD_BOUNCE.value}


def test_backing_off_grows_and_is_bounded() -> None:
    assert all(2.5 <= outbox.backoff(1) <= 10 for _ in range(100))
    assert max(outbox.backoff(20) for _ in range(200)) <= 900
    assert len({outbox.backoff(5) for _ in range(10)}) > 1


def test_a_dead_process_leaves_uncertain_mails(campaign: Campaign) -> None:
    """A crash between the call and its note: nobody knows, so nothing is sent again at once."""
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    jobs.sweep()
    assert state(message)[0] == "sending"
    let_lease_end(message)
    jobs.sweep()
    assert state(message) == ("uncertain", "process_lost")
    assert claimed(Lane.CONFIRMATION) == []


def test_an_uncertain_confirmation_goes_once_more_and_then_fails(campaign: Campaign) -> None:
    """At most two confirmations."""
    message = confirmation(campaign)
    for _ in range(2):
        assert claimed(Lane.CONFIRMATION) == [message.id]
        settle(Outcome(message.id, Result.UNCERTAIN, "no_answer"))
        let_lease_end(message)
        jobs.sweep()
    assert state(message) == ("failed", "no_answer")
    assert claimed(Lane.CONFIRMATION) == []


def test_an_uncertain_marketing_mail_is_never_sent_again(campaign: Campaign) -> None:
    """At most one of anything else."""
    message = nurture(campaign)
    claimed(Lane.NURTURE)
    settle(Outcome(message.id, Result.UNCERTAIN, "no_answer"))
    let_lease_end(message)
    jobs.sweep()
    assert state(message) == ("failed", "no_answer")


def test_uncertain_waits_fifteen_minutes_for_an_event(campaign: Campaign) -> None:
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    settle(Outcome(message.id, Result.UNCERTAIN, "no_answer"))
    jobs.sweep()
    assert state(message)[0] == "uncertain"
    left = hot.one("SELECT lease_until - clock_timestamp() AS left FROM message", {})
    assert left is not None
    assert 14 * 60 < left["left"].total_seconds() <= 15 * 60


def test_sweeping_twice_is_the_same_as_once(campaign: Campaign) -> None:
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    let_lease_end(message)
    jobs.sweep()
    before = row(message)
    jobs.sweep()
    assert row(message) == before


def test_leases_use_the_clock_of_the_database(campaign: Campaign, clock: Clock) -> None:
    """A worker whose clock runs ahead does not take claims away from others."""
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    clock.forward(days=1)
    jobs.sweep()
    assert state(message)[0] == "sending"


@pytest.mark.parametrize("status", ["delivered", "bounced"])
def test_an_answer_does_not_undo_an_event_that_came_before_it(campaign: Campaign, status: str) -> None:
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    hot.many(
        "UPDATE message SET status = %(status)s WHERE id = %(id)s RETURNING id", {"id": message.id, "status": status}
    )
    settle(Outcome(message.id, Result.ACCEPTED))
    assert state(message)[0] == status


def test_suppressing_between_two_attempts_stops_the_second(campaign: Campaign, clock: Clock) -> None:
    message: Any = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    settle(Outcome(message.id, Result.TEMPORARY, "provider_away", delay=1.0))
    make_suppression(db.session.get_one(Contact, message.contact_id), reason=SuppressionReason.COMPLAINT)
    clock.forward(seconds=5)
    assert claimed(Lane.CONFIRMATION) == []
    assert product_clock.now() > row(message)["due_at"]


def test_a_process_that_slept_past_its_lease_settles_nothing(campaign: Campaign, clock: Clock) -> None:
    """Its mail may be on its way by another process: putting it back would send it a third time."""
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    for _look in ("lost track of", "again"):
        let_lease_end(message)
        outbox.sweep()
        db.session.commit()
    assert claimed(Lane.CONFIRMATION) == [message.id]  # the second attempt, by somebody else

    late = Outcome(message.id, Result.TEMPORARY, "out_of_time", is_free=True, delay=0.0)
    outbox.settle([late], {message.id: 1})
    db.session.commit()
    assert state(message) == ("sending", "")
    outbox.settle([Outcome(message.id, Result.ACCEPTED)], {message.id: 2})
    db.session.commit()
    assert state(message)[0] == "accepted"


def test_a_reminder_whose_answer_was_lost_never_goes_again(campaign: Campaign) -> None:
    """There is at most one reminder; only the confirmation itself is worth a second copy."""
    entry = make_entry(campaign)
    message = make_message(entry, letter="reminder", lane=Lane.CONFIRMATION, purpose=MailPurpose.CONFIRMATION)
    claimed(Lane.CONFIRMATION)
    for _look in ("lost track of", "parked"):
        let_lease_end(message)
        outbox.sweep()
        db.session.commit()
    assert state(message) == ("failed", "no_answer")
