"""What may be done with a person: leave, come back, be suppressed, be erased."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from leadgen.contacts import address
from leadgen.contacts.evidence import PERSONAL
from leadgen.contacts.models import (
    Answer,
    Consent,
    ConsentAction,
    ConsentPurpose,
    Contact,
    ErasedAddress,
    Suppression,
    SuppressionReason,
)
from leadgen.core import clock
from leadgen.core import text as words
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName

# A complaint or a refusal also takes back consent; a bounce says nothing about what the person wants. The channel is
# how it reached us when nobody says so.
_TAKES_CONSENT_BACK = {
    SuppressionReason.COMPLAINT: "complaint",
    SuppressionReason.UNSUBSCRIBE: "provider",
    SuppressionReason.REFUSED: "refuse page",
}
_SUPPRESSION_KEY = ("brand_id", "address_hash", "reason")
LONGEST_NOTE = 300
LONGEST_NAME = 60
_NOT_IN_NAMES = frozenset("@<>/\\{}[]")
# Mail servers repeat the address in their reasons; a suppression must not know it.
_ADDRESS = re.compile(r"[^\s<>()\"',;]+@[^\s<>()\"',;]+")


_HOLD = text("SELECT FROM contact WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")
# What they did by numbers; the triggers that keep these pass over who is erased (migration 0011).
_BLANK_FIGURES = """
UPDATE contact SET points = 0, clicks = 0, clicked_at = NULL, contests = '{}', friends = 0, deeds = 0, works = 0,
                   rewards = 0
