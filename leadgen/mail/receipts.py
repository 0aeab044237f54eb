"""What the provider tells us: stored as it came, once for each event, and applied later in any order.

A message only ever moves up the ladder of `RANKS`, so that events which come twice, late or shuffled end in the same
state. Opens are never trusted and clicks are only kept.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from leadgen.contacts import address
from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core import clock, hot, queue
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.queue import Bell

BATCH = 1000
# Events of messages that we do not know (yet) are tried again for so long, less and less often.
KEPT_HOURS = 72
_APPLYING_LOCK = 7_215_033
_LONGEST_KIND = 64

_STORE = """
INSERT INTO provider_event (event_id, opaque_id, kind, payload, received_at, due_at)
SELECT id, opaque::uuid, kind, payload::jsonb, %(now)s, %(now)s
FROM unnest(%(ids)s::text[], %(opaques)s::text[], %(kinds)s::text[], %(payloads)s::text[])
     AS e (id, opaque, kind, payload)
ON CONFLICT (event_id) DO NOTHING
RETURNING id
"""

_WAITING = text("""
SELECT e.id, e.kind, e.payload, e.received_at, m.id AS message_id, m.brand_id, m.contact_id, c.address_hash
FROM (SELECT * FROM provider_event WHERE applied_at IS NULL AND due_at <= :now
      ORDER BY due_at, id LIMIT :limit FOR UPDATE SKIP LOCKED) e
LEFT JOIN message m ON m.opaque_id = e.opaque_id
LEFT JOIN contact c ON c.id = m.contact_id
ORDER BY e.id
""")

# The ladder. `scheduled` stands on it because an answer may have been lost although the mail had been taken; a message
# that was never sent (suppressed, skipped, expired, cancelled) does not.
_RISE = text("""
UPDATE message m SET status = r.status, reason = r.reason, lease_until = NULL
FROM unnest(CAST(:ids AS bigint[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]), CAST(:ranks AS int[]))
     AS r (id, status, reason, rank)
WHERE m.id = r.id AND r.rank > CASE
    WHEN m.status = 'scheduled' AND m.attempts = 0 THEN 99
    WHEN m.status IN ('scheduled', 'sending', 'uncertain') THEN 0
    WHEN m.status = 'failed' AND m.reason = 'no_answer' THEN 0
    WHEN m.status = 'accepted' THEN 1
    WHEN m.status = 'delivered' THEN 2
    WHEN m.status = 'bounced' AND m.reason = 'blocked' THEN 3
    WHEN m.status = 'bounced' AND m.reason = 'dropped' THEN 4
    WHEN m.status = 'bounced' THEN 5
    ELSE 99 END
""")

_DONE = text("""
UPDATE provider_event e SET applied_at = :now, outcome = d.outcome, payload = e.payload - 'email' - 'ip' - 'useragent'
FROM unnest(CAST(:ids AS bigint[]), CAST(:outcomes AS text[])) AS d (id, outcome) WHERE e.id = d.id
""")

_LATER = text("""
UPDATE provider_event SET due_at = :now + greatest(:now - received_at, interval '5 seconds') WHERE id = ANY(:ids)
""")


@dataclass(frozen=True, slots=True)
class Rung:
    """Where an event lifts its message to."""

    rank: int
    status: str
    reason: str = ""


_ACCEPTED, _DELIVERED = Rung(1, "accepted"), Rung(2, "delivered")
_BLOCKED, _DROPPED, _HARD = Rung(3, "bounced", "blocked"), Rung(4, "bounced", "dropped"), Rung(5, "bounced", "hard")
# Words in the reason of a `dropped` event: SendGrid did not send because it remembers something that we did not know.
_DROPPED_BECAUSE = (
    ("bounced", SuppressionReason.HARD_BOUNCE),
    ("invalid", SuppressionReason.HARD_BOUNCE),
    ("spam", SuppressionReason.COMPLAINT),
    ("unsubscribed", SuppressionReason.UNSUBSCRIBE),
)


def store(events: Sequence[Mapping[str, Any]]) -> int:
    """Keep these events, each once whatever comes twice; how many are new. Rings for `apply_waiting`."""
    if not events:
        return 0
    values = {
        "now": clock.now(),
        "ids": [_event_id(event) for event in events],
        "opaques": [_opaque_id(event) for event in events],
        "kinds": [_clean(str(event.get("event", "")))[:_LONGEST_KIND] for event in events],
        "payloads": [json.dumps(_without_nul(event)) for event in events],
    }
    stored = len(hot.many(_STORE, values))
    queue.ring(Bell.RECEIPTS)
    return stored


def apply_waiting(limit: int = BATCH) -> int:
    """Apply up to `limit` stored events and say how many were taken. The caller commits.

    Events of a message that is not there (yet) wait and are tried again, for three days.
    """
    db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPLYING_LOCK})
    now = clock.now()
    rows = db.session.execute(_WAITING, {"now": now, "limit": limit}).all()
    if not rows:
        return 0
    known = [row for row in rows if row.message_id is not None]
    _rise(known)
    outcomes = {row.id: _consequence(row) for row in known}
    for row in rows:
        if row.message_id is None and (now - row.received_at).total_seconds() > KEPT_HOURS * 3600:
            outcomes[row.id] = "unknown message"
    db.session.execute(_DONE, {"now": now, "ids": list(outcomes), "outcomes": list(outcomes.values())})
    if waiting := [row.id for row in rows if row.id not in outcomes]:
        db.session.execute(_LATER, {"now": now, "ids": waiting})
    return len(rows)


def rung(kind: str, payload: Mapping[str, Any]) -> Rung | None:
    """Where an event of this kind lifts its message to; None when it says nothing about delivery."""
    match kind:
        case "processed" | "deferred":
            return _ACCEPTED
        case "delivered" | "spamreport" | "unsubscribe" | "group_unsubscribe":
            return _DELIVERED
        case "bounce":
            return _BLOCKED if payload.get("type") == "blocked" else _HARD
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


def _suppression(kind: str, payload: Mapping[str, Any]) -> SuppressionReason | None:
    match kind:
        case "bounce" if payload.get("type") != "blocked":
            return SuppressionReason.HARD_BOUNCE
        case "spamreport":
            return SuppressionReason.COMPLAINT
        case "unsubscribe" | "group_unsubscribe":
            return SuppressionReason.UNSUBSCRIBE
        case "dropped":
            said = str(payload.get("reason", "")).lower()
            return next((reason for word, reason in _DROPPED_BECAUSE if word in said), None)
    return None


def _address_hash(row: Any) -> bytes | None:
    """The address that the event speaks of: the person may have corrected theirs since the mail went out."""
    try:
        return address.address_hash(address.parse(str(row.payload.get("email", ""))).mailbox_key)
    except Invalid:
        return bytes(row.address_hash) if row.address_hash else None


def _event_id(event: Mapping[str, Any]) -> str:
    """The provider's id of the event; without one, a hash of what it says (so that the same text acts once)."""
    if (given := event.get("sg_event_id")) and isinstance(given, str):
        return _clean(given)[:200]
    return hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()


def _without_nul(value: Any) -> Any:
    """The value without what PostgreSQL's text does not know: the NUL, and halves of characters."""
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_without_nul(key): _without_nul(inner) for key, inner in value.items()}
    return [_without_nul(inner) for inner in value] if isinstance(value, list) else value


def _clean(words: str) -> str:
    return words.replace("\x00", "")


def _opaque_id(event: Mapping[str, Any]) -> str | None:
    try:
        return str(uuid.UUID(str(event.get("m"))))
    except ValueError:
        return None
