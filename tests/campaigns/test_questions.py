"""Questions: six kinds, options with ids that stay, and one list that is set at once."""

from typing import Any

import pytest

from leadgen.campaigns import cards
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, Question, QuestionKind
from leadgen.campaigns.service import QuestionInput
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from tests.factories import make_answer, make_entry
from tests.texts import OPTIONS, question


def _input(key: str = "travel", kind: QuestionKind = QuestionKind.CHOICE, **values: Any) -> QuestionInput:
    options = OPTIONS if kind in {QuestionKind.CHOICE, QuestionKind.MANY} else []
    return QuestionInput(**{"key": key, "kind": kind, "texts": question(1), "options": options, "points": 2} | values)


def _as_they_are(campaign: Campaign) -> list[QuestionInput]:
    return [
        QuestionInput(key=q.key, kind=q.kind, texts=q.texts, options=q.options, points=q.points)
        for q in campaign.questions
        if q.is_active
    ]


@pytest.mark.parametrize("kind", QuestionKind)
def test_every_kind_can_be_asked(draft: Campaign, kind: QuestionKind) -> None:
    campaigns.ask(draft, [_input(kind=kind)])
    db.session.commit()
    cards.forget()

    card = cards.by_id(draft.id).questions[-1]
    assert (card.key, card.kind, card.points) == ("travel", kind, 2)
    assert bool(card.options) is (kind in {QuestionKind.CHOICE, QuestionKind.MANY})


def test_options_keep_their_ids_while_labels_change(draft: Campaign) -> None:
    campaigns.ask(draft, [_input()])
    renamed = [{"id": "sea", "texts": {"en": "The ocean", "fr": "L’océan"}}, OPTIONS[1]]

    campaigns.ask(draft, [_input(options=renamed)])

    asked = draft.questions[0]
    assert [option["id"] for option in asked.options] == ["sea", "city"]
    assert asked.options[0]["texts"]["en"] == "The ocean"


def test_new_options_get_an_id_from_their_label(draft: Campaign) -> None:
    options = [{"id": "", "texts": {"en": "Yes, often"}}, {"texts": {"en": "Yes often!"}}, {"texts": {"en": " "}}]

    campaigns.ask(draft, [_input(options=options)])

    assert [option["id"] for option in draft.questions[0].options] == ["yes-often", "yes-often-2"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"key": "Travel"}, "key"),
        ({"key": "other"}, "key"),
        ({"texts": {"en": {"label": ""}}}, "label"),
        ({"points": -1}, "points"),
        ({"options": OPTIONS[:1]}, "options"),
        ({"options": [OPTIONS[0], OPTIONS[0]]}, "options"),
        ({"options": [{"id": "A B", "texts": {"en": "x"}}, OPTIONS[0]]}, "options"),
    ],
)
def test_questions_that_are_refused(draft: Campaign, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.ask(draft, [_input("other"), _input(**values)])
    assert refused.value.field == field


def test_before_the_launch_a_question_may_change_its_kind_and_goes_without_a_trace(draft: Campaign) -> None:
    campaigns.ask(draft, [_input(), _input("other")])
    campaigns.ask(draft, [_input(kind=QuestionKind.MANY)])
    db.session.commit()

    assert [(q.key, q.kind) for q in draft.questions] == [("travel", QuestionKind.MANY)]


def test_afterwards_what_a_key_means_stays(published: Campaign) -> None:
    key = published.questions[0].key
    with pytest.raises(Conflict):
        campaigns.ask(published, [_input(key, QuestionKind.TEXT)])


def test_a_question_of_a_published_campaign_is_only_switched_off(published: Campaign) -> None:
    answered, kept = published.questions
    make_answer(make_entry(published, confirmed=True), answered)

    campaigns.ask(published, _as_they_are(published)[1:])
    db.session.commit()
    cards.forget()

    assert not db.session.get_one(Question, answered.id).is_active
    assert [q.key for q in cards.by_id(published.id).questions] == [kept.key]


def test_a_question_may_come_back(published: Campaign) -> None:
    before = _as_they_are(published)
    campaigns.ask(published, before[1:])
    campaigns.ask(published, before)

    assert [(q.key, q.is_active) for q in published.questions] == [(one.key, True) for one in before]


def test_points_of_a_question_are_told_in_the_rules(published: Campaign) -> None:
    first, second = _as_they_are(published)
    campaigns.ask(published, [first, _input(second.key, second.kind, points=10)])

    assert published.rules_version == 2
    assert "12 points" in published.texts["en"]["rules"]


def test_other_words_and_another_order_are_no_change_of_the_rules(published: Campaign) -> None:
    first, second = _as_they_are(published)
    campaigns.ask(published, [_input(second.key, second.kind), first])

    assert published.rules_version == 1
    assert [q.key for q in published.questions] == [second.key, first.key]
    assert published.questions[0].texts == question(1)
