"""The table of contacts.reach and the statement that claims mails agree: each reason × each purpose, on real rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import Contact, SuppressionReason
from leadgen.contacts.reach import MATRIX, PURPOSES, Way, stopped_by
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.letters.models import MailPurpose
from leadgen.mail.models import Message
from tests.factories import make_entry, make_message, make_suppression
from tests.mail.conftest import claimed, confirmation, nurture, state


def service(campaign: Campaign) -> Message:
    return make_message(make_entry(campaign, confirmed=True))


MAKE: dict[MailPurpose, Any] = {
    MailPurpose.CONFIRMATION: confirmation,
    MailPurpose.SERVICE: service,
    MailPurpose.MARKETING: nurture,
}


def test_the_table_names_every_reason_and_every_purpose() -> None:
    assert set(MATRIX) == set(SuppressionReason)
    assert set(PURPOSES) == set(MailPurpose)
    assert {frozenset(ways) for ways in MATRIX.values()} == {frozenset(MailPurpose)}


@pytest.mark.parametrize("is_asked_afterwards", [False, True], ids=["before", "asked-afterwards"])
@pytest.mark.parametrize("purpose", list(MailPurpose))
@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_the_gates_do_what_the_table_says(
    campaign: Campaign, reason: SuppressionReason, purpose: MailPurpose, is_asked_afterwards: bool
) -> None:
    message = MAKE[purpose](campaign)
    moment = message.created_at + timedelta(seconds=-1 if is_asked_afterwards else 1)
    make_suppression(db.session.get_one(Contact, message.contact_id), reason=reason, at=moment)

    goes = {Way.OPEN: True, Way.BLOCKED: False, Way.WHEN_ASKED: is_asked_afterwards}[MATRIX[reason][purpose]]

    assert claimed(message.lane) == ([message.id] if goes else [])
    assert state(message) == (("sending", "") if goes else ("suppressed", reason.value))


@pytest.mark.parametrize("purpose", list(MailPurpose))
@pytest.mark.parametrize("second", list(SuppressionReason))
@pytest.mark.parametrize("first", list(SuppressionReason))
def test_of_two_reasons_the_narrower_way_counts(
    campaign: Campaign, first: SuppressionReason, second: SuppressionReason, purpose: MailPurpose
) -> None:
    if first >= second:
        return
    message = MAKE[purpose](campaign)
    contact = db.session.get_one(Contact, message.contact_id)
    for reason in (first, second):
        make_suppression(contact, reason=reason, at=product_clock.now() - timedelta(days=1))

    way, found = stopped_by(purpose, [first, second])

    assert claimed(message.lane) == ([] if way is Way.BLOCKED else [message.id])
    assert (way is Way.OPEN) == (found == [])
