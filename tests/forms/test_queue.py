"""What to ask next: the form first, then the most valuable; never what is known, never too often."""

from __future__ import annotations

from typing import Any

import pytest

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries import answers
from leadgen.entries.models import Entry
from leadgen.forms import places
from leadgen.forms.queue import Queue, queue, skip
from tests.conftest import Clock
from tests.factories import make_campaign, make_entry
from tests.forms.conftest import field, publish


@pytest.fixture
def anna() -> Entry:
    return make_entry(make_campaign(questions=0, rules_version=1), confirmed=True)


def _ask(anna: Entry, *fields: dict[str, Any]) -> CampaignCard:
    campaign = db.session.get_one(Campaign, anna.campaign_id)
    publish(campaign, {"pages": [{"id": "p1", "fields": list(fields)}]})
    return cards.by_id(campaign.id)


def _queue(anna: Entry, card: CampaignCard) -> Queue:
    return queue(places.read(anna.id, card), card.timezone)


def _keys(anna: Entry, card: CampaignCard) -> list[str]:
    return [one.key for one in _queue(anna, card).asked]


def _skip(anna: Entry, card: CampaignCard, key: str) -> None:
    skip(places.read(anna.id, card), key)


def test_the_form_comes_first_then_what_is_worth_most(anna: Entry) -> None:
    card = _ask(
        anna,
        field("small", ask_at="later"),
        field("large", ask_at="later", weight=9),
        field("first"),
        field("words", "statement"),
    )
    assert _keys(anna, card) == ["first", "large", "small"]


def test_a_question_is_asked_when_it_concerns_the_person(anna: Entry) -> None:
    owns = {"field": "car", "op": "eq", "value": True}
    card = _ask(anna, field("car", "yes_no"), field("brand", show=owns), field("colour", ask_at="later", show=owns))
    assert _keys(anna, card) == ["car"]
    answers.store(anna.id, "car", True)
    assert _keys(anna, card) == ["brand", "colour"]


def test_passed_over_twice_it_rests_for_a_month(anna: Entry, clock: Clock) -> None:
    card = _ask(anna, field("one"))
    _skip(anna, card, "one")
    _skip(anna, card, "one")  # a second press of the same button
    clock.forward(days=6)
    assert _keys(anna, card) == []
    clock.forward(days=2)
    assert _keys(anna, card) == ["one"]
    _skip(anna, card, "one")
    clock.forward(days=29)
    assert _keys(anna, card) == []
    clock.forward(days=2)
    assert _keys(anna, card) == ["one"]


def test_of_later_two_a_day_answered_or_passed_over(anna: Entry, clock: Clock) -> None:
    card = _ask(anna, *(field(key, ask_at="later") for key in ("one", "two", "three", "four")))
    assert _keys(anna, card) == ["one", "two"]
    answers.store(anna.id, "one", "x")
    _skip(anna, card, "two")
    assert (_keys(anna, card), _queue(anna, card).is_enough) == ([], True)
    clock.forward(days=1)
    assert _keys(anna, card) == ["three", "four"]


def test_a_known_value_that_does_not_fit_is_asked(anna: Entry) -> None:
    card = _ask(anna, field("size", "number"), field("name"))
    known = '{"size": "large", "name": "Anna"}'
    told = "UPDATE contact SET answers = %(known)s::jsonb WHERE id = %(id)s RETURNING id"
    hot.one(told, {"known": known, "id": anna.contact_id})
    assert _keys(anna, card) == ["size"]


def test_what_has_aged_is_asked_again(anna: Entry, clock: Clock) -> None:
    card = _ask(anna, field("plan", fresh_days=30), field("name"))
    answers.store(anna.id, "plan", "x")
    answers.store(anna.id, "name", "x")
    assert _keys(anna, card) == []
    clock.forward(days=31)
    assert _keys(anna, card) == ["plan"]


def test_completeness_is_the_known_weight_of_what_applies(anna: Entry) -> None:
    owns = {"field": "car", "op": "eq", "value": True}
    card = _ask(anna, field("car", "yes_no", weight=3), field("name", weight=1), field("brand", weight=4, show=owns))
    assert (_queue(anna, card).share, _queue(anna, card).seconds) == (0, 6 + 12)
    answers.store(anna.id, "car", False)
    assert _queue(anna, card).share == 75
    answers.store(anna.id, "car", True)
    assert _queue(anna, card).share == 37
