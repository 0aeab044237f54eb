"""Seed data: an invented brand with a live contest in both languages, so that a newcomer sees the product at work."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from sqlalchemy import select, text

from leadgen.accounts import service as accounts
from leadgen.accounts.models import Brand
from leadgen.actions import codes
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import (
    ActionKind,
    Approval,
    Campaign,
    CampaignStatus,
    Delivery,
    Metric,
    QuestionKind,
    Repeat,
)
from leadgen.campaigns.service import ActionInput, MilestoneInput, PrizeInput, QuestionInput
from leadgen.contacts import address
from leadgen.core import clock, ids, settings
from leadgen.core.db import db
from leadgen.core.errors import NotAllowed, NotFound
from leadgen.entries import points
from leadgen.nurture import sequences
from leadgen.rewards import loading

OWNER = "owner@escales.example"
SECRET = "LAGON"  # noqa: S105 - the demo's secret code; its action tells it
VOUCHERS = 200
_WORDS = {"metric": Metric, "delivery": Delivery, "approval": Approval}
DATA = Path(__file__).with_suffix(".yaml")
_NAMES = ("Anna", "Ben", "Chloé", "David", "Élise", "Farid", "Grace", "Hugo", "Inès", "Jonas", "Lila", "Marius")
_CHUNK = 10_000
# Codes a little longer than people's, so that a million of them meet none that exists.
_CODE_LENGTH = 10

_PEOPLE = text(f"""
WITH made AS (
    SELECT * FROM unnest(CAST(:emails AS text[]), CAST(:hashes AS bytea[]), CAST(:names AS text[]),
                         CAST(:locales AS text[]), CAST(:public_ids AS text[]), CAST(:codes AS text[]))
        AS m (email, address_hash, first_name, locale, public_id, code)
), contest AS (
    SELECT *, starts_at + random() * greatest(:now - starts_at, interval '0') AS at FROM campaign WHERE id = :campaign
), known AS (
    INSERT INTO contact (brand_id, mailbox_key, email, address_hash, first_name, locale, timezone, email_verified_at,
                         marketing_at, last_inbound_at, created_at)
    SELECT c.brand_id, email, email, address_hash, first_name, locale, :zone, at, at, at, at FROM made, contest c
    RETURNING id, email
), entered AS (
    INSERT INTO entry (public_id, code, brand_id, campaign_id, contact_id, status, locale, rules_version,
                       is_marketing_wanted, code_expires_at, last_mail_at, expires_at, confirmed_at, confirm_method,
                       points, chances, rank_points, reached_at, created_at)
    SELECT public_id, code, c.brand_id, c.id, known.id, 'confirmed', locale, c.rules_version, true, at, at, at, at,
           'made_up', c.entry_points, c.entry_points, c.entry_points, at, at
    FROM made JOIN known USING (email), contest c
    RETURNING *
), evidence AS (
    INSERT INTO consent (brand_id, contact_id, campaign_id, entry_id, purpose, action, at, channel, evidence)
    SELECT brand_id, contact_id, campaign_id, id, act.purpose, act.action, created_at, act.channel,
           '{{"generation": 1, "made_up": true}}'
    FROM entered, (VALUES ('rules', 'given', 'form'), ('marketing', 'given', 'form'),
                          ('rules', 'confirmed', 'button_post'), ('marketing', 'confirmed', 'button_post'))
        AS act (purpose, action, channel)
), credited AS (
    INSERT INTO ledger (campaign_id, entry_id, kind, points, chances, rules_version, at, idempotency_key)
    SELECT campaign_id, id, 'entry', points, points, rules_version, created_at, 'entry:' || id FROM entered
)
INSERT INTO points_bucket AS b (campaign_id, points, hour, entrants)
SELECT campaign_id, rank_points, {points.hour("reached_at")}, count(*) FROM entered GROUP BY 1, 2, 3
ON CONFLICT (campaign_id, points, hour) DO UPDATE SET entrants = b.entrants + excluded.entrants
""")  # noqa: S608 - the only value put in by Python is a constant of the product


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made: the campaign's slug, and the first login with the password that is shown this once.

    `email` and `password` are empty when somebody could sign in before.
    """

    slug: str
    email: str
    password: str

    @property
    def login(self) -> str:
        """The first login as a line to print."""
        return f"{self.email}  password: {self.password}" if self.email else "as before"


def seed_when_empty() -> Seeded | None:
    """Make the demo brand, its live contest and the first user in a database without a brand; else do nothing.

    The caller commits. Answers None when nothing was made.
    """
    if db.session.scalar(select(Brand.id).limit(1)) is not None:
        return None
    data = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    brand = make_brand(data["brand"])
    campaign = make_campaign(brand, data)
    campaigns.publish(campaign)
    first = accounts.create_first_user(OWNER)
    email, password = (first[0].email, first[1]) if first else ("", "")
    return Seeded(campaign.slug, email, password)


