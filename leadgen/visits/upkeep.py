"""What is done about visits by and by: old rows go, their sums stay."""

from __future__ import annotations

from datetime import timedelta

from leadgen.core import clock, hot

KEPT_DAYS = 90
_BATCH = 5000
_PURGE = """
WITH gone AS (
    DELETE FROM visit WHERE at < %(before)s AND id IN (SELECT id FROM visit ORDER BY id LIMIT %(batch)s) RETURNING 1
)
SELECT count(*) AS number FROM gone
"""


def purge() -> int:
    """Forget visits older than 90 days, the oldest first; what they add up to stays. Answers how many went."""
    total, before = 0, clock.now() - timedelta(days=KEPT_DAYS)
    while True:
        row = hot.one(_PURGE, {"before": before, "batch": _BATCH})
        number = row["number"] if row else 0
        total += number
        if number < _BATCH:
            return total
