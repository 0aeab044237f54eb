"""Points: folding new ledger lines into totals, the histogram that ranks are read from, and the nightly audit."""

from __future__ import annotations

import bisect
import logging
import time
from dataclasses import dataclass

from sqlalchemy import select, text

from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries.models import LedgerLine

log = logging.getLogger(__name__)
FOLD_BATCH = 5_000
HISTOGRAM_SECONDS = 1.0
# Folding and erasing move people between buckets of the histogram; one at a time keeps it exact.
LOCK = 7_215_032

_FOLD = f"""
WITH taken AS (
    DELETE FROM ledger_pending WHERE id IN (SELECT id FROM ledger_pending ORDER BY id LIMIT {FOLD_BATCH})
    RETURNING campaign_id, entry_id, points, chances, kind, at
), sums AS (
    SELECT entry_id, sum(points) AS points, sum(chances) AS chances, bool_or(kind = 'entry') AS is_joining,
           count(*) FILTER (WHERE kind = 'referral') AS friends,
           max(at) FILTER (WHERE points > 0) AS reached_at, count(*) AS lines
    FROM taken GROUP BY entry_id
), moved AS (
    UPDATE entry e SET points = e.points + sums.points, chances = e.chances + sums.chances,
                       friends_counted = e.friends_counted + sums.friends,
                       reached_at = greatest(e.reached_at, sums.reached_at)
    FROM sums WHERE e.id = sums.entry_id
    RETURNING e.campaign_id, e.status, e.points AS points_now, e.points - sums.points AS points_before, sums.is_joining
), deltas AS (
    SELECT campaign_id, points, sum(people) AS people FROM (
        SELECT campaign_id, points_now AS points, 1 AS people FROM moved WHERE status = 'confirmed'
        UNION ALL
        SELECT campaign_id, points_before, -1 FROM moved WHERE status = 'confirmed' AND NOT is_joining
    ) AS steps GROUP BY campaign_id, points HAVING sum(people) <> 0
), counted AS (
    INSERT INTO points_bucket (campaign_id, points, entrants)
    SELECT campaign_id, points, people FROM deltas
    ON CONFLICT (campaign_id, points) DO UPDATE SET entrants = points_bucket.entrants + excluded.entrants
)
SELECT coalesce(sum(lines), 0) FROM sums
"""  # noqa: S608 - the only value put in by Python is a constant of this module

_HISTOGRAM = """
SELECT points, entrants FROM points_bucket WHERE campaign_id = %(campaign)s AND entrants > 0 ORDER BY points
"""

_AUDIT = """
WITH ledger_sums AS (
    SELECT entry_id, sum(points) AS points, sum(chances) AS chances FROM ledger GROUP BY entry_id
), pending_sums AS (
    SELECT entry_id, sum(points) AS points, sum(chances) AS chances FROM ledger_pending GROUP BY entry_id
)
SELECT e.id FROM entry e
LEFT JOIN ledger_sums l ON l.entry_id = e.id
LEFT JOIN pending_sums p ON p.entry_id = e.id
WHERE (e.points, e.chances)
   IS DISTINCT FROM (coalesce(l.points, 0) - coalesce(p.points, 0), coalesce(l.chances, 0) - coalesce(p.chances, 0))
LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many entrants have at most so many points: `points` ascending, `people_up_to` running totals beside it."""

    points: list[int]
    people_up_to: list[int]

    @property
    def entrants(self) -> int:
        """Everybody who is ranked."""
        return self.people_up_to[-1] if self.people_up_to else 0

    def rank(self, points: int) -> int:
        """One more than the number of people with more points; equal points share a rank."""
        position = bisect.bisect_right(self.points, points)
        not_above = self.people_up_to[position - 1] if position else 0
        return self.entrants - not_above + 1

    def points_of_next_rank(self, points: int) -> int | None:
        """The points of the people directly above, or None for whoever leads."""
        position = bisect.bisect_right(self.points, points)
        return self.points[position] if position < len(self.points) else None


def fold() -> int:
    """Add the lines that are not in the totals yet, and move people in the histogram; answers how many lines.

    A famous referrer's row is touched here once for thousands of lines, never by the confirmations themselves. Each
    line is deleted in the statement that adds it, so a crash adds it later, never twice. Commits.
    """
    if not db.session.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOCK}).scalar_one():
        db.session.rollback()
        return 0
    lines = int(db.session.execute(text(_FOLD)).scalar_one())
    db.session.commit()
    return lines


def leave_histogram(entry_id: int) -> None:
    """Take a confirmed entry out of the ranking (erasure), inside the running transaction."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    db.session.execute(
        text(
            """UPDATE points_bucket b SET entrants = b.entrants - 1 FROM entry e
               WHERE e.id = :entry AND e.status = 'confirmed' AND b.campaign_id = e.campaign_id AND b.points = e.points
                 AND NOT EXISTS (SELECT 1 FROM ledger_pending p WHERE p.entry_id = e.id AND p.kind = 'entry')"""
        ),
        {"entry": entry_id},
    )


_histograms: dict[int, tuple[float, Histogram]] = {}


def histogram(campaign_id: int) -> Histogram:
    """The campaign's histogram, at most a second old in each process."""
    moment = time.monotonic()
    found = _histograms.get(campaign_id)
    if found is None or moment - found[0] >= HISTOGRAM_SECONDS:
        rows = hot.many(_HISTOGRAM, {"campaign": campaign_id})
        total, people_up_to = 0, []
        for row in rows:
            total += row["entrants"]
            people_up_to.append(total)
        found = (moment, Histogram([row["points"] for row in rows], people_up_to))
        _histograms[campaign_id] = found
    return found[1]


def forget() -> None:
    """Read every histogram anew (tests)."""
    _histograms.clear()


def lines_of(entry_id: int) -> list[LedgerLine]:
    """Every line of a person's ledger, oldest first."""
    return list(db.session.scalars(select(LedgerLine).where(LedgerLine.entry_id == entry_id).order_by(LedgerLine.id)))


def audit() -> list[int]:
    """Entries whose totals differ from the sum of their ledger, at most 100; none is what must come back."""
    wrong = [int(entry_id) for entry_id in db.session.scalars(text(_AUDIT))]
    if wrong:
        log.error("totals differ from the ledger for entries %s", wrong)
    return wrong
