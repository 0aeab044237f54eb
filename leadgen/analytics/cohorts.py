"""Those who entered in one week, and whom they brought: K by week, with weeks that are too young to judge marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from leadgen.analytics.crowds import CONDITIONS, WEEK, Crowd
from leadgen.core import clock
from leadgen.core.db import db

# People need a week to bring friends (F16): younger cohorts are right-censored, their K still grows.
RIPE_AFTER = timedelta(days=7)
# One line for each week in which referrers entered, and one without a week for all pairs together.
_PAIRS = f"""
SELECT (timezone(:zone, week))::date AS week, friends, friends_confirmed, cycle, quarters FROM (
    SELECT {WEEK.format(alias="r")} AS week, count(*) AS friends,
           count(*) FILTER (WHERE {CONDITIONS[Crowd.CONFIRMED]}) AS friends_confirmed,
           count(*) FILTER (WHERE {CONDITIONS[Crowd.CYCLE]}) AS cycle,
           percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY extract(epoch FROM e.confirmed_at
               - r.confirmed_at)) FILTER (WHERE {CONDITIONS[Crowd.CYCLE]}) AS quarters
    FROM entry e JOIN entry r ON r.id = e.referrer_id
    WHERE e.campaign_id = :campaign GROUP BY GROUPING SETS ((1), ())
) AS found
"""  # noqa: S608 - only conditions of our own


@dataclass(frozen=True, slots=True)
class Cohort:
    """A week of entry, from Monday in the campaign's zone; friends are those whom its people ever brought.

    `median_seconds` from their confirmation to a friend's. Ripe when its last entrant had seven days.
    """

    week: date
    entries: int
    confirmed: int
    friends: int
    friends_confirmed: int
    median_seconds: float | None
    is_ripe: bool

    @property
    def k_raw(self) -> Fraction | None:
        """Friends for each entry."""
        return Fraction(self.friends, self.entries) if self.entries else None

    @property
    def k(self) -> Fraction | None:
        """Confirmed friends for each confirmed person; may be above 1, for whoever brings is not who is brought."""
        return Fraction(self.friends_confirmed, self.confirmed) if self.confirmed else None


def pairs(campaign_id: int, zone: str) -> Sequence[Any]:
    """Referrers with their friends, by the referrer's week and (week None) all together: one pass over the join."""
    return db.session.execute(text(_PAIRS), {"campaign": campaign_id, "zone": zone}).mappings().all()


def of(weeks: Mapping[date, tuple[int, int]], brought: Sequence[Any], zone: str) -> list[Cohort]:
    """The cohorts, oldest first; `weeks` are (entries, confirmed) by Monday, `brought` comes from `pairs`."""
    friends = {row["week"]: row for row in brought if row["week"] is not None}
    found = []
    for week, (entries, confirmed) in sorted(weeks.items()):
        row = friends.get(week)
        median = row["quarters"][1] if row and row["quarters"] else None
        found.append(
            Cohort(
                week,
                entries,
                confirmed,
                friends=row["friends"] if row else 0,
                friends_confirmed=row["friends_confirmed"] if row else 0,
                median_seconds=None if median is None else float(median),
                is_ripe=is_ripe(week, zone),
            )
        )
    return found


def is_ripe(week: date, zone: str) -> bool:
    """Whether seven days have passed since the week ended, so that its last entrant had them too."""
    end = datetime.combine(week + timedelta(days=7), datetime.min.time(), ZoneInfo(zone))
    return clock.now() >= end + RIPE_AFTER
