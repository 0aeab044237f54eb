"""Every night: each deed that is done and worth something stands in the ledger once, with its worth, and vice versa."""

from __future__ import annotations

import logging

from sqlalchemy import text

from leadgen.core.db import db

log = logging.getLogger(__name__)

# A line stands when the chain of lines that took it back and gave it back is even. Deeds of erased people count too:
# their points stay what they were.
_AUDIT = text("""
WITH RECURSIVE chain AS (
    SELECT l.id, l.id AS first, l.points, l.chances, l.idempotency_key AS key, 0 AS step
    FROM ledger l WHERE l.kind = 'action' AND l.reverses_id IS NULL
    UNION ALL
    SELECT n.id, c.first, c.points, c.chances, c.key, c.step + 1
    FROM chain c JOIN ledger n ON n.reverses_id = c.id
), line AS (
    SELECT points, chances, key, max(step) % 2 = 0 AS stands FROM chain GROUP BY first, points, chances, key
), done AS (
    SELECT * FROM (
        SELECT 'action:' || entry_id || ':' || action_id || ':' || occurrence AS key,
               coalesce((data ->> 'points')::int, 0) AS points, coalesce((data ->> 'chances')::int, 0) AS chances
        FROM deed WHERE state = 'done'
    ) AS worth WHERE points <> 0 OR chances <> 0
)
SELECT coalesce(line.key, done.key) FROM line FULL JOIN done ON done.key = line.key
WHERE (line.key IS NULL OR done.key IS NULL OR NOT line.stands
       OR (line.points, line.chances) <> (done.points, done.chances))
  AND NOT (done.key IS NULL AND NOT line.stands)
ORDER BY 1 LIMIT 100
""")


def audit() -> list[str]:
    """Keys of deeds and lines without each other, and of pairs that tell different sums, at most 100; none must be."""
    wrong = [str(key) for key in db.session.scalars(_AUDIT)]
    if wrong:
        log.error("deeds and ledger differ: %s", wrong)
    return wrong
