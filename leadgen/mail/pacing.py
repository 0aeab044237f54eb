"""How many mails may leave now: shared token buckets, stopped lanes, and the warm-up plan of a sending domain.

The buckets live in Redis, so that more workers do not mean more mails a second; losing Redis refills them once. What
counts for days (the warm-up) stands in PostgreSQL. Limits are read at most a second late.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from sqlalchemy import select, text

from leadgen.core import buckets, clock, settings
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.mail.models import LaneStop, Pace, WarmUp

# Urgent lanes take what they need and leave the debt to the others.
URGENT = frozenset({Lane.CONFIRMATION, Lane.SERVICE})
_READ_SECONDS = 1.0

_RESERVE = text("""
INSERT INTO sending_day AS d (domain, day, mails) VALUES (:domain, :day, least(:wanted, :most))
ON CONFLICT (domain, day) DO UPDATE SET mails = d.mails + greatest(0, least(:wanted, :most - d.mails))
RETURNING mails
""")
_COUNT = text("""
INSERT INTO sending_day AS d (domain, day, mails) VALUES (:domain, :day, :mails)
ON CONFLICT (domain, day) DO UPDATE SET mails = greatest(0, d.mails + :mails)
""")
_SENDERS = text("""
SELECT lower(split_part(b.sender_email, '@', 2)) AS domain, count(*) AS mails
FROM message m JOIN brand b ON b.id = m.brand_id WHERE m.id = ANY(:ids) GROUP BY 1 ORDER BY 1
""")
_SENT = text("SELECT mails FROM sending_day WHERE domain = :domain AND day = :day FOR UPDATE")
_BEGIN = text("INSERT INTO sending_day (domain, day, mails) VALUES (:domain, :day, 0) ON CONFLICT DO NOTHING")


@dataclass(frozen=True, slots=True)
class Limits:
    """Everything that a marketer or operator set."""

    per_second: Mapping[str, int] = field(default_factory=dict)  # bucket → mails
    stopped: frozenset[Lane] = frozenset()
    plans: Mapping[str, WarmUp] = field(default_factory=dict)  # sending domain → its plan


@dataclass(frozen=True, slots=True)
class Grant:
    """How many mails may be claimed; `is_dry` when a bucket ran out and will fill again within a second."""

    mails: int
    is_dry: bool = False
    domain: str = ""  # whose warm-up this was taken from


def limits() -> Limits:
    """The limits as they stand, at most a second old."""
    return _limits(settings.get().database_url, int(time.monotonic() / _READ_SECONDS))


def forget() -> None:
    """Read the limits anew at the next look."""
    _limits.cache_clear()


def is_stopped(lane: Lane) -> bool:
    """Whether somebody stopped the whole lane."""
    return lane in limits().stopped


def grant(lane: Lane, domain_group: str, sender: str, wanted: int) -> Grant:
    """Take up to `wanted` mails out of every bucket that counts for them; give back what was not used.

    `sender` is the sending address; confirmations and service mails have none here and are always granted. The count
    of a warm-up belongs to the running transaction, so that one that fails has taken nothing.
    """
    current = limits()
    rates = _rates(current, lane, domain_group)
    domain = sender.rpartition("@")[2].lower()
    plan = current.plans.get(domain)
    granted = buckets.take(rates, wanted, is_forced=lane in URGENT)
    if plan is None or not granted:
        return Grant(granted, is_dry=not granted)
    reserved = _reserve(domain, daily_cap(plan, clock.now().date()), granted)
    if reserved < granted:
        buckets.give(rates, granted - reserved)
    return Grant(reserved, domain=domain)


def give_back(lane: Lane, domain_group: str, given: Grant, unused: int) -> None:
    """Put back what a claim did not need."""
    if not unused:
        return
    buckets.give(_rates(limits(), lane, domain_group), unused)
    if given.domain:
        _count(given.domain, -unused)


def count_urgent(message_ids: Sequence[int]) -> None:
    """Count confirmations and service mails for their senders' plans; they wait for nobody, but they are mails too."""
    if message_ids and (plans := limits().plans):
        for domain, mails in db.session.execute(_SENDERS, {"ids": list(message_ids)}).all():
            if domain in plans:
                _count(domain, mails)


def daily_cap(plan: WarmUp, day: date) -> int | None:
    """How many mails the plan allows on a day; None once the ceiling is reached: the plan is over."""
    days = max(0, (day - plan.started_on).days)
    mails = float(plan.first_day)
    for _day in range(days):
        mails *= 1 + plan.growth / 100
        if mails >= plan.ceiling:
            return None
    return int(mails) if mails < plan.ceiling else None


def days_for(plan: WarmUp, mails: int, sent_today: int, today: date) -> int:
    """In how many days, today being the first, so many mails are sent under the plan."""
    days, left = 0, mails
    while left > 0:
        cap = daily_cap(plan, today + timedelta(days=days))
        if cap is None:
            return days + 1
        left -= max(0, cap - (sent_today if days == 0 else 0))
        days += 1
    return max(1, days)


def _rates(current: Limits, lane: Lane, domain_group: str) -> dict[str, int]:
    names = ("provider", f"lane:{lane.value}", f"group:{domain_group}")
    return {name: current.per_second[name] for name in names if name in current.per_second}


def _reserve(domain: str, cap: int | None, wanted: int) -> int:
    day = clock.now().date()
    if cap is None:
        _count(domain, wanted)
        return wanted
    db.session.execute(_BEGIN, {"domain": domain, "day": day})  # a row that is not there cannot be locked
    before = int(db.session.execute(_SENT, {"domain": domain, "day": day}).scalar_one())
    values = {"domain": domain, "day": day, "wanted": wanted, "most": cap}
    return int(db.session.execute(_RESERVE, values).scalar_one()) - before


def _count(domain: str, mails: int) -> None:
    db.session.execute(_COUNT, {"domain": domain, "day": clock.now().date(), "mails": mails})


@lru_cache(maxsize=2)
def _limits(_database: str, _second: int) -> Limits:
    plans = db.session.scalars(select(WarmUp)).all()
    for plan in plans:
        db.session.expunge(plan)
    return Limits(
        {row.bucket: row.per_second for row in db.session.scalars(select(Pace))},
        frozenset(db.session.scalars(select(LaneStop.lane))),
        {plan.domain: plan for plan in plans},
    )
