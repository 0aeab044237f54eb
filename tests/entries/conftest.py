"""A live campaign and a form filled in with defaults."""

from __future__ import annotations

from typing import Any

import pytest

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.contacts import address
from leadgen.core import hot
from leadgen.entries import lately, person, points
from leadgen.entries.entering import EntryRequest
from tests.factories import make_campaign


@pytest.fixture(autouse=True)
def _forget_caches() -> None:
    points.forget()
    lately.forget()
    person.forget()


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign()


@pytest.fixture
def card(campaign: Campaign) -> CampaignCard:
    return cards.by_id(campaign.id)


def filled(email: str = "anna@mail.example", **values: Any) -> EntryRequest:
    """A form as the landing page sends it."""
    defaults: dict[str, Any] = {
        "address": address.parse(email),
        "first_name": "Anna",
        "wants_marketing": False,
        "referral_code": "",
        "channel": "",
        "source": {},
        "locale": "fr",
        "timezone": "Europe/Paris",
        "ip": "192.0.2.7",
        "user_agent": "A browser",
        "page": "http://localhost/c/summer",
        "seconds": 12.0,
    }
    return EntryRequest(**(defaults | values))


def rows(statement: str, **values: Any) -> list[dict[str, Any]]:
    """What the tables say, through a connection that no session caches for."""
    return hot.many(statement, values)