def add_people(number: int) -> Iterator[int]:
    """Let so many made-up people have confirmed in the oldest live contest; yields how many each chunk added. Commits.

    They agreed to marketing, have addresses at example.com, and live where it is about noon, so that a letter to them
    leaves whatever the hour is here. No fact tells of them: nobody is enrolled in a sequence or counted as news.
    Raises NotAllowed in production, NotFound when no contest is live.
    """
    if settings.get().is_production:
        raise NotAllowed("people are not made up in production")
    live = select(Campaign.id).where(Campaign.status == CampaignStatus.LIVE).order_by(Campaign.id).limit(1)
    campaign_id = db.session.scalar(live)
    if campaign_id is None:
        raise NotFound("no contest is live")
    run = secrets.token_hex(3)
    values = {"campaign": campaign_id, "zone": _noon_zone()}
    for start in range(0, number, _CHUNK):
        size = min(_CHUNK, number - start)
        db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": points.LOCK})
        made = _made_up(run, range(start, start + size))
        db.session.execute(_PEOPLE, made | values | {"now": clock.now()})
        db.session.commit()
        yield size


def _made_up(run: str, numbers: range) -> dict[str, list[Any]]:
    names = [_NAMES[number % len(_NAMES)] for number in numbers]
    emails = [f"made-up-{run}-{number + 1:06d}@example.com" for number in numbers]
    return {
        "emails": emails,
        "hashes": [address.address_hash(email) for email in emails],
        "names": names,
        "locales": ["fr" if number % 3 else "en" for number in numbers],
        "public_ids": [ids.public_id() for _ in numbers],
        "codes": [ids.referral_code(_CODE_LENGTH) for _ in numbers],
    }


def _noon_zone() -> str:
    """A time zone in which it is about noon now."""
    zones = [f"Etc/GMT{hours:+d}" for hours in range(-12, 13) if hours]
    now = clock.now()
    return min(zones, key=lambda zone: abs(now.astimezone(ZoneInfo(zone)).hour - 12))


def make_brand(data: dict[str, Any]) -> Brand:
    """The demo brand."""
    brand = Brand(**data)
    db.session.add(brand)
    db.session.flush()
    return brand


def make_campaign(brand: Brand, data: dict[str, Any]) -> Campaign:
    """The demo contest as a draft that starts now, with its prizes, questions and sequence."""
    plan = data["campaign"]
    now = clock.now().replace(second=0, microsecond=0)
    campaign = campaigns.create_from_template(
        brand,
        plan["template"],
        name=plan["name"],
        slug=plan["slug"],
        starts_at=now,
        ends_at=campaigns.last_minute(now + timedelta(days=plan["days"]), brand.timezone),
    )
    for locale, texts in data["texts"].items():
        campaigns.edit_texts(campaign, locale, texts)
    campaigns.edit_picture(campaign, plan["picture"])
    campaigns.edit_eligibility(campaign, countries=plan["countries"], minimum_age=18)
    _replace_prizes(campaign, data["prizes"])
    asked = [QuestionInput(**(question | {"kind": QuestionKind(question["kind"])})) for question in data["questions"]]
    campaigns.ask(campaign, asked)
    _add_actions(campaign, data["actions"])
    for milestone in data["milestones"]:
        words = {name: kind(milestone[name]) for name, kind in _WORDS.items()}
        campaigns.add_milestone(campaign, MilestoneInput(**milestone | words))
    _load_codes(campaign)
    db.session.add(sequences.from_data(campaign, data["sequence"]))
    db.session.flush()
    return campaign


def _add_actions(campaign: Campaign, data: list[dict[str, Any]]) -> None:
    for action in data:
        words = {"kind": ActionKind(action["kind"]), "repeat": Repeat(action["repeat"])}
        added = campaigns.add_action(campaign, ActionInput(**action | words))
        db.session.flush()
        if added.kind is ActionKind.CODE:
            codes.add(added.id, [SECRET])


def _load_codes(campaign: Campaign) -> None:
    """A vault for every reward that is a code."""
    db.session.flush()
    for milestone in campaign.milestones:
        if milestone.delivery is Delivery.CODE:
            made = "\n".join(f"ESCALES-{ids.referral_code()}" for _ in range(VOUCHERS))
            loading.load(milestone.id, io.BytesIO(made.encode()))


def _replace_prizes(campaign: Campaign, prizes: list[dict[str, Any]]) -> None:
    for standard in list(campaign.prizes):
        campaigns.remove_prize(campaign, standard.id)
    for prize in prizes:
        campaigns.add_prize(campaign, PrizeInput(**prize))
