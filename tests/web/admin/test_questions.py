"""The questions that people answer after confirming."""

from typing import Any

import pytest
from flask import Flask

from leadgen.campaigns.models import Question, QuestionKind
from leadgen.core.db import db
from tests import factories
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/questions"


def _payload(**values: Any) -> dict[str, Any]:
    return {
        "kind": "choice",
        "key": "",
        "en-label": "When do you travel?",
        "fr-label": "Quand partez-vous ?",
        "points": "3",
        "options-0-en": "Spring",
        "options-0-fr": "Printemps",
        "options-1-en": "Autumn",
        "options-1-fr": "Automne",
        "options-2-en": "",
        "options-2-fr": "",
        "do": "save",
    } | values


def _questions(app: Flask, world: World) -> list[Question]:
    with app.app_context():
        rows = db.session.query(Question).filter_by(campaign_id=world.campaign.id, is_active=True)
        return list(rows.order_by(Question.position))


def test_a_question_gets_a_key_from_its_words(app: Flask, ada: Staff, world: World, path: str) -> None:
    assert ada.post(f"{path}/new", _payload()).location == path
    added = _questions(app, world)[-1]
    assert (added.key, added.kind, added.points) == ("quand_partez_vous", QuestionKind.CHOICE, 3)
    assert [option["texts"]["fr"] for option in added.options] == ["Printemps", "Automne"]


@pytest.mark.parametrize("kind", ["text", "number", "date", "yes_no", "many"])
def test_every_kind_can_be_asked(app: Flask, ada: Staff, world: World, path: str, kind: str) -> None:
    ada.post(f"{path}/new", _payload(kind=kind))
    assert _questions(app, world)[-1].kind == kind
    assert ada.get(f"{path}/{_questions(app, world)[-1].id}").status_code == 200


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"en-label": "", "fr-label": "", "key": "empty"}, "Write the question."),
        ({"options-1-en": "", "options-1-fr": ""}, "Give from 2 to 30 choices."),
        ({"key": "question_1"}, "Another question of this campaign has this key."),
        ({"key": "Not a key"}, "Use small letters, digits and _"),
        ({"points": "1001"}, "Please choose a number from 0 to 1000."),
        ({"kind": "riddle"}, "Please choose one of the list."),
        ({"options-0-en": "x" * 121}, "at most 120 characters"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    app: Flask, ada: Staff, world: World, path: str, wrong: dict[str, str], told: str
) -> None:
    answer = ada.post(f"{path}/new", _payload(**wrong))
    assert answer.status_code == 422
    assert told in answer.text
    assert fields_of(answer.text)["options-0-fr"] == "Printemps"
    assert len(_questions(app, world)) == 2


def test_choices_are_moved_and_taken_out_without_a_script(ada: Staff, path: str) -> None:
    moved = fields_of(ada.post(f"{path}/new", _payload(do="down-0")).text)
    assert [moved["options-0-en"], moved["options-1-en"]] == ["Autumn", "Spring"]
    dropped = fields_of(ada.post(f"{path}/new", _payload(do="drop-0")).text)
    assert [dropped["options-0-en"], dropped["options-1-en"]] == ["Autumn", ""]
    more = fields_of(ada.post(f"{path}/new", _payload(do="more")).text)
    assert "options-5-en" in more


def test_choices_keep_their_ids_while_their_words_change(app: Flask, ada: Staff, world: World, path: str) -> None:
    one = f"{path}/{world.campaign.questions[0].id}"
    fields = fields_of(ada.get(one).text)
    assert fields["options-0-id"] == "sea"
    ada.post(one, fields | {"options-0-fr": "L’océan", "do": "save"})
    assert _questions(app, world)[0].options[0] == {"id": "sea", "texts": {"en": "The sea", "fr": "L’océan"}}


def test_kind_and_key_stay(app: Flask, ada: Staff, world: World, path: str) -> None:
    one = f"{path}/{world.campaign.questions[0].id}"
    answer = ada.post(one, fields_of(ada.get(one).text) | {"kind": "text", "do": "save"})
    assert answer.status_code == 422
    assert "stay as they are" in answer.text
    assert _questions(app, world)[0].kind is QuestionKind.CHOICE


def test_the_order_is_changed_by_buttons(app: Flask, ada: Staff, world: World, path: str) -> None:
    second = world.campaign.questions[1].id
    ada.post(f"{path}/{second}/move", {"by": "up"})
    assert _questions(app, world)[0].id == second


def test_a_question_that_was_answered_is_only_not_asked_any_more(
    app: Flask, ada: Staff, world: World, path: str
) -> None:
    first = world.campaign.questions[0].id
    with app.app_context():
        factories.make_answer(db.session.get_one(type(world.ben), world.ben.id), db.session.get_one(Question, first))
    ada.post(f"{path}/{first}/remove")
    assert "Answers that were given stay." in ada.get(path).text
    assert [question.id for question in _questions(app, world)] == [world.campaign.questions[1].id]
    with app.app_context():
        assert db.session.get(Question, first) is not None
