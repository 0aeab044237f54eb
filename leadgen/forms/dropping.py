"""Where people leave a form: for each version and field, how many reached it and how many answered."""

from __future__ import annotations

from dataclasses import dataclass

from leadgen.core import hot

_COUNTS = """
WITH taken AS (
    SELECT answers, reached, finished_at FROM submission WHERE campaign_id = %(campaign)s AND number = %(number)s
)
SELECT key, count(*) AS reached, count(*) FILTER (WHERE taken.answers ? key) AS answered
FROM taken, unnest(taken.reached) AS key GROUP BY key
"""
_TOTALS = """
SELECT count(*) AS begun, count(finished_at) AS finished FROM submission
WHERE campaign_id = %(campaign)s AND number = %(number)s
"""


@dataclass(frozen=True, slots=True)
class Drop:
    """How many people one field was shown to, and how many of them answered it."""

    reached: int
    answered: int


@dataclass(frozen=True, slots=True)
class DropOff:
    """One version: how many began and finished it, and what became of each field, by key."""

    begun: int
    finished: int
    fields: dict[str, Drop]


def drop_off(campaign_id: int, number: int) -> DropOff:
    """The figures of one version, of everybody who began it and is not erased."""
    values = {"campaign": campaign_id, "number": number}
    totals = hot.one(_TOTALS, values) or {"begun": 0, "finished": 0}
    fields = {row["key"]: Drop(row["reached"], row["answered"]) for row in hot.many(_COUNTS, values)}
    return DropOff(totals["begun"], totals["finished"], fields)
