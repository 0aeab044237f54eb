"""Named groups of people of one campaign: the same condition counts a figure and lists the people behind it (I34)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from leadgen.core.db import db
from leadgen.entries.models import EntryStatus, ReferralReason, ReferralState, Review

PAGE = 50


class Crowd(StrEnum):
    """Who is meant; `CONDITIONS` says it exactly."""

    ENTRIES = "entries"
    CONFIRMED = "confirmed"
    CLEAR = "clear"
    REFERRED = "referred"
    REFERRED_CONFIRMED = "referred_confirmed"
    REFERRED_CLEAR = "referred_clear"
    COUNTED = "counted"
    HELD = "held"
    CHECKED = "checked"
    QUALITY = "quality"
    CYCLE = "cycle"
    REFERRERS = "referrers"
    SHARERS = "sharers"
    SHARERS_CONFIRMED = "sharers_confirmed"
    SHARERS_CLEAR = "sharers_clear"


class Openings(StrEnum):
    """Which openings of referral links are meant: those of everybody's links, or of some people's."""

    HUMAN = "human"
    HUMAN_CONFIRMED = "human_confirmed"
    HUMAN_CLEAR = "human_clear"


_IS_CONFIRMED = "e.status = 'confirmed'"
_IS_CLEAR = "e.status = 'confirmed' AND e.review = 'clear'"
_IS_REFERRED = "e.referrer_id IS NOT NULL"
# Somebody whose link a person really opened, or who did an action of the kind “share”.
_IS_SHARER = """(
    EXISTS (SELECT FROM visit v WHERE v.campaign_id = e.campaign_id AND v.entry_id = e.id AND v.kind = 'human')
    OR EXISTS (SELECT FROM deed d JOIN action a ON a.id = d.action_id
               WHERE d.campaign_id = e.campaign_id AND d.entry_id = e.id AND d.state = 'done' AND a.kind = 'share'))"""
# A friend who counts, is not being checked, and answered a question; campaigns that ask none drop the last.
_IS_QUALITY = f"""{_IS_REFERRED} AND {_IS_CLEAR} AND e.referral_state = 'counted' AND (
    EXISTS (SELECT FROM answer w WHERE w.entry_id = e.id)
    OR NOT EXISTS (SELECT FROM question q WHERE q.campaign_id = e.campaign_id AND q.is_active))"""  # noqa: S608 - only conditions of our own
# `e` is the entry, `r` the one who brought it.
CONDITIONS: dict[Crowd, str] = {
    Crowd.ENTRIES: "true",
    Crowd.CONFIRMED: _IS_CONFIRMED,
    Crowd.CLEAR: _IS_CLEAR,
    Crowd.REFERRED: _IS_REFERRED,
    Crowd.REFERRED_CONFIRMED: f"{_IS_REFERRED} AND {_IS_CONFIRMED}",
    Crowd.REFERRED_CLEAR: f"{_IS_REFERRED} AND {_IS_CLEAR}",
    Crowd.COUNTED: f"{_IS_REFERRED} AND e.referral_state = 'counted'",
    Crowd.HELD: f"{_IS_REFERRED} AND e.referral_state = 'on_hold'",
    Crowd.CHECKED: f"{_IS_REFERRED} AND e.referral_state = 'on_hold' AND e.referral_reason = 'risk'",
    Crowd.QUALITY: _IS_QUALITY,
    Crowd.CYCLE: f"{_IS_CONFIRMED} AND e.confirmed_at IS NOT NULL AND r.confirmed_at IS NOT NULL",
    Crowd.REFERRERS: "EXISTS (SELECT FROM entry f WHERE f.referrer_id = e.id)",
    Crowd.SHARERS: _IS_SHARER,
    Crowd.SHARERS_CONFIRMED: f"{_IS_CONFIRMED} AND {_IS_SHARER}",
    Crowd.SHARERS_CLEAR: f"{_IS_CLEAR} AND {_IS_SHARER}",
}
OPENINGS: dict[Openings, str] = {
    Openings.HUMAN: "true",
    Openings.HUMAN_CONFIRMED: _IS_CONFIRMED,
    Openings.HUMAN_CLEAR: _IS_CLEAR,
}
_ABOVE = {1: "e.referrer_id", 2: "e.ref2_id", 3: "e.ref3_id"}
_PEOPLE = """
SELECT e.id, e.public_id, e.status, e.depth, e.referral_state, e.referral_reason, e.review, e.channel, e.created_at,
       e.confirmed_at, c.first_name, c.email, r.id AS referrer_id, rc.first_name AS referrer_name,
       r.public_id AS referrer_public_id, extract(epoch FROM e.confirmed_at - r.confirmed_at) AS cycle_seconds
