"""Answers: worth points once, corrected, taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from leadgen.accounts.models import Brand
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign, Question
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries import answers, confirming, entering, person
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.factories import make_answer, make_campaign, make_entry


def test_points_come_once_and_a_later_answer_corrects_the_value(card: CampaignCard) -> None:
    choice = card.questions[0]
    entry_id = entering.enter(card, filled()).entry_id
    confirming.confirm(entry_id, 1, "button_post")

    assert answers.store(entry_id, choice.key, "sea") == choice.points
    assert answers.store(entry_id, choice.key, "city") == 0

    assert rows("SELECT value FROM answer") == [{"value": "city"}]
    assert rows("SELECT answers FROM contact") == [{"answers": {choice.key: "city"}}]
    shown = person.standing(entry_id, 1)
    assert shown.points == card.entry_points + choice.points


def test_rule_3_a_waiting_person_earns_nothing(card: CampaignCard) -> None:
    entry_id = entering.enter(card, filled()).entry_id

    with pytest.raises(NotFound):
        answers.store(entry_id, card.questions[0].key, "sea")


def test_after_the_end_an_answer_is_kept_and_earns_nothing(card: CampaignCard, clock: Clock) -> None:
    entry_id = entering.enter(card, filled()).entry_id
    confirming.confirm(entry_id, 1, "button_post")
    clock.forward(days=30)

    assert answers.store(entry_id, card.questions[0].key, "sea") == 0
    assert rows("SELECT value FROM answer") == [{"value": "sea"}]


def test_a_question_of_another_campaign_takes_no_answer(card: CampaignCard) -> None:
    entry_id = entering.enter(card, filled()).entry_id
    confirming.confirm(entry_id, 1, "button_post")

    with pytest.raises(NotFound):
        answers.store(entry_id, "somewhere_else", "sea")


def test_an_answer_taken_back_leaves_its_points(card: CampaignCard) -> None:
    choice = card.questions[0]
    entry_id = entering.enter(card, filled()).entry_id
    confirming.confirm(entry_id, 1, "button_post")
    answers.store(entry_id, choice.key, "sea")

    answers.take_back(entry_id, [choice.key, "another"])
    answers.take_back(entry_id, [choice.key])

    assert rows("SELECT value FROM answer") == []
    assert rows("SELECT answers FROM contact") == [{"answers": {}}]
    assert rows("SELECT sum(points) AS points FROM ledger WHERE kind = 'answer'") == [{"points": choice.points}]


def test_what_was_said_in_another_contest_stands_again(card: CampaignCard) -> None:
    choice = card.questions[0]
    entry_id = entering.enter(card, filled()).entry_id
    confirming.confirm(entry_id, 1, "button_post")
    contact_id = rows("SELECT contact_id FROM entry")[0]["contact_id"]
    brand = db.session.get_one(Brand, card.brand.id)
    other = make_campaign(brand)
    make_answer(make_entry(other, db.session.get_one(Contact, contact_id), confirmed=True), other.questions[0])
    answers.store(entry_id, choice.key, "city")

    answers.take_back(entry_id, [choice.key])

    assert rows("SELECT answers FROM contact") == [{"answers": {choice.key: "sea"}}]


def test_a_correction_earns_nothing_though_the_first_answer_earned_nothing(card: CampaignCard) -> None:
    """Answered while it was worth nothing, or while the contest did not run."""
    worthless, early = card.questions[0], card.questions[1]
    entry_id = entering.enter(card, filled()).entry_id
    confirming.confirm(entry_id, 1, "button_post")
    db.session.execute(update(Question).where(Question.id == worthless.id).values(points=0))
    db.session.commit()
    assert answers.store(entry_id, worthless.key, "sea") == 0
    db.session.execute(update(Campaign).where(Campaign.id == card.id).values(status="paused"))
    db.session.commit()
    assert answers.store(entry_id, early.key, "sea") == 0
    db.session.execute(update(Question).where(Question.id == worthless.id).values(points=7))
    db.session.execute(update(Campaign).where(Campaign.id == card.id).values(status="live"))
    db.session.commit()

    assert answers.store(entry_id, worthless.key, "city") == 0
    assert answers.store(entry_id, early.key, "city") == 0
    assert rows("SELECT 1 FROM ledger WHERE kind = 'answer'") == []
