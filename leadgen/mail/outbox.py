"""The outbox: wanting a mail, claiming what is due, and writing down what became of it, one statement each."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.letters.values import Recipient
from leadgen.mail import gates, groups, pacing
from leadgen.mail.providers.interface import Outcome, Result

log = logging.getLogger(__name__)
UNCERTAIN_MINUTES = 15
_FIRST_RETRY_SECONDS = 5.0
_LONGEST_RETRY_SECONDS = 900.0
# Any number that nobody else takes: two claims of marketing mails at once could not see each other's, and the cap
# would let one person get two.
_MARKETING_LOCK = 7_215_034

_SETTLE = text(f"""
WITH answered AS (
    SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]),
                         CAST(:refs AS text[]), CAST(:frees AS boolean[]), CAST(:delays AS double precision[]),
                         CAST(:attempts AS int[]))
         AS o (id, status, reason, reference, is_free, delay, attempt)
), put_off AS (
    INSERT INTO message_move (message_id, at, reason, until)
    SELECT o.id, :now, o.reason, :now + o.delay * interval '1 second'
    FROM answered o JOIN message m ON m.id = o.id
    WHERE o.delay IS NOT NULL AND NOT o.is_free AND m.status = 'sending'
      AND m.attempts = coalesce(o.attempt, m.attempts)
)
UPDATE message m SET
    status = CASE WHEN o.delay IS NULL OR :now + o.delay * interval '1 second' < m.expires_at
                  THEN o.status ELSE 'expired' END,
    reason = o.reason,
    provider_reference = coalesce(o.reference, m.provider_reference),
    attempts = m.attempts - o.is_free::int,
    due_at = CASE WHEN o.delay IS NULL THEN m.due_at ELSE :now + o.delay * interval '1 second' END,
    sent_at = CASE WHEN o.status IN ('scheduled', 'failed', 'skipped', 'suppressed', 'cancelled') THEN NULL
                   ELSE m.sent_at END,
    lease_until = CASE WHEN o.status = 'uncertain'
                       THEN clock_timestamp() + interval '{UNCERTAIN_MINUTES} minutes' END
FROM answered o
-- An event may have come before this answer was written down; what it said is not undone. And a process that slept past
-- its lease speaks of an attempt that is over: somebody else may be sending this mail by now.
WHERE m.id = o.id AND m.status = 'sending' AND m.attempts = coalesce(o.attempt, m.attempts)
""")  # noqa: S608 - the only value put in by Python is a constant of this module

_FAULTY = text("""
SELECT m.brand_id, c.address_hash FROM message m JOIN contact c ON c.id = m.contact_id
WHERE m.id = ANY(:ids) AND c.address_hash IS NOT NULL ORDER BY c.id
""")

_CLAIM = text(gates.CLAIM)
# What was claimed and does not leave after all: no mail of its person counts from it.
_REFUSE = text("""
UPDATE message m SET status = 'skipped', reason = r.reason, sent_at = NULL, lease_until = NULL,
    attempts = m.attempts - 1
FROM unnest(CAST(:ids AS bigint[]), CAST(:reasons AS text[])) AS r (id, reason)
WHERE m.id = r.id AND m.status = 'sending'
""")
# The gates that may have closed since the claim: erasure, suppression, consent.
_CLOSED = text("""
SELECT m.id, CASE
    WHEN c.erased_at IS NOT NULL OR c.email IS NULL THEN 'cancelled:erased'
    WHEN s.reason IS NOT NULL THEN 'suppressed:' || s.reason
    ELSE 'skipped:no_consent' END AS verdict
FROM message m
JOIN contact c ON c.id = m.contact_id
LEFT JOIN LATERAL (SELECT x.reason FROM suppression x WHERE x.brand_id = c.brand_id AND x.address_hash = c.address_hash
                   ORDER BY x.id LIMIT 1) AS s ON true
