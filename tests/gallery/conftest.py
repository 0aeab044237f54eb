"""A contest of photos in its phases: Ben and Anna take part and have confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask

from leadgen.campaigns import cards
from leadgen.campaigns.cards import ActionCard, CampaignCard
from leadgen.campaigns.models import Action, ActionKind, Campaign, Mechanic
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.gallery.models import Work
from tests.factories import make_campaign, make_entry
from tests.factories_contest import make_action, make_work


@dataclass
class Contest:
    """One contest; `card` is read anew each time."""

    campaign: Campaign
    action_id: int
    ben: Entry
    anna: Entry

    @property
    def card(self) -> CampaignCard:
        cards.forget()
        return cards.by_id(self.campaign.id)

    @property
    def action(self) -> ActionCard:
        return next(action for action in self.card.actions if action.id == self.action_id)

    def set(self, **values: object) -> None:
        """Change the campaign behind everybody's back."""
        for name, value in values.items():
            setattr(self.campaign, name, value)
        db.session.commit()
        cards.forget()

    def vote_now(self) -> None:
        """The vote began an hour ago and goes on for a week."""
        now = clock.now()
        self.set(votes_start_at=now - timedelta(hours=1), votes_end_at=now + timedelta(days=7))

    def work(self, maker: Entry, **values: object) -> Work:
        return make_work(maker, db.session.get_one(Action, self.action_id), **values)


def make_contest(*, what: str = "photo", most: int = 3, slug: str = "photos") -> Contest:
    campaign = make_campaign(slug=slug, mechanics=["draw", Mechanic.VOTES.value], timezone="Europe/Paris")
    settings = {"what": what, "most_per_person": most, "rights": {"en": "It is mine.", "fr": "C’est à moi."}}
    action = make_action(campaign, kind=ActionKind.UPLOAD, settings=settings, points=4)
    ben = make_entry(campaign, email="ben@mail.example", first_name="Ben", confirmed=True, locale="en")
    anna = make_entry(campaign, email="anna@mail.example", first_name="Anna", confirmed=True, locale="en")
    return Contest(campaign, action.id, ben, anna)


@pytest.fixture
def contest(context: None, app: Flask) -> Contest:
    return make_contest()
