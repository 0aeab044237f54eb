"""Counters of what is too frequent for a row each: added up in memory, written about once a second.

A killed process loses the counts of its last second, never a lead.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter as Tally
from datetime import datetime

import psycopg

from leadgen.core import clock, hot
from leadgen.core.flusher import Flusher
from leadgen.journal.vocabulary import CounterName

log = logging.getLogger(__name__)
# One order for all processes, so that two flushes never deadlock; what a deleted campaign counted is nobody's.
_ADD = """
INSERT INTO counter (campaign_id, hour, name, channel, number)
SELECT * FROM unnest(%(campaigns)s::bigint[], %(hours)s::timestamptz[], %(names)s::text[], %(channels)s::text[],
                     %(numbers)s::bigint[]) AS counted (campaign_id)
WHERE EXISTS (SELECT 1 FROM campaign WHERE id = counted.campaign_id)
ORDER BY 1, 2, 3, 4
ON CONFLICT (campaign_id, hour, name, channel) DO UPDATE SET number = counter.number + excluded.number
RETURNING number
"""
_Key = tuple[int, datetime, str, str]
_tally: Tally[_Key] = Tally()
_lock = threading.Lock()
_writing = threading.Lock()  # one flush at a time: whoever calls it finds written what was counted before


def count(campaign_id: int, name: CounterName, channel: str = "") -> None:
    """Count one `name` for the campaign in the present hour."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    with _lock:
        _tally[(campaign_id, hour, name.value, channel)] += 1
    _flusher.wake()


def flush() -> None:
    """Write what was counted so far; what cannot be written stays and is tried again."""
    with _writing:
        with _lock:
            counted = dict(_tally)
            _tally.clear()
        if counted:
            _write(counted)


def _write(counted: dict[_Key, int]) -> None:
    rows = list(counted.items())
    try:
        hot.one(
            _ADD,
            {
                "campaigns": [key[0] for key, _ in rows],
                "hours": [key[1] for key, _ in rows],
                "names": [key[2] for key, _ in rows],
                "channels": [key[3] for key, _ in rows],
                "numbers": [number for _, number in rows],
            },
        )
    except psycopg.Error as error:
        log.warning("counters wait for the database: %s", error)
        with _lock:
            _tally.update(counted)


_flusher = Flusher("counters", flush)
