"""What happens to entries by themselves: one reminder, the end of the deadline, and in the end being forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select, text

from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries import confirming, person
from leadgen.entries.models import Entry
from leadgen.mail import bounds, forgetting, gates
from leadgen.mail import service as mail
from leadgen.mail.models import MessageStatus
from leadgen.mail.service import Wanted

REMIND_AFTER = timedelta(hours=24)
TIME_TO_CONFIRM = timedelta(hours=1)
# Unconfirmed people are forgotten a week after their deadline.
FORGET_AFTER = timedelta(days=7)
# An address that was corrected stays as long as the mails to it are counted.
FORGET_LEFT_BEHIND_AFTER = timedelta(days=30)
# People who gave no sign of life for three years are forgotten too; opening a mail is none.
FORGET_SILENT_AFTER = timedelta(days=3 * 365)
_BATCH = 1_000

# Who has not confirmed a day after a mail that arrived; each is decided about once, whatever comes of it.
_UNREMINDED = text(f"""
SELECT e.id, e.brand_id, e.campaign_id, e.contact_id, e.locale, e.generation, e.code_number,
       least(e.expires_at, c.ends_at) AS until, p.timezone, c.timezone AS campaign_timezone,
       (SELECT written.mails < {bounds.MAILS_PER_ADDRESS} AND written.forms < {bounds.FORMS_A_DAY}
        FROM ({bounds.written("p.address_hash", ":now")}) AS written) AS is_within
FROM entry e JOIN campaign c ON c.id = e.campaign_id JOIN contact p ON p.id = e.contact_id
WHERE e.status = 'pending' AND e.expires_at > :now AND e.last_mail_at <= :before
  AND c.is_reminding AND c.status = 'live' AND c.ends_at > :now
  AND NOT EXISTS (SELECT 1 FROM message m WHERE m.intent = 'remind:' || e.id)
  AND EXISTS (SELECT 1 FROM message m WHERE m.entry_id = e.id AND m.letter = 'confirm'
              AND (m.context ->> 'generation')::int = e.generation AND m.status IN ('accepted', 'delivered'))
ORDER BY e.expires_at LIMIT :batch
""")  # noqa: S608 - the only values put in by Python are constants of the product

_EXPIRE = """
WITH over AS (
    UPDATE entry SET status = 'expired',
        referral_state = CASE WHEN referral_state IN ('awaiting', 'on_hold') THEN 'not_counted'
                              ELSE referral_state END,
        referral_reason = CASE WHEN referral_state IN ('awaiting', 'on_hold') THEN 'expired' ELSE referral_reason END
    WHERE id IN (SELECT id FROM entry WHERE status = 'pending' AND expires_at <= :now ORDER BY expires_at LIMIT :batch
                 FOR UPDATE SKIP LOCKED)
    RETURNING id, brand_id, campaign_id, contact_id, is_marketing_wanted
), evidence AS (
    -- What was ticked and never confirmed is no consent; the silence is noted like any other act.
    INSERT INTO consent (brand_id, contact_id, campaign_id, entry_id, purpose, action, at, channel)
    SELECT brand_id, contact_id, campaign_id, id, act.purpose, 'expired', :now, 'deadline'
    FROM over, (VALUES ('rules'), ('marketing')) AS act (purpose)
    WHERE act.purpose = 'rules' OR is_marketing_wanted
)
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id)
SELECT 'entry.expired', :now, brand_id, campaign_id, contact_id, id FROM over
"""


def remind() -> int:
    """Want the one reminder for people who have not confirmed a day after their last mail, never in their night.

    Whoever opened the confirmation page gets none, and nobody more mails than an address may get (mail.bounds); their
    timeline says so. Commits; answers how many will be written to.
    """
    now = clock.now()
    rows = db.session.execute(_UNREMINDED, {"now": now, "before": now - REMIND_AFTER, "batch": _BATCH}).all()
    openings = dict(zip(*gates.zones(), strict=True))
    decided = [_reminder(row, openings, now) for row in rows]
    for reminder in decided:
        mail.want(reminder)
    db.session.commit()
    return sum(reminder.status is MessageStatus.SCHEDULED for reminder in decided)


def _reminder(row: Any, openings: Mapping[str, datetime | None], now: datetime) -> Wanted:
    zone = row.timezone if row.timezone in openings else row.campaign_timezone
    opening = openings.get(zone)
    due_at = opening + timedelta(seconds=row.id * 7919 % gates.SPREAD_SECONDS) if opening else now
    status, reason = MessageStatus.SCHEDULED, ""
    if confirming.was_viewed(row.id):
        status, reason = MessageStatus.SKIPPED, "page_viewed"
    elif not row.is_within:
        status, reason = MessageStatus.SUPPRESSED, "address_limit"
    elif due_at + TIME_TO_CONFIRM > row.until:
        status, reason = MessageStatus.SKIPPED, "too_late"
    return Wanted(
        intent=f"remind:{row.id}",
        letter="reminder",
        brand_id=row.brand_id,
        campaign_id=row.campaign_id,
        contact_id=row.contact_id,
        entry_id=row.id,
        locale=row.locale,
        context={"entry": row.id, "generation": row.generation, "code_number": row.code_number},
        due_at=due_at,
        status=status,
        reason=reason,
    )


def purge() -> int:
    """End overdue entries; forget who never confirmed anything, and who was silent for three years. Commits.

    Answers how many people were forgotten.
    """
    now = clock.now()
    db.session.execute(text(_EXPIRE), {"now": now, "batch": _BATCH})
    bounds.forget_old()
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
    forgotten = _erase_entries(list(db.session.scalars(never_confirmed)), is_remembered=False)
    return forgotten + _forget_left_behind(now)


def _forget_left_behind(now: datetime) -> int:
    """Addresses that were corrected, which no entry leads to any more; and who came by a file and stayed silent."""
    # The file itself is no sign of life: what it tells of them happened before it came.
    agreed_at = func.greatest(Contact.marketing_at, Contact.email_verified_at)
    heard_at = func.coalesce(Contact.last_inbound_at, func.least(Contact.created_at, agreed_at))
    is_silent = heard_at < now - FORGET_SILENT_AFTER
    is_mistyped = and_(
        Contact.import_id.is_(None),
        Contact.email_verified_at.is_(None),
        Contact.created_at < now - FORGET_LEFT_BEHIND_AFTER,
    )
    left_behind = select(Contact.id, Contact.import_id).where(
        or_(is_mistyped, and_(Contact.import_id.is_not(None), is_silent)),
        Contact.erased_at.is_(None),
        ~select(Entry.id).where(Entry.contact_id == Contact.id).exists(),
    )
    found = db.session.execute(left_behind.limit(_BATCH)).all()
    for contact_id, import_id in found:
        bounds.remember(contact_id)
        forgetting.forget(contact_id)
        contacts.erase(contact_id, is_remembered=import_id is not None)
        db.session.commit()
    return len(found)


def _forget_silent(now: datetime) -> int:
    """Three years from the last contact that came from the person, as the French authority asks of prospecting."""
    silent = (
        select(func.max(Entry.id))
        .join(Contact, Contact.id == Entry.contact_id)
        .where(Contact.erased_at.is_(None), Contact.last_inbound_at < now - FORGET_SILENT_AFTER)
        .group_by(Entry.contact_id)
        .limit(_BATCH)
    )
    return _erase_entries(list(db.session.scalars(silent)), is_remembered=True)


def _erase_entries(entry_ids: list[int], *, is_remembered: bool) -> int:
    for entry_id in entry_ids:
        person.erase(entry_id, is_remembered=is_remembered)
        db.session.commit()
    return len(entry_ids)
