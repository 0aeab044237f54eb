"""Doing actions: once for each occurrence, within the window, after what comes first (F6, rule 3, I10)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadgen.actions import service as actions
from leadgen.actions.service import Outcome
from leadgen.campaigns import cards
from leadgen.campaigns.models import ActionKind, Campaign, CampaignStatus, Repeat
from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.entries import person, points
from leadgen.entries.models import Entry, Review
from tests.actions.conftest import an, do, lines, total
from tests.conftest import Clock
from tests.factories import fresh, make_campaign, make_entry

ONE_PRESS = [ActionKind.DAILY, ActionKind.FOLLOW, ActionKind.CUSTOM]


@pytest.mark.parametrize("kind", ONE_PRESS)
def test_one_press_earns_the_worth_once(campaign: Campaign, ben: Entry, kind: ActionKind) -> None:
    action = an(kind, campaign, points=3, chances=1, repeat=Repeat.DAILY if kind is ActionKind.DAILY else Repeat.ONCE)
    assert do(ben, action) == actions.Result(Outcome.DONE, 3)
    assert do(ben, action).outcome is Outcome.ALREADY
    assert total(ben) == (3, 1)
    [line] = lines(ben)
    assert line["action_id"] == action.id
    assert line["proof"] == action.proof
    assert line["key"].startswith(f"action:{ben.id}:{action.id}:"), "the key of F6: entry, action, occurrence"


def test_a_deed_tells_its_fact(campaign: Campaign, ben: Entry) -> None:
    action = an(ActionKind.FOLLOW, campaign)
    do(ben, action)
    do(ben, action)
    [fact] = hot.many("SELECT data, entry_id FROM fact WHERE name = 'action.credited'", {})
    assert fact == {"data": {"action": action.key, "points": 2}, "entry_id": ben.id}


def test_share_counts_once_for_each_network(campaign: Campaign, ben: Entry) -> None:
    """F6: share click, 1 for each network, once."""
    action = an(ActionKind.SHARE, campaign, points=1, chances=1)
    for network in ("wa", "wa", "fb", "wa"):
        do(ben, action, network=network)
    assert total(ben) == (2, 2)
    assert do(ben, action, network="wa").outcome is Outcome.ALREADY


def test_a_network_that_is_not_offered_is_refused(campaign: Campaign, ben: Entry) -> None:
    action = an(ActionKind.SHARE, campaign)
    with pytest.raises(Invalid) as refused:
        do(ben, action, network="li")
    assert refused.value.field == "network"
    assert total(ben) == (0, 0)


def test_daily_goes_by_the_campaigns_calendar_and_counts_days_in_a_row(
    campaign: Campaign, ben: Entry, clock: Clock
) -> None:
    action = an(ActionKind.DAILY, campaign, repeat=Repeat.DAILY)
    for day in range(3):
        assert do(ben, action).outcome is Outcome.DONE, day
        assert do(ben, action).outcome is Outcome.ALREADY, day
        clock.forward(days=1)
    assert total(ben) == (6, 6)
    keys = [line["key"].rsplit(":", 1)[1] for line in lines(ben)]
    local = product_clock.now().date()
    assert len(set(keys)) == 3
    assert all(abs((local - type(local).fromisoformat(key)).days) <= 4 for key in keys)


def test_weekly_comes_back_on_monday(campaign: Campaign, ben: Entry, clock: Clock) -> None:
    action = an(ActionKind.CUSTOM, campaign, repeat=Repeat.WEEKLY)
    assert do(ben, action).outcome is Outcome.DONE
    assert do(ben, action).outcome is Outcome.ALREADY
    clock.forward(days=7)
    assert do(ben, action).outcome is Outcome.DONE


def test_unlimited_stops_at_its_maximum_and_a_double_press_is_one(campaign: Campaign, ben: Entry) -> None:
    action = an(ActionKind.CUSTOM, campaign, repeat=Repeat.UNLIMITED, most_times=3)
    assert do(ben, action, number=1).outcome is Outcome.DONE
    assert do(ben, action, number=1).outcome is Outcome.ALREADY, "the same form again"
    assert do(ben, action, number=2).outcome is Outcome.DONE
    assert do(ben, action, number=99).outcome is Outcome.DONE, "a made-up number is the next one"
    assert do(ben, action, number=4).outcome is Outcome.ALREADY
    assert total(ben) == (6, 6)


def test_nothing_before_confirmation(campaign: Campaign) -> None:
    """Rule 3."""
    anna = make_entry(campaign, email="anna@mail.example")
    assert do(anna, an(ActionKind.CUSTOM, campaign)).outcome is Outcome.UNCONFIRMED
    assert total(anna) == (0, 0)
    assert hot.many("SELECT 1 FROM deed", {}) == []


@pytest.mark.parametrize(
    "status", [s for s in CampaignStatus if s not in {CampaignStatus.LIVE, CampaignStatus.SCHEDULED}]
)
def test_nothing_while_the_contest_is_not_open(campaign: Campaign, ben: Entry, status: CampaignStatus) -> None:
    """Paused, in grace, closed: no points by actions (F1)."""
    action = an(ActionKind.CUSTOM, campaign)
    campaign.status = status
    db.session.commit()
    assert do(ben, action).outcome is Outcome.CLOSED
    assert total(ben) == (0, 0)


def test_nothing_at_the_very_end_even_if_the_job_is_late(campaign: Campaign, ben: Entry, clock: Clock) -> None:
    """I27: accepted iff start <= now < end, whatever the state says."""
    action = an(ActionKind.DAILY, campaign, repeat=Repeat.DAILY)
    campaign.ends_at = product_clock.now() + timedelta(hours=1)
    db.session.commit()
    assert do(ben, action).outcome is Outcome.DONE
    clock.forward(hours=1)
    assert do(ben, action).outcome is Outcome.CLOSED


def test_the_actions_own_window(campaign: Campaign, ben: Entry, clock: Clock) -> None:
    now = product_clock.now()
    action = an(ActionKind.CUSTOM, campaign, starts_at=now + timedelta(hours=1), ends_at=now + timedelta(hours=2))
    assert do(ben, action).outcome is Outcome.NOT_YET
    clock.forward(minutes=90)
    late = an(ActionKind.CUSTOM, campaign, ends_at=now + timedelta(hours=1))
    assert do(ben, late).outcome is Outcome.OVER
    assert do(ben, action).outcome is Outcome.DONE


def test_a_mandatory_one_comes_first(campaign: Campaign, ben: Entry) -> None:
    first = an(ActionKind.FOLLOW, campaign, is_mandatory=True)
    other = an(ActionKind.CUSTOM, campaign)
    assert do(ben, other).outcome is Outcome.LOCKED
    assert do(ben, first).outcome is Outcome.DONE
    assert do(ben, other).outcome is Outcome.DONE


def test_a_mandatory_one_that_is_over_locks_nobody_out(campaign: Campaign, ben: Entry) -> None:
    an(ActionKind.FOLLOW, campaign, is_mandatory=True, ends_at=product_clock.now() - timedelta(hours=1))
    assert do(ben, an(ActionKind.CUSTOM, campaign)).outcome is Outcome.DONE


def test_one_that_needs_others_opens_after_so_many(campaign: Campaign, ben: Entry) -> None:
    last = an(ActionKind.CUSTOM, campaign, needs_others=2)
    daily = an(ActionKind.DAILY, campaign, repeat=Repeat.DAILY)
    follow = an(ActionKind.FOLLOW, campaign)
    assert do(ben, last).outcome is Outcome.LOCKED
    do(ben, daily)
    assert do(ben, last).outcome is Outcome.LOCKED
    do(ben, follow)
    assert do(ben, last).outcome is Outcome.DONE


@pytest.mark.parametrize("review", [Review.HELD, Review.EXCLUDED])
def test_held_and_excluded_people_may_act(campaign: Campaign, ben: Entry, review: Review) -> None:
    action = an(ActionKind.CUSTOM, campaign)
    ben.review = review
    db.session.commit()
    assert do(ben, action).outcome is Outcome.DONE


def test_an_action_of_another_campaign_is_not_there(ben: Entry) -> None:
    foreign = an(ActionKind.CUSTOM, make_campaign())
    card = cards.by_id(foreign.campaign_id).actions[0]
    with pytest.raises(NotFound):
        actions.do(ben.id, card)


def test_one_that_was_switched_off_a_moment_ago_earns_nothing(campaign: Campaign, ben: Entry) -> None:
    action = an(ActionKind.CUSTOM, campaign)
    card = cards.by_id(campaign.id).actions[0]  # a page that was shown before
    action.is_active = False
    db.session.commit()
    assert actions.do(ben.id, card).outcome is Outcome.ALREADY
    assert total(ben) == (0, 0)


def test_an_erased_person_is_not_there(campaign: Campaign, ben: Entry) -> None:
    an(ActionKind.CUSTOM, campaign)
    card = cards.by_id(campaign.id).actions[0]
    person.erase(ben.id)
    db.session.commit()
    with pytest.raises(NotFound):
        actions.do(ben.id, card)


@pytest.mark.parametrize("kind", [ActionKind.UPLOAD, ActionKind.EXTERNAL])
def test_what_others_vouch_for_cannot_be_pressed(campaign: Campaign, ben: Entry, kind: ActionKind) -> None:
    """A forged proof: the page's door knows no such deed."""
    action = an(kind, campaign)
    with pytest.raises(NotFound):
        do(ben, action)


