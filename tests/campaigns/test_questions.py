"""Questions: six kinds, options with ids that stay, removed or only switched off."""

from typing import Any

import pytest

from leadgen.campaigns import cards
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, Question, QuestionKind
from leadgen.campaigns.service import QuestionInput
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from tests.factories import make_answer, make_campaign, make_entry
from tests.texts import OPTIONS, question


def _input(key: str = "travel", kind: QuestionKind = QuestionKind.CHOICE, **values: Any) -> QuestionInput:
    options = OPTIONS if kind in {QuestionKind.CHOICE, QuestionKind.MANY} else []
    return QuestionInput(**{"key": key, "kind": kind, "texts": question(1), "options": options, "points": 2} | values)


@pytest.mark.parametrize("kind", QuestionKind)
def test_every_kind_can_be_asked(draft: Campaign, kind: QuestionKind) -> None:
    campaigns.add_question(draft, _input(kind=kind))
    db.session.commit()
    cards.forget()

    card = cards.by_id(draft.id).questions[-1]
    assert (card.key, card.kind, card.points) == ("travel", kind, 2)
    assert bool(card.options) is (kind in {QuestionKind.CHOICE, QuestionKind.MANY})


def test_options_keep_their_ids_while_labels_change(draft: Campaign) -> None:
    added = campaigns.add_question(draft, _input())
    renamed = [{"id": "sea", "texts": {"en": "The ocean", "fr": "L’océan"}}, OPTIONS[1]]

    campaigns.edit_question(draft, added.id, _input(options=renamed))

    assert [option["id"] for option in added.options] == ["sea", "city"]
    assert added.options[0]["texts"]["en"] == "The ocean"


def test_new_options_get_an_id_from_their_label(draft: Campaign) -> None:
    options = [{"id": "", "texts": {"en": "Yes, often"}}, {"texts": {"en": "Yes often!"}}, {"texts": {"en": " "}}]

    added = campaigns.add_question(draft, _input(options=options))

    assert [option["id"] for option in added.options] == ["yes-often", "yes-often-2"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"key": "Travel"}, "key"),
        ({"key": "interest"}, "key"),
        ({"texts": {"en": {"label": ""}}}, "label"),
        ({"points": -1}, "points"),
        ({"options": OPTIONS[:1]}, "options"),
        ({"options": [OPTIONS[0], OPTIONS[0]]}, "options"),
        ({"options": [{"id": "A B", "texts": {"en": "x"}}, OPTIONS[0]]}, "options"),
    ],
)
def test_questions_that_are_refused(draft: Campaign, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.add_question(draft, _input(**values))
    assert refused.value.field == field


def test_key_and_kind_stay(draft: Campaign) -> None:
    added = campaigns.add_question(draft, _input())

    with pytest.raises(Conflict):
        campaigns.edit_question(draft, added.id, _input(kind=QuestionKind.MANY))
    with pytest.raises(Conflict):
        campaigns.edit_question(draft, added.id, _input(key="other"))


def test_a_question_that_nobody_answered_is_deleted(draft: Campaign) -> None:
    added = campaigns.add_question(draft, _input())

    campaigns.remove_question(draft, added.id)
    db.session.commit()

    assert db.session.get(Question, added.id) is None
    assert "travel" not in [q.key for q in draft.questions]


def test_a_question_that_was_answered_is_only_switched_off(published: Campaign) -> None:
    answered = published.questions[0]
    make_answer(make_entry(published, confirmed=True), answered)

    campaigns.remove_question(published, answered.id)
    db.session.commit()
    cards.forget()

    kept = db.session.get_one(Question, answered.id)
    assert not kept.is_active
    assert kept.key not in [q.key for q in cards.by_id(published.id).questions]
    with pytest.raises(NotFound):
        campaigns.remove_question(published, answered.id)


def test_points_of_a_question_are_told_in_the_rules(published: Campaign) -> None:
    campaigns.edit_question(
        published,
        published.questions[1].id,
        _input("customer", QuestionKind.YES_NO, points=10),
    )

    assert published.rules_version == 2
    assert "12 points" in published.texts["en"]["rules"]


def test_another_label_is_no_change_of_the_rules(published: Campaign) -> None:
    campaigns.edit_question(published, published.questions[1].id, _input("customer", QuestionKind.YES_NO))

    assert published.rules_version == 1
    assert published.questions[1].texts == question(1)


def test_questions_move(draft: Campaign) -> None:
    campaigns.move_question(draft, draft.questions[1].id, by=-1)

    assert [q.key for q in draft.questions] == ["customer", "interest"]


def test_a_question_of_another_campaign_does_not_exist(draft: Campaign) -> None:
    foreign = make_campaign().questions[0].id

    with pytest.raises(NotFound):
        campaigns.remove_question(draft, foreign)
