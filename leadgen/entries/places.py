"""One person's place: rank points, then who reached them first, then the older entry (F7, I08); exact and total.

Everybody's points are as folded, a fraction of a second old; one's own line counts the moment it is written. A place is
the sum of three: everybody with more points, from the histogram in this process; those with the same points of an
earlier hour, from the histogram's hours; and a count within the hour, by the index `ix_entry_standing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from leadgen.core import hot
from leadgen.core.errors import NotFound
from leadgen.entries import points
from leadgen.entries.lately import Lately
from leadgen.entries.models import EntryStatus, Review
from leadgen.entries.points import Histogram, Steps

HOUR = 3600
# So many people with equal points in one hour are counted one by one, in the statement that reads the person.
COUNTED_LIVE = 500
_RANKED = "status = 'confirmed' AND review = 'clear'"
_TIED = f"campaign_id = %(campaign)s AND {_RANKED} AND rank_points = %(points)s"

# Needs `e`, the entry. `own` is the person's line with what is not folded yet, as the fold would make it; `tied` how
# many with as many points reached them earlier in the same hour.
OWN = f"""
LEFT JOIN LATERAL (
    SELECT sum(points) AS points, sum(chances) AS chances, sum(friends) AS friends,
           sum(points) FILTER (WHERE proof <> 'declared') AS rank_points, bool_or(kind = 'entry') AS is_joining,
           max(at) FILTER (WHERE points > 0 AND proof <> 'declared') AS reached_at,
           coalesce(bool_or(kind = 'reversal'), false) AS is_reversing
    FROM ledger_pending WHERE entry_id = e.id
) AS pending ON true
LEFT JOIN LATERAL (
    SELECT e.rank_points + coalesce(pending.rank_points, 0) AS rank_points,
           CASE WHEN pending.is_reversing THEN coalesce((
               SELECT max(l.at) FROM ledger l WHERE l.entry_id = e.id AND l.points > 0
                  AND l.proof <> 'declared' AND l.kind <> 'reversal'
                  AND NOT EXISTS (SELECT 1 FROM ledger r WHERE r.entry_id = e.id AND r.reverses_id = l.id)
           ), e.confirmed_at) ELSE greatest(e.reached_at, pending.reached_at) END AS reached_at
) AS own ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS ahead FROM (
        SELECT 1 FROM entry o
        WHERE o.campaign_id = e.campaign_id AND o.status = 'confirmed' AND o.review = 'clear'
          AND o.rank_points = own.rank_points AND o.id <> e.id
          AND o.reached_at >= date_bin('1 hour', own.reached_at, 'epoch')
          AND (o.reached_at, o.id) < (own.reached_at, e.id)
        -- In the order of ix_entry_standing, so that it is read by that index also while the table is young.
        ORDER BY o.reached_at DESC, o.id DESC LIMIT {COUNTED_LIVE}
    ) AS o
) AS tied ON true
"""  # noqa: S608 - the only values put in by Python are constants of this module
OWN_COLUMNS = """e.id, e.campaign_id, e.status, e.review, e.rank_points AS folded_points,
       e.reached_at AS folded_at, own.rank_points, own.reached_at, tied.ahead AS tied,
       coalesce(pending.is_joining, false) AS is_joining"""

_PLACE = f"SELECT {OWN_COLUMNS} FROM entry e {OWN} WHERE e.id = %(entry)s"  # noqa: S608 - as above
# As the fold would leave the person once what `source` earned is taken back, or something is given now.
_CHANGED = f"""
SELECT {OWN_COLUMNS}, CASE WHEN %(change)s > 0 THEN now() WHEN %(change)s < 0 THEN coalesce((
           SELECT max(l.at) FROM ledger l WHERE l.entry_id = e.id AND l.points > 0 AND l.proof <> 'declared'
              AND l.kind <> 'reversal' AND l.source_entry_id IS DISTINCT FROM %(source)s
              AND NOT EXISTS (SELECT 1 FROM ledger r WHERE r.entry_id = e.id AND r.reverses_id = l.id)
       ), e.confirmed_at) ELSE own.reached_at END AS reached_then
