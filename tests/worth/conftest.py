"""A brand of contacts who brought each other through two contests, with everything that counts and does not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import pytest
from flask import Flask

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import ActionKind, Campaign
from leadgen.contacts.models import Contact
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries.models import Entry, ReferralState, Review
from leadgen.worth import service as worth
from tests import factories
from tests.factories_contest import make_action, make_deed

PRICES = {"consent": 131, "entry": 17, "form": 53, "answer": 7, "goal": 211}


class People(NamedTuple):
    """A brand and everybody in it."""

    brand: Brand
    campaigns: list[Campaign]
    contacts: list[Contact]


@pytest.fixture(autouse=True)
def _context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def brand() -> Brand:
    brand = factories.make_brand()
    priced(brand)
    return brand


def priced(brand: Brand, *, discount: int = 37, **prices: int) -> None:
    """A discount whose powers leave remainders, so that rounding shows."""
    worth.set_prices(brand.id, "EUR", PRICES | prices, discount)
    db.session.commit()


@pytest.fixture
def people(brand: Brand) -> People:
    """Forty people, the same in every run."""
    dice = random.Random(11)
    with factories.in_one_go():
        campaigns = [factories.make_campaign(brand, questions=2) for _number in range(2)]
        buy = [make_action(campaign, kind=ActionKind.EXTERNAL) for campaign in campaigns]
        tell = make_action(campaigns[0])
        contacts = [factories.make_contact(brand, marketing=dice.random() < 0.6) for _number in range(40)]
        made: list[list[Entry]] = [[], []]
        for contact in contacts:
            for number, campaign in enumerate(campaigns):
                if dice.random() < 0.25:
                    continue
                above = dice.choice(made[number]) if made[number] and dice.random() < 0.85 else None
                entry = factories.make_entry(campaign, contact, confirmed=dice.random() < 0.9, referrer=above)
                made[number].append(entry)
                _deeds(dice, entry, campaign, [buy[number], *([tell] if number == 0 else [])])
        for number in range(3):
            contact = dice.choice(contacts)
            worth.record_sale(contact.id, reference=f"shop-{number}", amount=990 + number, at=clock.now())
    db.session.commit()
    return People(brand, campaigns, contacts)


def _deeds(dice: random.Random, entry: Entry, campaign: Campaign, actions: list[object]) -> None:
    if entry.confirmed_at is None:
        return
    for question in campaign.questions:
        if dice.random() < 0.4:
            factories.make_answer(entry, question)
    if dice.random() < 0.3:
        finished = dice.choice([None, clock.now() - timedelta(days=1)])
        factories.make_submission(entry, finished_at=finished)
    if dice.random() < 0.3:
        make_deed(entry, dice.choice(actions))  # type: ignore[arg-type]
    if dice.random() < 0.1:
        entry.review = Review.EXCLUDED
    if entry.referrer_id and dice.random() < 0.1:
        entry.referral_state = ReferralState.REVERSED
