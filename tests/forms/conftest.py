"""A live contest with a form of three pages, and a person who has confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.forms import definition as documents
from leadgen.forms import service as forms
from tests.factories import make_campaign, make_entry


@pytest.fixture(autouse=True)
def _context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def field(key: str, kind: str = "text", **values: Any) -> dict[str, Any]:
    """A field with words in both languages."""
    label = f"{key.title()}?"
    return {"key": key, "type": kind, "texts": {"en": {"label": label}, "fr": {"label": label}}} | values


ROLES = [
    {"id": "owner", "texts": {"en": "Owner", "fr": "Gérant"}},
    {"id": "clerk", "texts": {"en": "Clerk", "fr": "Employé"}},
]
IS_OWNER = {"field": "role", "op": "eq", "value": "owner"}
# Owners tell how large their team is, clerks who their boss is; owners of large teams tell of their firm as well.
FORM: dict[str, Any] = {
    "pages": [
        {
            "id": "p1",
            "fields": [
                field("role", "single", options=ROLES, is_required=True),
                field("firm", show=IS_OWNER, points=3),
            ],
            "jumps": [{"when": IS_OWNER, "to": "p3"}],
        },
        {"id": "p2", "fields": [field("boss", is_required=True)]},
        {
            "id": "p3",
            "fields": [field("team", "number"), field("came_from", "hidden", parameter="utm_source", points=0)],
        },
    ]
}


def publish(campaign: Campaign, data: dict[str, Any]) -> int:
    """Make this the form that people see; answers the number of its version."""
    forms.save(campaign, documents.from_data(data), forms.draft_of(campaign).revision)
    number = forms.publish(campaign, "Ada").number
    db.session.commit()
    cards.forget()
    return number


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(questions=0, rules_version=1)
    publish(campaign, FORM)
    return campaign


@pytest.fixture
def card(campaign: Campaign) -> CampaignCard:
    return cards.by_id(campaign.id)


@pytest.fixture
def anna(campaign: Campaign) -> Entry:
    return make_entry(campaign, confirmed=True, source={"utm_source": "fair"})
