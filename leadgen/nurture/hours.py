"""A person's clock on the wall: which time zone is theirs, and when a wait is over there. Pure.

Days keep the hour on the wall over a change of the clock; what is less than a day is seconds. A time that the change
leaves out becomes the first that exists after it; an hour that comes twice counts once, as the first. Weekdays are
those of the person's own calendar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from leadgen.nurture.definition import DAY, Until, Wait
from leadgen.segments.persons import zones_by_country

_DAYS_LOOKED_AT = 15  # a day may be left out of a calendar, as Samoa's 30 December 2011
_SEASONS = (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a wait is counted by: the person's zone, and the contest's end where it has one."""

    zone: ZoneInfo
    end: datetime | None = None


@lru_cache(maxsize=4096)
def zone_of(named: str, country: str, campaign: str) -> ZoneInfo:
    """The zone that a person's browser named; else that of their country (ISO code) if it has one; else the campaign's.

    Never UTC silently: what nobody knows as a zone is no zone. Raises ZoneInfoNotFoundError for an unknown campaign's.
    """
    return ZoneInfo(named if named in _known() else _only_zone(country) or campaign)


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def _only_zone(country: str) -> str:
    """The zone of a country whose clocks all show the same; empty for one with several, and for an unknown one."""
    zones = zones_by_country().get(country.upper(), ())
    offsets = {tuple(season.astimezone(ZoneInfo(name)).utcoffset() for season in _SEASONS) for name in zones}
    return zones[0] if len(offsets) == 1 else ""


def due(wait: Wait, anchor: datetime, calendar: Calendar) -> datetime | None:
    """When a wait that began at `anchor` is over, aware UTC; None before the end of a contest that has none.

    `at` of a wait of whole days is that hour on the day it leads to; of a shorter one the first such hour behind it
    (before the end: the last in front of it). From a weekday that is not wanted the way leads to the next (last) one
    that is, where the hour is applied again. Of `Until.EVENT` it is the moment up to which the event is waited for.
    """
    if wait.until is not Until.BEFORE_END:
        moment = later(anchor, wait.seconds, calendar.zone)
        is_whole = wait.seconds >= DAY and wait.seconds % DAY == 0
        return aligned(moment, wait, calendar.zone, not_before=anchor if is_whole else moment)
    if calendar.end is None:
        return None
    moment = later(calendar.end, -wait.seconds, calendar.zone)
    is_whole = wait.seconds % DAY == 0
    return _aligned_back(moment, wait, calendar.zone, not_after=calendar.end if is_whole else moment)


def later(moment: datetime, seconds: int, zone: ZoneInfo) -> datetime:
    """So much later (earlier when negative): whole days on the wall, the rest in seconds. Aware UTC."""
    days, rest = divmod(abs(seconds), DAY)
    sign = 1 if seconds >= 0 else -1
    if days:
        wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        moment = exact(wall + timedelta(days=sign * days), zone)
    return moment.astimezone(UTC) + timedelta(seconds=sign * rest)


def aligned(moment: datetime, wait: Wait, zone: ZoneInfo, *, not_before: datetime) -> datetime:
    """The first time from the day of `moment` on that `at` and `weekdays` allow and that is not before `not_before`."""
    return _first(moment, wait, zone, 1, not_before.astimezone(UTC))


def _aligned_back(moment: datetime, wait: Wait, zone: ZoneInfo, *, not_after: datetime) -> datetime:
    return _first(moment, wait, zone, -1, not_after.astimezone(UTC))


def _first(moment: datetime, wait: Wait, zone: ZoneInfo, sign: int, bound: datetime) -> datetime:
    moment = moment.astimezone(UTC)
    if not wait.at and not wait.weekdays:
        return moment
    local = moment.astimezone(zone)
    hour = time.fromisoformat(wait.at) if wait.at else local.time()
    for day in _days(local.date(), sign):
        if wait.weekdays and day.isoweekday() not in wait.weekdays:
            continue
        is_untouched = not wait.at and day == local.date()
        found = moment if is_untouched else exact(datetime.combine(day, hour), zone)
        if (found - bound) * sign >= timedelta(0) and found.astimezone(zone).date() == day:
            return found
    return moment


def _days(first: date, sign: int) -> Iterator[date]:
    return (first + timedelta(days=sign * number) for number in range(_DAYS_LOOKED_AT))


def exact(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment (aware UTC) at which a clock on the wall of this zone first shows `wall`, or first shows more."""
    early = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return early
    # Left out by a change of the clock: between these two lies the change, which is the first moment after it.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    old = before.astimezone(zone).utcoffset()
    while early - before > timedelta(seconds=1):
        middle = before + (early - before) // 2
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            early = middle
    return early.replace(microsecond=0)