WHERE m.id = ANY(:ids)
  AND (c.erased_at IS NOT NULL OR c.email IS NULL OR c.marketing_at IS NULL OR s.reason IS NOT NULL)
""")

# What a judgement stumbles over is looked at again after this.
NOT_JUDGED, NOT_JUDGED_SECONDS = "not_judged", 3600.0
# A sequence may be published for longer than this; who is judged then waits for it without the locks of a claim.
_PATIENCE = text("SET LOCAL lock_timeout = '2s'")

Judge = Callable[[Sequence[int]], Mapping[int, str]]
_judge: Judge | None = None


def judge_with(judge: Judge) -> None:
    """Have `judge` say of the messages of lane nurture which do not leave, and why.

    Sequences stand above the mail room and know what ends them; what they know has to be asked in the transaction that
    claims, so it is handed in at start. It gets ids of messages, and answers those that stay with the reason.
    """
    global _judge  # noqa: PLW0603 - handed in once, at start, like the settings
    _judge = judge


def closed(message_ids: Sequence[int], lane: Lane) -> dict[int, tuple[str, str]]:
    """Which of these claimed marketing messages may not leave any more: (status, reason) of each.

    Asked right before the provider's call, for between claim and call somebody may have unsubscribed. The caller
    commits.
    """
    rows = db.session.execute(_CLOSED, {"ids": list(message_ids)}).all()
    found = {row.id: tuple(row.verdict.split(":", 1)) for row in rows}
    open_ones = [number for number in message_ids if number not in found]
    refused = _judged(open_ones) if lane is Lane.NURTURE else {}
    return {**found, **{number: (_status(reason), reason) for number, reason in refused.items()}}


def _judged(message_ids: Sequence[int]) -> Mapping[int, str]:
    """Why which of these stay; where judging them breaks each is judged alone, and only the broken ones wait.

    Raises OperationalError when a lock is held for too long: that is nobody's fault, and all are tried again.
    """
    if _judge is None or not message_ids:
        return {}
    db.session.execute(_PATIENCE)
    found: dict[int, str] = {}
    try:
        with db.session.begin_nested():
            return _judge(message_ids)
    except OperationalError:
        raise
    except Exception as error:
        if len(message_ids) > 1:
            log.warning("%d letters are judged one by one: %s", len(message_ids), error)
            for number in message_ids:
                found |= _judged([number])
            return found
        log.exception("letter %d of a sequence cannot be judged", message_ids[0])
        return {message_ids[0]: NOT_JUDGED}


def _status(reason: str) -> str:
    return Result.TEMPORARY.value if reason == NOT_JUDGED else Result.SKIPPED.value


@dataclass(frozen=True, slots=True)
class _Lot:
    stream_id: int
    domain_group: str
    sender: str


_URGENT_LOT = _Lot(0, "", "")

# A lease that ran out means that a process died between its call and its note of the answer: nobody knows.
_LOSE_TRACK = text(f"""
UPDATE message SET status = 'uncertain', reason = 'process_lost',
    lease_until = clock_timestamp() + interval '{UNCERTAIN_MINUTES} minutes'
WHERE status = 'sending' AND lease_until < clock_timestamp()
""")  # noqa: S608 - as above

_RESOLVE = text("""
WITH late AS (
    SELECT id, letter = 'confirm' AND NOT jsonb_exists(context, 'again') AS goes_again FROM message
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
                     context, status, reason, due_at, expires_at, created_at)
VALUES (:intent, :brand_id, :campaign_id, :contact_id, :entry_id, :lane, :purpose, :letter, :step_id, :locale,
        CAST(:context AS jsonb), :status, :reason, :due_at, :expires_at, :now)
ON CONFLICT (intent) DO NOTHING
RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Claim:
    """The people to write to now, and how many messages the claim decided about, refused and moved ones included.

    `is_dry`: mails are due, but the pace allows none for a moment.
    """

    recipients: list[Recipient]
    decided: int
    is_dry: bool = False