WHERE id = :contact
"""
_HEARD_FROM = """
UPDATE contact c SET last_inbound_at = heard.at
FROM unnest(CAST(:ids AS bigint[]), CAST(:moments AS timestamptz[])) AS heard (id, at)
WHERE c.id = heard.id AND c.erased_at IS NULL AND (c.last_inbound_at IS NULL OR c.last_inbound_at < heard.at)
"""


def get(contact_id: int) -> Contact:
    """The contact, unless erased. Raises NotFound."""
    contact = db.session.get(Contact, contact_id)
    if contact is None or contact.erased_at is not None:
        raise NotFound
    return contact


def hold(contact_ids: Collection[int]) -> None:
    """Hold these contacts to the end of the transaction, in the one order in which everybody holds many.

    Figures on contacts move by triggers (migration 0011): whoever changes what two people did, in whatever order, calls
    this before the first of it. What only points to a contact goes on meanwhile.
    """
    if contact_ids:
        db.session.execute(_HOLD, {"ids": sorted(set(contact_ids))})


def is_forgotten(contact_id: int) -> bool:
    """Whether there was such a person, whose data were erased since."""
    contact = db.session.get(Contact, contact_id)
    return contact is not None and contact.erased_at is not None


def first_name(typed: str) -> str:
    """A first name as it is kept. Raises Invalid, in words, for none, and for what holds an address or a link."""
    name = " ".join(words.undirected(typed).split())
    if not name:
        raise Invalid(_("Enter your first name."), "first_name")
    if len(name) > LONGEST_NAME or _NOT_IN_NAMES & set(name):
        raise Invalid(_("Enter your first name as a friend would write it."), "first_name")
    return name


def correct(contact_id: int, *, first_name: str, locale: str, timezone: str) -> frozenset[str]:
    """Put right what the person says is wrong about them; answers which of the three were changed.

    The name is one that `first_name` let pass, the language one of ours, the zone of IANA or empty. The journal keeps
    which were corrected, not what they were. Raises NotFound.
    """
    contact = _locked(contact_id)
    said = {"first_name": first_name, "locale": locale, "timezone": timezone}
    changed = {name: value for name, value in said.items() if getattr(contact, name) != value}
    for name, value in changed.items():
        setattr(contact, name, value)
    contact.last_inbound_at = clock.now()
    if changed:
        ids = {"brand_id": contact.brand_id, "contact_id": contact.id}
        journal.record(FactName.CONTACT_CORRECTED, **ids, what=sorted(changed))
    return frozenset(changed)


def unsubscribe(contact_id: int, channel: str, evidence: Mapping[str, Any] | None = None) -> None:
    """Stop all marketing mail to this contact from this moment on; doing it twice is the same as once.

    `channel` says how: “unsubscribe page”, “one-click”, “my page”, “provider”; `evidence` what the door saw. Service
    mails of a contest that the person entered go on. Raises NotFound for an erased or unknown contact.
    """
    contact = _locked(contact_id)
    is_news = contact.marketing_at is not None or not _is_suppressed(contact, SuppressionReason.UNSUBSCRIBE)
    _suppress_address(contact, SuppressionReason.UNSUBSCRIBE, channel)
    if is_news:
        _take_consent_back(contact, channel, evidence)


def resubscribe(contact_id: int, channel: str, evidence: Mapping[str, Any]) -> None:
    """Consent to marketing, given by an explicit deed of the person on a page reached by their own signed link.

    Takes back an earlier unsubscribe, never a complaint. Raises NotFound.
    """
    contact = _locked(contact_id)
    _lift(contact, SuppressionReason.UNSUBSCRIBE)
    contact.marketing_at = contact.marketing_at or clock.now()
    contact.last_inbound_at = clock.now()
    _record(contact, ConsentPurpose.MARKETING, ConsentAction.GIVEN, channel, evidence)
    journal.record(FactName.CONSENT_GIVEN, brand_id=contact.brand_id, contact_id=contact.id, channel=channel)


def suppress(brand_id: int, address_hash: bytes, reason: SuppressionReason, detail: str = "") -> bool:
    """Never write to this address again, as far as `reason` reaches; True when that is news.

    Tells the journal, for a bounce each time: a new entry of a dead address must hear of it too, and the latest counts.
    """
    now = clock.now()
    statement = insert(Suppression).values(
        brand_id=brand_id, address_hash=address_hash, reason=reason, at=now, detail=_ADDRESS.sub("…", detail)[:500]
    )
    if reason is SuppressionReason.HARD_BOUNCE:
        # Who asked for a mail before it bounced has had their one more try.
        again = statement.on_conflict_do_update(index_elements=_SUPPRESSION_KEY, set_={"at": now})
    else:
        again = statement.on_conflict_do_nothing()
    is_new = db.session.execute(again.returning(text("(xmax = 0)"))).scalar() or False
    if not is_new and reason is not SuppressionReason.HARD_BOUNCE:
        return False
    contact = db.session.scalar(
        select(Contact)
        .where(Contact.brand_id == brand_id, Contact.address_hash == address_hash)
        .with_for_update(key_share=True)
    )
    if contact is None:
        return is_new
    if reason in _TAKES_CONSENT_BACK:
        _take_consent_back(contact, _TAKES_CONSENT_BACK[reason])
    if reason is SuppressionReason.REFUSED:
        _record(contact, ConsentPurpose.RULES, ConsentAction.REFUSED, _TAKES_CONSENT_BACK[reason])
    journal.record(FactName.CONTACT_SUPPRESSED, brand_id=brand_id, contact_id=contact.id, reason=reason.value)
    return is_new


def suppress_by_hand(contact_id: int, *, by: str, note: str) -> None:
    """Write to this person no more, because a member of staff (`by`) says so and why (`note`).

    What the person agreed to stays as it is. Doing it again only notes the new reason. Raises Invalid without a
    reason, NotFound.
    """
    contact = _locked(contact_id)
    reason, why = SuppressionReason.MANUAL, _needed(note)
    _suppress_address(contact, reason, f"{by} · {why}")
    name, brand_id = FactName.CONTACT_SUPPRESSED, contact.brand_id
    journal.record(name, brand_id=brand_id, contact_id=contact.id, reason=reason.value, by=by, note=why)


def lift(contact_id: int, *, by: str, note: str) -> None:
    """Take back what staff did by hand, and only that: never a complaint, a bounce or the person's own no.

    Raises Invalid without a reason, Conflict when staff blocked nothing, NotFound.
    """
    contact = _locked(contact_id)
    why = _needed(note)
    if not _is_suppressed(contact, SuppressionReason.MANUAL):
        raise Conflict(_("This address is not blocked by hand."))
    _lift(contact, SuppressionReason.MANUAL)
    journal.record(FactName.CONTACT_RELEASED, brand_id=contact.brand_id, contact_id=contact.id, by=by, note=why)


def suppress_address(brand_id: int, typed: str, *, by: str, note: str) -> None:
    """The same for an address that need not be anybody's yet: a later entry of it gets no mail either.

    Raises Invalid for what is no address, or without a reason.
    """
    key = address.parse(typed).mailbox_key
    found = db.session.scalar(select(Contact.id).where(Contact.brand_id == brand_id, Contact.mailbox_key == key))
    if found is not None:
        suppress_by_hand(found, by=by, note=note)
        return
    suppress(brand_id, address.address_hash(key), SuppressionReason.MANUAL, f"{by} · {_needed(note)}")


def suppressions_of(contact: Contact) -> Sequence[Suppression]:
    """Why this person's address is not written to (as far as each reason reaches), oldest first."""
    if contact.address_hash is None:
        return ()
    found = select(Suppression).filter_by(brand_id=contact.brand_id, address_hash=contact.address_hash)
    return db.session.scalars(found.order_by(Suppression.at, Suppression.id)).all()


