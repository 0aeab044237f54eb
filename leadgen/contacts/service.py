"""What may be done with a person: leave, come back, be suppressed, be erased."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from leadgen.contacts.models import (
    Answer,
    Consent,
    ConsentAction,
    ConsentPurpose,
    Contact,
    Suppression,
    SuppressionReason,
)
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName

# A complaint or a refusal also takes back consent; a bounce says nothing about what the person wants.
_TAKES_CONSENT_BACK = {SuppressionReason.COMPLAINT, SuppressionReason.UNSUBSCRIBE, SuppressionReason.REFUSED}


def get(contact_id: int) -> Contact:
    """The contact, unless erased. Raises NotFound."""
    contact = db.session.get(Contact, contact_id)
    if contact is None or contact.erased_at is not None:
        raise NotFound
    return contact


def unsubscribe(contact_id: int, channel: str) -> None:
    """Stop all marketing mail to this contact from this moment on; doing it twice is the same as once.

    `channel` says how: “unsubscribe page”, “one-click”, “my page”, “provider”. Service mails of a contest that the
    person entered go on. Raises NotFound for an erased or unknown contact.
    """
    contact = _locked(contact_id)
    is_news = contact.marketing_at is not None or not _is_suppressed(contact, SuppressionReason.UNSUBSCRIBE)
    _suppress_address(contact, SuppressionReason.UNSUBSCRIBE, channel)
    if is_news:
        _take_consent_back(contact, channel)


def resubscribe(contact_id: int, channel: str, evidence: dict[str, Any]) -> None:
    """Consent to marketing, given by an explicit deed of the person on a page reached by their own signed link.

    Takes back an earlier unsubscribe, never a complaint. Raises NotFound.
    """
    contact = _locked(contact_id)
    db.session.execute(
        delete(Suppression).where(
            Suppression.brand_id == contact.brand_id,
            Suppression.address_hash == contact.address_hash,
            Suppression.reason == SuppressionReason.UNSUBSCRIBE,
        )
    )
    contact.marketing_at = contact.marketing_at or clock.now()
    contact.last_inbound_at = clock.now()
    _record_consent(contact, ConsentAction.GIVEN, channel, evidence)
    journal.record(FactName.CONSENT_GIVEN, brand_id=contact.brand_id, contact_id=contact.id, channel=channel)


def suppress(brand_id: int, address_hash: bytes, reason: SuppressionReason, detail: str = "") -> bool:
    """Never write to this address again, as far as `reason` reaches; True when that is news.

    Tells the journal, for a bounce each time: a new entry of a dead address must hear of it too.
    """
    statement = insert(Suppression).values(
        brand_id=brand_id, address_hash=address_hash, reason=reason, at=clock.now(), detail=detail[:500]
    )
    added = db.session.execute(statement.on_conflict_do_nothing().returning(Suppression.id)).first()
    if added is None and reason is not SuppressionReason.HARD_BOUNCE:
        return False
    contact = db.session.scalar(
        select(Contact).where(Contact.brand_id == brand_id, Contact.address_hash == address_hash).with_for_update()
    )
    if contact is None:
        return added is not None
    if reason in _TAKES_CONSENT_BACK:
        _take_consent_back(contact, "provider")
    journal.record(FactName.CONTACT_SUPPRESSED, brand_id=brand_id, contact_id=contact.id, reason=reason.value)
    return added is not None


def erase(contact_id: int) -> None:
    """Forget everything personal about the contact; suppression's keyed hash stays, and so do other people's points.

    Evidence of consent keeps what was agreed and when, and loses network address and browser.
    Raises NotFound when it was erased before.
    """
    contact = _locked(contact_id)
    db.session.execute(delete(Answer).where(Answer.contact_id == contact.id))
    db.session.execute(
        update(Consent)
        .where(Consent.contact_id == contact.id)
        .values(evidence=text("evidence - 'ip' - 'user_agent' - 'page'"))
    )
    for name, value in (("mailbox_key", None), ("email", None), ("address_hash", None), ("first_name", "")):
        setattr(contact, name, value)
    contact.timezone, contact.answers, contact.marketing_at, contact.last_inbound_at = "", {}, None, None
    contact.erased_at = clock.now()
    journal.record(FactName.CONTACT_ERASED, brand_id=contact.brand_id, contact_id=contact.id)


def consents_of(contact_id: int) -> list[Consent]:
    """The evidence of everything this person agreed to, refused or took back, oldest first."""
    return list(db.session.scalars(select(Consent).where(Consent.contact_id == contact_id).order_by(Consent.id)))


def _locked(contact_id: int) -> Contact:
    statement = select(Contact).where(Contact.id == contact_id, Contact.erased_at.is_(None)).with_for_update()
    contact = db.session.scalar(statement)
    if contact is None:
        raise NotFound
    return contact


def _is_suppressed(contact: Contact, reason: SuppressionReason) -> bool:
    found = select(Suppression.id).where(
        Suppression.brand_id == contact.brand_id,
        Suppression.address_hash == contact.address_hash,
        Suppression.reason == reason,
    )
    return db.session.scalar(found) is not None


def _suppress_address(contact: Contact, reason: SuppressionReason, detail: str) -> None:
    statement = insert(Suppression).values(
        brand_id=contact.brand_id, address_hash=contact.address_hash, reason=reason, at=clock.now(), detail=detail
    )
    # The latest time counts: a tick from before it must not bring the letters back.
    latest = {"at": clock.now()}
    db.session.execute(
        statement.on_conflict_do_update(index_elements=["brand_id", "address_hash", "reason"], set_=latest)
    )


def _take_consent_back(contact: Contact, channel: str) -> None:
    contact.marketing_at = None
    _record_consent(contact, ConsentAction.WITHDRAWN, channel, {})
    journal.record(FactName.CONSENT_WITHDRAWN, brand_id=contact.brand_id, contact_id=contact.id, channel=channel)


def _record_consent(contact: Contact, action: ConsentAction, channel: str, evidence: dict[str, Any]) -> None:
    db.session.add(
        Consent(
            brand_id=contact.brand_id,
            contact_id=contact.id,
            purpose=ConsentPurpose.MARKETING,
            action=action,
            at=clock.now(),
            channel=channel,
            evidence=evidence,
        )
    )
