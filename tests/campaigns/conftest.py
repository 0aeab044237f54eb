"""A draft that is ready to be launched, made by the verbs themselves."""

from datetime import timedelta
from typing import Any

import pytest

from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign
from leadgen.campaigns.service import PrizeInput
from leadgen.core import clock
from leadgen.core.db import db
from tests.factories import make_brand
from tests.texts import prize


@pytest.fixture
def draft(context: None) -> Campaign:
    """Made from the prize draw; opens in a day, lasts thirty; one prize with a value."""
    campaign = campaigns.create_from_template(
        make_brand(locale="en"),
        "prize-draw",
        name="Summer",
        starts_at=clock.now() + timedelta(days=1),
        ends_at=clock.now() + timedelta(days=31),
    )
    campaigns.edit_prize(campaign, campaign.prizes[0].id, prize_input())
    db.session.commit()
    return campaign


@pytest.fixture
def published(draft: Campaign) -> Campaign:
    """The same, published and scheduled."""
    campaigns.publish(draft)
    db.session.commit()
    return draft


def prize_input(number: int = 1, **values: Any) -> PrizeInput:
    """A prize that is complete."""
    return PrizeInput(**{"texts": prize(number), "quantity": 1, "value": 150_000, "picture": "prize-island"} | values)
