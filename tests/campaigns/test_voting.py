"""When people vote: edited with its rules, told in the rules' text, and checked before launch."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadgen.campaigns import rules
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import ActionKind, Campaign, CampaignStatus, Mechanic
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from tests.factories import make_campaign
from tests.factories_contest import make_action


@pytest.fixture
def campaign(context: None) -> Campaign:
    now = clock.now()
    return make_campaign(starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=20))


def _voting(start: float = 5, end: float = 10, **values: object) -> campaigns.VotingInput:
    """Days from now."""
    moments = {"starts_at": clock.now() + timedelta(days=start), "ends_at": clock.now() + timedelta(days=end)}
    return campaigns.VotingInput(**(moments | values))  # type: ignore[arg-type]


def test_a_vote_is_a_mechanic(campaign: Campaign) -> None:
    campaigns.edit_voting(campaign, _voting(a_day=5, needs_entry=True))
    assert (campaign.votes_a_day, campaign.votes_need_entry) == (5, True)
    assert Mechanic.VOTES in campaign.mechanics
    campaigns.edit_voting(campaign, campaigns.VotingInput(starts_at=None, ends_at=None))
    assert Mechanic.VOTES not in campaign.mechanics


def test_the_rules_tell_the_phases(campaign: Campaign) -> None:
    campaigns.edit_texts(campaign, "en", {"rules": "{award}"})
    campaigns.edit_voting(campaign, _voting(a_day=5))
    told = rules.told(campaign)["en"]
    assert "The vote is open from" in told
    assert "5 votes a day" in told
    assert "count as one voter" in told
    campaigns.edit_voting(campaign, _voting(a_day=5, needs_entry=True))
    assert "Only confirmed entrants vote." in rules.told(campaign)["en"]


def test_a_change_after_publication_is_a_public_line(campaign: Campaign) -> None:
    before = campaign.rules_version = campaign.rules_version or 1
    db.session.commit()
    campaigns.edit_voting(campaign, _voting())
    db.session.flush()
    newest = rules.versions(campaign.id)[0]
    assert newest.number == before + 1
    assert "People now vote from" in newest.changes[0]["en"]
    assert "On vote désormais" in newest.changes[0]["fr"]
    assert newest.snapshot["votes"]["a_day"] == 3


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (-2, 5, "starts_at"),  # before the contest
        (21, 25, "starts_at"),  # after its end
        (5, 5.01, "ends_at"),  # a quarter of an hour
        (5, 4, "ends_at"),
        (5, 90, "ends_at"),
    ],
)
def test_dates_that_make_no_vote_are_refused(campaign: Campaign, start: float, end: float, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.edit_voting(campaign, _voting(start, end))
    assert refused.value.field == field


@pytest.mark.parametrize("missing", ["starts_at", "ends_at"])
def test_one_date_alone_is_refused(campaign: Campaign, missing: str) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.edit_voting(campaign, _voting(**{missing: None}))
    assert refused.value.field == missing


@pytest.mark.parametrize("a_day", [0, 101])
def test_so_many_votes_make_no_sense(campaign: Campaign, a_day: int) -> None:
    with pytest.raises(Invalid):
        campaigns.edit_voting(campaign, _voting(a_day=a_day))


def test_a_vote_that_has_begun_keeps_its_beginning(campaign: Campaign) -> None:
    begun = clock.now() - timedelta(hours=1)
    campaign.rules_version, campaign.votes_start_at = 1, begun
    campaign.votes_end_at = clock.now() + timedelta(days=2)
    db.session.commit()
    with pytest.raises(Invalid, match="has begun"):
        campaigns.edit_voting(campaign, _voting())
    campaigns.edit_voting(campaign, _voting(0, 8, starts_at=begun))
    assert campaign.votes_end_at is not None
    assert campaign.votes_end_at > clock.now() + timedelta(days=7)


def test_nothing_changes_when_the_contest_is_over(campaign: Campaign) -> None:
    campaign.status = CampaignStatus.CLOSED
    db.session.commit()
    with pytest.raises(Conflict):
        campaigns.edit_voting(campaign, _voting())


@pytest.mark.parametrize(("start", "end", "field"), [(6, 20, "starts_at"), (1, 4, "ends_at")])
def test_the_contest_keeps_its_vote_inside(campaign: Campaign, start: int, end: int, field: str) -> None:
    campaign.status, campaign.starts_at = CampaignStatus.DRAFT, clock.now() + timedelta(days=1)
    campaigns.edit_voting(campaign, _voting(5, 10))
    days = {"starts_at": clock.now() + timedelta(days=start), "ends_at": clock.now() + timedelta(days=end)}
    with pytest.raises(Invalid, match="outside the contest") as refused:
        campaigns.edit_dates(campaign, campaigns.CampaignDates(**days, timezone="UTC"))
    assert refused.value.field == field


def _missing(campaign: Campaign) -> list[str]:
    db.session.commit()
    return [
        problem.sentence
        for problem in campaigns.missing_before_launch(campaign)
        if problem.where in {"works", "actions"}
    ]


def test_a_launch_asks_for_works_and_dates(campaign: Campaign) -> None:
    assert _missing(campaign) == []
    campaign.mechanics = ["votes"]
    assert _missing(campaign) == ["Add an action by which people hand in their works.", "Say when people vote."]
    make_action(campaign, kind=ActionKind.UPLOAD)
    now = clock.now()
    campaign.votes_start_at, campaign.votes_end_at = now - timedelta(days=3), now
    assert _missing(campaign) == ["The vote must begin later than the contest, so that there is something to vote for."]
    campaign.votes_start_at, campaign.votes_end_at = now + timedelta(days=3), now + timedelta(days=2)
    assert _missing(campaign) == ["The vote must end after it begins."]
    campaign.votes_end_at = now + timedelta(days=4)
    assert _missing(campaign) == []
