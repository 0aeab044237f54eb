"""What the forms hold about a person, and how they forget them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import delete, select

from leadgen.campaigns.titles import public_title
from leadgen.core import clock, hot
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.forms.models import QuestionSkip, Submission
from leadgen.journal.models import Fact

_SUBMISSIONS = f"""
SELECT {public_title("m")} AS contest, s.number AS version, s.answers, s.begun_at, s.saved_at, s.finished_at
FROM submission s JOIN entry e ON e.id = s.entry_id JOIN campaign m ON m.id = s.campaign_id
WHERE e.contact_id = %(contact)s ORDER BY s.id
"""  # noqa: S608 - the only value put in by Python is a constant
_SKIPS = "SELECT key AS question, times, at FROM question_skip WHERE contact_id = %(contact)s ORDER BY key"
# The form's own copy follows, or the next look at the form would bring the old value back.
_REWRITE = """
UPDATE submission SET answers = answers || jsonb_build_object(%(key)s::text, %(value)s::jsonb), saved_at = %(now)s
WHERE entry_id = %(entry)s AND answers ? %(key)s RETURNING id
"""
_BLANK = """
WITH blanked AS (
    UPDATE submission s SET answers = s.answers - %(keys)s::text[], saved_at = %(now)s
    FROM entry e WHERE e.id = s.entry_id AND e.id = %(entry)s AND s.answers ?| %(keys)s::text[]
    RETURNING s.id
)
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
SELECT 'question.withdrawn', %(now)s, e.brand_id, e.campaign_id, e.contact_id, e.id,
       jsonb_build_object('questions', to_jsonb(%(keys)s::text[]), 'forms', (SELECT count(*) FROM blanked))
FROM entry e WHERE e.id = %(entry)s AND e.status <> 'erased' RETURNING id
"""
_MOMENTS = ("begun_at", "saved_at", "finished_at", "at")


def forget(facts: Sequence[Fact]) -> None:
    """Somebody is erased: what they said and passed over goes (reaction, may run twice)."""
    contact_ids = [fact.contact_id for fact in facts if fact.contact_id]
    entries = select(Entry.id).where(Entry.contact_id.in_(contact_ids))
    db.session.execute(delete(Submission).where(Submission.entry_id.in_(entries)))
    db.session.execute(delete(QuestionSkip).where(QuestionSkip.contact_id.in_(contact_ids)))


def rewrite(entry_id: int, key: str, value: Any) -> None:
    """Let the form say what the person now answers, wherever it says something of that question."""
    written = json.dumps(value, ensure_ascii=False)
    hot.one(_REWRITE, {"entry": entry_id, "key": key, "value": written, "now": clock.now()})


def blank(entry_id: int, keys: Collection[str]) -> None:
    """Take these answers out of the form, and tell the journal that the person took them back."""
    hot.one(_BLANK, {"entry": entry_id, "keys": sorted(keys), "now": clock.now()})


def held(contact_id: int) -> dict[str, Any]:
    """Forms begun and questions passed over, for the file that the person may download."""
    values = {"contact": contact_id}
    return {
        "forms": [_told(row) for row in hot.many(_SUBMISSIONS, values)],
        "questions_passed_over": [_told(row) for row in hot.many(_SKIPS, values)],
    }


def _told(row: hot.Row) -> dict[str, Any]:
    return row | {name: row[name].isoformat() for name in _MOMENTS if row.get(name)}
