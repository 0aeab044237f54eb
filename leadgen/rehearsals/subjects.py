"""Who is rehearsed: people as the planner and the gates would find them now, and people who are made up. Only SELECT.

What keeps somebody from beginning is that of nurture.triggers; what keeps letters from leaving, that of mail.gates.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.text import like_pattern
from leadgen.mail import gates
from leadgen.nurture import hours, planning
from leadgen.nurture.models import Sequence
from leadgen.rehearsals.plots import Person, Waiting

# Why nobody begins (nurture.triggers) …
BAR = """
CASE WHEN c.erased_at IS NOT NULL OR e.status = 'erased' THEN 'erased'
     WHEN e.id IS NULL THEN 'not_entered'
     WHEN e.status <> 'confirmed' THEN 'not_confirmed'
     WHEN c.marketing_at IS NULL THEN 'no_consent'
     ELSE '' END
"""
# … and why no letter leaves for them, in the order in which mail.gates looks.
_OBSTACLE = f"""
CASE WHEN c.email IS NULL THEN 'erased'
     WHEN s.reason IS NOT NULL THEN s.reason
     WHEN c.email_verified_at IS NULL THEN 'unverified'
     WHEN k.status = 'archived' THEN 'campaign_over'
     WHEN (SELECT count(*) FILTER (WHERE last.status = 'bounced' AND last.reason = 'blocked') >= {gates.HOLD_AT}
                  AND max(last.sent_at) > :now - interval '{gates.HOLD_DAYS} days'
           FROM (SELECT m.status, m.reason, m.sent_at FROM message m
                 WHERE m.contact_id = c.id AND m.sent_at IS NOT NULL ORDER BY m.id DESC LIMIT {gates.HOLD_OF}) AS last)
         THEN 'held'
     ELSE '' END
"""  # noqa: S608 - constants of mail.gates
_PEOPLE = text(f"""
SELECT c.id AS contact_id, e.id AS entry_id, c.email, c.first_name, coalesce(e.locale, c.locale) AS locale, c.timezone,
       c.answers, coalesce(c.last_inbound_at, c.created_at) AS alive_at, {BAR} AS bar, {_OBSTACLE} AS obstacle
FROM contact c
JOIN campaign k ON k.id = :campaign
LEFT JOIN entry e ON e.contact_id = c.id AND e.campaign_id = k.id
LEFT JOIN LATERAL (SELECT reason FROM suppression
                   WHERE brand_id = c.brand_id AND address_hash = c.address_hash ORDER BY id LIMIT 1) s ON true
WHERE c.brand_id = k.brand_id AND c.id = ANY(:people)
""")  # noqa: S608 - constants of this module and of mail.gates
_MAILS = text(f"""
SELECT contact_id, status, sent_at, due_at, expires_at, priority FROM message
WHERE contact_id = ANY(:people) AND purpose = 'marketing'
  AND (sent_at > :now - interval '{gates.CAP_HOURS} hours' OR (status = 'scheduled' AND stream_id <> :stream))
ORDER BY id
""")  # noqa: S608 - a constant of mail.gates
_SEARCH = text("""
SELECT c.id, c.email, c.first_name, e.id AS entry_id FROM contact c
LEFT JOIN entry e ON e.contact_id = c.id AND e.campaign_id = :campaign
WHERE c.brand_id = :brand AND c.erased_at IS NULL AND (c.email ILIKE :pattern OR c.first_name ILIKE :pattern)
ORDER BY e.id IS NULL, c.id DESC LIMIT :limit
""")
_EARLIER = text("""
SELECT status, enrolled_at FROM enrolment WHERE sequence_id = :sequence AND contact_id = :contact
ORDER BY id DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUp:
    """Somebody who does not exist: confirmed a moment ago, agreed to marketing, and did nothing since."""

    locale: str
    timezone: str = ""  # empty: that of the contest
    answers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Somebody to be rehearsed, with what pages show of them; ids are 0 and texts empty for one who is made up."""

    person: Person
    locale: str
    contact_id: int = 0
    entry_id: int = 0
    email: str = ""
    first_name: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)


def read(sequence: Sequence, campaign: Campaign, contact_ids: Collection[int]) -> list[Subject]:
    """These people of the campaign's brand as they stand now, in the order of their ids; others are left out."""
    now = clock.now()
    values = {"people": list(contact_ids), "now": now}
    rows = db.session.execute(_PEOPLE, {**values, "campaign": campaign.id}).all()
    mails: dict[int, list[Any]] = {}
    for mail in db.session.execute(_MAILS, {**values, "stream": sequence.stream_id}).all():
        mails.setdefault(mail.contact_id, []).append(mail)
    key = planning.country_keys({campaign.id}).get(campaign.id, "")
    found = [_subject(row, campaign, mails.get(row.contact_id, []), key) for row in rows]
    return sorted(found, key=lambda one: one.contact_id)


