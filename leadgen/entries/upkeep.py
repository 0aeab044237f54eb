"""What happens to entries by themselves: one reminder, the end of the deadline, and in the end being forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, text

from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact
from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.entries import person
from leadgen.entries.models import Entry

REMIND_AFTER = timedelta(hours=24)
# Unconfirmed people are forgotten a week after their deadline.
FORGET_AFTER = timedelta(days=7)
# An address that was corrected stays as long as the mails to it are counted.
FORGET_LEFT_BEHIND_AFTER = timedelta(days=30)
# People who gave no sign of life for three years are forgotten too; opening a mail is none.
FORGET_SILENT_AFTER = timedelta(days=3 * 365)
_BATCH = 1_000

_REMIND = """
INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, locale, context,
                     due_at, expires_at, created_at)
SELECT 'remind:' || e.id, e.brand_id, e.campaign_id, e.contact_id, e.id, 'confirmation', 'confirmation', 'reminder',
       e.locale, jsonb_build_object('entry', e.id, 'generation', e.generation, 'code_number', e.code_number),
       :now, :now + interval '24 hours', :now
FROM entry e JOIN campaign c ON c.id = e.campaign_id
WHERE e.status = 'pending' AND e.expires_at > :now + interval '1 hour' AND e.last_mail_at <= :before
  AND c.is_reminding AND c.status = 'live' AND c.ends_at > :now
  AND NOT EXISTS (SELECT 1 FROM message m WHERE m.intent = 'remind:' || e.id)
  AND EXISTS (SELECT 1 FROM message m WHERE m.entry_id = e.id AND m.letter = 'confirm'
              AND m.status IN ('accepted', 'delivered'))
ORDER BY e.expires_at LIMIT :batch
ON CONFLICT (intent) DO NOTHING
"""

_EXPIRE = """
WITH over AS (
    UPDATE entry SET status = 'expired'
    WHERE id IN (SELECT id FROM entry WHERE status = 'pending' AND expires_at <= :now ORDER BY expires_at LIMIT :batch
                 FOR UPDATE SKIP LOCKED)
    RETURNING id, brand_id, campaign_id, contact_id
)
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id)
SELECT 'entry.expired', :now, brand_id, campaign_id, contact_id, id FROM over
"""


def remind() -> int:
    """Want the one reminder for people who have not confirmed a day after their last mail. Commits."""
    now = clock.now()
    done = db.session.execute(text(_REMIND), {"now": now, "before": now - REMIND_AFTER, "batch": _BATCH})
    wanted = int(done.rowcount)  # type: ignore[attr-defined]
    if wanted:
        queue.ring_after_commit(db.session(), Bell.CONFIRMATIONS)
    db.session.commit()
    return wanted


def purge() -> int:
    """End overdue entries; forget who never confirmed anything, and who was silent for three years. Commits.

    Answers how many people were forgotten.
    """
    now = clock.now()
    db.session.execute(text(_EXPIRE), {"now": now, "batch": _BATCH})
    db.session.commit()
    return _forget_unconfirmed(now) + _forget_silent(now)


def _forget_unconfirmed(now: datetime) -> int:
    """People none of whose entries was ever confirmed, and whose last deadline is over for a week."""
    never_confirmed = (
        select(func.max(Entry.id))
        .join(Contact, Contact.id == Entry.contact_id)
        .where(Contact.email_verified_at.is_(None), Contact.erased_at.is_(None))
        .group_by(Entry.contact_id)
        .having(func.max(Entry.expires_at) < now - FORGET_AFTER)
        .limit(_BATCH)
    )
    return _erase_entries(list(db.session.scalars(never_confirmed))) + _forget_left_behind(now)


def _forget_left_behind(now: datetime) -> int:
    """Addresses that were corrected: no entry leads to them any more."""
    left_behind = select(Contact.id).where(
        Contact.email_verified_at.is_(None),
        Contact.erased_at.is_(None),
        Contact.created_at < now - FORGET_LEFT_BEHIND_AFTER,
        ~select(Entry.id).where(Entry.contact_id == Contact.id).exists(),
    )
    contact_ids = list(db.session.scalars(left_behind.limit(_BATCH)))
    for contact_id in contact_ids:
        contacts.erase(contact_id)
        db.session.commit()
    return len(contact_ids)


def _forget_silent(now: datetime) -> int:
    """Three years from the last contact that came from the person, as the French authority asks of prospecting."""
    silent = (
        select(func.max(Entry.id))
        .join(Contact, Contact.id == Entry.contact_id)
        .where(Contact.erased_at.is_(None), Contact.last_inbound_at < now - FORGET_SILENT_AFTER)
        .group_by(Entry.contact_id)
        .limit(_BATCH)
    )
    return _erase_entries(list(db.session.scalars(silent)))


def _erase_entries(entry_ids: list[int]) -> int:
    for entry_id in entry_ids:
        person.erase(entry_id)
        db.session.commit()
    return len(entry_ids)
