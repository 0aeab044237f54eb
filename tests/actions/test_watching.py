"""Visits and videos go by the server's clock."""

from __future__ import annotations

import pytest

from leadgen.actions import watching
from leadgen.actions.service import Outcome
from leadgen.campaigns import cards
from leadgen.campaigns.models import ActionKind, Campaign, Repeat
from leadgen.core import tokens
from leadgen.core.errors import TokenInvalid
from leadgen.core.tokens import Purpose
from leadgen.entries.models import Entry
from tests.actions.conftest import an, do, total
from tests.conftest import Clock


def test_a_visit_counts_on_return_after_its_seconds(campaign: Campaign, ben: Entry, clock: Clock) -> None:
    action = an(ActionKind.VISIT, campaign)
    assert do(ben, action).outcome is Outcome.BEGUN
    clock.forward(seconds=4)
    soon = do(ben, action, is_back=True)
    assert soon.outcome is Outcome.TOO_SOON
    assert 5 <= soon.seconds <= 6
    clock.forward(seconds=6)
    assert do(ben, action, is_back=True).outcome is Outcome.DONE
    assert total(ben) == (2, 2)


def test_coming_back_without_leaving_only_begins(campaign: Campaign, ben: Entry) -> None:
    assert do(ben, an(ActionKind.VISIT, campaign), is_back=True).outcome is Outcome.BEGUN
    assert total(ben) == (0, 0)


def test_a_daily_visit_begins_anew_each_day(campaign: Campaign, ben: Entry, clock: Clock) -> None:
    action = an(ActionKind.VISIT, campaign, repeat=Repeat.DAILY)
    for _day in range(2):
        do(ben, action)
        clock.forward(seconds=10)
        assert do(ben, action, is_back=True).outcome is Outcome.DONE
        clock.forward(days=1)
    assert total(ben) == (4, 4)


def test_where_the_site_calls_back_no_press_counts(campaign: Campaign, ben: Entry, clock: Clock) -> None:
    action = an(ActionKind.VISIT, campaign, settings={"callback": True})
    do(ben, action)
    clock.forward(hours=1)
    assert do(ben, action, is_back=True).outcome is Outcome.BEGUN
    assert total(ben) == (0, 0)


def test_the_token_of_a_visit_names_person_and_action(campaign: Campaign, ben: Entry, clock: Clock) -> None:
    url = "https://brand.example/new?a=1#top"
    action = an(ActionKind.VISIT, campaign, settings={"callback": True, "url": url})
    card = cards.by_id(campaign.id).actions[0]
    address = watching.destination(card, ben.id)
    assert address.startswith("https://brand.example/new?a=1&visit=")
    assert address.endswith("#top")
    token = address.removesuffix("#top").rsplit("=", 1)[1]
    assert watching.visitor(token, action.id) == ben.id
    for wrong, number in ((token, action.id + 1), (tokens.sign(Purpose.STATUS, [ben.id, action.id]), action.id)):
        with pytest.raises(TokenInvalid):
            watching.visitor(wrong, number)
    clock.forward(hours=25)
    with pytest.raises(TokenInvalid):
        watching.visitor(token, action.id)


def test_a_film_counts_by_our_clock(campaign: Campaign, ben: Entry, clock: Clock) -> None:
    """F6: thirty seconds are thirty seconds, however often it is reported."""
    action = an(ActionKind.VIDEO, campaign)
    for _ in range(20):
        assert do(ben, action).outcome is Outcome.BEGUN, "a flood of reports is no time"
    clock.forward(seconds=10)
    assert do(ben, action).seconds <= 20
    clock.forward(seconds=10)
    assert do(ben, action).outcome is Outcome.BEGUN
    clock.forward(seconds=10)
    assert do(ben, action).outcome is Outcome.DONE
    assert total(ben) == (2, 2)


def test_a_pause_is_not_watched(campaign: Campaign, ben: Entry, clock: Clock) -> None:
    action = an(ActionKind.VIDEO, campaign)
    do(ben, action)
    clock.forward(hours=1)
    left = do(ben, action)
    assert left.outcome is Outcome.BEGUN
    assert left.seconds == 15
