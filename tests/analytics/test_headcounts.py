"""Dear counts are kept for all processes, counted beforehand in large contests, and hold no name."""

import json

import pytest

from leadgen.analytics import headcounts, jobs
from leadgen.analytics import virality as spreading
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import notes
from leadgen.core.db import db
from tests import factories
from tests.analytics.spreading import make_random_spread

ZONE = "Europe/Paris"


@pytest.fixture
def campaign(context: None) -> Campaign:
    return factories.make_campaign()


def _name(campaign: Campaign) -> str:
    return f"spread:{campaign.id}:{campaign.timezone}"


def test_cheap_counts_are_counted_anew(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headcounts, "DEAR_SECONDS", 60)
    assert spreading.spread(campaign.id, ZONE).raw.people == 0
    factories.make_entry(campaign)
    found = spreading.spread(campaign.id, ZONE)
    assert (found.raw.people, found.kept_since) == (1, None)


def test_dear_counts_are_kept_and_say_since_when(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is shown with the same figures as when it was counted."""
    monkeypatch.setattr(headcounts, "DEAR_SECONDS", -1)
    monkeypatch.setattr(headcounts, "LEAST_SECONDS", 60)
    make_random_spread(campaign, seed=2, people=12)
    counted = headcounts.of(campaign.id, ZONE)
    monkeypatch.undo()
    factories.make_entry(campaign)
    kept = headcounts.of(campaign.id, ZONE)
    assert kept == {**counted, "is_kept": True}
    found = spreading.spread(campaign.id, ZONE)
    assert found.raw.people == 12
    assert found.kept_since is not None
    headcounts.forget(campaign.id, ZONE)
    assert headcounts.of(campaign.id, ZONE)["is_kept"] is False


def test_large_contests_are_counted_beforehand(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headcounts, "LARGE", 2)
    small, gone = factories.make_campaign(), factories.make_campaign(status=CampaignStatus.ARCHIVED)
    for contest, people in ((campaign, 3), (small, 1), (gone, 3)):
        for _number in range(people):
            factories.make_entry(contest, confirmed=True)
    jobs.recount()
    assert notes.read(_name(campaign)) is not None
    assert [notes.read(_name(one)) for one in (small, gone)] == [None, None]
    assert spreading.spread(campaign.id, campaign.timezone).confirmed.people == 3
    assert headcounts.recount() == 0  # fresh


def test_what_grew_old_is_counted_again(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five minutes while the contest runs, six hours afterwards."""
    monkeypatch.setattr(headcounts, "LARGE", 1)
    factories.make_entry(campaign, confirmed=True)
    for status, fresh in ((CampaignStatus.LIVE, 300), (CampaignStatus.CLOSED, 6 * 3600)):
        campaign.status = status
        db.session.commit()
        notes.leave(_name(campaign), "{}", 2 * fresh + 30)
        assert headcounts.recount() == 0
        notes.leave(_name(campaign), "{}", 2 * fresh - 30)
        assert headcounts.recount() == 1


def test_no_name_is_kept(campaign: Campaign) -> None:
    """An erased person's name is gone from the page at once, kept figures or not."""
    ben = factories.make_entry(campaign, confirmed=True, first_name="Benedikt", email="benedikt@mail.example")
    factories.make_entry(campaign, confirmed=True, referrer=ben)
    text = json.dumps(headcounts.of(campaign.id, ZONE))
    assert str(ben.id) in text
    assert "enedikt" not in text
    assert spreading.spread(campaign.id, ZONE).influencers[0].first_name == "Benedikt"
