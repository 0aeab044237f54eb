"""What staff may do with an address: block it and unblock what was blocked by hand, with a reason and a name."""

from __future__ import annotations

import pytest

from leadgen.contacts import address
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact, SuppressionReason
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from tests.entries.conftest import rows
from tests.factories import fresh, make_contact, make_suppression


def test_blocking_is_noted_with_name_and_reason_and_keeps_consent(anna: Contact) -> None:
    contacts.suppress_by_hand(anna.id, by="Bob", note=" Her  lawyer\nwrote ")
    db.session.commit()

    assert rows("SELECT reason, detail FROM suppression") == [
        {"reason": "manual", "detail": "Bob · Her lawyer wrote"},
    ]
    [fact] = rows("SELECT name, data FROM fact")
    assert fact == {
        "name": "contact.suppressed",
        "data": {"reason": "manual", "by": "Bob", "note": "Her lawyer wrote"},
    }
    assert fresh(anna).marketing_at is not None


def test_unblocking_takes_back_what_was_done_by_hand_alone(anna: Contact) -> None:
    for reason in set(SuppressionReason) - {SuppressionReason.MANUAL}:
        make_suppression(anna, reason=reason)
    contacts.suppress_by_hand(anna.id, by="Bob", note="A mistake")
    contacts.lift(anna.id, by="Ada", note="It was another Anna")
    db.session.commit()

    assert {row["reason"] for row in rows("SELECT reason FROM suppression")} == set(SuppressionReason) - {
        SuppressionReason.MANUAL
    }
    assert rows("SELECT data FROM fact WHERE name = 'contact.released'") == [
        {"data": {"by": "Ada", "note": "It was another Anna"}}
    ]


@pytest.mark.parametrize("reason", sorted(set(SuppressionReason) - {SuppressionReason.MANUAL}))
def test_staff_cannot_take_back_anything_else(anna: Contact, reason: SuppressionReason) -> None:
    make_suppression(anna, reason=reason)
    with pytest.raises(Conflict):
        contacts.lift(anna.id, by="Ada", note="Please")
    assert len(rows("SELECT 1 FROM suppression")) == 1


def test_without_a_reason_nothing_is_done(anna: Contact) -> None:
    for deed in (contacts.suppress_by_hand, contacts.lift):
        with pytest.raises(Invalid):
            deed(anna.id, by="Ada", note="  \n ")
    assert rows("SELECT 1 FROM suppression") == []


def test_what_staff_and_providers_wrote_goes_with_the_person(anna: Contact) -> None:
    contacts.suppress_by_hand(anna.id, by="Bob", note="Anna Karenina called")
    contacts.suppress(anna.brand_id, bytes(anna.address_hash or b""), SuppressionReason.COMPLAINT, "anna@mail.example")
    contacts.erase(anna.id)
    db.session.commit()

    assert rows("SELECT DISTINCT detail FROM suppression") == [{"detail": ""}]
    assert rows("SELECT 1 FROM fact WHERE strpos(data::text, 'Karenina') > 0") == []
    with pytest.raises(NotFound):
        contacts.lift(anna.id, by="Ada", note="Gone")


def test_an_address_can_be_blocked_before_it_enters(anna: Contact) -> None:
    contacts.suppress_address(anna.brand_id, "Zoe+news@gmail.com", by="Ada", note="Asked by letter")
    contacts.suppress_address(anna.brand_id, "anna@mail.example", by="Ada", note="Asked by letter")
    db.session.commit()

    hashes = {bytes(row["address_hash"]) for row in rows("SELECT address_hash FROM suppression")}
    assert hashes == {address.address_hash("zoe@gmail.com"), address.address_hash("anna@mail.example")}
    assert len(rows("SELECT 1 FROM fact WHERE name = 'contact.suppressed'")) == 1
    with pytest.raises(Invalid):
        contacts.suppress_address(anna.brand_id, "nobody", by="Ada", note="Asked by letter")


def test_what_stands_is_told_oldest_first(anna: Contact) -> None:
    stranger = make_contact(email="zoe@mail.example", brand_id=anna.brand_id)
    for reason in (SuppressionReason.COMPLAINT, SuppressionReason.MANUAL):
        make_suppression(anna, reason=reason)
    make_suppression(stranger)
    assert [one.reason for one in contacts.suppressions_of(anna)] == [
        SuppressionReason.COMPLAINT,
        SuppressionReason.MANUAL,
    ]
