"""What the provider told us, applied in any order: to the message, to suppression, to consent.

A message only ever moves up the ladder of rungs, so that events which come twice, late or shuffled end in the same
state. Opens are never trusted and clicks are only kept. `receipts` stores the events.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from leadgen.contacts import address
from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.mail import receipts

log = logging.getLogger(__name__)
BATCH = 1000
# Events of messages that we do not know (yet) are tried again for so long, less and less often.
KEPT_HOURS = 72
_APPLYING_LOCK = 7_215_033
_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")

# Only the few kinds that concern the person are looked into; of the others the kind says everything.
_WAITING = text("""
SELECT e.id, e.kind, e.received_at, m.id AS message_id, m.brand_id, m.contact_id,
       CASE WHEN e.kind IN ('bounce', 'dropped', 'spamreport', 'deferred') THEN e.payload END AS payload,
       CASE WHEN e.kind IN ('bounce', 'dropped', 'spamreport', 'deferred')
            THEN (SELECT address_hash FROM contact c WHERE c.id = m.contact_id) END AS address_hash
FROM (SELECT * FROM provider_event WHERE applied_at IS NULL AND due_at <= :now
      ORDER BY due_at, id LIMIT :limit FOR UPDATE SKIP LOCKED) e
LEFT JOIN message m ON m.opaque_id = e.opaque_id
ORDER BY e.id
""")

_IS_ANY_DUE = text("SELECT EXISTS (SELECT FROM provider_event WHERE applied_at IS NULL AND due_at <= :now)")

# The ladder. Whatever was handed over at least once stands on it, whatever we think of it by now: an answer may have
# been lost although the mail had been taken. A mail of which no copy ever left does not.
_RISE = text("""
UPDATE message m SET status = r.status, reason = r.reason, lease_until = NULL
FROM unnest(CAST(:ids AS bigint[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]), CAST(:ranks AS int[]))
     AS r (id, status, reason, rank)
WHERE m.id = r.id AND m.attempts > 0 AND r.rank > CASE
    WHEN m.status = 'delivered' AND m.reason = 'complaint' THEN 6
    WHEN m.status = 'bounced' AND m.reason = 'blocked' THEN 3
    WHEN m.status = 'bounced' AND m.reason = 'dropped' THEN 4
    WHEN m.status = 'bounced' THEN 5
    WHEN m.status = 'delivered' THEN 2
    WHEN m.status = 'accepted' THEN 1
    ELSE 0 END
""")

# What is kept names nobody and opens nothing: no address, no network, no link that was signed for somebody.
# Mail servers repeat the address in their reasons: who was erased, or is nobody we know, keeps none of it.
_DONE = text("""
UPDATE provider_event e SET applied_at = :now, outcome = d.outcome,
    payload = e.payload - ARRAY['email', 'ip', 'useragent', 'url', 'smtp-id']
            - CASE WHEN d.is_known THEN CAST('{}' AS text[]) ELSE ARRAY['reason', 'response'] END
