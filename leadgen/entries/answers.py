"""Qualification: a typed answer is stored once for each entry and question, and worth points once."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from leadgen.core import clock, hot, queue
from leadgen.core.errors import NotFound
from leadgen.core.queue import Bell

# The share of the entry keeps whoever erases the person waiting, or finds nobody after them.
_ANSWER = """
WITH who AS (
    SELECT e.id, e.brand_id, e.campaign_id, e.contact_id, e.rules_version, q.id AS question_id, q.points,
           c.status IN ('live', 'scheduled') AND %(now)s < c.ends_at AS is_open
    FROM entry e JOIN campaign c ON c.id = e.campaign_id JOIN question q ON q.campaign_id = c.id
    WHERE e.id = %(entry)s AND e.status = 'confirmed' AND q.key = %(key)s
    FOR KEY SHARE OF e
), answered AS (
    INSERT INTO answer (contact_id, entry_id, question_id, key, value, at)
    SELECT contact_id, id, question_id, %(key)s, %(value)s::jsonb, %(now)s FROM who
    ON CONFLICT (entry_id, question_id) DO UPDATE SET value = excluded.value, at = excluded.at
), known AS (
    UPDATE contact c SET answers = c.answers || jsonb_build_object(%(key)s::text, %(value)s::jsonb),
                         last_inbound_at = %(now)s
    FROM who WHERE c.id = who.contact_id
), credited AS (
    INSERT INTO ledger (campaign_id, entry_id, kind, points, chances, question_id, rules_version, at, idempotency_key)
    SELECT campaign_id, id, 'answer', points, points, question_id, rules_version, %(now)s,
           'answer:' || id || ':' || question_id
    FROM who WHERE is_open AND points <> 0
      -- Whoever answered when it was worth nothing, or when nothing counted, earns nothing by a correction.
      AND NOT EXISTS (SELECT FROM answer a WHERE a.entry_id = who.id AND a.question_id = who.question_id)
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING campaign_id, entry_id, points, chances
), unfolded AS (
    INSERT INTO ledger_pending (campaign_id, entry_id, points, chances, kind, at)
    SELECT campaign_id, entry_id, points, chances, 'answer', %(now)s FROM credited
), told AS (
    INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
    SELECT 'question.answered', %(now)s, brand_id, campaign_id, contact_id, id,
           jsonb_build_object('question', %(key)s::text, 'points', coalesce((SELECT points FROM credited), 0))
    FROM who
)
SELECT id, coalesce((SELECT points FROM credited), 0) AS points FROM who
"""


_TAKE_BACK = """
WITH gone AS (
    DELETE FROM answer WHERE entry_id = %(entry)s AND key = ANY(%(keys)s) RETURNING contact_id, key
), others AS (
    -- What the person answered in another contest of the brand stands again.
    SELECT DISTINCT ON (a.key) a.key, a.value
    FROM gone JOIN entry e ON e.contact_id = gone.contact_id AND e.id <> %(entry)s
    JOIN answer a ON a.entry_id = e.id AND a.key = gone.key
    ORDER BY a.key, a.at DESC
)
UPDATE contact c
SET answers = (c.answers - ARRAY(SELECT key FROM gone))
              || coalesce((SELECT jsonb_object_agg(key, value) FROM others), '{}')
FROM (SELECT DISTINCT contact_id FROM gone) AS g WHERE c.id = g.contact_id
RETURNING c.id
"""


def store(entry_id: int, key: str, value: Any) -> int:
    """Keep a confirmed person's typed answer to a question of their campaign; a later one corrects the value.

    Answers the points that it earned now: nothing when the question was answered before, whatever that earned.
    A question that is not asked any more is answered too, by whoever was answering when it went. Raises NotFound when
    the entry is not confirmed or the campaign has no such question.
    """
    values = {"entry": entry_id, "key": key, "value": json.dumps(value, ensure_ascii=False), "now": clock.now()}
    row = hot.one(_ANSWER, values)
    if row is None:
        raise NotFound
    if row["points"]:
        queue.ring(Bell.POINTS)
    return int(row["points"])


def take_back(entry_id: int, keys: Collection[str]) -> None:
    """Forget an entry's answers to these questions; points that they earned stay."""
    if keys:
        hot.one(_TAKE_BACK, {"entry": entry_id, "keys": sorted(keys)})