def test_chances_alone_can_be_the_worth(campaign: Campaign, ben: Entry) -> None:
    do(ben, an(ActionKind.CUSTOM, campaign, points=0, chances=4))
    assert total(ben) == (0, 4)


def test_an_action_that_is_worth_nothing_has_no_line(campaign: Campaign, ben: Entry) -> None:
    assert do(ben, an(ActionKind.CUSTOM, campaign, points=0, chances=0)).outcome is Outcome.DONE
    assert lines(ben) == []


def test_declared_points_do_not_rank(campaign: Campaign, ben: Entry) -> None:
    before = fresh(ben).rank_points
    do(ben, an(ActionKind.CUSTOM, campaign, points=5, chances=5))
    points.fold()
    row = fresh(ben)
    assert (row.rank_points, row.points - before) == (before, 5)
    assert row.declared_chances == 5


def test_what_others_vouch_for_is_credited_once(campaign: Campaign, ben: Entry) -> None:
    """`credit_done`, as the gallery calls it for a work that was published."""
    action = an(ActionKind.UPLOAD, campaign, repeat=Repeat.UNLIMITED, most_times=2)
    assert actions.credit_done(ben.id, action.id, "work-1", {}).outcome is Outcome.DONE
    assert actions.credit_done(ben.id, action.id, "work-1", {}).outcome is Outcome.ALREADY
    assert actions.credit_done(ben.id, action.id, "work-2", {}).outcome is Outcome.DONE
    assert actions.credit_done(ben.id, action.id, "work-3", {}).outcome is Outcome.ALREADY
    db.session.commit()
    assert total(ben) == (4, 4)


