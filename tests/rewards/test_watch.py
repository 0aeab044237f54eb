"""Whoever points do not tell about is looked at again: changed tiers, erased people, awards that do not fit."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from leadgen import reactions
from leadgen.campaigns import editing
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign
from leadgen.campaigns.service import MilestoneInput
from leadgen.core.db import db
from leadgen.entries import person
from leadgen.rewards import jobs, watch
from leadgen.rewards.models import AwardState
from tests.factories import fresh
from tests.rewards.conftest import ben, look, rows, state, tier

TEXTS = {"en": {"title": "A mug"}, "fr": {"title": "Un mug"}}


def test_a_tier_that_is_added_later_is_earned_by_who_has_reached_it(campaign: Campaign) -> None:
    anna, cleo = ben(campaign, friends=2), ben(campaign, friends=1)
    added = campaigns.add_milestone(campaign, MilestoneInput(texts=TEXTS, threshold=2))
    db.session.commit()

    reactions.drain()
    jobs.award()
    assert state(anna, added) is AwardState.APPROVED
    assert state(cleo, added) is None


def test_a_new_tier_reaches_everybody_however_many_they_are(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_BATCH", 2)
    people = [ben(campaign, friends=1) for _ in range(5)]
    added = campaigns.add_milestone(campaign, MilestoneInput(texts=TEXTS, threshold=1))
    db.session.commit()

    reactions.drain()
    jobs.award()
    assert {state(one, added) for one in people} == {AwardState.APPROVED}


def test_other_changes_of_the_rules_look_at_nobody(campaign: Campaign) -> None:
    tier(campaign, 1)
    ben(campaign, friends=1)
    for points in (7, 8):  # the first also tells the reward that was made behind the rules' back
        with editing.edited(campaign, material=editing.in_each_language("The points have changed.")):
            campaign.entry_points = points
        db.session.commit()
        db.session.execute(text("DELETE FROM points_moved"))
        db.session.commit()
        reactions.drain()
    assert rows("SELECT 1 FROM points_moved") == []


def test_who_is_erased_is_looked_at(campaign: Campaign) -> None:
    reward, anna = tier(campaign, 2), ben(campaign, friends=2)
    look(anna)
    person.erase(anna.id)
    db.session.commit()

    reactions.drain()
    jobs.award()
    assert state(anna, reward) is AwardState.RECLAIMED


def test_the_audit_finds_what_was_missed_and_mends_it(campaign: Campaign) -> None:
    reward, anna, cleo = tier(campaign, 2), ben(campaign, friends=2), ben(campaign, friends=2)
    look(anna)
    assert watch.audit() == [cleo.id]
    fresh(anna).friends_counted = 0
    db.session.commit()
    assert watch.audit() == [anna.id, cleo.id]

    jobs.award()
    assert (state(anna, reward), state(cleo, reward)) == (AwardState.RECLAIMED, AwardState.APPROVED)
    assert watch.audit() == []
    assert rows("SELECT 1 FROM points_moved") == []
