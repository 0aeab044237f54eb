"""How a campaign spreads: K and what it is made of, generations, cycle time, who brings most. Only SELECT stands here.

Each number has a crowd of the same condition behind it (crowds.py); the definitions in words stand in docs/virality.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import text

from leadgen.analytics import cohorts, headcounts
from leadgen.analytics.cohorts import Cohort
from leadgen.analytics.crowds import Crowd, Openings
from leadgen.core.db import db

_WHO = """
SELECT p.id, p.public_id, p.review, c.first_name, c.email
FROM entry p JOIN contact c ON c.id = p.contact_id WHERE p.id = ANY(:ids)
"""


@dataclass(frozen=True, slots=True)
class Product:
    """One K as friends / people, and the three parts that it is the product of.

    The parts telescope: sharers / people × visits / sharers × friends / visits is friends / people, exactly.
    """

    people: int
    sharers: int
    visits: int
    friends: int

    @property
    def k(self) -> Fraction | None:
        """Friends for each of the people; None while there is nobody."""
        return _part(self.friends, self.people)

    @property
    def share_rate(self) -> Fraction | None:
        """Sharers among the people."""
        return _part(self.sharers, self.people)

    @property
    def visits_per_sharer(self) -> Fraction | None:
        """Human openings for each sharer."""
        return _part(self.visits, self.sharers)

    @property
    def conversion(self) -> Fraction | None:
        """Friends for each human opening; above 1 when friends share a browser, hence an opening, or type a code."""
        return _part(self.friends, self.visits)


@dataclass(frozen=True, slots=True)
class Generation:
    """People so many steps away from those who came alone; `share` of all people, `k` friends of theirs for each."""

    depth: int
    people: int
    confirmed: int
    share: Fraction
    k: Fraction | None


@dataclass(frozen=True, slots=True)
class Influencer:
    """Somebody who brought others: three generations of people, and what the direct friends came to."""

    id: int
    public_id: str
    review: str
    first_name: str
    email: str | None
    direct: int
    second: int
    third: int
    confirmed: int
    clear: int
    counted: int
    held: int
    quality: int


@dataclass(frozen=True, slots=True)
class Cycle:
    """Seconds from a person's confirmation to a friend's: a quarter of `pairs` took less than `first_quarter`."""

    pairs: int
    first_quarter: float | None
    median: float | None
    third_quarter: float | None


@dataclass(frozen=True, slots=True)
class Spread:
    """All that the page “Virality” shows, counted at one moment."""

    raw: Product
    confirmed: Product
    clear: Product
    quality: Product
    generations: Sequence[Generation]
    cohorts: Sequence[Cohort]
    cycle: Cycle
    referrers: int
    influencers: Sequence[Influencer]
    counted: int
    held: int
    kept_since: datetime | None  # when that was counted, when it was not counted now

    @property
    def amplification(self) -> Fraction | None:
        """What one person who came alone grows to: 1 / (1 − K); None when K is 1 or more, or not known."""
        k = self.confirmed.k
        return None if k is None or k >= 1 else 1 / (1 - k)


def spread(campaign_id: int, zone: str) -> Spread:
    """The whole page in seven statements, one pass over each table; in one when the counts are kept.

    An empty campaign has zeros and no K.
    """
    found = headcounts.of(campaign_id, zone)
    cells, shared, pairs = found["cells"], found["shared"], found["pairs"]
    sums = {crowd: sum(cell[crowd] for cell in cells) for crowd in headcounts.PLAIN}

    def product(people: Crowd, friends: int, which: Openings) -> Product:
        return Product(sums[people], shared[f"people_{which}"], shared[f"visits_{which}"], friends)

    return Spread(
        raw=product(Crowd.ENTRIES, sums[Crowd.REFERRED], Openings.HUMAN),
        confirmed=product(Crowd.CONFIRMED, sums[Crowd.REFERRED_CONFIRMED], Openings.HUMAN_CONFIRMED),
        clear=product(Crowd.CLEAR, sums[Crowd.REFERRED_CLEAR], Openings.HUMAN_CLEAR),
        quality=product(Crowd.CONFIRMED, found["quality"], Openings.HUMAN_CONFIRMED),
        generations=_generations(cells),
        cohorts=cohorts.of(_by_week(cells), pairs, zone),
        cycle=_cycle(pairs),
        referrers=found["best"][0]["referrers"] if found["best"] else 0,
        influencers=_influencers(found["best"]),
        counted=sums[Crowd.COUNTED],
        held=sums[Crowd.HELD],
        kept_since=datetime.fromisoformat(found["at"]) if found["is_kept"] else None,
    )


def _influencers(best: Sequence[Any]) -> list[Influencer]:
    """The best with their names, which are never kept."""
    who = {row["id"]: row for row in _rows(_WHO, ids=[row["id"] for row in best])} if best else {}
    rows = [{**row, **who[row["id"]]} for row in best if row["id"] in who]
    return [Influencer(**{name: row[name] for name in Influencer.__slots__}) for row in rows]


def _generations(cells: Sequence[Any]) -> list[Generation]:
    """Each generation; everybody of depth n + 1 was brought by somebody of depth n."""
    people: dict[int, tuple[int, int]] = {}
    for cell in cells:
        before = people.get(cell["depth"], (0, 0))
        people[cell["depth"]] = (before[0] + cell["entries"], before[1] + cell["confirmed"])
    everybody = sum(entries for entries, _confirmed in people.values())
    return [
        Generation(
            depth,
            entries,
            confirmed,
            Fraction(entries, everybody),
            _part(people.get(depth + 1, (0, 0))[1], confirmed),
        )
        for depth, (entries, confirmed) in sorted(people.items())
    ]


def _by_week(cells: Sequence[Any]) -> dict[date, tuple[int, int]]:
    found: dict[date, tuple[int, int]] = {}
    for cell in cells:
        week = date.fromisoformat(cell["week"])
        before = found.get(week, (0, 0))
        found[week] = (before[0] + cell["entries"], before[1] + cell["confirmed"])
    return found


def _cycle(pairs: Sequence[Any]) -> Cycle:
    everybody = next(row for row in pairs if row["week"] is None)
    quarters = everybody["quarters"] or (None, None, None)
    return Cycle(everybody["cycle"], *(None if part is None else float(part) for part in quarters))


def _part(number: int, whole: int) -> Fraction | None:
    return Fraction(number, whole) if whole else None


def _rows(statement: str, **values: Any) -> Sequence[Any]:
    return db.session.execute(text(statement), values).mappings().all()
