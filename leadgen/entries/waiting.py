"""While an address is not confirmed: send the mail again, correct the address, or refuse."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, text, update

from leadgen.campaigns import cards
from leadgen.contacts import address
from leadgen.contacts import service as contacts
from leadgen.contacts.address import Address
from leadgen.contacts.models import Contact, SuppressionReason
from leadgen.core import clock, hot, queue
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell
from leadgen.entries.entering import CODE_LIFE, MAIL_LIFE, MAILS_PER_ADDRESS, Entered, deadline
from leadgen.entries.models import Entry, EntryStatus
from leadgen.journal import service as journal
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail.models import Message, MessageStatus

# Pauses before the second, third and fourth mail; there is no fifth.
RESEND_PAUSES = (timedelta(seconds=60), timedelta(minutes=5), timedelta(hours=1))
CORRECTIONS = 3
_OPEN = (EntryStatus.PENDING, EntryStatus.BOUNCED, EntryStatus.EXPIRED)


def status(entry_id: int) -> EntryStatus:
    """How an entry stands; open waiting pages ask again and again. Raises NotFound."""
    row = hot.one("SELECT status FROM entry WHERE id = %(entry)s", {"entry": entry_id})
    if row is None:
        raise NotFound
    return EntryStatus(row["status"])


def resend(entry_id: int) -> int:
    """Send the confirmation mail again, with a new code; earlier links stay good. Answers the seconds until the next.

    The second mail is possible after 60 s, the third after 5 min, the fourth and last after 1 h; five mails to one
    address in 30 days over all contests. An expired entry gets a new deadline. Raises TooMany (with `retry_after` when
    waiting helps), Conflict when the contest takes no confirmations any more, NotFound.
    """
    entry = _locked(entry_id)
    card = cards.by_id(entry.campaign_id)
    now = clock.now()
    new_deadline = deadline(card, now)
    if now >= new_deadline or entry.status not in _OPEN:
        raise Conflict(_("This entry can no longer be confirmed."))
    if entry.mails_sent > len(RESEND_PAUSES) or _mails_to(entry.contact_id) >= MAILS_PER_ADDRESS:
        raise TooMany(_("We have sent this mail as often as we may. Look in your spam folder."), retry_after=0)
    if wait := _seconds_until_resend(entry):
        raise TooMany(_("Wait a moment before asking for another mail."), retry_after=wait)
    entry.mails_sent += 1
    entry.expires_at = max(entry.expires_at, new_deadline)
    entry.status = EntryStatus.PENDING
    _want_confirmation(entry, now)
    return _seconds_until_resend(entry)


def correct(entry_id: int, new: Address) -> Entered:
    """Move a waiting entry to another address: the old links become inert, who invited stays, at most three times.

    When the new address has entered already, that entry stays as it is and its owner gets a mail; the answer looks the
    same. Raises Conflict when the entry waits no longer, TooMany after three corrections, NotFound.
    """
    entry = _locked(entry_id)
    if entry.status not in _OPEN:
        raise Conflict(_("This entry can no longer be changed."))
    if entry.corrections >= CORRECTIONS:
        raise TooMany(_("The address has been changed as often as it may be."), retry_after=0)
    entry.corrections += 1
    contact = _contact_for(entry, new)
    other = _entry_of(contact.id, entry.campaign_id)
    if other is not None and other.id != entry.id:
        _record(FactName.ENTRY_REPEATED, other)
        return Entered(other.id, is_own=False, masked=address.mask(new.email))
    if _mails_to(contact.id) >= MAILS_PER_ADDRESS:
        raise TooMany(_("We have written to this address as often as we may."), retry_after=0)
    old_contact_id, entry.contact_id = entry.contact_id, contact.id
    _carry_evidence(entry, old_contact_id)
    now = clock.now()
    entry.generation += 1
    entry.status = EntryStatus.PENDING
    entry.expires_at = max(entry.expires_at, deadline(cards.by_id(entry.campaign_id), now))
    entry.mails_sent += 1
    db.session.execute(
        update(Message)
        .where(Message.entry_id == entry.id, Message.status == MessageStatus.SCHEDULED)
        .values(status=MessageStatus.CANCELLED, reason="address_corrected")
    )
    _want_confirmation(entry, now)
    _record(FactName.ENTRY_CORRECTED, entry)
    return Entered(entry.id, is_own=True, masked=address.mask(new.email))


def refuse(entry_id: int, generation: int) -> None:
    """“It wasn't me”: end the entry and never write to this address for it again. Doing it twice is the same as once.

    Raises NotFound for an entry that is not there, Conflict when it was confirmed or corrected in the meantime.
    """
    entry = _locked(entry_id)
    if entry.status is EntryStatus.REFUSED:
        return
    if entry.generation != generation or entry.status not in _OPEN:
        raise Conflict(_("This entry can no longer be refused here."))
    entry.status = EntryStatus.REFUSED
    contact = contacts.get(entry.contact_id)
    if contact.email_verified_at is None and contact.address_hash is not None:
        contacts.suppress(entry.brand_id, contact.address_hash, SuppressionReason.REFUSED, "it was not me")
    _record(FactName.ENTRY_REFUSED, entry)


def answer_repeated(facts: Sequence[Fact]) -> None:
    """Somebody typed an address that has entered before: its owner, and only they, hear of it by mail (reaction).

    Waiting entries get the confirmation again within its limits; confirmed ones the link to their page, once a day.
    """
    for entry_id in sorted({fact.entry_id for fact in facts if fact.entry_id}):
        entry = db.session.scalar(select(Entry).where(Entry.id == entry_id).with_for_update())
        if entry is None:
            continue
        if entry.status is EntryStatus.CONFIRMED:
            want_page_link(entry)
        elif entry.status in _OPEN:
            try:
                resend(entry_id)
            except (TooMany, Conflict):
                continue


def mail_page_link(entry_id: int) -> None:
    """Mail the link to their page to whoever confirmed this entry, at most once a day. Raises NotFound."""
    entry = _locked(entry_id)
    if entry.status is not EntryStatus.CONFIRMED:
        raise NotFound
    want_page_link(entry)


def want_page_link(entry: Entry) -> None:
    """Mail the link to the person's page to its owner, at most once a day."""
    now = clock.now()
    _want(
        entry,
        intent=f"page:{entry.id}:{now:%Y-%m-%d}",
        letter="page_link",
        context={"entry": entry.id, "access_version": entry.access_version, "code": entry.code},
        now=now,
    )


