"""Reads what the scorer looks at: one observation for each entry, of a whole contest or of a neighbourhood."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text

from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.fraud.observations import Moment, Observation, SafeList

MOST_AROUND = 5_000
SAMPLE = 20_000
_CHUNK = 5_000

# Signals of the same device and line reach over whoever brought whom; addresses blanked by age link nobody.
_AROUND = text("""
WITH given AS (SELECT id, referrer_id FROM entry WHERE id = ANY(:entries)),
heads AS (SELECT referrer_id AS id FROM given WHERE referrer_id IS NOT NULL UNION SELECT id FROM given),
near AS (
    SELECT id FROM heads UNION SELECT f.id FROM entry f JOIN heads h ON f.referrer_id = h.id
    WHERE NOT h.id = ANY(:famous)
), seen AS (
    SELECT s.* FROM sighting s JOIN near n ON n.id = s.entry_id
), sharing AS (
    SELECT o.entry_id AS id FROM seen s JOIN sighting o
        ON o.campaign_id = s.campaign_id AND o.device = s.device AND o.device <> '' WHERE s.device <> ''
    UNION
    SELECT o.entry_id FROM seen s JOIN sighting o
        ON o.campaign_id = s.campaign_id AND o.network = s.network AND o.address = s.address WHERE s.address <> ''
)
SELECT id FROM near UNION SELECT id FROM sharing
UNION SELECT referrer_id FROM entry WHERE id IN (SELECT id FROM sharing) AND referrer_id IS NOT NULL
LIMIT :most
""")
_FAMOUS = text("""
WITH given AS (SELECT id, referrer_id FROM entry WHERE id = ANY(:entries)),
heads AS (SELECT referrer_id AS id FROM given WHERE referrer_id IS NOT NULL UNION SELECT id FROM given)
SELECT h.id FROM heads h
WHERE (SELECT count(*) FROM (SELECT 1 FROM entry f WHERE f.referrer_id = h.id LIMIT :most) AS friends) = :most
""")
_HEADS = text("SELECT id, referrer_id FROM entry WHERE id = ANY(:entries)")
_ROWS = """
SELECT e.id, e.referrer_id, lower(c.email) AS email, extract(epoch FROM e.created_at)::float8 AS created_at,
       extract(epoch FROM e.confirmed_at)::float8 AS confirmed_at, s.form_seconds, s.has_script, s.is_trapped,
       encode(s.network, 'hex') AS network, encode(s.address, 'hex') AS address, s.network_kind, s.device, s.agent,
       s.timezone, s.landing_host, s.returns, s.entry_id IS NOT NULL AS is_seen,
       coalesce(a.number, 0) AS answers, coalesce(d.number, 0) AS deeds, coalesce(v.number, 0) AS openings,
       EXISTS (SELECT FROM suppression b WHERE b.brand_id = c.brand_id AND b.address_hash = c.address_hash
               AND b.reason = 'hard_bounce') AS is_bounced
FROM entry e JOIN contact c ON c.id = e.contact_id LEFT JOIN sighting s ON s.entry_id = e.id
"""
_JOINS = """
LEFT JOIN (SELECT entry_id, count(*) AS number FROM answer {of} GROUP BY 1) AS a ON a.entry_id = e.id
LEFT JOIN (SELECT entry_id, count(*) AS number FROM deed WHERE state = 'done' {and_of} GROUP BY 1) AS d
    ON d.entry_id = e.id
LEFT JOIN (SELECT entry_id, sum(number) AS number FROM visit_tally WHERE kind = 'human' {and_of} GROUP BY 1) AS v
    ON v.entry_id = e.id
