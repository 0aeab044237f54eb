"""Receipts: any order and any repetition of a mail's events ends in the same state."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadgen.campaigns.models import Campaign
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact
from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.mail import jobs, ladder, outbox, receipts
from leadgen.mail.models import Message
from leadgen.mail.providers.interface import Outcome, Result
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
    "left the group": {"event": "group_unsubscribe"},
    "came back": {"event": "group_resubscribe"},
    "dropped for spam": {"event": "dropped", "reason": "Spam Reporting Address"},
    "dropped for leaving": {"event": "dropped", "reason": "Unsubscribed Address"},
    "open": {"event": "open", "sg_machine_open": True},
    "click": {"event": "click", "url": "http://localhost/me/x"},
    "unheard of": {"event": "teleported"},
}


def sent(campaign: Campaign) -> Message:
    message = nurture(campaign)
    assert claimed(Lane.NURTURE) == [message.id]
    return message


def tell(message: Message, *names: str, opaque_id: object = None) -> None:
    contact = db.session.get_one(Contact, message.contact_id)
    same = {"m": str(opaque_id or message.opaque_id), "email": contact.email}
    receipts.store([{**KINDS[name], **same, "sg_event_id": f"{message.id}-{name}"} for name in names])


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
        (["delivered", "spamreport"], ("delivered", "complaint", True, ("complaint",))),
        (["spamreport"], ("delivered", "complaint", True, ("complaint",))),
        (["spamreport", "bounce"], ("delivered", "complaint", True, ("complaint", "hard_bounce"))),
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


ANSWERS = ("accepted", "uncertain", "lost")


def answer(message: Message, how: str) -> None:
    """What we write down about our own call: it was taken, its answer was lost, or our process ended."""
    if how == "lost":
        for _sweep in range(2):
            late = "UPDATE message SET lease_until = clock_timestamp() - interval '1 s' WHERE id = %(id)s RETURNING id"
            hot.many(late, {"id": message.id})
            jobs.sweep()
        return
    outbox.settle([Outcome(message.id, Result(how), reference="reference")])
    db.session.commit()


def hide(message: Message) -> None:
    """The row as a process sees it before the transaction that wrote it is over: not there."""
    hot.many("UPDATE message SET opaque_id = gen_random_uuid() WHERE id = %(id)s RETURNING id", {"id": message.id})


def show(message: Message, opaque_id: object) -> None:
    values = {"id": message.id, "opaque": opaque_id}
    hot.many("UPDATE message SET opaque_id = %(opaque)s WHERE id = %(id)s RETURNING id", values)


@given(
    told=st.lists(st.sampled_from(sorted(KINDS)), max_size=6),
    repeated=st.lists(st.integers(0, 5), max_size=6),
    how=st.sampled_from(ANSWERS),
    seed=st.integers(0, 2**32),
    shown_at=st.integers(0, 12),
    answered_at=st.integers(0, 12),
)
@settings(max_examples=50)
def test_any_order_and_repetition_ends_in_the_same_state(
    campaign: Campaign,
    clock: Clock,
    told: list[str],
    repeated: list[int],
    how: str,
    seed: int,
    shown_at: int,
    answered_at: int,
) -> None:
    """I18, F21: one person's events come once, in order and after our answer was written down; the other's come
    shuffled and repeated, some before our answer and some before our row can be seen, and are applied one by one.
    """
    calm, wild = sent(campaign), sent(campaign)
    answer(calm, how)
    tell(calm, *dict.fromkeys(told))
    jobs.apply_receipts()
    shuffled = told + [told[index % len(told)] for index in repeated if told]
    random.Random(seed).shuffle(shuffled)
    opaque_id = wild.opaque_id
    hide(wild)
    for moment in range(max(len(shuffled), shown_at, answered_at) + 1):
        if moment == shown_at:
            show(wild, opaque_id)
        if moment == answered_at:
            answer(wild, how)
        if moment < len(shuffled):
            tell(wild, shuffled[moment], opaque_id=opaque_id)
        ladder.apply_waiting(limit=1)
        db.session.commit()
    for _wait in range(4):  # an event that found no row waits for as long again as it has waited
        clock.forward(seconds=60)
        jobs.apply_receipts()
    assert outcome(wild) == outcome(calm)
    assert hot.many("SELECT 1 FROM provider_event WHERE applied_at IS NULL", {}) == []


def test_an_event_before_its_message_is_kept_and_applied(campaign: Campaign, clock: Clock) -> None:
    message = nurture(campaign)
    opaque = message.opaque_id
    hide(message)
    receipts.store([{"event": "delivered", "sg_event_id": "early", "m": str(opaque)}])
    jobs.apply_receipts()
    assert claimed(Lane.NURTURE) == [message.id]
    show(message, opaque)
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
        ladder.apply_waiting(limit=10)
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


@pytest.mark.parametrize("status", ["scheduled", "suppressed", "skipped", "expired", "cancelled", "failed"])
def test_a_copy_that_left_before_is_told_of_whatever_we_decided_since(campaign: Campaign, status: str) -> None:
    """The first copy was taken although its answer was lost, the second was not needed any more."""
    message = sent(campaign)
    hot.many("UPDATE message SET status = %(status)s RETURNING id", {"status": status})
    tell(message, "delivered")
    jobs.apply_receipts()
    assert state(message) == ("delivered", "")


def test_a_second_confirmation_is_not_sent_when_the_first_is_told_of(campaign: Campaign, clock: Clock) -> None:
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    answer(message, "lost")
    assert state(message) == ("scheduled", "again")
    tell(message, "delivered")
    jobs.apply_receipts()
    assert claimed(Lane.CONFIRMATION) == []
    assert state(message) == ("delivered", "")


def test_a_parked_mail_is_settled_by_its_event(campaign: Campaign) -> None:
    """The sweep gave up on it; the event that comes a day late still says what became of it."""
    message = sent(campaign)
    answer(message, "lost")
    assert state(message) == ("failed", "no_answer")
    tell(message, "processed")
    jobs.apply_receipts()
    assert state(message) == ("accepted", "")


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
    assert state(message) == ("delivered", "complaint")


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