def _subject(row: Any, campaign: Campaign, mails: list[Any], country_key: str) -> Subject:
    waiting = [
        Waiting(due_at=one.due_at, expires_at=one.expires_at, priority=one.priority)
        for one in mails
        if one.status == "scheduled"
    ]
    person = Person(
        contact_id=row.contact_id,
        zone=_zone(row.timezone, row.answers, country_key, campaign),
        quiet_zone=_quiet_zone(row.timezone, campaign),
        bar=row.bar,
        obstacle=row.obstacle,
        sent=tuple(one.sent_at for one in mails if one.sent_at is not None),
        waiting=tuple(waiting),
        alive_at=row.alive_at,
    )
    return Subject(
        person=person,
        locale=row.locale,
        contact_id=row.contact_id,
        entry_id=row.entry_id or 0,
        email=row.email or "",
        first_name=row.first_name,
        answers=row.answers,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody whom a search found; `entry_id` is None for whoever did not enter the contest."""

    id: int
    email: str
    first_name: str
    entry_id: int | None


def search(campaign: Campaign, typed: str, limit: int = 10) -> list[Found]:
    """People of the campaign's brand whose address or first name holds what was typed, its entrants first."""
    values = {"campaign": campaign.id, "brand": campaign.brand_id, "pattern": like_pattern(typed), "limit": limit}
    return [Found(**row) for row in db.session.execute(_SEARCH, values).mappings()]


def made_up(campaign: Campaign, wanted: MadeUp) -> Subject:
    """Somebody who does not exist, in no table."""
    key = planning.country_keys({campaign.id}).get(campaign.id, "")
    person = Person(
        contact_id=0,
        zone=_zone(wanted.timezone, wanted.answers, key, campaign),
        quiet_zone=_quiet_zone(wanted.timezone, campaign),
        obstacle="campaign_over" if campaign.status is CampaignStatus.ARCHIVED else "",
    )
    return Subject(person=person, locale=wanted.locale, answers=wanted.answers)


def _zone(named: str, answers: Mapping[str, Any], country_key: str, campaign: Campaign) -> ZoneInfo:
    country = answers.get(country_key, "") if country_key else ""
    return hours.zone_of(named, country if isinstance(country, str) else "", campaign.timezone)


def _quiet_zone(named: str, campaign: Campaign) -> ZoneInfo:
    """The zone by which mail.gates keeps the night: that of the browser, else the campaign's."""
    return hours.zone_of(named, "", campaign.timezone)


def as_record(campaign: Campaign, wanted: MadeUp, at: datetime) -> str:
    """A made-up person as a row of the table of contacts, in JSON, so that conditions can be asked about them."""
    moment = (at - timedelta(minutes=1)).isoformat()
    return json.dumps({
        "id": 0, "brand_id": campaign.brand_id, "first_name": "", "locale": wanted.locale,
        "timezone": wanted.timezone or campaign.timezone, "answers": dict(wanted.answers), "email_verified_at": moment,
        "marketing_at": moment, "created_at": moment, "last_inbound_at": moment,
    })  # fmt: skip


def earlier(sequence: Sequence, contact_id: int) -> Any:
    """The last time that somebody went through the sequence (status, enrolled_at), or None."""
    return db.session.execute(_EARLIER, {"sequence": sequence.id, "contact": contact_id}).first()
