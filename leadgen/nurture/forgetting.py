"""What sequences hold of a person: for the file that they may download, and what erasure takes out."""

from __future__ import annotations

from collections.abc import Sequence as Many
from typing import Any

from sqlalchemy import text

from leadgen.campaigns.titles import public_title
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.journal.models import Fact

_HELD = f"""
SELECT n.id, {public_title("k")} AS contest, s.key AS sequence, n.status, n.exit_reason, n.enrolled_at AS began_at,
       n.ended_at, n.goal_at AS goal_reached_at
FROM enrolment n JOIN sequence s ON s.id = n.sequence_id JOIN campaign k ON k.id = n.campaign_id
WHERE n.contact_id = %(contact)s ORDER BY n.id
"""  # noqa: S608 - the only value put in by Python is a constant
_MOVES = """
SELECT v.enrolment_id, v.at, v.step_key AS step, v.reason, v.detail ->> 'way' AS way
FROM enrolment_move v JOIN enrolment n ON n.id = v.enrolment_id
WHERE n.contact_id = %(contact)s ORDER BY v.id
"""
# Which way somebody took at a fork is an answer of theirs; that they were enrolled, and until when, counts on.
_FORGET = text("""
DELETE FROM enrolment_move v USING enrolment n WHERE n.id = v.enrolment_id AND n.contact_id = ANY(:contacts)
""")


def held(contact_id: int) -> dict[str, Any]:
    """A person's sequences with their ways through them, as JSON can hold it."""
    moves: dict[int, list[dict[str, Any]]] = {}
    for row in hot.many(_MOVES, {"contact": contact_id}):
        moves.setdefault(row["enrolment_id"], []).append(_plain(row, "enrolment_id"))
    rows = hot.many(_HELD, {"contact": contact_id})
    return {"sequences": [_plain(row, "id") | {"way": moves.get(row["id"], [])} for row in rows]}


def _plain(row: hot.Row, left_out: str) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in row.items()
        if name != left_out
    }


def forget(facts: Many[Fact]) -> None:
    """Take the ways of people who were erased out of their sequences (reaction)."""
    db.session.execute(_FORGET, {"contacts": [fact.contact_id for fact in facts if fact.contact_id]})