def want(values: dict[str, Any]) -> bool:
    """Add a message to the running transaction unless its intent is there already; True when it is new."""
    return db.session.execute(_WANT, values | {"now": clock.now()}).first() is not None


def claim(lane: Lane, limit: int) -> Claim:
    """Take up to `limit` due messages of a lane, through all gates (mail.gates). The caller commits before sending.

    They are of one stream and one group of recipients, the one that has waited longest, and no more than the pace
    allows. Two workers never get the same message; a claim is leased for two minutes by the database's clock.
    """
    if pacing.is_stopped(lane):
        return Claim([], 0)
    is_dry = False
    for lot in _lots(lane):
        if lane not in pacing.URGENT:
            db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MARKETING_LOCK})
        granted = pacing.grant(lane, lot.domain_group, lot.sender, limit)
        is_dry = is_dry or granted.is_dry
        if not granted.mails:
            continue
        rows = _claimed(lane, lot, granted.mails)
        try:
            sending = _not_refused(lane, [_recipient(row) for row in rows if row.status == "sending"])
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            db.session.rollback()  # somebody publishes the sequence: no other lot waits for that
            # What counts for days was rolled back; the buckets in Redis were not.
            pacing.give_back(lane, lot.domain_group, replace(granted, domain=""), granted.mails)
            continue
        pacing.give_back(lane, lot.domain_group, granted, granted.mails - len(sending))
        if lane in pacing.URGENT:
            pacing.count_urgent([person.id for person in sending])
        if rows:
            return Claim(sending, len(rows))
        db.session.commit()  # no lock is taken along into the next lot
    return Claim([], 0, is_dry=is_dry)


def _not_refused(lane: Lane, people: list[Recipient]) -> list[Recipient]:
    """Those whose sequence lets them go; of the others it is written down why they stay."""
    if lane is not Lane.NURTURE:
        return people
    refused = _judged([person.id for person in people])
    if over := {number: reason for number, reason in refused.items() if reason != NOT_JUDGED}:
        db.session.execute(_REFUSE, {"ids": list(over), "reasons": list(over.values())})
    late = refused.keys() - over.keys()
    settle([Outcome(one, Result.TEMPORARY, NOT_JUDGED, is_free=True, delay=NOT_JUDGED_SECONDS) for one in late])
    return [person for person in people if person.id not in refused]


def _lots(lane: Lane) -> Sequence[Any]:
    """Urgent lanes are one lot; they wait for nobody's plan."""
    if lane in pacing.URGENT:
        return [_URGENT_LOT]
    values = {"lane": lane.value, "groups": list(groups.ALL), "now": clock.now()}
    return db.session.execute(gates.LOTS, values).all()


def _claimed(lane: Lane, lot: Any, limit: int) -> Sequence[Any]:
    zones: list[str] = []
    openings: list[datetime | None] = []
    if lane not in pacing.URGENT:
        zones, openings = gates.zones()
    values = {"lane": lane.value, "limit": limit, "now": clock.now(), "zones": zones, "openings": openings}
    return db.session.execute(_CLAIM, values | {"stream": lot.stream_id, "group": lot.domain_group}).all()


def settle(outcomes: Sequence[Outcome], attempts: Mapping[int, int] | None = None) -> None:
    """Write down what became of claimed messages; addresses that do not exist are suppressed.

    `attempts` says for each message which attempt the outcome speaks of; one that is over settles nothing.
    """
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
        "attempts": [(attempts or {}).get(outcome.message_id) for outcome in outcomes],
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
        stream_id=row.stream_id,
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
        reward=row.context.get("reward", ""),
        reward_code=row.context.get("reward_code", ""),
        reward_until=datetime.fromisoformat(until) if (until := row.context.get("reward_until")) else None,
        is_address_asked=bool(row.context.get("is_address_asked")),
        code_until=date.fromisoformat(day) if (day := row.context.get("code_until")) else None,
    )