def erase(contact_id: int, *, is_remembered: bool = True) -> None:
    """Forget everything personal about the contact; suppression's keyed hash stays, and so do other people's points.

    Its hash is also noted as erased, so that no file brings consent back; `is_remembered` is false for an address that
    anybody may have typed and nobody confirmed.

    Evidence of consent keeps what was agreed and when, and loses what identifies the person (evidence.PERSONAL); the
    chain of its seals goes on proving the rest. Raises NotFound when it was erased before.
    """
    contact = _locked(contact_id, is_key_changing=True)
    if is_remembered and contact.address_hash is not None:
        noted = {"brand_id": contact.brand_id, "address_hash": contact.address_hash, "at": clock.now()}
        db.session.execute(insert(ErasedAddress).values(noted).on_conflict_do_nothing())
    db.session.execute(delete(Answer).where(Answer.contact_id == contact.id))
    _blank_evidence(contact.id)
    # Providers and staff write addresses and names into their reasons.
    db.session.execute(
        update(Suppression)
        .where(Suppression.brand_id == contact.brand_id, Suppression.address_hash == contact.address_hash)
        .values(detail="")
    )
    journal.forget_notes(contact.id)
    for name, value in (("mailbox_key", None), ("email", None), ("address_hash", None), ("first_name", "")):
        setattr(contact, name, value)
    contact.timezone, contact.answers, contact.marketing_at, contact.last_inbound_at = "", {}, None, None
    contact.erased_at = clock.now()
    db.session.flush()
    db.session.execute(text(_BLANK_FIGURES), {"contact": contact.id})
    journal.record(FactName.CONTACT_ERASED, brand_id=contact.brand_id, contact_id=contact.id)


def _blank_evidence(contact_id: int) -> None:
    """The one change that the table's trigger lets pass, in this transaction and while the switch is on."""
    switch = text("SELECT set_config('leadgen.erasing', :on, true)")
    db.session.execute(switch, {"on": "on"})
    db.session.execute(
        text("UPDATE consent SET evidence = evidence - CAST(:personal AS text[]) WHERE contact_id = :contact"),
        {"personal": sorted(PERSONAL), "contact": contact_id},
    )
    db.session.execute(switch, {"on": "off"})


def heard_from(moments: Mapping[int, datetime]) -> None:
    """Note that these contacts gave a sign of life at these moments; a later one that is known stays."""
    values = {"ids": list(moments), "moments": list(moments.values())}
    db.session.execute(text(_HEARD_FROM), values)


def consents_of(contact_id: int) -> list[Consent]:
    """The evidence of everything this person agreed to, refused or took back, oldest first."""
    return list(db.session.scalars(select(Consent).where(Consent.contact_id == contact_id).order_by(Consent.id)))


def _locked(contact_id: int, *, is_key_changing: bool = False) -> Contact:
    """The contact for ourselves; what points to it is kept away too only from one who is being erased."""
    statement = select(Contact).where(Contact.id == contact_id, Contact.erased_at.is_(None))
    contact = db.session.scalar(statement.with_for_update(key_share=not is_key_changing))
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
    # The latest counts: a tick from before it must not bring the letters back.
    latest = {"at": clock.now(), "detail": detail}
    statement = insert(Suppression).values(
        brand_id=contact.brand_id, address_hash=contact.address_hash, reason=reason, **latest
    )
    db.session.execute(statement.on_conflict_do_update(index_elements=_SUPPRESSION_KEY, set_=latest))


def _lift(contact: Contact, reason: SuppressionReason) -> None:
    db.session.execute(
        delete(Suppression).where(
            Suppression.brand_id == contact.brand_id,
            Suppression.address_hash == contact.address_hash,
            Suppression.reason == reason,
        )
    )


def _needed(note: str) -> str:
    tidy = words.one_line(note, LONGEST_NOTE)
    if not tidy:
        raise Invalid(_("Say why, in a few words."), "note")
    return tidy


def _take_consent_back(contact: Contact, channel: str, evidence: Mapping[str, Any] | None = None) -> None:
    contact.marketing_at = None
    _record(contact, ConsentPurpose.MARKETING, ConsentAction.WITHDRAWN, channel, evidence)
    journal.record(FactName.CONSENT_WITHDRAWN, brand_id=contact.brand_id, contact_id=contact.id, channel=channel)


def _record(
    contact: Contact,
    purpose: ConsentPurpose,
    action: ConsentAction,
    channel: str,
    evidence: Mapping[str, Any] | None = None,
) -> None:
    """Add an act, with whose address it was then: as typed until they are erased, as keyed hash for good."""
    known: dict[str, Any] = {"email": contact.email, "email_hash": (contact.address_hash or b"").hex()}
    known |= evidence or {}
    if "wording" in known:
        known["wording_sha256"] = hashlib.sha256(known["wording"].encode()).hexdigest()
    db.session.add(
        Consent(
            brand_id=contact.brand_id,
            contact_id=contact.id,
            purpose=purpose,
            action=action,
            at=clock.now(),
            channel=channel,
            evidence=known,
        )
    )