def mark_bounced(facts: Sequence[Fact]) -> None:
    """An address is dead: what waits for it can stop waiting, and its page says so (reaction)."""
    contact_ids = [fact.contact_id for fact in facts if fact.data.get("reason") == SuppressionReason.HARD_BOUNCE]
    db.session.execute(
        update(Entry)
        .where(Entry.contact_id.in_(contact_ids), Entry.status == EntryStatus.PENDING)
        .values(status=EntryStatus.BOUNCED)
    )


def _locked(entry_id: int) -> Entry:
    entry = db.session.scalar(select(Entry).where(Entry.id == entry_id).with_for_update())
    if entry is None or entry.status is EntryStatus.ERASED:
        raise NotFound
    contacts.get(entry.contact_id)  # raises NotFound for a forgotten person
    return entry


def _seconds_until_resend(entry: Entry) -> int:
    pause = RESEND_PAUSES[min(entry.mails_sent, len(RESEND_PAUSES)) - 1]
    return max(0, round((entry.last_mail_at + pause - clock.now()).total_seconds()))


def _mails_to(contact_id: int) -> int:
    statement = text(
        "SELECT count(*) FROM message WHERE contact_id = :contact AND lane = 'confirmation' AND created_at > :since"
    )
    since = clock.now() - timedelta(days=30)
    return int(db.session.execute(statement, {"contact": contact_id, "since": since}).scalar_one())


