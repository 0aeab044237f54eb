"""What the provider tells us: read from a body, stored as it came, each event once, and none of them lost to another.

What cannot be read or stored is parked as poison (`poison`), so that one bad event stops only itself.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from leadgen.core import clock, hot, queue
from leadgen.core.errors import Invalid
from leadgen.core.queue import Bell

log = logging.getLogger(__name__)
# Poison waits at the end of time: not applied, found at once by the index of what waits, and never due.
POISON_AT = datetime(9999, 1, 1, tzinfo=UTC)
UNREADABLE = "unreadable"
_LONGEST_KIND = 64
_LONGEST_ID = 200
_LONGEST_EXCERPT = 500
_DEEPEST = 50  # an event is flat; PostgreSQL and Python both run out of stack somewhere

_STORE = """
INSERT INTO provider_event (event_id, opaque_id, kind, payload, received_at, due_at, outcome)
SELECT id, opaque::uuid, kind, payload::jsonb, %(now)s,
       CASE outcome WHEN '' THEN %(now)s::timestamptz ELSE %(poison_at)s::timestamptz END, outcome
FROM unnest(%(ids)s::text[], %(opaques)s::text[], %(kinds)s::text[], %(payloads)s::text[], %(outcomes)s::text[])
     AS e (id, opaque, kind, payload, outcome)
