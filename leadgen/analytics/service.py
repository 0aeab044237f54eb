"""What a campaign has brought so far: counts, K, the funnel, curves and channels. Only SELECT stands here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from leadgen.core.db import db

_PEOPLE = """
SELECT count(*) AS entries,
       count(*) FILTER (WHERE status = 'confirmed') AS confirmed,
       count(*) FILTER (WHERE status = 'pending') AS pending,
       count(*) FILTER (WHERE referrer_id IS NOT NULL) AS referred,
       count(*) FILTER (WHERE referrer_id IS NOT NULL AND status = 'confirmed') AS referred_confirmed,
       count(DISTINCT referrer_id) AS referrers,
       count(DISTINCT referrer_id) FILTER (WHERE status = 'confirmed') AS referrers_confirmed
FROM entry WHERE campaign_id = :campaign
"""
_COUNTED = """
SELECT name, sum(number)::bigint AS number FROM counter WHERE campaign_id = :campaign GROUP BY name
"""
_MAILS = "SELECT status, count(*) AS number FROM message WHERE campaign_id = :campaign GROUP BY status"
_CURVE = """
SELECT date_trunc(:unit, created_at, :zone) AS slot, 'entries' AS series, count(*) AS number
FROM entry WHERE campaign_id = :campaign AND created_at >= :since GROUP BY 1
UNION ALL
SELECT date_trunc(:unit, confirmed_at, :zone), 'confirmed', count(*)
FROM entry WHERE campaign_id = :campaign AND confirmed_at >= :since GROUP BY 1
UNION ALL
SELECT date_trunc(:unit, hour, :zone), 'visits', sum(number)::bigint
FROM counter WHERE campaign_id = :campaign AND hour >= :since AND name = 'view' GROUP BY 1
"""
_CHANNELS = """
SELECT e.channel, count(*) AS entries, count(*) FILTER (WHERE e.status = 'confirmed') AS confirmed
FROM entry e WHERE e.campaign_id = :campaign AND e.referrer_id IS NOT NULL GROUP BY 1
"""
_CHANNEL_VISITS = """
SELECT channel, sum(number)::bigint AS visits FROM counter
WHERE campaign_id = :campaign AND name = 'ref_visit' GROUP BY 1
"""
_SOURCES = """
SELECT CASE WHEN place <= :limit THEN source END AS source,
       sum(entries)::bigint AS entries, sum(confirmed)::bigint AS confirmed
FROM (
    SELECT *, row_number() OVER (ORDER BY entries DESC, source) AS place
    FROM (
        SELECT coalesce(nullif(source ->> 'utm_source', ''), nullif(source ->> 'host', ''), channel) AS source,
               count(*) AS entries, count(*) FILTER (WHERE status = 'confirmed') AS confirmed
        FROM entry WHERE campaign_id = :campaign AND referrer_id IS NULL GROUP BY 1
    ) AS counted
) AS placed GROUP BY 1 ORDER BY min(place)
"""
_AT_A_GLANCE = """
SELECT c.id,
       count(e.id) AS entries,
       count(e.id) FILTER (WHERE e.status = 'confirmed') AS confirmed,
       count(e.id) FILTER (WHERE e.status = 'confirmed' AND e.referrer_id IS NOT NULL) AS referred_confirmed
FROM campaign c LEFT JOIN entry e ON e.campaign_id = c.id
WHERE c.id = ANY(:campaigns) GROUP BY c.id
"""
REST = "\x00"  # the name of all sources that have no line of their own; no source can be called so
SENT = ("accepted", "delivered", "bounced")
LOST = ("failed", "expired")
HOURLY_FOR = timedelta(days=3)
MOST_SLOTS = 400
DEAR_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Numbers:
    """A campaign at one moment. K is None while there is nothing to divide by."""

    visits: int
    referral_visits: int
    entries: int
    confirmed: int
    pending: int
    referred: int
    referred_confirmed: int
    referrers: int
    referrers_confirmed: int
    mails_wanted: int
    mails_waiting: int
    mails_sent: int
    mails_delivered: int
    mails_bounced: int
    mails_failed: int

    @property
    def k_raw(self) -> float | None:
        """Referred sign-ups for each entry."""
        return self.referred / self.entries if self.entries else None

    @property
    def k_confirmed(self) -> float | None:
        """Referred confirmed entries for each confirmed entry."""
        return self.referred_confirmed / self.confirmed if self.confirmed else None

    @property
    def confirmation_rate(self) -> float | None:
        """Confirmed entries for each entry."""
        return self.confirmed / self.entries if self.entries else None


@dataclass(frozen=True, slots=True)
class Slot:
    """One hour or day of a curve; `at` is its beginning, aware."""

    at: datetime
    visits: int
    entries: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Source:
    """People who came by one channel (of referral links) or from one source (everybody else)."""

    name: str
    visits: int
    entries: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Glance:
    """A campaign in a list."""

    entries: int = 0
    confirmed: int = 0
    referred_confirmed: int = 0

    @property
    def k_confirmed(self) -> float | None:
        """Referred confirmed entries for each confirmed entry."""
        return self.referred_confirmed / self.confirmed if self.confirmed else None


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a campaign's first page shows, counted at one moment."""

    numbers: Numbers
    unit: str
    slots: Sequence[Slot]
    channels: Sequence[Source]
    sources: Sequence[Source]


_kept: dict[int, tuple[float, Figures]] = {}


