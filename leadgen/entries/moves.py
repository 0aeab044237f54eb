"""Entries to be looked at anew by the rooms above, because their points moved or what supports them did."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import text

from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.queue import Bell

_NOTE = text("INSERT INTO points_moved (entry_id) SELECT unnest(CAST(:entries AS bigint[]))")

_TAKE = text("""
DELETE FROM points_moved
WHERE id IN (SELECT id FROM points_moved ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING entry_id
""")


def note(entry_ids: Collection[int]) -> None:
    """Have these entries looked at once the running transaction is committed; noting one twice does no harm."""
    if entry_ids:
        db.session.execute(_NOTE, {"entries": sorted(set(entry_ids))})
        queue.ring_after_commit(db.session(), Bell.REWARDS)


def take(most: int) -> list[int]:
    """Up to `most` notes, each entry once; they are gone when the caller commits, and back when it fails."""
    return sorted(set(db.session.scalars(_TAKE, {"most": most})))