FROM unnest(CAST(:ids AS bigint[]), CAST(:outcomes AS text[]), CAST(:known AS boolean[])) AS d (id, outcome, is_known)
WHERE e.id = d.id
""")

_LATER = text("""
UPDATE provider_event SET due_at = :now + greatest(:now - received_at, interval '5 seconds') WHERE id = ANY(:ids)
""")

_OF_ADDRESSES = text(
    "SELECT id FROM contact WHERE brand_id = ANY(:brands) AND address_hash = ANY(CAST(:hashes AS bytea[]))"
)

_PARK = text("UPDATE provider_event SET due_at = :poison_at, outcome = :outcome WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Rung:
    """Where an event lifts its message to."""

    rank: int
    status: str
    reason: str = ""


_ACCEPTED, _DELIVERED = Rung(1, "accepted"), Rung(2, "delivered")
_BLOCKED, _DROPPED, _HARD = Rung(3, "bounced", "blocked"), Rung(4, "bounced", "dropped"), Rung(5, "bounced", "hard")
# The mail was read, and the reader wants no more: the worst that can become of one.
_COMPLAINT = Rung(6, "delivered", "complaint")
# Words in the reason of a `dropped` event: SendGrid did not send because it remembers something that we did not know.
_DROPPED_BECAUSE = (
    ("bounced", SuppressionReason.HARD_BOUNCE),
    ("invalid", SuppressionReason.HARD_BOUNCE),
    ("spam", SuppressionReason.COMPLAINT),
    ("unsubscribed", SuppressionReason.UNSUBSCRIBE),
)


def apply_waiting(limit: int = BATCH) -> int | None:
    """Apply up to `limit` stored events and say how many were taken; None when another process is at it.

    The caller commits. Events of a message that is not there (yet) wait and are tried again, for three days. One that
    cannot be applied is parked as poison (receipts.poison) and holds up no other.
    """
    if not db.session.scalar(_LOCK, {"key": _APPLYING_LOCK}):
        return None
    rows = db.session.execute(_WAITING, {"now": clock.now(), "limit": limit}).all()
    if not rows:
        return 0
    try:
        _apply_together(rows)
    except OperationalError:  # the server's trouble, not an event's
        raise
    except Exception:
        log.exception("one of %d provider events cannot be applied; they are applied one by one", len(rows))
        for row in rows:
            _apply_alone(row)
    return len(rows)


def is_any_due() -> bool:
    """Whether events wait to be applied now. Ask it after the commit: what came during it rang in vain."""
    return bool(db.session.scalar(_IS_ANY_DUE, {"now": clock.now()}))


def _apply_together(rows: Sequence[Any]) -> None:
    now = clock.now()
    with db.session.begin_nested():
        known = [row for row in rows if row.message_id is not None]
        _rise(known)
        _hold_people(known)
        outcomes = {row.id: _consequence(row) for row in known}
        for row in rows:
            if row.message_id is None and (now - row.received_at).total_seconds() > KEPT_HOURS * 3600:
                outcomes[row.id] = "unknown message"
        with_address = {row.id for row in known if row.address_hash is not None}
        done = {"ids": list(outcomes), "outcomes": list(outcomes.values())}
        db.session.execute(_DONE, done | {"now": now, "known": [one in with_address for one in outcomes]})
        if waiting := [row.id for row in rows if row.id not in outcomes]:
            db.session.execute(_LATER, {"now": now, "ids": waiting})


def _apply_alone(row: Any) -> None:
    try:
        _apply_together([row])
    except OperationalError:
        raise
    except Exception as error:
        log.exception("provider event %d cannot be applied and is parked", row.id)
        outcome = f"poison: {type(error).__name__}: {error}"[:500].replace("\0", "")
        db.session.execute(_PARK, {"id": row.id, "poison_at": receipts.POISON_AT, "outcome": outcome})


def rung(kind: str, payload: Mapping[str, Any] | None) -> Rung | None:
    """Where an event of this kind lifts its message to; None when it says nothing about delivery."""
    match kind:
        case "processed" | "deferred":
            return _ACCEPTED
        case "delivered" | "unsubscribe" | "group_unsubscribe":
            return _DELIVERED
        case "spamreport":
            return _COMPLAINT
        case "bounce":
            return _BLOCKED if _is_blocked(payload) else _HARD
        case "dropped":
            return _DROPPED
    return None


def _rise(rows: Sequence[Any]) -> None:
    highest: dict[int, Rung] = {}
    for row in rows:
        reached = rung(row.kind, row.payload)
        if reached and reached.rank > highest.get(row.message_id, Rung(0, "")).rank:
            highest[row.message_id] = reached
    if highest:
        ordered = sorted(highest.items())
        values = {
            "ids": [message_id for message_id, _ in ordered],
            "statuses": [reached.status for _, reached in ordered],
            "reasons": [reached.reason for _, reached in ordered],
            "ranks": [reached.rank for _, reached in ordered],
        }
        db.session.execute(_RISE, values)


def _hold_people(rows: Sequence[Any]) -> None:
    """Those who leave, and whose addresses are dead, in the one order: the events come in another."""
    reasons = [(row, _suppression(row.kind, row.payload)) for row in rows]
    leaving = {row.contact_id for row, reason in reasons if reason is SuppressionReason.UNSUBSCRIBE}
    dead = [row for row, reason in reasons if reason not in {None, SuppressionReason.UNSUBSCRIBE}]
    named = {"brands": [row.brand_id for row in dead], "hashes": [one for one in map(_address_hash, dead) if one]}
    contacts.hold(leaving.union(db.session.scalars(_OF_ADDRESSES, named)) if dead else leaving)


def _consequence(row: Any) -> str:
    """What the event means for the person; answers a word for the record."""
    reason = _suppression(row.kind, row.payload)
    if reason is None:
        return "applied" if rung(row.kind, row.payload) else "kept"
    if reason is SuppressionReason.UNSUBSCRIBE:
        try:
            contacts.unsubscribe(row.contact_id, "provider")
        except NotFound:  # erased meanwhile
            return "applied"
    elif hashed := _address_hash(row):
        contacts.suppress(row.brand_id, hashed, reason, str(row.payload.get("reason", ""))[:200])
    return reason.value


def _suppression(kind: str, payload: Mapping[str, Any] | None) -> SuppressionReason | None:
    match kind:
        case "bounce" if not _is_blocked(payload):
            return SuppressionReason.HARD_BOUNCE
        case "spamreport":
            return SuppressionReason.COMPLAINT
        case "unsubscribe" | "group_unsubscribe":
            return SuppressionReason.UNSUBSCRIBE
        case "dropped":
            said = str((payload or {}).get("reason", "")).lower()
            return next((reason for word, reason in _DROPPED_BECAUSE if word in said), None)
    return None


def _is_blocked(payload: Mapping[str, Any] | None) -> bool:
    """A soft bounce: the mailbox is there and refused this mail."""
    return (payload or {}).get("type") == "blocked"


def _address_hash(row: Any) -> bytes | None:
    """The address that the event speaks of: the person may have corrected theirs since the mail went out."""
    try:
        return address.address_hash(address.parse(str(row.payload.get("email", ""))).mailbox_key)
    except Invalid:
        return bytes(row.address_hash) if row.address_hash else None
