"""Points: folding new ledger lines into totals, the histogram that ranks are read from, and the nightly audit."""

from __future__ import annotations

import bisect
import logging
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from sqlalchemy import select, text

from leadgen.core import hot, queue
from leadgen.core.db import db, retried
from leadgen.core.queue import Bell
from leadgen.entries import owners
from leadgen.entries.lately import Lately
from leadgen.entries.models import LedgerLine

log = logging.getLogger(__name__)
FOLD_BATCH = 5_000
# Folding and erasing move people between buckets of the histogram; one at a time keeps it exact.
LOCK = 7_215_032


def hour(moment: str) -> str:
    """SQL: the hour since 1970 in which a moment lies, by which equal points are parted in the histogram."""
    return f"floor(extract(epoch FROM {moment}) / 3600)::int"


_BATCH = text(f"SELECT id, entry_id FROM ledger_pending ORDER BY id LIMIT {FOLD_BATCH}")  # noqa: S608 - a constant
_FOLD = f"""
WITH taken AS (
    DELETE FROM ledger_pending WHERE id = ANY(CAST(:lines AS bigint[]))
    RETURNING campaign_id, entry_id, points, chances, kind, proof, friends, at
), sums AS (
    SELECT entry_id, sum(points) AS points, sum(chances) AS chances, sum(friends) AS friends,
           coalesce(sum(points) FILTER (WHERE proof <> 'declared'), 0) AS rank_points,
           coalesce(sum(chances) FILTER (WHERE proof = 'declared'), 0) AS declared_chances,
           bool_or(kind = 'entry') AS is_joining, bool_or(kind = 'reversal') AS is_reversing,
           max(at) FILTER (WHERE points > 0 AND proof <> 'declared') AS reached_at, count(*) AS lines
    FROM taken GROUP BY entry_id
), moved AS (
    UPDATE entry e SET points = e.points + sums.points, chances = e.chances + sums.chances,
                       rank_points = e.rank_points + sums.rank_points,
                       declared_chances = e.declared_chances + sums.declared_chances,
                       friends_counted = e.friends_counted + sums.friends,
                       -- A line that was taken back no longer says when the present points were reached.
                       reached_at = CASE WHEN sums.is_reversing THEN coalesce((
                           SELECT max(l.at) FROM ledger l WHERE l.entry_id = e.id AND l.points > 0
                              AND l.proof <> 'declared' AND l.kind <> 'reversal'
                              AND NOT EXISTS (SELECT 1 FROM ledger r WHERE r.reverses_id = l.id)
                       ), e.confirmed_at) ELSE greatest(e.reached_at, sums.reached_at) END
    FROM sums JOIN entry before ON before.id = sums.entry_id WHERE e.id = sums.entry_id
    RETURNING e.campaign_id, e.status = 'confirmed' AND e.review = 'clear' AS is_ranked, sums.is_joining,
              e.rank_points AS points_now, {hour("e.reached_at")} AS hour_now,
              before.rank_points AS points_before, {hour("before.reached_at")} AS hour_before
), deltas AS (
    SELECT campaign_id, points, hour, sum(people) AS people FROM (
        SELECT campaign_id, points_now AS points, hour_now AS hour, 1 AS people FROM moved WHERE is_ranked
        UNION ALL
        SELECT campaign_id, points_before, hour_before, -1 FROM moved WHERE is_ranked AND NOT is_joining
    ) AS steps GROUP BY 1, 2, 3 HAVING sum(people) <> 0
), counted AS (
    INSERT INTO points_bucket (campaign_id, points, hour, entrants)
    SELECT campaign_id, points, hour, people FROM deltas
    ON CONFLICT (campaign_id, points, hour) DO UPDATE SET entrants = points_bucket.entrants + excluded.entrants
), watched AS (
    INSERT INTO points_moved (entry_id)
    SELECT DISTINCT entry_id FROM taken
    WHERE EXISTS (SELECT 1 FROM milestone WHERE milestone.campaign_id = taken.campaign_id)
    RETURNING 1
)
SELECT coalesce(sum(lines), 0) AS lines, EXISTS (SELECT 1 FROM watched) AS is_watched FROM sums
"""  # noqa: S608 - the only values put in by Python are constants of this module

# A million people have forty thousand buckets: their hours come packed, and only those asked for are unpacked. They are
# read as they lie (OFFSET 0): in the order of their key each would be a look of its own, three times the work.
_HISTOGRAM = """
SELECT points, sum(entrants)::bigint AS entrants,
       string_agg(int4send(hour), '') AS hours, string_agg(int8send(entrants), '') AS people
FROM (
    SELECT points, hour, entrants FROM points_bucket WHERE campaign_id = %(campaign)s AND entrants <> 0 OFFSET 0
) AS bucket GROUP BY points ORDER BY points
"""

# Into or out of the ranking, when an entry is erased, held or cleared; one that is not folded yet is not in it.
_STEP = f"""
INSERT INTO points_bucket (campaign_id, points, hour, entrants)
SELECT campaign_id, rank_points, {hour("reached_at")}, :people FROM entry e
WHERE e.id = :entry AND e.status = 'confirmed' AND e.review = 'clear'
  AND NOT EXISTS (SELECT 1 FROM ledger_pending p WHERE p.entry_id = e.id AND p.kind = 'entry')
ON CONFLICT (campaign_id, points, hour) DO UPDATE SET entrants = points_bucket.entrants + excluded.entrants
"""  # noqa: S608 - as above

