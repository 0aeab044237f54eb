"""What is known of a contact, gathered row by row with the plain ORM: what a compiled segment must agree with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.actions.models import Deed, DeedState
from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import Consent, ConsentAction, ConsentPurpose, Contact, Suppression, SuppressionReason
from leadgen.core.db import db
from leadgen.core.logic import Kind
from leadgen.entries.models import Entry, EntryStatus
from leadgen.gallery.models import Work, WorkState
from leadgen.letters.models import MailPurpose
from leadgen.mail import groups
from leadgen.mail.models import Click, ClickKind, Message
from leadgen.rewards.models import Award, AwardState
from leadgen.scores import reckoning
from leadgen.scores import rules as documents
from leadgen.scores import service as scores
from leadgen.scores.models import ContactScore
from leadgen.segments import deeds, persons
from leadgen.segments.catalogue import Catalogue
from leadgen.worth.models import Worth

_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.CHOICE: (str,),
    Kind.DATE: (str,),
    Kind.NUMBER: (int, float),
    Kind.FLAG: (bool,),
    Kind.MANY: (list,),
}


def known(catalogue: Catalogue, brand: Brand, contact: Contact, now: datetime) -> dict[str, Any]:
    """Every field of the catalogue with its value."""
    return (
        _person(brand, contact, now)
        | _answers(catalogue, contact)
        | _contests(brand, contact)
        | _letters(brand, contact, now)
        | _scores(brand, contact, now)
        | _worth(contact)
        | _moment("withdrawn", _last(_withdrawals(contact)), brand, now)
    )


def _person(brand: Brand, contact: Contact, now: datetime) -> dict[str, Any]:
    domain = (contact.email or "").lower().partition("@")[2]
    blocked = [] if contact.address_hash is None else _all(Suppression, address_hash=contact.address_hash)
    reasons = sorted({one.reason.value for one in blocked if one.brand_id == brand.id})
    countries = [code for code, zones in persons.zones_by_country().items() if contact.timezone in zones]
    return {
        "language": contact.locale,
        "country": countries[0] if countries else None,
        "timezone": contact.timezone,
        "mailbox": groups.of(contact.email or ""),
        "domain": domain,
        "name_known": bool(contact.first_name),
        "confirmed_address": contact.email_verified_at is not None,
        "marketing": contact.marketing_at is not None,
        "blocked": reasons,
        "bounced": SuppressionReason.HARD_BOUNCE.value in reasons,
        "answered": len(contact.answers),
        **_moment("created", contact.created_at, brand, now),
        **_moment("marketing_since", contact.marketing_at, brand, now),
        **_moment("alive", contact.last_inbound_at, brand, now),
    }


def _worth(contact: Contact) -> dict[str, Any]:
    """In whole units, as last worked out; nothing for whoever is in no row."""
    kept = db.session.get(Worth, contact.id)
    own, brought = (kept.own, kept.brought) if kept else (0, 0)
    return {"worth": (own + brought) / 100, "worth_own": own / 100, "worth_brought": brought / 100}


def _answers(catalogue: Catalogue, contact: Contact) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, asked in catalogue.asked.items():
        if not name.startswith("answer."):
            continue
        value = contact.answers.get(name.removeprefix("answer."))
        fits = isinstance(value, _TYPES[asked.kind]) and (asked.kind is Kind.FLAG or not isinstance(value, bool))
        if asked.kind is Kind.DATE:
            fits = fits and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None
        found[name] = value if fits else None
    return found


def _contests(brand: Brand, contact: Contact) -> dict[str, Any]:
    entries = [one for one in _all(Entry, contact_id=contact.id) if one.brand_id == brand.id]
    confirmed = [one for one in entries if one.status is EntryStatus.CONFIRMED]
    campaigns = {one.id: one for one in _all(Campaign, brand_id=brand.id)}
    of = {one.id for one in entries}
    found = {
        "entered": sorted({str(one.campaign_id) for one in entries}),
        "confirmed": sorted({str(one.campaign_id) for one in confirmed}),
        "contest_kind": sorted({campaigns[one.campaign_id].template for one in confirmed}),
        "points": sum(max(0, one.points) for one in confirmed),
        "deeds": _count(Deed, of, lambda one: one.state is DeedState.DONE),
        "works": _count(Work, of, lambda one: one.state is WorkState.PUBLISHED),
        "rewards": _count(Award, of, lambda one: one.state not in _LOST),
        "friends": sum(one.friends_counted for one in entries),
        "brought": any(one.referrer_id for one in entries),
        "generation": max((one.depth for one in entries), default=None),
    }
    for number in campaigns:
        found[f"points.{number}"] = sum(max(0, one.points) for one in confirmed if one.campaign_id == number)
        found[f"friends.{number}"] = sum(one.friends_counted for one in entries if one.campaign_id == number)
    return found


_LOST = {AwardState.REFUSED, AwardState.RECLAIMED, AwardState.EXPIRED}


def _letters(brand: Brand, contact: Contact, now: datetime) -> dict[str, Any]:
    messages = [one for one in _all(Message, contact_id=contact.id) if one.brand_id == brand.id]
    clicks = [click.at for one in messages for click in _all(Click, message_id=one.id, kind=ClickKind.HUMAN)]
    sent = [one.sent_at for one in messages if one.sent_at and one.purpose is MailPurpose.MARKETING]
    found: dict[str, Any] = {"clicks": len(clicks), **_moment("clicked", _last(clicks), brand, now)}
    for days in deeds.WINDOWS:
        found[f"letters.{days}"] = len([at for at in sent if now - timedelta(days=days) < at <= now])
    return found


def _scores(brand: Brand, contact: Contact, now: datetime) -> dict[str, Any]:
    version = scores.standing(brand.id)
    assert version is not None
    rules = documents.read(version.definition)
    row = db.session.get(ContactScore, (contact.id, version.number))
    names = ("score.fit", "score.engagement", "score.grade", "score.fit_band", "score.band", "reactivity")
    if row is None:
        return dict.fromkeys(names)
    engaged = reckoning.engagement(rules, row.worth, row.worth_at, row.alive_at, now)
    reacts = reckoning.reactivity(row.letters, row.reactions, row.alive_at, now).value
    bands = (row.fit_band + row.engagement_band, row.fit_band, row.engagement_band)
    return dict(zip(names, (row.fit, engaged, *bands, reacts), strict=True))


def _withdrawals(contact: Contact) -> list[datetime]:
    acts = _all(Consent, contact_id=contact.id, purpose=ConsentPurpose.MARKETING, action=ConsentAction.WITHDRAWN)
    return [act.at for act in acts]


def _moment(key: str, at: datetime | None, brand: Brand, now: datetime) -> dict[str, Any]:
    if at is None:
        return {f"{key}.on": None, f"{key}.days": None}
    day = at.astimezone(ZoneInfo(brand.timezone)).date().isoformat()
    return {f"{key}.on": day, f"{key}.days": (now - at) // timedelta(days=1)}


def _last(moments: Iterable[datetime]) -> datetime | None:
    return max(moments, default=None)


def _all(model: Any, **values: Any) -> list[Any]:
    return list(db.session.scalars(select(model).filter_by(**values)))


def _count(model: Any, entry_ids: set[int], fits: Any) -> int:
    return len([one for number in entry_ids for one in _all(model, entry_id=number) if fits(one)])