FROM entry e {OWN} WHERE e.id = %(entry)s
"""  # noqa: S608 - as above
_SECONDS = f"""
SELECT floor(extract(epoch FROM reached_at))::bigint AS second, count(*) AS entrants FROM entry
WHERE {_TIED} AND reached_at >= %(since)s AND reached_at < %(until)s GROUP BY 1 ORDER BY 1
"""  # noqa: S608 - as above
_EARLIER = f"""
SELECT count(*) AS ahead FROM entry
WHERE {_TIED} AND reached_at >= %(since)s AND (reached_at, id) < (%(reached)s, %(entry)s) AND id <> %(entry)s
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ranked person stands; 1 leads.

    `points_to_next` is what it takes to pass the person ahead, None for whoever leads. `points` and `reached_at` are
    the person's own, with what is not folded yet.
    """

    entry_id: int
    campaign_id: int
    number: int
    entrants: int
    points: int
    reached_at: datetime
    points_to_next: int | None

    def is_ahead_of(self, other: Place) -> bool:
        """Whether this person stands before the other in the total order."""
        return (-self.points, self.reached_at, self.entry_id) < (-other.points, other.reached_at, other.entry_id)


_seconds: Lately[Steps] = Lately()


def place_of(entry_id: int) -> Place | None:
    """The person's place in the total order, their own newest points included; None for whoever is not ranked.

    Not ranked are people who did not confirm, and those whom a check holds. Others' points are at most a second old.
    Raises NotFound.
    """
    row = hot.one(_PLACE, {"entry": entry_id})
    if row is None:
        raise NotFound
    return placed(row)


def place_if(entry_id: int, change: int = 0, *, source: int | None = None) -> Place:
    """The place a confirmed person would have if they were ranked, with so many points more or less.

    Points taken away are those that the friend `source` earned. Everybody else stays where they are. Raises NotFound.
    """
    row = hot.one(_CHANGED, {"entry": entry_id, "change": change, "source": source})
    if row is None:
        raise NotFound
    is_ranked = row["status"] == EntryStatus.CONFIRMED and row["review"] == Review.CLEAR
    then = {
        "status": EntryStatus.CONFIRMED,
        "review": Review.CLEAR,
        "rank_points": row["rank_points"] + change,
        "reached_at": row["reached_then"],
        "tied": COUNTED_LIVE,  # those of the row are of the present points
        "is_joining": row["is_joining"] or not is_ranked,
    }
    found = placed({**row, **then})
    assert found
    return found


def placed(row: Mapping[str, Any]) -> Place | None:
    """The place of the person that a row with OWN_COLUMNS tells of."""
    if row["status"] != EntryStatus.CONFIRMED or row["review"] != Review.CLEAR:
        return None
    total, ranking = int(row["rank_points"]), points.histogram(row["campaign_id"])
    tied = _tied(row, ranking, total)
    # Somebody whose points are about to be taken away still stands where they were before.
    above = ranking.rank(total) - 1 - (not row["is_joining"] and row["folded_points"] > total)
    next_points = ranking.points_of_next_rank(total)
    missing = 1 if tied else next_points - total + 1 if next_points is not None and above else None
    return Place(
        entry_id=row["id"],
        campaign_id=row["campaign_id"],
        number=max(above, 0) + tied + 1,
        entrants=max(ranking.entrants + row["is_joining"], 1),  # whoever just confirmed is not folded yet
        points=total,
        reached_at=row["reached_at"],
        points_to_next=missing,
    )


def _tied(row: Mapping[str, Any], ranking: Histogram, total: int) -> int:
    """How many have the same points and had them earlier."""
    hour = int(row["reached_at"].timestamp()) // HOUR
    earlier = ranking.hours(total).before(hour)
    is_there = not row["is_joining"] and row["folded_points"] == total
    if is_there and int(row["folded_at"].timestamp()) // HOUR < hour:
        earlier -= 1  # oneself, before the newest line
    within: int = row["tied"] if row["tied"] < COUNTED_LIVE else _within(row, total, hour)
    return max(earlier, 0) + within


def _within(row: Mapping[str, Any], total: int, hour: int) -> int:
    """How many had the same points earlier in an hour in which a crowd reached them: seconds that are kept, then live.

    The hour's seconds are counted anew at most so often that it costs a fiftieth of the time; what came since is
    counted by the index.
    """
    values = {"campaign": row["campaign_id"], "points": total, "entry": row["id"], "reached": row["reached_at"]}
    steps = _seconds.get((row["campaign_id"], total, hour), lambda: _read_seconds(values, hour))
    second = int(row["reached_at"].timestamp())
    since = min(second, steps.moments[-1]) if steps.moments else hour * HOUR
    before = steps.before(since)
    is_there = not row["is_joining"] and row["folded_points"] == total
    if is_there and hour * HOUR <= int(row["folded_at"].timestamp()) < since:
        before -= 1
    found = hot.one(_EARLIER, values | {"since": _moment(since)})
    return max(before, 0) + (int(found["ahead"]) if found else 0)


def _read_seconds(values: Mapping[str, Any], hour: int) -> Steps:
    span = {"since": _moment(hour * HOUR), "until": _moment((hour + 1) * HOUR)}
    rows = hot.many(_SECONDS, {**values, **span})
    return points.steps([row["second"] for row in rows], [row["entrants"] for row in rows])


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
