"""Counts on how many days somebody's page was opened again: gathered in memory and written about once a second.

Looking at a page costs no statement. A killed process loses its last second; that makes nobody suspicious, because
only groups of people who never came back are.
"""

from __future__ import annotations

import logging
import threading
from datetime import date

import psycopg

from leadgen.core import clock, hot
from leadgen.core.flusher import Flusher

log = logging.getLogger(__name__)
_MOST_REMEMBERED = 50_000
# The hour after confirming is the first look, not a return.
_ADD = """
UPDATE sighting s SET returns = returns + 1, returned_on = %(day)s
FROM entry e WHERE e.id = s.entry_id AND s.entry_id = ANY(%(entries)s::bigint[])
  AND s.returned_on IS DISTINCT FROM %(day)s::date AND e.confirmed_at < %(now)s::timestamptz - interval '1 hour'
RETURNING s.entry_id
"""
_waiting: set[int] = set()
_counted: set[tuple[int, date]] = set()
_lock = threading.Lock()


def note(entry_id: int) -> None:
    """Somebody opened this person's page; counted once a day."""
    key = (entry_id, clock.now().date())
    with _lock:
        if key in _counted:
            return
        _waiting.add(entry_id)
    _flusher.wake()


def flush() -> None:
    """Write what was noted; what cannot be written waits."""
    with _lock:
        entries = sorted(_waiting)
        _waiting.clear()
    if not entries:
        return
    now = clock.now()
    try:
        rows = hot.many(_ADD, {"entries": entries, "day": now.date(), "now": now})
    except psycopg.Error as error:
        log.warning("returns wait for the database: %s", error)
        with _lock:
            _waiting.update(entries)
        return
    with _lock:
        if len(_counted) > _MOST_REMEMBERED:
            _counted.clear()
        _counted.update((row["entry_id"], now.date()) for row in rows)


def forget() -> None:
    """Forget which returns this process counted (tests)."""
    with _lock:
        _waiting.clear()
        _counted.clear()


_flusher = Flusher("returns", flush)
