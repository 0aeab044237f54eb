"""What forms hold about a person is told to them, and gone when they are."""

from __future__ import annotations

from leadgen import reactions
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries import person
from leadgen.entries.models import Entry
from leadgen.forms import filling, forgetting, places
from leadgen.forms.queue import skip
from tests.factories import make_fact


def test_what_was_said_is_told_and_then_forgotten(card: CampaignCard, anna: Entry) -> None:
    filling.begin(places.read(anna.id, card), card)
    filling.send(places.read(anna.id, card), "p1", {"role": ["owner"], "firm": ["Zanzibar"]}, ["role", "firm"])
    skip(places.read(anna.id, card), "team")
    told = forgetting.held(anna.contact_id)
    campaign = db.session.get_one(Campaign, card.id)
    assert told["forms"][0]["contest"] == campaign.texts["fr"]["title"] != campaign.name, "the name is the house's"
    assert told["forms"][0]["answers"] == {"role": "owner", "firm": "Zanzibar", "came_from": "fair"}
    assert told["questions_passed_over"][0]["question"] == "team"

    person.erase(anna.id)
    db.session.commit()
    while reactions.drain():
        pass
    assert forgetting.held(anna.contact_id) == {"forms": [], "questions_passed_over": []}
    assert hot.one("SELECT count(*) AS n FROM submission", {}) == {"n": 0}
    forgetting.forget([make_fact(anna)])  # it may run twice