def figures(campaign_id: int, since: datetime, until: datetime, zone: str) -> Figures:
    """The whole page in eight statements. Figures that were dear to count are shown again for ten times as long.

    Counting 300,000 entries takes a second and a half of a busy machine, and each open page asks every five seconds.
    """
    begun = time.monotonic()
    if campaign_id in _kept and begun < _kept[campaign_id][0]:
        return _kept[campaign_id][1]
    unit, slots = curve(campaign_id, since, until, zone)
    counted = Figures(numbers(campaign_id), unit, slots, channels(campaign_id), sources(campaign_id))
    cost = time.monotonic() - begun
    if cost > DEAR_SECONDS:
        _kept[campaign_id] = (begun + 10 * cost, counted)
    return counted


def numbers(campaign_id: int) -> Numbers:
    """Everything that is counted about a campaign, in three statements."""
    people = _rows(_PEOPLE, campaign=campaign_id)[0]
    counted = {row["name"]: row["number"] for row in _rows(_COUNTED, campaign=campaign_id)}
    mails = {row["status"]: row["number"] for row in _rows(_MAILS, campaign=campaign_id)}
    return Numbers(
        **people,
        visits=counted.get("view", 0),
        referral_visits=counted.get("ref_visit", 0),
        mails_wanted=sum(mails.values()),
        mails_waiting=mails.get("scheduled", 0) + mails.get("sending", 0) + mails.get("uncertain", 0),
        mails_sent=sum(mails.get(status, 0) for status in SENT),
        mails_delivered=mails.get("delivered", 0),
        mails_bounced=mails.get("bounced", 0),
        mails_failed=sum(mails.get(status, 0) for status in LOST),
    )


def glances(campaign_ids: Sequence[int]) -> dict[int, Glance]:
    """The few figures that a list of campaigns shows, in one statement."""
    rows = _rows(_AT_A_GLANCE, campaigns=list(campaign_ids)) if campaign_ids else ()
    return {row["id"]: Glance(row["entries"], row["confirmed"], row["referred_confirmed"]) for row in rows}


def by_hour(campaign_id: int, since: datetime, until: datetime, zone: str) -> list[Slot]:
    """Visits, entries and confirmations of each hour between two moments, hours without any included."""
    return _curve(campaign_id, "hour", since, until, zone)


def by_day(campaign_id: int, since: datetime, until: datetime, zone: str) -> list[Slot]:
    """The same for each day of the given time zone."""
    return _curve(campaign_id, "day", since, until, zone)


def curve(campaign_id: int, since: datetime, until: datetime, zone: str) -> tuple[str, list[Slot]]:
    """The curve in the unit that reads best: “hour” for up to three days, “day” for more."""
    if until - since <= HOURLY_FOR:
        return "hour", by_hour(campaign_id, since, until, zone)
    return "day", by_day(campaign_id, since, until, zone)


def channels(campaign_id: int) -> list[Source]:
    """Who came by referral links, by the share button that the link was made for; most entries first.

    Empty name: by a link without channel, or a typed code. Together with `sources` these are all entries.
    """
    found = {row["channel"]: row for row in _rows(_CHANNELS, campaign=campaign_id)}
    visits = {row["channel"]: row["visits"] for row in _rows(_CHANNEL_VISITS, campaign=campaign_id)}
    sources = [
        Source(
            name,
            visits.get(name, 0),
            found[name]["entries"] if name in found else 0,
            found[name]["confirmed"] if name in found else 0,
        )
        for name in {*found, *visits}
    ]
    return sorted(sources, key=lambda source: (-source.entries, -source.visits, source.name))


def sources(campaign_id: int, limit: int = 8) -> list[Source]:
    """Who came without a friend, by utm_source, else by the page that linked to us; empty name: directly.

    Who entered at a stand or in a frame stands under “kiosk” and “embed”; all sources after the first `limit`, under
    REST.
    """
    rows = _rows(_SOURCES, campaign=campaign_id, limit=limit)
    return [
        Source(REST if row["source"] is None else row["source"], 0, row["entries"], row["confirmed"]) for row in rows
    ]


def _curve(campaign_id: int, unit: str, since: datetime, until: datetime, zone: str) -> list[Slot]:
    start = _floor(since, unit, zone)
    values = {"campaign": campaign_id, "unit": unit, "zone": zone, "since": start}
    counted: dict[datetime, dict[str, int]] = {}
    for row in _rows(_CURVE, **values):
        counted.setdefault(row["slot"], {})[row["series"]] = row["number"]
    slots = []
    for moment in _slots(start, until, unit, zone):
        found = counted.get(moment, {})
        slots.append(Slot(moment, found.get("visits", 0), found.get("entries", 0), found.get("confirmed", 0)))
    return slots


def _slots(start: datetime, until: datetime, unit: str, zone: str) -> list[datetime]:
    """The beginnings of all hours or local days; a day of 23 or 25 hours is one day."""
    found = [start]
    while len(found) < MOST_SLOTS:
        following = found[-1] + timedelta(hours=1) if unit == "hour" else _next_day(found[-1], zone)
        if following > until:
            break
        found.append(following)
    return found


def _next_day(moment: datetime, zone: str) -> datetime:
    local = moment.astimezone(ZoneInfo(zone))
    return (local + timedelta(days=1)).replace(hour=0, fold=0).astimezone(ZoneInfo("UTC"))


def _floor(moment: datetime, unit: str, zone: str) -> datetime:
    local = moment.astimezone(ZoneInfo(zone)).replace(minute=0, second=0, microsecond=0)
    return (local if unit == "hour" else local.replace(hour=0)).astimezone(ZoneInfo("UTC"))


def _rows(statement: str, **values: Any) -> Sequence[Any]:
    return db.session.execute(text(statement), values).mappings().all()
