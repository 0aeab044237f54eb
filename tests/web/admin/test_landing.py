"""The words and the picture of the public page."""

from typing import Any

import pytest
from flask import Flask

from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/page"


def _texts(app: Flask, world: World) -> dict[str, Any]:
    with app.app_context():
        return db.session.get_one(Campaign, world.campaign.id).texts


def test_saving_what_was_shown_changes_nothing(app: Flask, ada: Staff, world: World, path: str) -> None:
    before = _texts(app, world)
    ada.post(path, fields_of(ada.get(path).text))
    after = _texts(app, world)
    for code in ("en", "fr"):
        for key in ("title", "lead", "button", "share_text", "faq", "consent_marketing", "consent_rules"):
            assert after[code][key] == before[code][key], (code, key)


def test_both_languages_and_the_picture_are_saved(app: Flask, ada: Staff, world: World, path: str) -> None:
    fields = fields_of(ada.get(path).text) | {
        "en-title": "Win two weeks",
        "fr-title": "Gagnez deux semaines",
        "picture": "hero-race",
    }
    assert ada.post(path, fields).location == path
    texts = _texts(app, world)
    assert (texts["en"]["title"], texts["fr"]["title"]) == ("Win two weeks", "Gagnez deux semaines")
    assert "Saved." in ada.get(path).text
    public = app.test_client().get(f"/c/{world.campaign.slug}?lang=fr").text
    assert "Gagnez deux semaines" in public
    assert "hero-race" in public


def test_questions_and_answers_grow_by_two_rows_and_empty_ones_are_left_out(
    app: Flask, ada: Staff, world: World, path: str
) -> None:
    fields = fields_of(ada.get(path).text)
    assert fields["en-faq-2-question"] == ""
    fields |= {"en-faq-1-question": "How many may win?", "en-faq-1-answer": "Three."}
    ada.post(path, fields)
    assert [row["question"] for row in _texts(app, world)["en"]["faq"]] == ["Is it free?", "How many may win?"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"en-title": "x" * 91}, "at most 90 characters"),
        ({"fr-lead": "x" * 301}, "at most 300 characters"),
        ({"name": ""}, "Please fill this in."),
        ({"slug": "other"}, "The address is public"),
        ({"picture": "../../etc/passwd"}, "Choose a picture from the collection."),
        ({"en-faq-1-question": "Alone?", "en-faq-1-answer": ""}, "Each question needs its answer"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    app: Flask, ada: Staff, world: World, path: str, wrong: dict[str, str], told: str
) -> None:
    before = _texts(app, world)
    answer = ada.post(path, fields_of(ada.get(path).text) | {"en-lead": "Typed with care."} | wrong)
    assert answer.status_code == 422
    assert told in answer.text
    assert fields_of(answer.text)["en-lead"] == "Typed with care."
    assert _texts(app, world) == before


def test_somebody_elses_save_is_not_overwritten_unseen(app: Flask, ada: Staff, world: World, path: str) -> None:
    mine = fields_of(ada.get(path).text) | {"en-title": "Mine"}
    bob = Staff(app, "bob@staff.example")
    bob.sign_in()
    bob.post(path, fields_of(bob.get(path).text) | {"en-title": "Bob’s"})
    answer = ada.post(path, mine)
    assert answer.status_code == 422
    assert "Somebody else saved this campaign" in answer.text
    assert _texts(app, world)["en"]["title"] == "Bob’s"
    again = fields_of(answer.text)
    assert again["en-title"] == "Mine"
    assert ada.post(path, again).status_code == 303
    assert _texts(app, world)["en"]["title"] == "Mine"


def test_a_draft_saves_itself_in_the_background(app: Flask, ada: Staff, world: World, path: str) -> None:
    fields = fields_of(ada.get(path).text) | {"en-title": "Half a sent"}
    answer = ada.post(path, fields, headers={"X-Background": "1"})
    assert answer.status_code == 204
    assert int(answer.headers["X-Version"]) > world.campaign.version
    assert _texts(app, world)["en"]["title"] == "Half a sent"


def test_what_a_marketer_types_is_never_run(ada: Staff, app: Flask, world: World, path: str) -> None:
    canary = "<script>alert(1)</script>"
    ada.post(path, fields_of(ada.get(path).text) | {"en-title": canary, "en-story": canary})
    for page in (ada.get(path).text, app.test_client().get(f"/c/{world.campaign.slug}?lang=en").text):
        assert canary not in page
        assert "&lt;script&gt;" in page
