"""The final gates, one test for each rule (rule 6): judged when sent, not when planned."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact, SuppressionReason
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.entries.models import Entry, EntryStatus
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail import streams
from leadgen.mail.models import Message, MessageStatus
from leadgen.nurture import sequences
from leadgen.nurture.models import Sequence
from tests.conftest import Clock
from tests.factories import make_contact, make_entry, make_message, make_suppression
from tests.mail.conftest import claimed, confirmation, nurture, row, state

BLOCKING = [reason for reason in SuppressionReason if reason is not SuppressionReason.UNSUBSCRIBE]


def contact_of(message: Message) -> Contact:
    return db.session.get_one(Contact, message.contact_id)


def change(record: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(record, name, value)
    db.session.commit()


def service(campaign: Campaign, **values: Any) -> Message:
    return make_message(make_entry(campaign, confirmed=True), **values)


def test_what_is_due_is_claimed_once(campaign: Campaign) -> None:
    messages = [confirmation(campaign) for _ in range(3)]
    assert claimed(Lane.CONFIRMATION) == [message.id for message in messages]
    assert claimed(Lane.CONFIRMATION) == []
    assert row(messages[0])["attempts"] == 1
    assert row(messages[0])["lease_until"] is not None


def test_lanes_do_not_touch_each_other(campaign: Campaign) -> None:
    confirmation(campaign)
    welcome = service(campaign)
    assert claimed(Lane.SERVICE) == [welcome.id]


def test_what_is_not_due_waits(campaign: Campaign, clock: Clock) -> None:
    message = service(campaign, due_at=product_clock.now() + timedelta(hours=1))
    assert claimed(Lane.SERVICE) == []
    clock.forward(hours=1)
    assert claimed(Lane.SERVICE) == [message.id]


def test_what_came_too_late_expires(campaign: Campaign, clock: Clock) -> None:
    message = service(campaign)
    clock.forward(days=2)
    assert claimed(Lane.SERVICE) == []
    assert state(message) == ("expired", "too_late")


@pytest.mark.parametrize("make", [confirmation, service, nurture])
def test_erased_people_get_nothing(campaign: Campaign, make: Any) -> None:
    message = make(campaign)
    contacts.erase(message.contact_id)
    db.session.commit()
    assert claimed(message.lane) == []
    assert state(message) == ("cancelled", "erased")


@pytest.mark.parametrize("reason", BLOCKING)
@pytest.mark.parametrize("make", [service, nurture])
def test_complaint_bounce_refusal_and_hand_block_service_and_marketing(
    campaign: Campaign, make: Any, reason: SuppressionReason
) -> None:
    message = make(campaign)
    make_suppression(contact_of(message), reason=reason)
    assert claimed(message.lane) == []
    assert state(message) == ("suppressed", reason.value)


@pytest.mark.parametrize("reason", [SuppressionReason.COMPLAINT, SuppressionReason.REFUSED, SuppressionReason.MANUAL])
def test_a_new_form_does_not_lift_a_complaint_or_refusal(campaign: Campaign, reason: SuppressionReason) -> None:
    contact = make_contact(email="anna@mail.example", brand=None, brand_id=campaign.brand_id)
    make_suppression(contact, reason=reason, at=product_clock.now() - timedelta(days=30))
    entry = make_entry(campaign, contact)
    message = make_message(entry, letter="confirm", lane=Lane.CONFIRMATION, purpose=MailPurpose.CONFIRMATION)
    assert claimed(Lane.CONFIRMATION) == []
    assert state(message) == ("suppressed", reason.value)


def test_a_confirmation_asked_for_after_a_hard_bounce_goes_out(campaign: Campaign) -> None:
    before = confirmation(campaign)
    contact = contact_of(before)
    make_suppression(contact, reason=SuppressionReason.HARD_BOUNCE, at=product_clock.now() + timedelta(seconds=1))
    assert claimed(Lane.CONFIRMATION) == []
    assert state(before) == ("suppressed", "hard_bounce")
    entry = db.session.get_one(Entry, before.entry_id)
    later = product_clock.now() + timedelta(seconds=2)
    again = make_message(
        entry, letter="confirm", lane=Lane.CONFIRMATION, purpose=MailPurpose.CONFIRMATION, created_at=later
    )
    assert claimed(Lane.CONFIRMATION) == [again.id]


def test_unsubscribing_blocks_marketing_only(campaign: Campaign) -> None:
    letter = nurture(campaign)
    welcome = make_message(db.session.get_one(Entry, letter.entry_id))
    contacts.unsubscribe(letter.contact_id, "one-click")
    db.session.commit()
    assert claimed(Lane.SERVICE) == [welcome.id]
    assert claimed(Lane.NURTURE) == []
    assert state(letter) == ("suppressed", "unsubscribe")


def test_marketing_needs_consent(campaign: Campaign) -> None:
    message = nurture(campaign)
    change(contact_of(message), marketing_at=None)
    assert claimed(Lane.NURTURE) == []
    assert state(message) == ("skipped", "no_consent")


def test_marketing_needs_a_verified_address(campaign: Campaign) -> None:
    message = nurture(campaign)
    change(contact_of(message), email_verified_at=None)
    assert claimed(Lane.NURTURE) == []
    assert state(message) == ("skipped", "unverified")


@pytest.mark.parametrize("status", [EntryStatus.CONFIRMED, EntryStatus.REFUSED, EntryStatus.EXPIRED])
def test_who_waits_no_longer_gets_no_confirmation(campaign: Campaign, status: EntryStatus) -> None:
    message = confirmation(campaign)
    change(db.session.get_one(Entry, message.entry_id), status=status)
    assert claimed(Lane.CONFIRMATION) == []
    assert state(message) == ("skipped", "not_pending")


def test_the_old_address_gets_nothing_after_a_correction(campaign: Campaign) -> None:
    message = confirmation(campaign)
    change(db.session.get_one(Entry, message.entry_id), generation=2)
    assert claimed(Lane.CONFIRMATION) == []
    assert state(message) == ("skipped", "address_corrected")


def test_a_confirmation_that_can_no_longer_succeed_is_not_sent(campaign: Campaign) -> None:
    message = confirmation(campaign)
    change(campaign, status=CampaignStatus.CLOSED)
    assert claimed(Lane.CONFIRMATION) == []
    assert state(message) == ("skipped", "campaign_over")


def test_service_letters_are_for_confirmed_people(campaign: Campaign) -> None:
    message = make_message(make_entry(campaign))
    assert claimed(Lane.SERVICE) == []
    assert state(message) == ("skipped", "not_confirmed")


def test_one_marketing_mail_in_48_hours(campaign: Campaign, clock: Clock) -> None:
    first = nurture(campaign)
    assert claimed(Lane.NURTURE) == [first.id]
    entry = db.session.get_one(Entry, first.entry_id)
    second = make_message(
        entry,
        letter="sequence",
        lane=Lane.NURTURE,
        purpose=MailPurpose.MARKETING,
        step_id=first.step_id,
        expires_at=product_clock.now() + timedelta(days=5),
    )
    clock.forward(hours=1)
    assert claimed(Lane.NURTURE) == []
    assert state(second) == ("scheduled", "frequency_cap")
    assert row(second)["due_at"] == row(first)["sent_at"] + timedelta(hours=48)
    clock.forward(hours=47)
    assert claimed(Lane.NURTURE) == [second.id]


def test_the_cap_also_holds_within_one_claim(campaign: Campaign) -> None:
    first = nurture(campaign)
    entry = db.session.get_one(Entry, first.entry_id)
    make_message(entry, letter="sequence", lane=Lane.NURTURE, purpose=MailPurpose.MARKETING, step_id=first.step_id)
    assert claimed(Lane.NURTURE) == [first.id]
    assert claimed(Lane.NURTURE) == []


def test_what_the_cap_moves_past_its_life_expires(campaign: Campaign) -> None:
    first = nurture(campaign)
    claimed(Lane.NURTURE)
    entry = db.session.get_one(Entry, first.entry_id)
    second = make_message(
        entry, letter="sequence", lane=Lane.NURTURE, purpose=MailPurpose.MARKETING, step_id=first.step_id
    )
    assert claimed(Lane.NURTURE) == []
    assert state(second) == ("expired", "frequency_cap")


def test_service_mails_do_not_count_for_the_cap(campaign: Campaign) -> None:
    welcome = service(campaign)
    claimed(Lane.SERVICE)
    letter = make_message(
        db.session.get_one(Entry, welcome.entry_id),
        letter="sequence",
        lane=Lane.NURTURE,
        purpose=MailPurpose.MARKETING,
    )
    change(contact_of(letter), marketing_at=product_clock.now())
    assert claimed(Lane.NURTURE) == [letter.id]


def test_marketing_rests_at_night_where_the_person_lives(campaign: Campaign, clock: Clock) -> None:
    """At noon in Paris it is night in Los Angeles: the mail waits for eight there, within half an hour."""
    paris = nurture(campaign)
    message = nurture(campaign)
    change(contact_of(message), timezone="America/Los_Angeles")
    change(message, expires_at=product_clock.now() + timedelta(days=2))
    assert claimed(Lane.NURTURE) == [paris.id]
    assert state(message) == ("scheduled", "quiet_hours")
    due_at = row(message)["due_at"]
    assert timedelta(hours=3) < due_at - product_clock.now() < timedelta(hours=6)
    clock.forward(seconds=(due_at - product_clock.now()).total_seconds() + 1)
    assert claimed(Lane.NURTURE) == [message.id]


@pytest.mark.parametrize("timezone", ["", "Mars/Olympus", "'; DROP TABLE message"])
def test_without_a_known_zone_the_campaigns_counts(campaign: Campaign, timezone: str) -> None:
    message = nurture(campaign)
    change(contact_of(message), timezone=timezone)
    change(campaign, timezone="America/Los_Angeles")
    assert claimed(Lane.NURTURE) == []
    assert state(message)[1] == "quiet_hours"


def test_service_and_confirmation_do_not_rest(campaign: Campaign, clock: Clock) -> None:
    clock.forward(hours=11)
    waiting, welcome = confirmation(campaign), service(campaign)
    assert claimed(Lane.CONFIRMATION) == [waiting.id]
    assert claimed(Lane.SERVICE) == [welcome.id]


def test_a_paused_campaign_holds_its_marketing(campaign: Campaign, clock: Clock) -> None:
    message = nurture(campaign)
    change(campaign, status=CampaignStatus.PAUSED)
    assert claimed(Lane.NURTURE) == []
    assert state(message) == ("scheduled", "")
    change(campaign, status=CampaignStatus.LIVE)
    assert claimed(Lane.NURTURE) == [message.id]


def test_a_paused_sequence_holds_what_it_planned(campaign: Campaign, clock: Clock) -> None:
    message = nurture(campaign)
    sequence = db.session.scalars(select(Sequence)).one()
    sequences.set_active(sequence, is_active=False)
    db.session.commit()
    assert claimed(Lane.NURTURE) == []
    assert state(message) == ("scheduled", "")
    streams.resume(sequence.stream_id, "Ada")
    db.session.commit()
    assert claimed(Lane.NURTURE) == [message.id]


def test_one_address_gets_one_mail_in_one_call(campaign: Campaign) -> None:
    """SendGrid refuses a whole call that names an address twice."""
    entry = make_entry(campaign, confirmed=True)
    first, second = make_message(entry), make_message(entry, letter="page_link")
    assert claimed(Lane.SERVICE) == [first.id]
    assert claimed(Lane.SERVICE) == [second.id]


def test_a_refused_message_is_decided_for_good(campaign: Campaign) -> None:
    message = nurture(campaign)
    change(contact_of(message), marketing_at=None)
    claimed(Lane.NURTURE)
    change(contact_of(message), marketing_at=product_clock.now())
    assert claimed(Lane.NURTURE) == []
    assert message.status is MessageStatus.SKIPPED
