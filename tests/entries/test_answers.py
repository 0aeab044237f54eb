"""Answers: typed by the question's kind, worth points once, queryable."""

from __future__ import annotations

from typing import Any

import pytest

from leadgen.campaigns.cards import CampaignCard, QuestionCard
from leadgen.campaigns.models import QuestionKind
from leadgen.core.errors import Invalid, NotFound
from leadgen.entries import answers, confirming, entering, person
from tests.conftest import Clock
from tests.entries.conftest import filled, rows


def question(kind: QuestionKind) -> QuestionCard:
    options = [{"id": "sea", "texts": {}}, {"id": "city", "texts": {}}]
    return QuestionCard(id=1, key="q", kind=kind, texts={}, options=options, points=2)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (QuestionKind.TEXT, ["  a quiet\n beach "], "a quiet beach"),
        (QuestionKind.CHOICE, ["sea"], "sea"),
        (QuestionKind.MANY, ["sea", "city", "sea"], ["city", "sea"]),
        (QuestionKind.NUMBER, ["1 234,5"], 1234.5),
        (QuestionKind.NUMBER, ["2"], 2),
        (QuestionKind.DATE, ["2027-05-31"], "2027-05-31"),
        (QuestionKind.YES_NO, ["no"], False),
    ],
)
def test_each_kind_is_understood(kind: QuestionKind, raw: list[str], value: Any) -> None:
    understood = answers.understand(question(kind), raw)
    assert understood == value
    assert type(understood) is type(value)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (QuestionKind.TEXT, []),
        (QuestionKind.TEXT, ["   "]),
        (QuestionKind.CHOICE, ["moon"]),
        (QuestionKind.MANY, ["sea", "moon"]),
        (QuestionKind.NUMBER, ["many"]),
        (QuestionKind.NUMBER, ["1e99"]),
        (QuestionKind.NUMBER, ["nan"]),
        (QuestionKind.NUMBER, ["-5"]),
        (QuestionKind.DATE, ["31/05/2027"]),
        (QuestionKind.DATE, ["2027-02-30"]),
        (QuestionKind.DATE, ["0001-01-01"]),
        (QuestionKind.DATE, ["9999-12-31"]),
        (QuestionKind.YES_NO, ["maybe"]),
    ],
)
def test_what_is_no_answer_is_refused_in_words(kind: QuestionKind, raw: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        answers.understand(question(kind), raw)
    assert refused.value.field == "q"


def test_points_come_once_and_a_later_answer_corrects_the_value(card: CampaignCard) -> None:
    choice = card.questions[0]
    entry_id = entering.enter(card, filled()).entry_id
    confirming.confirm(entry_id, 1, "button_post")

    assert answers.answer(entry_id, choice, ["sea"]).points == choice.points
    assert answers.answer(entry_id, choice, ["city"]).points == 0

    assert rows("SELECT value FROM answer") == [{"value": "city"}]
    assert rows("SELECT answers FROM contact") == [{"answers": {choice.key: "city"}}]
    shown = person.standing(entry_id, 1)
    assert shown.points == card.entry_points + choice.points
    assert shown.answered == {choice.id}


def test_rule_3_a_waiting_person_earns_nothing(card: CampaignCard) -> None:
    entry_id = entering.enter(card, filled()).entry_id

    with pytest.raises(NotFound):
        answers.answer(entry_id, card.questions[0], ["sea"])


def test_after_the_end_an_answer_is_kept_and_earns_nothing(card: CampaignCard, clock: Clock) -> None:
    entry_id = entering.enter(card, filled()).entry_id
    confirming.confirm(entry_id, 1, "button_post")
    clock.forward(days=30)

    assert answers.answer(entry_id, card.questions[0], ["sea"]).points == 0
    assert rows("SELECT value FROM answer") == [{"value": "sea"}]
