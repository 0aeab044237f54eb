"""Receipts: any order and any repetition of a mail's events ends in the same state."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadgen.campaigns.models import Campaign
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact
from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.mail import jobs, receipts
from leadgen.mail.models import Message
from tests.conftest import Clock
from tests.factories import fresh
from tests.mail.conftest import claimed, confirmation, nurture, state

KINDS: dict[str, dict[str, Any]] = {
    "processed": {"event": "processed"},
    "deferred": {"event": "deferred", "response": "450 later"},
    "delivered": {"event": "delivered"},
    "blocked": {"event": "bounce", "type": "blocked", "reason": "451 no"},
    "bounce": {"event": "bounce", "type": "bounce", "reason": "550 5.1.1"},
    "dropped": {"event": "dropped", "reason": "Bounced Address"},
    "dropped for content": {"event": "dropped", "reason": "Recipient List over Package Quota"},
    "spamreport": {"event": "spamreport"},
    "unsubscribe": {"event": "unsubscribe"},
    "open": {"event": "open", "sg_machine_open": True},
    "click": {"event": "click", "url": "http://localhost/me/x"},
    "unheard of": {"event": "teleported"},
}


def sent(campaign: Campaign) -> Message:
    message = nurture(campaign)
    assert claimed(Lane.NURTURE) == [message.id]
    return message


def tell(message: Message, *names: str, start: int = 0) -> None:
    contact = db.session.get_one(Contact, message.contact_id)
    receipts.store(
        [
            {**KINDS[name], "sg_event_id": f"{message.id}-{name}", "m": str(message.opaque_id), "email": contact.email}
            for name in names
        ]
    )
    assert start == 0


def outcome(message: Message) -> tuple[Any, ...]:
    """Everything that events may change."""
    now = fresh(message)
    contact = fresh(db.session.get_one(Contact, message.contact_id))
    statement = "SELECT reason FROM suppression WHERE address_hash = %(hash)s ORDER BY reason"
    suppressed = [found["reason"] for found in hot.many(statement, {"hash": contact.address_hash})]
    return now.status.value, now.reason, contact.marketing_at is None, tuple(suppressed)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["processed"], ("accepted", "", False, ())),
        (["processed", "delivered"], ("delivered", "", False, ())),
        (["delivered", "processed", "deferred"], ("delivered", "", False, ())),
        (["processed", "blocked"], ("bounced", "blocked", False, ())),
        (["processed", "bounce"], ("bounced", "hard", False, ("hard_bounce",))),
        (["bounce", "blocked"], ("bounced", "hard", False, ("hard_bounce",))),
        (["delivered", "spamreport"], ("delivered", "", True, ("complaint",))),
        (["spamreport"], ("delivered", "", True, ("complaint",))),
        (["unsubscribe"], ("delivered", "", True, ("unsubscribe",))),
        (["dropped"], ("bounced", "dropped", False, ("hard_bounce",))),
        (["dropped for content"], ("bounced", "dropped", False, ())),
        (["processed", "open", "click", "unheard of"], ("accepted", "", False, ())),
    ],
)
def test_what_events_mean(campaign: Campaign, names: list[str], expected: tuple[Any, ...]) -> None:
    message = sent(campaign)
    tell(message, *names)
    jobs.apply_receipts()
    assert outcome(message) == expected


@pytest.mark.parametrize("name", ["open", "click"])
def test_an_open_or_a_click_is_never_trusted(campaign: Campaign, name: str) -> None:
    """Rule 9: machines open and click too."""
    message = sent(campaign)
    before = fresh(db.session.get_one(Contact, message.contact_id)).last_inbound_at
    tell(message, name)
    jobs.apply_receipts()
    assert state(message)[0] == "sending"
    assert fresh(db.session.get_one(Contact, message.contact_id)).last_inbound_at == before


@given(told=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=8), seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_repetition_ends_in_the_same_state(campaign: Campaign, told: list[str], seed: int) -> None:
    """Two people get the same events: one in order and at once, one shuffled, doubled and applied one by one."""
    calm, wild = sent(campaign), sent(campaign)
    tell(calm, *dict.fromkeys(told))
    shuffled = told * 2
    random.Random(seed).shuffle(shuffled)
    for name in shuffled:
        tell(wild, name)
        receipts.apply_waiting(limit=1)
        db.session.commit()
    jobs.apply_receipts()
    assert outcome(wild) == outcome(calm)


def test_an_event_before_its_message_is_kept_and_applied(campaign: Campaign, clock: Clock) -> None:
    message = nurture(campaign)
    opaque = message.opaque_id
    hot.many("UPDATE message SET opaque_id = gen_random_uuid() WHERE id = %(id)s RETURNING id", {"id": message.id})
    receipts.store([{"event": "delivered", "sg_event_id": "early", "m": str(opaque)}])
    jobs.apply_receipts()
    assert claimed(Lane.NURTURE) == [message.id]
    values = {"id": message.id, "opaque": opaque}
    hot.many("UPDATE message SET opaque_id = %(opaque)s WHERE id = %(id)s RETURNING id", values)
    clock.forward(seconds=6)
    jobs.apply_receipts()
    assert state(message)[0] == "delivered"


def test_events_of_nobody_wait_longer_and_longer_and_then_rest(context: None, clock: Clock) -> None:
    receipts.store([{"event": "delivered", "sg_event_id": "x", "m": "00000000-0000-4000-8000-000000000000"}])
    for _ in range(25):
        jobs.apply_receipts()
        row = hot.one("SELECT due_at, applied_at, outcome FROM provider_event", {})
        assert row is not None
        if row["applied_at"]:
            break
        clock.forward(seconds=(row["due_at"] - product_clock.now()).total_seconds() + 1)
    assert row["outcome"] == "unknown message"


def test_events_of_nobody_do_not_hold_up_others(campaign: Campaign) -> None:
    nobody = [{"event": "delivered", "sg_event_id": f"n{number}", "m": None} for number in range(50)]
    receipts.store(nobody)
    message = sent(campaign)
    tell(message, "delivered")
    for _ in range(10):
        receipts.apply_waiting(limit=10)
        db.session.commit()
    assert state(message)[0] == "delivered"


def test_an_event_settles_an_uncertain_mail(campaign: Campaign) -> None:
    """The answer was lost, the event with our opaque id says that the mail was taken."""
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    hot.many("UPDATE message SET status = 'uncertain', lease_until = clock_timestamp() RETURNING id", {})
    tell(message, "processed")
    jobs.apply_receipts()
    jobs.sweep()
    assert state(message) == ("accepted", "")
    assert claimed(Lane.CONFIRMATION) == []


def test_an_event_after_we_gave_up_still_counts(campaign: Campaign) -> None:
    message = sent(campaign)
    hot.many("UPDATE message SET status = 'failed', reason = 'no_answer' RETURNING id", {})
    tell(message, "delivered")
    jobs.apply_receipts()
    assert state(message)[0] == "delivered"


@pytest.mark.parametrize("status", ["suppressed", "skipped", "expired", "cancelled", "scheduled"])
def test_a_mail_that_never_left_is_not_delivered_by_a_forged_event(campaign: Campaign, status: str) -> None:
    message = nurture(campaign)
    hot.many("UPDATE message SET status = %(status)s RETURNING id", {"status": status})
    tell(message, "delivered")
    jobs.apply_receipts()
    assert state(message)[0] == status


def test_a_bounce_suppresses_the_address_that_it_names(campaign: Campaign) -> None:
    """The person may have corrected their address since: the new one is not at fault."""
    message = sent(campaign)
    receipts.store(
        [{**KINDS["bounce"], "sg_event_id": "b", "m": str(message.opaque_id), "email": "old-address@mail.example"}]
    )
    jobs.apply_receipts()
    contact = fresh(db.session.get_one(Contact, message.contact_id))
    found = hot.many("SELECT address_hash FROM suppression", {})
    assert len(found) == 1
    assert bytes(found[0]["address_hash"]) != contact.address_hash


def test_an_event_of_an_erased_person_is_harmless(campaign: Campaign) -> None:
    message = sent(campaign)
    tell(message, "unsubscribe", "spamreport")
    contacts.erase(message.contact_id)
    db.session.commit()
    jobs.apply_receipts()
    assert state(message)[0] == "delivered"


def test_an_applied_event_keeps_no_address(campaign: Campaign) -> None:
    message = sent(campaign)
    tell(message, "delivered")
    jobs.apply_receipts()
    row = hot.one("SELECT payload, outcome FROM provider_event", {})
    assert row is not None
    assert "@" not in json.dumps(row["payload"])
    assert row["outcome"] == "applied"


def test_unsubscribing_at_the_provider_stops_what_is_planned(campaign: Campaign, clock: Clock) -> None:
    message = sent(campaign)
    tell(message, "unsubscribe")
    jobs.apply_receipts()
    clock.forward(days=3)
    later = nurture(campaign)
    hot.many(
        "UPDATE message SET contact_id = %(contact)s, due_at = %(now)s, expires_at = %(later)s "
        "WHERE id = %(id)s RETURNING id",
        {
            "contact": message.contact_id,
            "id": later.id,
            "now": product_clock.now(),
            "later": product_clock.now() + timedelta(days=1),
        },
    )
    assert claimed(Lane.NURTURE) == []
    assert state(later) == ("suppressed", "unsubscribe")
