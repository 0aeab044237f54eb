"""Those who entered in one week, and whom they brought: K by week, with weeks that are too young to judge marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from leadgen.analytics.crowds import midnight
from leadgen.core import clock

# People need a week to bring friends (F16): younger cohorts are right-censored, their K still grows.
RIPE_AFTER = timedelta(days=7)


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


def of(weeks: Mapping[date, tuple[int, int]], brought: Sequence[Any], zone: str) -> list[Cohort]:
    """The cohorts, oldest first; `weeks` are (entries, confirmed) by Monday, `brought` are headcounts."""
    friends = {date.fromisoformat(row["week"]): row for row in brought if row["week"] is not None}
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
    return clock.now() >= midnight(week + timedelta(days=7) + RIPE_AFTER, zone)