"""
_OF_CAMPAIGN = text(
    _ROWS  # noqa: S608 - put in are only the conditions below
    + _JOINS.format(
        of="WHERE entry_id IN (SELECT id FROM entry WHERE campaign_id = :campaign)",
        and_of="AND campaign_id = :campaign",
    )
    + "WHERE e.campaign_id = :campaign AND c.erased_at IS NULL"
)
_OF_ENTRIES = text(
    _ROWS
    + _JOINS.format(of="WHERE entry_id = ANY(:entries)", and_of="AND entry_id = ANY(:entries)")
    + "WHERE e.id = ANY(:entries) AND c.erased_at IS NULL"
)
_NUMBER = text("SELECT count(*) FROM entry WHERE campaign_id = :campaign")
_EVERY = text("SELECT id FROM entry WHERE campaign_id = :campaign AND id % :step = 0")
_SAFE = text("SELECT kind, value FROM safe WHERE brand_id = :brand")


class Neighbourhood(NamedTuple):
    """The people by whom some entries are judged; without `is_whole` not by their group, which is too large to read."""

    given: Sequence[int]
    people: list[Observation]
    is_whole: bool


def of_campaign(campaign_id: int) -> list[Observation]:
    """Everybody who entered and was not erased."""
    rows = db.session.execute(_OF_CAMPAIGN, {"campaign": campaign_id}, execution_options={"yield_per": _CHUNK})
    return list(_observations(rows))


def sample(campaign_id: int) -> list[Observation]:
    """Of a large contest every so manyth entrant, SAMPLE in all: enough to say what is usual."""
    number = db.session.execute(_NUMBER, {"campaign": campaign_id}).scalar_one()
    if number <= SAMPLE:
        return of_campaign(campaign_id)
    ids = db.session.scalars(_EVERY, {"campaign": campaign_id, "step": number // SAMPLE + 1}).all()
    return list(_observations(db.session.execute(_OF_ENTRIES, {"entries": ids})))


def around(entry_ids: Sequence[int]) -> list[Neighbourhood]:
    """These entries, who brought them, whom those brought, and who shares a browser or line with any of them.

    In one piece when that is at most MOST_AROUND people, else one for each person who brought any of them. Whoever has
    more friends than that is left to the nightly look: of theirs come only the entries that were asked for, as half a
    group would be judged wrongly.
    """
    famous = frozenset(db.session.scalars(_FAMOUS, {"entries": list(entry_ids), "most": MOST_AROUND}))
    by_head: dict[int, list[int]] = defaultdict(list)
    for entry_id, head in db.session.execute(_HEADS, {"entries": list(entry_ids)}):
        by_head[head or entry_id].append(entry_id)
    of_famous = [one for head in famous for one in by_head.pop(head, ())]
    others = [one for of_head in by_head.values() for one in of_head]
    found = [_neighbourhood(of_famous, famous, is_whole=False)] if of_famous else []
    whole = _neighbourhood(others, famous)
    if whole.is_whole or len(by_head) < 2:
        return [*found, whole] if others else found
    return found + [_neighbourhood(of_head, famous) for of_head in by_head.values()]


def _neighbourhood(entry_ids: Sequence[int], famous: Collection[int], *, is_whole: bool = True) -> Neighbourhood:
    values = {"entries": list(entry_ids), "famous": list(famous), "most": MOST_AROUND + 1}
    near = db.session.scalars(_AROUND, values).all()
    if len(near) > MOST_AROUND:
        is_whole = False
        heads = db.session.execute(_HEADS, {"entries": list(entry_ids)})
        near = sorted({one for pair in heads for one in pair if one is not None})
    people = list(_observations(db.session.execute(_OF_ENTRIES, {"entries": near})))
    return Neighbourhood(tuple(entry_ids), people, is_whole)


def moment_of(campaign: Campaign, at: datetime | None = None) -> Moment:
    """Now, and the end of the contest, in seconds since 1970."""
    return Moment((at or clock.now()).timestamp(), campaign.ends_at.timestamp())


def safe_list(brand_id: int) -> SafeList:
    """What the brand knows to be honest."""
    found: dict[str, set[str]] = {"network": set(), "domain": set(), "household": set()}
    for kind, value in db.session.execute(_SAFE, {"brand": brand_id}):
        found[kind].add(value)
    return SafeList(frozenset(found["network"]), frozenset(found["household"]), frozenset(found["domain"]))


def _observations(rows: Iterable[Any]) -> Iterator[Observation]:
    for row in rows:
        local, _, domain = row.email.rpartition("@")
        yield Observation(
            entry_id=row.id,
            referrer_id=row.referrer_id,
            local=local,
            domain=domain,
            created_at=row.created_at,
            confirmed_at=row.confirmed_at,
            # Nothing was seen of somebody added by hand or import: nothing is held against them.
            form_seconds=row.form_seconds,
            has_script=row.has_script is not False,
            is_trapped=bool(row.is_trapped),
            network=row.network or "",
            address=row.address or "",
            network_kind=row.network_kind or "isp",
            device=row.device or "",
            agent=row.agent or "",
            timezone=row.timezone or "",
            landing_host=row.landing_host or "",
            openings=int(row.openings),
            returns=row.returns or 0,
            answers=row.answers,
            deeds=row.deeds,
            is_bounced=row.is_bounced,
        )
