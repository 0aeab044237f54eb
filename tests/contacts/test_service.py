"""Suppression and consent: what each reason reaches, and that the journal hears of it once."""

from __future__ import annotations

import pytest

from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact, SuppressionReason
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from tests.entries.conftest import rows
from tests.factories import make_contact


@pytest.mark.parametrize(
    ("reason", "keeps_consent"),
    [
        (SuppressionReason.HARD_BOUNCE, True),
        (SuppressionReason.MANUAL, True),
        (SuppressionReason.COMPLAINT, False),
        (SuppressionReason.REFUSED, False),
    ],
)
def test_a_complaint_takes_consent_back_and_a_bounce_does_not(
    anna: Contact, reason: SuppressionReason, keeps_consent: bool
) -> None:
    assert anna.address_hash is not None

    assert contacts.suppress(anna.brand_id, anna.address_hash, reason, "550 no such user")
    db.session.commit()

    [kept] = rows("SELECT marketing_at IS NOT NULL AS consents FROM contact")
    assert kept["consents"] is keeps_consent
    assert "contact.suppressed" in {row["name"] for row in rows("SELECT name FROM fact")}


def test_the_same_reason_twice_is_told_once(anna: Contact) -> None:
    assert anna.address_hash is not None
    news = [contacts.suppress(anna.brand_id, anna.address_hash, SuppressionReason.COMPLAINT) for _ in range(2)]
    db.session.commit()

    assert news == [True, False]
    assert len(rows("SELECT 1 FROM fact WHERE name = 'contact.suppressed'")) == 1


def test_suppression_outlives_erasure(anna: Contact) -> None:
    key, brand_id = bytes(anna.address_hash or b""), anna.brand_id
    contacts.suppress(brand_id, key, SuppressionReason.COMPLAINT)
    contacts.erase(anna.id)
    db.session.commit()

    assert rows("SELECT address_hash FROM suppression") == [{"address_hash": key}]
    assert not contacts.suppress(brand_id, key, SuppressionReason.COMPLAINT)


def test_an_erased_contact_can_neither_leave_nor_come_back(anna: Contact) -> None:
    contacts.erase(anna.id)
    db.session.commit()

    for deed in (
        lambda: contacts.unsubscribe(anna.id, "one-click"),
        lambda: contacts.resubscribe(anna.id, "my page", {}),
        lambda: contacts.erase(anna.id),
        lambda: contacts.get(anna.id),
    ):
        with pytest.raises(NotFound):
            deed()


def test_suppressing_one_brands_contact_leaves_the_other_brands_alone(anna: Contact) -> None:
    other = make_contact(email="anna@mail.example", marketing_at=clock.now())
    assert anna.address_hash is not None

    contacts.suppress(anna.brand_id, anna.address_hash, SuppressionReason.COMPLAINT)
    db.session.commit()

    assert db.session.get_one(Contact, other.id).marketing_at is not None