def _want_confirmation(entry: Entry, now: datetime) -> None:
    entry.code_number += 1
    entry.code_tries = 0
    entry.code_expires_at = now + CODE_LIFE
    entry.last_mail_at = now
    _want(
        entry,
        intent=f"doi:{entry.id}:{entry.generation}:{entry.mails_sent}",
        letter="confirm",
        context={"entry": entry.id, "generation": entry.generation, "code_number": entry.code_number},
        now=now,
    )


def _want(entry: Entry, *, intent: str, letter: str, context: dict[str, object], now: datetime) -> None:
    is_confirmation = letter == "confirm"
    statement = text(
        """INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, locale,
                                context, due_at, expires_at, created_at)
           VALUES (:intent, :brand, :campaign, :contact, :entry, :lane, :purpose, :letter, :locale,
                   cast(:context AS jsonb), :now, :expires_at, :now)
           ON CONFLICT (intent) DO NOTHING"""
    )
    db.session.flush()
    db.session.execute(
        statement,
        {
            "intent": intent,
            "brand": entry.brand_id,
            "campaign": entry.campaign_id,
            "contact": entry.contact_id,
            "entry": entry.id,
            "lane": Lane.CONFIRMATION if is_confirmation else Lane.SERVICE,
            "purpose": MailPurpose.CONFIRMATION if is_confirmation else MailPurpose.SERVICE,
            "letter": letter,
            "locale": entry.locale,
            "context": json.dumps(context),
            "now": now,
            "expires_at": now + MAIL_LIFE,
        },
    )
    queue.ring_after_commit(db.session(), Bell.CONFIRMATIONS if is_confirmation else Bell.MAIL)


def _contact_for(entry: Entry, new: Address) -> Contact:
    """The contact behind the new address: an existing one, or a new one."""
    current = db.session.get_one(Contact, entry.contact_id)
    found = db.session.scalar(
        select(Contact).where(Contact.brand_id == entry.brand_id, Contact.mailbox_key == new.mailbox_key)
    )
    if found is not None:
        if found.email_verified_at is None:
            found.email = new.email
        return found
    # Never renamed: the mails that were sent to an address stay counted with it.
    contact = Contact(brand_id=entry.brand_id, first_name=current.first_name, locale=entry.locale)
    contact.timezone, contact.created_at, contact.answers = current.timezone, clock.now(), {}
    db.session.add(contact)
    contact.email, contact.mailbox_key = new.email, new.mailbox_key
    contact.address_hash = address.address_hash(new.mailbox_key)
    db.session.flush()
    return contact


def _entry_of(contact_id: int, campaign_id: int) -> Entry | None:
    return db.session.scalar(select(Entry).where(Entry.contact_id == contact_id, Entry.campaign_id == campaign_id))


def _carry_evidence(entry: Entry, old_contact_id: int) -> None:
    """Evidence is only ever added: the acts of the form are noted again for the contact that they now belong to."""
    if old_contact_id == entry.contact_id:
        return
    statement = text(
        """INSERT INTO consent (brand_id, contact_id, campaign_id, entry_id, purpose, action, at, channel, evidence)
           SELECT brand_id, :new, campaign_id, entry_id, purpose, action, at, channel,
                  evidence || jsonb_build_object('carried_from', id)
           FROM consent WHERE contact_id = :old AND entry_id = :entry AND action IN ('given', 'refused') ORDER BY id"""
    )
    db.session.execute(statement, {"new": entry.contact_id, "old": old_contact_id, "entry": entry.id})


def _record(name: FactName, entry: Entry) -> None:
    journal.record(
        name,
        brand_id=entry.brand_id,
        campaign_id=entry.campaign_id,
        contact_id=entry.contact_id,
        entry_id=entry.id,
    )
