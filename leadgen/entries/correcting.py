"""Moving a waiting entry to another address, in one statement that does the same work whoever has that address."""

from __future__ import annotations

import psycopg

from leadgen.campaigns.cards import CampaignCard
from leadgen.contacts import address
from leadgen.contacts.address import Address
from leadgen.core import clock, hot, queue
from leadgen.core.errors import Conflict, NotFound, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell
from leadgen.entries.entering import CODE_LIFE, MAIL_LIFE, Entered, deadline
from leadgen.entries.models import EntryStatus
from leadgen.mail import bounds
from leadgen.mail.bounds import FORMS_A_DAY, MAILS_PER_ADDRESS

CORRECTIONS = 3
# An entry in one of these states waits for its confirmation, or could again.
OPEN = (EntryStatus.PENDING, EntryStatus.BOUNCED, EntryStatus.EXPIRED)
_ATTEMPTS = 3

_CORRECT = f"""
WITH mine AS (
    SELECT id, brand_id, campaign_id, contact_id FROM entry
    WHERE id = %(entry)s AND campaign_id = %(campaign)s AND status IN ('pending', 'bounced', 'expired')
      AND corrections < {CORRECTIONS}
    FOR UPDATE
), person AS (
    -- Never renamed: the mails that were sent to an address stay counted with it.
    INSERT INTO contact (brand_id, mailbox_key, email, address_hash, first_name, locale, timezone, created_at)
    SELECT mine.brand_id, %(mailbox)s, %(email)s, %(hash)s, own.first_name, own.locale, own.timezone, %(now)s
    FROM mine JOIN contact own ON own.id = contact_id
    -- Another spelling of the same mailbox is taken over; what an unverified form says changes nobody else.
    ON CONFLICT (brand_id, mailbox_key) DO UPDATE SET email =
        CASE WHEN contact.id = (SELECT contact_id FROM mine) AND contact.email_verified_at IS NULL
             THEN excluded.email ELSE contact.email END
    RETURNING id
), other AS (
    SELECT t.id, t.contact_id FROM entry t, mine, person
    WHERE t.contact_id = person.id AND t.campaign_id = mine.campaign_id AND t.id <> mine.id
), counted AS (
    UPDATE entry e SET corrections = e.corrections + 1 FROM mine, other WHERE e.id = mine.id RETURNING e.id
), moved AS (
    UPDATE entry e SET corrections = e.corrections + 1, contact_id = person.id, generation = e.generation + 1,
        status = 'pending', address_problem = '',
        referral_state = CASE WHEN e.referral_state = 'not_counted' AND e.referral_reason IN ('expired', 'bounce')
                              THEN 'awaiting' ELSE e.referral_state END,
        referral_reason = CASE WHEN e.referral_state = 'not_counted' AND e.referral_reason IN ('expired', 'bounce')
                               THEN '' ELSE e.referral_reason END,
        mails_sent = e.mails_sent + 1, last_mail_at = %(now)s,
        code_number = e.code_number + 1, code_tries = 0, code_expires_at = %(code_expires_at)s,
        expires_at = greatest(e.expires_at, %(expires_at)s)
    FROM mine, person WHERE e.id = mine.id AND person.id <> mine.contact_id AND NOT EXISTS (SELECT FROM other)
    RETURNING e.id, e.brand_id, e.campaign_id, e.contact_id, e.locale, e.generation, e.code_number, e.mails_sent
), carried AS (
    -- Evidence is only ever added: the acts of the form are noted again for the contact that they now belong to.
    INSERT INTO consent (brand_id, contact_id, campaign_id, entry_id, purpose, action, at, channel, evidence)
    SELECT k.brand_id, moved.contact_id, k.campaign_id, k.entry_id, k.purpose, k.action, k.at, k.channel,
           k.evidence || jsonb_build_object('carried_from', k.id, 'email', %(email)s::text,
                                            'email_hash', encode(%(hash)s::bytea, 'hex'))
    FROM moved, mine, consent k
    WHERE k.contact_id = mine.contact_id AND k.entry_id = mine.id
      AND k.action IN ('given', 'refused')
), cancelled AS (
    UPDATE message m SET status = 'cancelled', reason = 'address_corrected'
    FROM moved WHERE m.entry_id = moved.id AND m.status = 'scheduled'
), wanted AS (
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, locale, context,
                         status, reason, due_at, expires_at, created_at)
    SELECT 'doi:' || id || ':' || generation || ':' || mails_sent, brand_id, campaign_id, contact_id, id,
           'confirmation', 'confirmation', 'confirm', locale,
           jsonb_build_object('entry', id, 'generation', generation, 'code_number', code_number),
           CASE WHEN bound.is_ok THEN 'scheduled' ELSE 'suppressed' END,
           CASE WHEN bound.is_ok THEN '' ELSE 'address_limit' END,
           %(now)s, %(mail_expires_at)s, %(now)s
    FROM moved, (
        SELECT w.mails < {MAILS_PER_ADDRESS} AND w.forms < {FORMS_A_DAY} AS is_ok
        FROM ({bounds.written("%(hash)s", "%(now)s")}) AS w
    ) AS bound
), told AS (
    INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id)
    SELECT 'entry.corrected', %(now)s, brand_id, campaign_id, contact_id, id FROM moved
    UNION ALL
    SELECT 'entry.repeated', %(now)s, mine.brand_id, mine.campaign_id, other.contact_id, other.id FROM mine, other
)
SELECT id, true AS is_own FROM moved UNION ALL SELECT other.id, false FROM other, counted
-- The address that it has already (a second click): nothing moves, and the mail that is on its way stays good.
UNION ALL SELECT mine.id, true FROM mine, person WHERE person.id = mine.contact_id
"""  # noqa: S608 - the only values put in by Python are constants of the product


def correct(card: CampaignCard, entry_id: int, new: Address) -> Entered:
    """Move a waiting entry to another address: the old links become inert, who invited stays, at most three times.

    When the new address has entered already, that entry stays as it is and its owner gets a mail; when it has had all
    the mails it may get, the entry moves and no mail leaves. The answer and the work are the same for all of them.
    Raises Conflict when the entry waits no longer, TooMany after three corrections, NotFound.
    """
    if moved := _move(card, entry_id, new):
        queue.ring(Bell.CONFIRMATIONS)
        queue.ring(Bell.FACTS)
        return Entered(moved["id"], bool(moved["is_own"]), address.mask(new.email))
    row = hot.one("SELECT status, corrections FROM entry WHERE id = %(entry)s", {"entry": entry_id})
    if row is None or row["status"] == EntryStatus.ERASED:
        raise NotFound
    if row["corrections"] >= CORRECTIONS:
        raise TooMany(_("The address has been changed as often as it may be."), retry_after=0)
    raise Conflict(_("This entry can no longer be changed."))


def _move(card: CampaignCard, entry_id: int, new: Address) -> hot.Row | None:
    now = clock.now()
    values = {
        "now": now,
        "entry": entry_id,
        "campaign": card.id,
        "email": new.email,
        "mailbox": new.mailbox_key,
        "hash": address.address_hash(new.mailbox_key),
        "code_expires_at": now + CODE_LIFE,
        "mail_expires_at": now + MAIL_LIFE,
        "expires_at": deadline(card, now),
    }
    for _attempt in range(_ATTEMPTS - 1):
        try:
            return hot.one(_CORRECT, values)
        except psycopg.errors.UniqueViolation:  # the address entered in this very moment: now it is somebody's
            continue
    return hot.one(_CORRECT, values)