ON CONFLICT (event_id) DO NOTHING
RETURNING id
"""
_POISON = """
SELECT id, kind, received_at, outcome, left(payload::text, %(longest)s) AS excerpt FROM provider_event
WHERE applied_at IS NULL AND due_at >= %(poison_at)s ORDER BY due_at, id DESC LIMIT %(limit)s
"""
_AGAIN = """
UPDATE provider_event SET due_at = %(now)s, outcome = ''
WHERE id = %(id)s AND applied_at IS NULL AND due_at >= %(poison_at)s AND kind <> %(unreadable)s RETURNING id
"""
# A string, or one sign that opens or closes something: all that is needed to find where elements of an array end.
_SIGNS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
# What PostgreSQL's text does not know, as it is written in JSON: the NUL, and halves of characters.
_ODD = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


@dataclass(frozen=True, slots=True)
class _Row:
    """An event as it is stored; `outcome` is empty unless it is poison from the start."""

    event_id: str
    opaque_id: str | None
    kind: str
    payload: str
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Poison:
    """An event that stopped itself: what it was, why, and how it begins."""

    id: int
    kind: str
    received_at: datetime
    reason: str
    excerpt: str


def store_body(body: bytes) -> int:
    """Keep the events of a JSON array; how many are new. Raises Invalid for what is no array."""
    try:
        parsed = json.loads(body.decode())
    except (ValueError, RecursionError):
        parsed = list(_salvaged(body))
    if not isinstance(parsed, list):
        raise Invalid("not an array")
    events = [event for event in parsed if isinstance(event, dict)]
    if len(events) < len(parsed):
        log.warning("%d of %d events are no objects and were left out", len(parsed) - len(events), len(parsed))
    is_plain = not _ODD.search(body)
    return _store([_row(event, is_plain=is_plain) for event in events])


def store(events: Sequence[Mapping[str, Any]]) -> int:
    """Keep these events, each once whatever comes twice; how many are new. Rings for `ladder.apply_waiting`."""
    return _store([_row(event) for event in events])


def poison(limit: int = 50) -> list[Poison]:
    """The events that could not be read, stored or applied, newest first."""
    values = {"poison_at": POISON_AT, "limit": limit, "longest": _LONGEST_EXCERPT}
    return [
        Poison(row["id"], row["kind"], row["received_at"], row["outcome"], row["excerpt"])
        for row in hot.many(_POISON, values)
    ]


def again(event_id: int) -> bool:
    """Let a poisonous event be tried once more (after an upgrade, say); False for one that is none or unreadable."""
    values = {"id": event_id, "now": clock.now(), "poison_at": POISON_AT, "unreadable": UNREADABLE}
    found = hot.one(_AGAIN, values) is not None
    queue.ring(Bell.RECEIPTS)
    return found


def _store(rows: Sequence[_Row]) -> int:
    if not rows:
        return 0
    try:
        stored = len(hot.many(_STORE, _columns(rows)))
    except psycopg.DataError as error:
        if len(rows) == 1:
            return _store([_unreadable(rows[0].payload, f"{type(error).__name__}: {error}")])
        middle = len(rows) // 2
        return _store(rows[:middle]) + _store(rows[middle:])
    queue.ring(Bell.RECEIPTS)
    return stored


def _columns(rows: Sequence[_Row]) -> dict[str, Any]:
    return {
        "now": clock.now(),
        "poison_at": POISON_AT,
        "ids": [row.event_id for row in rows],
        "opaques": [row.opaque_id for row in rows],
        "kinds": [row.kind for row in rows],
        "payloads": [row.payload for row in rows],
        "outcomes": [row.outcome for row in rows],
    }


def _row(event: Mapping[str, Any], *, is_plain: bool = False) -> _Row:
    if event.get("event") == UNREADABLE and UNREADABLE in event:
        return _unreadable(str(event[UNREADABLE]), str(event.get("reason")))
    try:
        clean: Mapping[str, Any] = event if is_plain else _without_oddities(event)
        payload = json.dumps(clean, allow_nan=False)
    except (ValueError, RecursionError) as error:
        return _unreadable(repr(event)[:_LONGEST_EXCERPT], f"{type(error).__name__}: {error}")
    if payload.count("{") + payload.count("[") > _DEEPEST and _depth(payload) > _DEEPEST:
        return _unreadable(payload, "nested too deep")
    return _Row(_event_id(clean), _opaque_id(clean), str(clean.get("event", ""))[:_LONGEST_KIND], payload)


def _unreadable(words: str, why: str) -> _Row:
    """A row that only says what came and why it is no event."""
    hashed = hashlib.sha256(words.encode(errors="replace")).hexdigest()
    excerpt = json.dumps({UNREADABLE: _without_oddities(words[:_LONGEST_EXCERPT])})
    log.warning("an event cannot be read and is parked: %s", why)
    return _Row(hashed, None, UNREADABLE, excerpt, _without_oddities(f"poison: {why}")[:_LONGEST_EXCERPT])


def _salvaged(body: bytes) -> Iterator[Any]:
    """The elements of an array of which one cannot be read, each read alone. Raises Invalid for what is no array."""
    for words in _elements(body.decode(errors="replace")):
        try:
            yield json.loads(words)
        except (ValueError, RecursionError) as error:
            yield {
                "event": UNREADABLE,
                UNREADABLE: words[:_LONGEST_EXCERPT],
                "reason": f"{type(error).__name__}: {error}",
            }


def _elements(words: str) -> list[str]:
    """The texts between the commas of the outermost array. Raises Invalid when it is none, or has no end."""
    words = words.strip()
    if not words.startswith("[") or not words.endswith("]"):
        raise Invalid("not an array")
    found, depth, start = [], 0, 1
    for sign in _SIGNS.finditer(words):
        match sign[0]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
            case ",":
                pass
            case _:
                continue
        if depth == 0 and sign.end() != len(words):
            raise Invalid("not one array")
        if (depth == 1 and sign[0] == ",") or depth == 0:
            found.append(words[start : sign.start()])
            start = sign.end()
    if depth:
        raise Invalid("not one array")
    return found


def _depth(words: str) -> int:
    deepest = depth = 0
    for sign in _SIGNS.finditer(words):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(sign[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _event_id(event: Mapping[str, Any]) -> str:
    """The provider's id of the event; without one, a hash of what it says (so that the same text acts once)."""
    given = event.get("sg_event_id")
    if given and isinstance(given, str):
        return given if len(given) <= _LONGEST_ID else hashlib.sha256(given.encode()).hexdigest()
    return hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()


def _opaque_id(event: Mapping[str, Any]) -> str | None:
    try:
        return str(uuid.UUID(event.get("m")))
    except (ValueError, TypeError, AttributeError):
        return None


def _without_oddities(value: Any) -> Any:
    """The value without what PostgreSQL's text does not know: the NUL, and halves of characters."""
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_without_oddities(key): _without_oddities(inner) for key, inner in value.items()}
    return [_without_oddities(inner) for inner in value] if isinstance(value, list) else value