FROM entry e JOIN contact c ON c.id = e.contact_id
LEFT JOIN entry r ON r.id = e.referrer_id LEFT JOIN contact rc ON rc.id = r.contact_id
WHERE {where} AND (CAST(:before AS bigint) IS NULL OR e.id < :before) ORDER BY e.id DESC LIMIT :limit
"""
_HOW_MANY = "SELECT count(*) FROM entry e LEFT JOIN entry r ON r.id = e.referrer_id WHERE {where}"
_VISITS = """
SELECT v.id, v.at, v.seen_at, v.channel, e.id AS entry_id, e.public_id, c.first_name, c.email
FROM visit v JOIN entry e ON e.id = v.entry_id JOIN contact c ON c.id = e.contact_id
WHERE v.campaign_id = :campaign AND v.kind = 'human' AND {condition}
  AND (CAST(:before AS bigint) IS NULL OR v.id < :before) ORDER BY v.id DESC LIMIT :limit
"""
_HOW_MANY_VISITS = """
SELECT count(*) FROM visit v JOIN entry e ON e.id = v.entry_id
WHERE v.campaign_id = :campaign AND v.kind = 'human' AND {condition}
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A crowd of one campaign, narrowed.

    To a generation, to a week of entry (its Monday, in the campaign's zone), to the friends of those who entered in a
    week (`brought_week`), or to one person's friends (`level` 1), theirs (2) and theirs again (3).
    """

    campaign_id: int
    zone: str
    crowd: Crowd = Crowd.ENTRIES
    depth: int | None = None
    week: date | None = None
    brought_week: date | None = None
    root_id: int | None = None
    level: int = 1

    def of(self, crowd: Crowd) -> Asked:
        """The same narrowing of another crowd."""
        return replace(self, crowd=crowd)


@dataclass(frozen=True, slots=True)
class Member:
    """One line of a list; `id` is also the cursor of the next page, `cycle_seconds` since the referrer confirmed."""

    id: int
    public_id: str
    status: EntryStatus
    depth: int
    referral_state: ReferralState
    referral_reason: ReferralReason
    review: Review
    channel: str
    created_at: datetime
    confirmed_at: datetime | None
    first_name: str
    email: str | None
    referrer_id: int | None
    referrer_name: str | None
    referrer_public_id: str | None
    cycle_seconds: float | None


@dataclass(frozen=True, slots=True)
class Opening:
    """One human opening of somebody's link."""

    id: int
    at: datetime
    seen_at: datetime | None
    channel: str
    entry_id: int
    public_id: str
    first_name: str
    email: str | None


def how_many(asked: Asked) -> int:
    """How many people that are."""
    where, values = _where(asked)
    return int(db.session.execute(text(_HOW_MANY.format(where=where)), values).scalar_one())


def people(asked: Asked, *, before_id: int | None = None, limit: int = PAGE) -> list[Member]:
    """Who that is, newest first; `before_id` continues after a page."""
    where, values = _where(asked)
    rows = _rows(_PEOPLE.format(where=where), **values, before=before_id, limit=limit)
    return [Member(**_typed(row)) for row in rows]


def how_many_openings(campaign_id: int, which: Openings) -> int:
    """How many human openings that are."""
    statement = _HOW_MANY_VISITS.format(condition=OPENINGS[which])
    return int(db.session.execute(text(statement), {"campaign": campaign_id}).scalar_one())


def openings(campaign_id: int, which: Openings, *, before_id: int | None = None, limit: int = PAGE) -> list[Opening]:
    """The openings themselves, newest first."""
    statement = _VISITS.format(condition=OPENINGS[which])
    return [Opening(**row) for row in _rows(statement, campaign=campaign_id, before=before_id, limit=limit)]


def midnight(day: date, zone: str) -> datetime:
    """The moment at which a day begins in a time zone, in UTC."""
    return datetime.combine(day, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)


def _where(asked: Asked) -> tuple[str, dict[str, Any]]:
    parts = ["e.campaign_id = :campaign", CONDITIONS[asked.crowd]]
    values: dict[str, Any] = {"campaign": asked.campaign_id}
    if asked.depth is not None:
        parts.append("e.depth = :depth")
        values["depth"] = asked.depth
    for alias, week in (("e", asked.week), ("r", asked.brought_week)):
        if week is not None:
            parts.append(f"{alias}.created_at >= :from_{alias} AND {alias}.created_at < :until_{alias}")
            values |= {f"from_{alias}": midnight(week, asked.zone)}
            values |= {f"until_{alias}": midnight(week + timedelta(days=7), asked.zone)}
    if asked.root_id is not None:
        parts.append(f"{_ABOVE[asked.level]} = :root")
        values["root"] = asked.root_id
    return " AND ".join(parts), values


def _typed(row: Any) -> dict[str, Any]:
    seconds = row["cycle_seconds"]
    return {
        **row,
        "status": EntryStatus(row["status"]),
        "referral_state": ReferralState(row["referral_state"]),
        "referral_reason": ReferralReason(row["referral_reason"]),
        "review": Review(row["review"]),
        "cycle_seconds": None if seconds is None else float(seconds),
    }


def _rows(statement: str, **values: Any) -> Sequence[Any]:
    return db.session.execute(text(statement), values).mappings().all()
