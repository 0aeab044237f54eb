"""The outbox: wanting a mail, claiming what is due, and writing down what became of it, one statement each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.mail import gates
from leadgen.mail.models import Lane
from leadgen.mail.providers.interface import Outcome, Result
from leadgen.mail.values import Recipient

UNCERTAIN_MINUTES = 15
_FIRST_RETRY_SECONDS = 5.0
_LONGEST_RETRY_SECONDS = 900.0
# Any number that nobody else takes: two claims of marketing mails at once could not see each other's, and the cap
# would let one person get two.
_MARKETING_LOCK = 7_215_034

_SETTLE = text(f"""
UPDATE message m SET
    status = CASE WHEN o.delay IS NULL OR :now + o.delay * interval '1 second' < m.expires_at
                  THEN o.status ELSE 'expired' END,
    reason = o.reason,
    provider_reference = coalesce(o.reference, m.provider_reference),
    attempts = m.attempts - o.is_free::int,
    due_at = CASE WHEN o.delay IS NULL THEN m.due_at ELSE :now + o.delay * interval '1 second' END,
    sent_at = CASE WHEN o.status IN ('scheduled', 'failed') THEN NULL ELSE m.sent_at END,
    lease_until = CASE WHEN o.status = 'uncertain'
                       THEN clock_timestamp() + interval '{UNCERTAIN_MINUTES} minutes' END
FROM unnest(CAST(:ids AS bigint[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]), CAST(:refs AS text[]),
            CAST(:frees AS boolean[]), CAST(:delays AS double precision[]))
     AS o (id, status, reason, reference, is_free, delay)
-- An event may have come before this answer was written down; what it said is not undone.
WHERE m.id = o.id AND m.status = 'sending'
""")  # noqa: S608 - the only value put in by Python is a constant of this module

_FAULTY = text("""
SELECT m.brand_id, c.address_hash FROM message m JOIN contact c ON c.id = m.contact_id
WHERE m.id = ANY(:ids) AND c.address_hash IS NOT NULL
""")

_CLAIM = text(gates.CLAIM)

# A lease that ran out means that a process died between its call and its note of the answer: nobody knows.
_LOSE_TRACK = text(f"""
UPDATE message SET status = 'uncertain', reason = 'process_lost',
    lease_until = clock_timestamp() + interval '{UNCERTAIN_MINUTES} minutes'
WHERE status = 'sending' AND lease_until < clock_timestamp()
""")  # noqa: S608 - as above

_RESOLVE = text("""
WITH late AS (
    SELECT id, purpose = 'confirmation' AND NOT jsonb_exists(context, 'again') AS goes_again FROM message
    WHERE status = 'uncertain' AND lease_until < clock_timestamp()
    FOR UPDATE SKIP LOCKED
)
UPDATE message m SET lease_until = NULL,
    status = CASE WHEN goes_again THEN 'scheduled' ELSE 'failed' END,
    reason = CASE WHEN goes_again THEN 'again' ELSE 'no_answer' END,
    context = CASE WHEN goes_again THEN m.context || '{"again": true}' ELSE m.context END,
    due_at = CASE WHEN goes_again THEN :now ELSE m.due_at END
FROM late WHERE m.id = late.id
""")

_WANT = text("""
INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, step_id, locale,
                     context, condition, due_at, expires_at, created_at)
VALUES (:intent, :brand_id, :campaign_id, :contact_id, :entry_id, :lane, :purpose, :letter, :step_id, :locale,
        CAST(:context AS jsonb), CAST(:condition AS jsonb), :due_at, :expires_at, :now)
ON CONFLICT (intent) DO NOTHING
RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Claim:
    """The people to write to now, and how many messages the claim decided about, refused and moved ones included."""

    recipients: list[Recipient]
    decided: int


def want(values: dict[str, Any]) -> bool:
    """Add a message to the running transaction unless its intent is there already; True when it is new."""
    return db.session.execute(_WANT, values | {"now": clock.now()}).first() is not None


def claim(lane: Lane, limit: int) -> Claim:
    """Take up to `limit` due messages of a lane, through all gates (mail.gates). The caller commits before sending.

    Two workers never get the same message; a claim is leased for two minutes by the database's clock.
    """
    zones: list[str] = []
    openings: list[datetime | None] = []
    if lane is Lane.NURTURE:
        db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MARKETING_LOCK})
        zones, openings = gates.zones()
    values = {"lane": lane.value, "limit": limit, "now": clock.now(), "zones": zones, "openings": openings}
    rows = db.session.execute(_CLAIM, values).all()
    return Claim([_recipient(row) for row in rows if row.status == "sending"], len(rows))


def settle(outcomes: Sequence[Outcome]) -> None:
    """Write down what became of claimed messages; addresses that do not exist are suppressed."""
    if not outcomes:
        return
    columns = {
        "now": clock.now(),
        "ids": [outcome.message_id for outcome in outcomes],
        "statuses": [outcome.result.value for outcome in outcomes],
        "reasons": [outcome.reason for outcome in outcomes],
        "refs": [outcome.reference for outcome in outcomes],
        "frees": [outcome.is_free for outcome in outcomes],
        "delays": [outcome.delay if outcome.result is Result.TEMPORARY else None for outcome in outcomes],
    }
    db.session.execute(_SETTLE, columns)
    if faulty := [outcome.message_id for outcome in outcomes if outcome.is_address_fault]:
        for row in db.session.execute(_FAULTY, {"ids": faulty}).all():
            contacts.suppress(row.brand_id, bytes(row.address_hash), SuppressionReason.HARD_BOUNCE, "refused")


def sweep() -> None:
    """Settle what nobody answered for: lost leases become uncertain, uncertain ones go once more or fail.

    A confirmation is worth a second copy after fifteen minutes without an event; anything else is parked for people to
    see (at most two confirmations, at most one of anything else).
    """
    db.session.execute(_RESOLVE, {"now": clock.now()})
    db.session.execute(_LOSE_TRACK)


def backoff(attempts: int) -> float:
    """Seconds until the next attempt: full jitter, from five seconds to a quarter of an hour."""
    longest = min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2.0 ** min(attempts, 10))
    return random.uniform(_FIRST_RETRY_SECONDS / 2, longest)  # noqa: S311 - spreads load, guards nothing


def _recipient(row: Any) -> Recipient:
    return Recipient(
        id=row.id,
        opaque_id=str(row.opaque_id),
        campaign_id=row.campaign_id,
        letter=row.letter,
        step_id=row.step_id,
        locale=row.locale,
        attempts=row.attempts,
        contact_id=row.contact_id,
        email=row.email,
        first_name=row.first_name,
        entry_id=row.entry_id,
        generation=row.generation,
        code_number=row.code_number,
        access_version=row.access_version,
        code=row.code,
        entered_at=row.entered_at,
        confirm_until=row.confirm_until,
        wants_marketing=row.is_marketing_wanted,
    )
