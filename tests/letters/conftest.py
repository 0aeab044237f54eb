"""A live campaign with its card."""

from __future__ import annotations

import pytest

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from tests.factories import make_campaign


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign()


@pytest.fixture
def card(campaign: Campaign) -> CampaignCard:
    return cards.by_id(campaign.id)
