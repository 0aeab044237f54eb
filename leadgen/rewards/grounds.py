"""What people have reached, and what of it is being checked: the ground on which a reward stands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import text

from leadgen.campaigns.models import Metric
from leadgen.core.db import db
from leadgen.entries.models import EntryStatus, Review

# Points that are not folded yet count: the ground is that of the ledger, not of its cache. What only the person vouches
# for neither ranks nor rewards: else clicks that nobody can check would empty a vault.
_GROUNDS = text("""
SELECT e.id, e.campaign_id, e.brand_id, e.contact_id, e.status, e.review, e.locale, e.access_version, e.code,
       e.rank_points + coalesce(p.points, 0) AS points, e.friends_counted + coalesce(p.friends, 0) AS friends
FROM entry e
LEFT JOIN LATERAL (SELECT sum(points) FILTER (WHERE proof <> 'declared') AS points, sum(friends) AS friends
                   FROM ledger_pending WHERE entry_id = e.id) AS p ON true
WHERE e.id = ANY(:entries)
""")

# A friend who waits for the campaign's delay is not suspected of anything.
_CHECKED = text("""
SELECT f.referrer_id, count(*) FILTER (WHERE f.referral_state = 'on_hold') AS held
FROM entry f
WHERE f.referrer_id = ANY(:entries)
  AND (f.referral_state = 'on_hold' AND f.referral_reason <> 'delay'
       OR f.referral_state = 'counted' AND f.review <> 'clear')
GROUP BY f.referrer_id
""")

# Lines that were taken back, and the lines that take back or give back, say nothing about when something was reached.
_REACHED = text("""
SELECT a.entry_id, a.milestone_id, CASE WHEN a.metric = 'entry' THEN e.confirmed_at ELSE (
    SELECT r.at FROM (
        SELECT l.at, l.id, sum(CASE WHEN a.metric = 'friends' THEN (l.kind = 'referral')::int
                                    WHEN l.proof <> 'declared' THEN l.points ELSE 0 END)
                           OVER (ORDER BY l.at, l.id) AS total
        FROM ledger l
        WHERE l.entry_id = a.entry_id AND l.reverses_id IS NULL AND NOT EXISTS (
            SELECT 1 FROM ledger b WHERE b.entry_id = l.entry_id AND b.reverses_id = l.id
              AND NOT EXISTS (SELECT 1 FROM ledger g WHERE g.entry_id = l.entry_id AND g.reverses_id = b.id))
    ) AS r WHERE r.total >= a.threshold ORDER BY r.at, r.id LIMIT 1) END AS at
FROM unnest(CAST(:entries AS bigint[]), CAST(:milestones AS bigint[]), CAST(:metrics AS text[]),
            CAST(:thresholds AS int[])) AS a (entry_id, milestone_id, metric, threshold)
JOIN entry e ON e.id = a.entry_id
""")


class Footing(StrEnum):
    """How firm the ground of a reward is."""

    MET = "met"
    CHECKING = "checking"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a person has reached, and what a letter to them needs. `points` are those that rank."""

    entry_id: int
    campaign_id: int
    brand_id: int
    contact_id: int
    status: EntryStatus
    review: Review
    locale: str
    access_version: int
    code: str
    points: int
    friends: int

    def reached(self, metric: Metric) -> int:
        """So much of what a tier counts."""
        if metric is Metric.ENTRY:
            return int(self.status is EntryStatus.CONFIRMED)
        return self.friends if metric is Metric.FRIENDS else self.points

    @property
    def is_in(self) -> bool:
        """Whether the person takes part at all: confirmed, and not excluded."""
        return self.status is EntryStatus.CONFIRMED and self.review is not Review.EXCLUDED


@dataclass(frozen=True, slots=True)
class Asked:
    """A person, a tier and what it takes."""

    entry_id: int
    milestone_id: int
    metric: Metric
    threshold: int


def of(entry_ids: Collection[int]) -> dict[int, Ground]:
    """The ground of each of these entries, by id."""
    rows = db.session.execute(_GROUNDS, {"entries": list(entry_ids)})
    return {
        row.id: Ground(
            entry_id=row.id,
            campaign_id=row.campaign_id,
            brand_id=row.brand_id,
            contact_id=row.contact_id,
            status=EntryStatus(row.status),
            review=Review(row.review),
            locale=row.locale,
            access_version=row.access_version,
            code=row.code,
            points=int(row.points),
            friends=int(row.friends),
        )
        for row in rows
    }


def checked_friends(entry_ids: Collection[int]) -> dict[int, int]:
    """Who of these has friends that are being checked, with how many of them do not count for now."""
    rows = db.session.execute(_CHECKED, {"entries": list(entry_ids)}) if entry_ids else ()
    return {row.referrer_id: int(row.held) for row in rows}


def reached_at(asked: Sequence[Asked]) -> dict[tuple[int, int], datetime | None]:
    """When each person reached what each tier takes, as the ledger tells: who came first is served first."""
    values = {
        "entries": [one.entry_id for one in asked],
        "milestones": [one.milestone_id for one in asked],
        "metrics": [one.metric.value for one in asked],
        "thresholds": [one.threshold for one in asked],
    }
    rows = db.session.execute(_REACHED, values) if asked else ()
    return {(row.entry_id, row.milestone_id): row.at for row in rows}