_AUDIT = """
WITH lines AS (
    SELECT entry_id, points, chances, proof, 1 AS sign FROM ledger
    UNION ALL
    SELECT entry_id, points, chances, proof, -1 FROM ledger_pending
), sums AS (
    SELECT entry_id, sum(sign * points) AS points, sum(sign * chances) AS chances,
           coalesce(sum(sign * points) FILTER (WHERE proof <> 'declared'), 0) AS rank_points,
           coalesce(sum(sign * chances) FILTER (WHERE proof = 'declared'), 0) AS declared_chances
    FROM lines GROUP BY entry_id
)
SELECT e.id FROM entry e LEFT JOIN sums s ON s.entry_id = e.id
WHERE (e.points, e.chances, e.rank_points, e.declared_chances) IS DISTINCT FROM
      (coalesce(s.points, 0), coalesce(s.chances, 0), coalesce(s.rank_points, 0), coalesce(s.declared_chances, 0))
LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Steps:
    """People in order of time: `moments` ascending (hours or seconds since 1970), `people_before` each of them."""

    moments: Sequence[int]
    people_before: Sequence[int]
    people: int

    def before(self, moment: int) -> int:
        """How many people came before that hour or second."""
        place = bisect.bisect_left(self.moments, moment)
        return self.people_before[place] if place < len(self.moments) else self.people


def steps(moments: Sequence[int], people: Sequence[int]) -> Steps:
    """Steps from how many people came at each moment."""
    *before, total = accumulate(people, initial=0)
    return Steps(moments, before, total)


def _unpacked(*packed: bytes) -> Steps:
    """Hours and numbers of people as they come from the network, in order."""
    columns = [array(code, column) for code, column in zip("iq", packed, strict=True)]
    if sys.byteorder == "little":
        for column in columns:
            column.byteswap()
    people_at = dict(zip(*columns, strict=True))
    hours = sorted(people_at)
    return steps(hours, [people_at[hour] for hour in hours])


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many entrants have at most so many points: `points` ascending, `people_up_to` running totals beside it.

    `packed` are the hours in which they reached them, by points, as the database packs them.
    """

    points: list[int]
    people_up_to: list[int]
    packed: Mapping[int, tuple[bytes, bytes]] = field(default_factory=dict)
    _hours: dict[int, Steps] = field(default_factory=dict)

    def hours(self, points: int) -> Steps:
        """The hours in which those with exactly so many points reached them."""
        found = self._hours.get(points)
        if found is None:
            found = self._hours[points] = _unpacked(*self.packed.get(points, (b"", b"")))
        return found

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
    return retried(_fold_batch)


def _fold_batch() -> int:
    if not db.session.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOCK}).scalar_one():
        db.session.rollback()
        return 0
    # The lines of those who are held, and none that came meanwhile: totals move figures on contacts (migration 0011).
    batch = db.session.execute(_BATCH).all()
    owners.hold([line.entry_id for line in batch], with_entries=True)
    folded = db.session.execute(text(_FOLD), {"lines": [line.id for line in batch]}).one()
    db.session.commit()
    if folded.is_watched:
        queue.ring(Bell.REWARDS)
    return int(folded.lines)


def alone() -> None:
    """Wait until nobody else folds, erases or changes referrals, and keep it so to the end of the transaction.

    Whoever locks entries and then needs this waits for whoever holds it and needs those entries: take it first.
    """
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def leave_ranking(entry_id: int) -> None:
    """Take a ranked entry out of the ranking, inside the running transaction; call it before the entry changes."""
    _step(entry_id, -1)


def join_ranking(entry_id: int) -> None:
    """Put an entry back into the ranking, inside the running transaction; call it after the entry has changed."""
    _step(entry_id, 1)


def _step(entry_id: int, people: int) -> None:
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    db.session.flush()
    db.session.execute(text(_STEP), {"entry": entry_id, "people": people})


_histograms: Lately[Histogram] = Lately()


def histogram(campaign_id: int) -> Histogram:
    """The campaign's histogram, a second old in each process, older where reading it takes more than 20 ms."""
    return _histograms.get(campaign_id, lambda: _read(campaign_id))


def _read(campaign_id: int) -> Histogram:
    rows = hot.many(_HISTOGRAM, {"campaign": campaign_id})
    peopled = [row for row in rows if row["entrants"] > 0]
    return Histogram(
        [row["points"] for row in peopled],
        list(accumulate(row["entrants"] for row in peopled)),
        {row["points"]: (row["hours"], row["people"]) for row in rows},
    )


def forget() -> None:
    """Read every histogram anew (tests)."""
    _histograms.forget()


def lines_of(entry_id: int) -> list[LedgerLine]:
    """Every line of a person's ledger, oldest first."""
    return list(db.session.scalars(select(LedgerLine).where(LedgerLine.entry_id == entry_id).order_by(LedgerLine.id)))


def audit() -> list[int]:
    """Entries whose totals differ from the sum of their ledger, at most 100; none is what must come back."""
    wrong = [int(entry_id) for entry_id in db.session.scalars(text(_AUDIT))]
    if wrong:
        log.error("totals differ from the ledger for entries %s", wrong)
    return wrong
