"""Seed data: an invented brand with a live contest in both languages, so that a newcomer sees the product at work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select

from leadgen.accounts import service as accounts
from leadgen.accounts.models import Brand
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, QuestionKind
from leadgen.campaigns.service import PrizeInput, QuestionInput
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.nurture import sequences

OWNER = "owner@escales.example"
DATA = Path(__file__).with_suffix(".yaml")


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
    _replace_questions(campaign, data["questions"])
    db.session.add(sequences.from_data(campaign, data["sequence"]))
    db.session.flush()
    return campaign


def _replace_prizes(campaign: Campaign, prizes: list[dict[str, Any]]) -> None:
    for standard in list(campaign.prizes):
        campaigns.remove_prize(campaign, standard.id)
    for prize in prizes:
        campaigns.add_prize(campaign, PrizeInput(**prize))


def _replace_questions(campaign: Campaign, questions: list[dict[str, Any]]) -> None:
    for standard in list(campaign.questions):
        campaigns.remove_question(campaign, standard.id)
    for question in questions:
        campaigns.add_question(campaign, QuestionInput(**(question | {"kind": QuestionKind(question["kind"])})))
