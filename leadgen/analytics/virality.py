"""How a campaign spreads: K and what it is made of, generations, cycle time, who brings most. Only SELECT stands here.

Each number has a crowd of the same condition behind it (crowds.py); the definitions in words stand in docs/virality.md.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import text

from leadgen.analytics import cohorts
from leadgen.analytics.cohorts import Cohort
from leadgen.analytics.crowds import CONDITIONS, OPENINGS, WEEK, Crowd, Openings
from leadgen.core.db import db

# Counted in one pass over the entries, by generation and week.
PLAIN = (
    Crowd.ENTRIES,
    Crowd.CONFIRMED,
    Crowd.CLEAR,
    Crowd.REFERRED,
    Crowd.REFERRED_CONFIRMED,
    Crowd.REFERRED_CLEAR,
    Crowd.COUNTED,
    Crowd.HELD,
)
MOST_INFLUENCERS = 20
DEAR_SECONDS = 0.3
_EACH = ", ".join(f"count(*) FILTER (WHERE {CONDITIONS[crowd]}) AS {crowd}" for crowd in PLAIN)
_COUNTS = f"""
SELECT e.depth, (timezone(:zone, {WEEK.format(alias="e")}))::date AS week, {_EACH}
FROM entry e WHERE e.campaign_id = :campaign GROUP BY 1, 2
"""  # noqa: S608 - only conditions of our own
_QUALITY = f"""
SELECT count(*) AS quality FROM entry e WHERE e.campaign_id = :campaign AND {CONDITIONS[Crowd.QUALITY]}
"""  # noqa: S608 - only conditions of our own
_SHARED = ", ".join(
    f"count(*) FILTER (WHERE {condition}) AS people_{name}, "
    f"coalesce(sum(s.visits) FILTER (WHERE {condition}), 0)::bigint AS visits_{name}"
    for name, condition in OPENINGS.items()
)
_SHARING = f"""
SELECT {_SHARED} FROM (
    SELECT entry_id, sum(visits)::bigint AS visits FROM (
        SELECT v.entry_id, count(*) AS visits FROM visit v
        WHERE v.campaign_id = :campaign AND v.kind = 'human' GROUP BY 1
        UNION ALL
        SELECT d.entry_id, 0 FROM action a JOIN deed d ON d.action_id = a.id
        WHERE a.campaign_id = :campaign AND a.kind = 'share' AND d.state = 'done'
    ) AS found GROUP BY 1
) AS s JOIN entry e ON e.id = s.entry_id AND e.campaign_id = :campaign
"""  # noqa: S608 - only conditions of our own
_INFLUENCERS = f"""
WITH brought AS (
    SELECT e.referrer_id AS id, count(*) AS direct,
           count(*) FILTER (WHERE {CONDITIONS[Crowd.CONFIRMED]}) AS confirmed,
           count(*) FILTER (WHERE {CONDITIONS[Crowd.CLEAR]}) AS clear,
           count(*) FILTER (WHERE e.referral_state = 'counted') AS counted,
           count(*) FILTER (WHERE e.referral_state = 'on_hold') AS held
    FROM entry e WHERE e.campaign_id = :campaign AND e.referrer_id IS NOT NULL GROUP BY 1
), best AS (
    SELECT *, count(*) OVER () AS referrers FROM brought ORDER BY confirmed DESC, direct DESC, id LIMIT :most
)
SELECT best.*, p.public_id, p.review, c.first_name, c.email,
       (SELECT count(*) FROM entry s WHERE s.ref2_id = best.id) AS second,
       (SELECT count(*) FROM entry t WHERE t.ref3_id = best.id) AS third,
       (SELECT count(*) FROM entry e WHERE e.referrer_id = best.id AND {CONDITIONS[Crowd.QUALITY]}) AS quality
FROM best JOIN entry p ON p.id = best.id JOIN contact c ON c.id = p.contact_id
ORDER BY best.confirmed DESC, best.direct DESC, best.id
"""  # noqa: S608 - only conditions of our own


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
        """Friends for each human opening; above 1 when friends came by a path that leaves no opening (a typed code)."""
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

    @property
    def amplification(self) -> Fraction | None:
        """What one person who came alone grows to: 1 / (1 − K); None when K is 1 or more, or not known."""
        k = self.confirmed.k
        return None if k is None or k >= 1 else 1 / (1 - k)


_kept: dict[tuple[int, str], tuple[float, Spread]] = {}


def spread(campaign_id: int, zone: str) -> Spread:
    """The whole page in five statements, one pass for each table and join.

    What was dear to count is shown again for ten times as long. An empty campaign has zeros and no K.
    """
    begun = time.monotonic()
    if (campaign_id, zone) in _kept and begun < _kept[campaign_id, zone][0]:
        return _kept[campaign_id, zone][1]
    counted = _count(campaign_id, zone)
    cost = time.monotonic() - begun
    if cost > DEAR_SECONDS:
        _kept[campaign_id, zone] = (begun + 10 * cost, counted)
    return counted


def forget() -> None:
    """Count anew at the next call (in tests and measurements)."""
    _kept.clear()


def _count(campaign_id: int, zone: str) -> Spread:
    cells = _rows(_COUNTS, campaign=campaign_id, zone=zone)
    sums = {crowd: sum(cell[crowd] for cell in cells) for crowd in PLAIN}
    good = _rows(_QUALITY, campaign=campaign_id)[0]["quality"]
    shared = _rows(_SHARING, campaign=campaign_id)[0]
    best = _rows(_INFLUENCERS, campaign=campaign_id, most=MOST_INFLUENCERS)
    pairs = cohorts.pairs(campaign_id, zone)

    def product(people: Crowd, friends: int, which: Openings) -> Product:
        return Product(sums[people], shared[f"people_{which}"], shared[f"visits_{which}"], friends)

    return Spread(
        raw=product(Crowd.ENTRIES, sums[Crowd.REFERRED], Openings.HUMAN),
        confirmed=product(Crowd.CONFIRMED, sums[Crowd.REFERRED_CONFIRMED], Openings.HUMAN_CONFIRMED),
        clear=product(Crowd.CLEAR, sums[Crowd.REFERRED_CLEAR], Openings.HUMAN_CLEAR),
        quality=product(Crowd.CONFIRMED, good, Openings.HUMAN_CONFIRMED),
        generations=_generations(cells),
        cohorts=cohorts.of(_by_week(cells), pairs, zone),
        cycle=_cycle(pairs),
        referrers=best[0]["referrers"] if best else 0,
        influencers=[Influencer(**{name: row[name] for name in Influencer.__slots__}) for row in best],
        counted=sums[Crowd.COUNTED],
        held=sums[Crowd.HELD],
    )


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
        before = found.get(cell["week"], (0, 0))
        found[cell["week"]] = (before[0] + cell["entries"], before[1] + cell["confirmed"])
    return found


def _cycle(pairs: Sequence[Any]) -> Cycle:
    everybody = next(row for row in pairs if row["week"] is None)
    quarters = everybody["quarters"] or (None, None, None)
    return Cycle(everybody["cycle"], *(None if part is None else float(part) for part in quarters))


def _part(number: int, whole: int) -> Fraction | None:
    return Fraction(number, whole) if whole else None


def _rows(statement: str, **values: Any) -> Sequence[Any]:
    return db.session.execute(text(statement), values).mappings().all()
