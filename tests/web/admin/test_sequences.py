"""The letters that follow a confirmation."""

from typing import Any

import pytest
from flask import Flask

from leadgen.core.db import db
from leadgen.nurture import sequences
from leadgen.nurture.models import Sequence, Step
from leadgen.nurture.sequences import LetterShown
from tests import factories
from tests.web.admin.studio import Staff, fields_of
from tests.world import World

LETTER = {"subject": "News", "heading": "Hello", "body": "A word.", "button": "Go on"}


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/nurture"


@pytest.fixture
def first(app: Flask, world: World) -> int:
    """The id of the first of three steps."""
    with app.app_context():
        made = factories.make_sequence(db.session.get_one(type(world.campaign), world.campaign.id))
        return made.steps[0].id


def _payload(**values: Any) -> dict[str, Any]:
    words = {f"{code}-{key}": word for code in ("en", "fr") for key, word in LETTER.items()}
    return words | {"delay": "2", "unit": "days", "rule": "everybody", "answer": ""} | values


def _step(app: Flask, number: int) -> Step:
    with app.app_context():
        return db.session.get_one(Step, number)


def _letter(app: Flask, number: int | None = None) -> LetterShown:
    """The letter with the words of that id; the last without."""
    with app.app_context():
        letters = sequences.shown(db.session.query(Sequence).one())
        return next(one for one in reversed(letters) if number in {None, one.id})


def test_without_a_sequence_one_is_set_up(app: Flask, ada: Staff, world: World, path: str) -> None:
    assert "No sequence yet" in ada.get(path).text
    ada.post(f"{path}/set-up")
    with app.app_context():
        sequence = db.session.query(Sequence).filter_by(campaign_id=world.campaign.id).one()
        assert len(sequence.steps) == 3
    assert "No sequence yet" not in ada.get(path).text


def test_the_steps_stand_with_their_waits_and_conditions(ada: Staff, first: int, path: str) -> None:
    page = ada.get(path).text
    assert "1 hour after confirming" in page
    assert "2 days later" in page
    assert "for everybody" in page


def test_a_letter_is_added_at_the_end(app: Flask, ada: Staff, first: int, path: str) -> None:
    assert ada.post(f"{path}/new", _payload()).location == path
    added = _letter(app)
    assert (added.delay_seconds, added.condition, added.position) == (172_800, None, 4)
    assert added.texts["fr"]["subject"] == "News"


@pytest.mark.parametrize(
    ("rule", "answer", "condition"),
    [
        ("is", '["question_1", "sea"]', {"question": "question_1", "is": "sea"}),
        ("is_not", '["question_2", true]', {"question": "question_2", "is_not": True}),
    ],
)
def test_a_letter_may_depend_on_an_answer(
    app: Flask, ada: Staff, first: int, path: str, rule: str, answer: str, condition: dict[str, Any]
) -> None:
    ada.post(f"{path}/{first}", _payload(rule=rule, answer=answer))
    assert _letter(app, first).condition == condition
    shown = fields_of(ada.get(f"{path}/{first}").text)
    assert (shown["rule"], shown["answer"]) == (rule, answer)
    assert "answer “" in ada.get(path).text


def test_saving_what_was_shown_changes_nothing(app: Flask, ada: Staff, first: int, path: str) -> None:
    before = _letter(app, first)
    ada.post(f"{path}/{first}", fields_of(ada.get(f"{path}/{first}").text))
    after = _letter(app, first)
    assert (after.delay_seconds, after.condition) == (before.delay_seconds, before.condition)
    assert after.texts["en"]["subject"] == before.texts["en"]["subject"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"en-subject": ""}, "An active sequence needs this text in English."),
        ({"fr-body": "x" * 10_001}, "at most 10000 characters"),
        ({"delay": "-1"}, "Please choose a number from 0 to 5000."),
        ({"delay": "400"}, "Choose a delay of one year at most."),
        ({"unit": "moons"}, "Please choose one of the list."),
        ({"rule": "is", "answer": ""}, "Choose an answer that the letter depends on."),
        ({"rule": "is", "answer": '["question_1", "moon"]'}, "Choose one of the answers"),
        ({"rule": "is", "answer": '["foreign", "sea"]'}, "Choose a question of this campaign."),
        ({"en-url": "javascript:alert(1)"}, "Give an address that starts with https://"),
    ],
)
def test_what_is_wrong_is_said(app: Flask, ada: Staff, first: int, path: str, wrong: dict[str, str], told: str) -> None:
    answer = ada.post(f"{path}/{first}", _payload(**wrong))
    assert answer.status_code == 422
    assert told in answer.text
    assert _step(app, first).texts["fr"]["heading"] != "Hello"


def test_the_sequence_is_paused_and_the_pause_undone(app: Flask, ada: Staff, first: int, path: str) -> None:
    ada.post(f"{path}/switch", {"is_active": "0"})
    page = ada.get(path).text
    assert "The sequence is paused." in page
    assert 'name="is_active" value="1"' in page
    with app.app_context():
        assert not db.session.query(Sequence).one().is_active
    ada.post(f"{path}/switch", {"is_active": "1", "undo": "1"})
    with app.app_context():
        assert db.session.query(Sequence).one().is_active


def test_a_letter_is_taken_out(app: Flask, ada: Staff, first: int, path: str) -> None:
    ada.post(f"{path}/{first}/remove")
    assert not _step(app, first).is_active
    assert ada.get(f"{path}/{first}").status_code == 404
