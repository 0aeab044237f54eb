"""What the forms hold about a person, and how they forget them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select

from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.forms.models import QuestionSkip, Submission
from leadgen.journal.models import Fact

_SUBMISSIONS = """
SELECT m.name AS contest, s.number AS version, s.answers, s.begun_at, s.saved_at, s.finished_at
FROM submission s JOIN entry e ON e.id = s.entry_id JOIN campaign m ON m.id = s.campaign_id
WHERE e.contact_id = %(contact)s ORDER BY s.id
"""
_SKIPS = "SELECT key AS question, times, at FROM question_skip WHERE contact_id = %(contact)s ORDER BY key"
_MOMENTS = ("begun_at", "saved_at", "finished_at", "at")


def forget(facts: Sequence[Fact]) -> None:
    """Somebody is erased: what they said and passed over goes (reaction, may run twice)."""
    contact_ids = [fact.contact_id for fact in facts if fact.contact_id]
    entries = select(Entry.id).where(Entry.contact_id.in_(contact_ids))
    db.session.execute(delete(Submission).where(Submission.entry_id.in_(entries)))
    db.session.execute(delete(QuestionSkip).where(QuestionSkip.contact_id.in_(contact_ids)))


def held(contact_id: int) -> dict[str, Any]:
    """Forms begun and questions passed over, for the file that the person may download."""
    values = {"contact": contact_id}
    return {
        "forms": [_told(row) for row in hot.many(_SUBMISSIONS, values)],
        "questions_passed_over": [_told(row) for row in hot.many(_SKIPS, values)],
    }


def _told(row: hot.Row) -> dict[str, Any]:
    return row | {name: row[name].isoformat() for name in _MOMENTS if row.get(name)}
