"""What this room holds about a person, and how it forgets them: what was done stays as a count, what was said goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from leadgen.campaigns.titles import public_title
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.journal.models import Fact

_HELD = f"""
SELECT {public_title("m")} AS contest, a.key AS action, a.kind, d.occurrence, d.state, d.data ->> 'note' AS note,
       d.begun_at, d.done_at
FROM deed d
JOIN entry e ON e.id = d.entry_id
JOIN campaign m ON m.id = d.campaign_id
JOIN action a ON a.id = d.action_id
WHERE e.contact_id = %(contact)s ORDER BY d.id
"""  # noqa: S608 - the only value put in by Python is a constant
# What people wrote, what they answered, and what another system said about them.
_FORGET = text("""
UPDATE deed SET data = data - ARRAY['note', 'given', 'reason', 'by']
WHERE entry_id IN (SELECT id FROM entry WHERE contact_id = ANY(:contacts))
""")


def forget(facts: Sequence[Fact]) -> None:
    """Somebody is erased: their words go, their deeds stay as counts and points (reaction, may run twice)."""
    db.session.execute(_FORGET, {"contacts": [fact.contact_id for fact in facts if fact.contact_id]})


def held(contact_id: int) -> dict[str, Any]:
    """The deeds of a person, for the file that they may download."""
    return {"deeds": [_told(row) for row in hot.many(_HELD, {"contact": contact_id})]}


def _told(row: hot.Row) -> dict[str, Any]:
    moments = {name: row[name].isoformat() if row[name] else None for name in ("begun_at", "done_at")}
    return {**row, **moments}