def test_what_is_refused_afterwards_is_taken_back_and_given_back(campaign: Campaign, ben: Entry) -> None:
    action = an(ActionKind.UPLOAD, campaign)
    actions.credit_done(ben.id, action.id, "work-1", {})
    assert actions.withdraw(ben.id, action.id, "work-1", reason="Not your own")
    assert not actions.withdraw(ben.id, action.id, "work-1", reason="Not your own")
    db.session.commit()
    assert total(ben) == (0, 0)
    assert actions.credit_done(ben.id, action.id, "work-1", {}).outcome is Outcome.DONE
    db.session.commit()
    assert total(ben) == (2, 2)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (CampaignStatus.CLOSING, Outcome.DONE),
        (CampaignStatus.PAUSED, Outcome.DONE),
        (CampaignStatus.CLOSED, Outcome.CLOSED),
        (CampaignStatus.DRAWING, Outcome.CLOSED),
    ],
)
def test_what_was_done_in_time_counts_until_the_contest_is_closed(
    campaign: Campaign, ben: Entry, status: CampaignStatus, outcome: Outcome
) -> None:
    action = an(ActionKind.UPLOAD, campaign)
    before = product_clock.now() - timedelta(hours=1)
    campaign.status = status
    db.session.commit()
    assert actions.credit_done(ben.id, action.id, "late", {}).outcome is Outcome.CLOSED, "done only now"
    assert actions.credit_done(ben.id, action.id, "work", {}, at=before).outcome is outcome
    db.session.commit()
