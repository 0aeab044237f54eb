"""Scores in the studio: rules written without a script, previewed, published, put back; and a person's explanation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.journal.vocabulary import FactName
from leadgen.scores import jobs
from leadgen.scores import service as scores
from leadgen.scores.models import RulesState, ScoreRules
from tests import factories
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def path(world: World) -> str:
    return f"/admin/brands/{world.brand.id}/scores"


@pytest.fixture
def scored(app: Flask, world: World) -> World:
    """Ben confirmed and answered one question."""
    with app.app_context():
        ben = db.session.get_one(Entry, world.ben.id)
        db.session.get_one(Contact, ben.contact_id).answers = {"question_1": "sea"}
        factories.make_fact(ben, FactName.ENTRY_CONFIRMED)
        jobs.look_at_all()
        jobs.score()
    return world


def _states(app: Flask) -> list[tuple[int, str]]:
    with app.app_context():
        brand = select(Brand.id).filter_by(slug="cap-sud").scalar_subquery()
        found = select(ScoreRules).where(ScoreRules.brand_id == brand).order_by(ScoreRules.number)
        return [(one.number, one.state.value) for one in db.session.scalars(found)]


def _definition(app: Flask, world: World) -> dict[str, Any]:
    with app.app_context():
        draft = scores.draft(world.brand.id)
        assert draft is not None
        return draft.definition


def test_the_rail_leads_to_the_scores_of_the_brand(ada: Staff, path: str) -> None:
    assert ada.get("/admin/scores").location == path
    assert 'href="/admin/scores"' in ada.get("/admin/").text
    assert "Cap Sud › Scores" in [one["name"] for one in ada.get("/admin/places.json").json or ()]


def test_before_anybody_is_scored_the_page_teaches_and_looking_changes_nothing(
    app: Flask, ada: Staff, path: str
) -> None:
    page = ada.get(path).text
    assert "Nobody is scored yet" in page
    assert "Entered a contest and confirmed" in page
    assert ada.get(f"{path}/draft").status_code == 200
    assert ada.get(f"{path}/preview").status_code == 303
    assert _states(app) == []


def test_how_many_people_stand_in_which_grade(ada: Staff, scored: World, path: str) -> None:
    page = ada.get(path).text
    assert "1 person by grade" in page
    row = re.search(r"<tr><th scope=\"row\">C</th>(.*?)</tr>", page, re.DOTALL)
    assert row is not None
    assert re.findall(r">(\d+)</td>", row[1]) == ["0", "0", "1", "0"]
    assert "version 1" in page


def test_a_rule_is_added_without_a_script_and_nothing_changes_before_publishing(
    app: Flask, ada: Staff, scored: World, path: str
) -> None:
    fields = fields_of(ada.get(f"{path}/draft").text)
    assert fields["fit-0-what"] == "answered:gte"
    shown = ada.post(f"{path}/draft", fields | {"do": "add:fit"}).text
    assert 'name="fit-6-what"' in shown
    assert _states(app) == [(1, "standing")]

    added = fields | {"fit-5-what": "answer.question_1:is:sea", "fit-5-value": "", "fit-5-points": "+50", "do": "save"}
    answer = ada.post(f"{path}/draft", added)
    assert answer.location == f"{path}/preview"
    newest = _definition(app, scored)["fit"][-1]
    assert newest["when"] == {"field": "answer.question_1", "op": "eq", "value": "sea"}
    assert newest["points"] == 50
    page = ada.get(answer.location).text
    assert "1 person moves into another grade" in page
    assert "C3 → A3" in page
    assert page.count('<svg class="curve') == 4
    assert _states(app) == [(1, "standing"), (2, "draft")]

    published = ada.post(f"{path}/publish", {"revision": fields_in(page)["revision"]})
    assert "is being reckoned" in ada.get(published.location).text
    with app.app_context():
        jobs.score()
    assert _states(app) == [(1, "past"), (2, "standing")]
    assert "version 2" in ada.get(path).text

    assert ada.post(f"{path}/versions/1/restore").location == f"{path}/preview"
    assert "A3 → C3" in re.sub(r"\s+", " ", ada.get(f"{path}/preview").text)
    assert _states(app)[-1] == (3, "draft")


def fields_in(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', page))


def test_what_was_typed_stays_and_the_field_is_named(app: Flask, ada: Staff, scored: World, path: str) -> None:
    fields = fields_of(ada.get(f"{path}/draft").text) | {"do": "save"}
    wrong = {
        "fit-1-points": "many",
        "half_life": "90",
        "deeds-0-points": "1000",
        "fit_bands-A-leave": "80",
        "out-0-value": "x",
    }
    for name, value in wrong.items():
        answer = ada.post(f"{path}/draft", fields | {name: value})
        assert answer.status_code == 422, name
        assert f'value="{value}"' in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert 'role="alert"' in answer.text
    assert _states(app) == [(1, "standing")], "what is refused makes no draft"


def test_a_number_can_be_asked_for_and_a_question_that_is_not_answered(
    app: Flask, ada: Staff, scored: World, path: str
) -> None:
    fields = fields_of(ada.get(f"{path}/draft").text) | {"do": "save"}
    fields |= {"out-0-what": "answer.question_2:lacking", "out-0-reason": "Told nothing", "fit-0-value": "2"}
    assert ada.post(f"{path}/draft", fields).status_code == 303
    definition = _definition(app, scored)
    assert definition["out"][0]["when"] == {"field": "answer.question_2", "op": "empty"}
    assert definition["fit"][0]["when"] == {"field": "answered", "op": "gte", "value": 2}
    again = fields_of(ada.get(f"{path}/draft").text)
    assert (again["out-0-what"], again["out-0-reason"]) == ("answer.question_2:lacking", "Told nothing")


def test_a_condition_that_rows_cannot_draw_stays_as_it_is(app: Flask, ada: Staff, scored: World, path: str) -> None:
    both = {"all": [{"field": "answered", "op": "gte", "value": 1}, {"field": "answer.question_1", "op": "empty"}]}
    with app.app_context():
        brand = db.session.get_one(Brand, scored.brand.id)
        draft = scores.open_draft(brand, "Ada")
        fit = [{"key": "both", "when": both, "points": 7}]
        scores.save_draft(brand, draft.definition | {"fit": fit}, draft.revision, "Ada")
        db.session.commit()
    fields = fields_of(ada.get(f"{path}/draft").text)
    assert fields["fit-0-what"] == "kept"
    assert ada.post(f"{path}/draft", fields | {"fit-0-points": "9", "do": "save"}).status_code == 303
    assert _definition(app, scored)["fit"] == [{"key": "both", "when": both, "points": 9}]


def test_of_two_writers_the_second_is_told(app: Flask, ada: Staff, scored: World, path: str) -> None:
    fields = fields_of(ada.get(f"{path}/draft").text) | {"do": "save"}
    assert ada.post(f"{path}/draft", fields).status_code == 303
    assert ada.post(f"{path}/draft", fields | {"half_life": "20"}).status_code == 422
    assert ada.post(f"{path}/publish", {"revision": "1"}).location == f"{path}/preview"
    ada.post(f"{path}/publish", {"revision": "2"})
    with app.app_context():
        jobs.score()
    late = ada.post(f"{path}/draft", fields | {"half_life": "20"})
    assert "Somebody else changed these rules" in late.text


def test_a_draft_is_put_away_and_taken_out_again(app: Flask, ada: Staff, scored: World, path: str) -> None:
    fields = fields_of(ada.get(f"{path}/draft").text) | {"do": "save", "half_life": "14"}
    ada.post(f"{path}/draft", fields)
    page = ada.get(ada.post(f"{path}/discard").location).text
    assert f"{path}/versions/2/restore" in page
    assert _states(app)[-1] == (2, RulesState.PAST.value)
    ada.post(f"{path}/versions/2/restore")
    assert _definition(app, scored)["half_life"] == 14


def test_a_persons_page_explains_both_numbers_by_lines_that_add_up(ada: Staff, scored: World, base: str) -> None:
    page = ada.get(f"{base}/entrants/{scored.ben.id}").text
    card = page[page.index('id="score-title"') : page.index('id="answers-title"')]
    assert "C3" in card
    assert "At least 1 question answered" in card
    assert "Entered a contest and confirmed" in card
    assert re.findall(r"<dd>([+-]?\d+)</dd>", card) == ["+25", "25", "+20", "20"]
    assert "Missing:" in card
    anna = ada.get(f"{base}/entrants/{scored.anna.id}").text
    assert "Nobody is scored before their address is confirmed." in anna


def test_what_somebody_called_a_band_is_shown_and_escaped(ada: Staff, scored: World, path: str) -> None:
    fields = fields_of(ada.get(f"{path}/draft").text) | {"do": "save", "fit_bands-A-label": "Dream <b>client"}
    assert ada.post(f"{path}/draft", fields).status_code == 303
    page = ada.get(f"{path}/versions/2").text
    assert "Dream &lt;b&gt;client" in page
    assert "Dream <b>" not in page


def test_everything_absurd_that_is_sent_is_answered(ada: Staff, scored: World, path: str) -> None:
    fields = fields_of(ada.get(f"{path}/draft").text) | {"do": "save", "revision": "9"}
    for name in ("fit-0-what", "fit-0-value", "deeds-0-what", "deeds-0-contest", "half_life", "revision", "do"):
        for value in ("", "x" * 3000, "\x00", "drop:fit:99999", "9" * 40):
            assert ada.post(f"{path}/draft", fields | {name: value}).status_code in {200, 303, 422}, (name, value)
