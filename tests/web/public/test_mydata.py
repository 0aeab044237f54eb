"""The page of one's data: all of it is there, can be corrected and taken back, and nobody else sees it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask

from leadgen import reactions
from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, QuestionKind
from leadgen.contacts.models import Contact
from leadgen.core import hot, i18n, links
from leadgen.core.db import db
from leadgen.entries import person
from leadgen.entries.models import Entry
from leadgen.web.public import data_words, sections
from tests.conftest import Clock
from tests.factories import (
    make_answer,
    make_campaign,
    make_contact,
    make_entry,
    make_message,
    make_question,
    make_submission,
)
from tests.factories_contest import make_prices, make_sale, make_score
from tests.forms.conftest import field, publish
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, text_of


@pytest.fixture
def page(scene: Scene) -> str:
    return f"{scene.me}/data"


def _ben(app: Flask, scene: Scene, value: Any = "sea") -> tuple[int, str]:
    """Ben has answered the first question; his entry and the question's key."""
    with app.app_context():
        question = db.session.get_one(Campaign, scene.campaign_id).questions[0]
        make_answer(db.session.get_one(Entry, scene.ben_id), question, value)
        return scene.ben_id, question.key


def _one(statement: str, **values: Any) -> dict[str, Any]:
    row = hot.one(statement, values)
    assert row is not None
    return row


def test_every_value_stands_there_with_why_since_when_and_what_it_earned(
    app: Flask, visitor: Visitor, scene: Scene, page: str
) -> None:
    _ben(app, scene)
    with app.app_context():
        make_message(
            db.session.get_one(Entry, scene.ben_id), sent_at=db.session.get_one(Entry, scene.ben_id).created_at
        )
    answer = visitor.get(f"{page}?lang=en")
    words = text_of(answer)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert 'value="Ben"' in answer.text
    told = ("ben@mail.example", "Question 1?", "sea", "earned 2 points", "given on", "To send you what interests you")
    for part in (*told, "News and offers: agreed", "1 mail, the last on", "Until you take it back", "Known since"):
        assert part in words, part
    assert "anna@" not in answer.text, "friends are other people"


def test_what_was_bought_and_reckoned_is_told(app: Flask, visitor: Visitor, scene: Scene, page: str) -> None:
    with app.app_context():
        brand_id = db.session.get_one(Campaign, scene.campaign_id).brand_id
        make_prices(brand_id)
        make_sale(scene.contact_id, brand_id, reference="Order 17")
    words = text_of(visitor.get(f"{page}?lang=en"))
    for part in ("Order 17 €9.90", "By what you did €10.90", "Through people you brought €0"):
        assert part in words, part
    held = json.loads(visitor.get(f"{scene.me}/data.json").data)
    assert (held["sales"][0]["amount"], held["sales"][0]["currency"]) == (990, "EUR")


def test_the_persons_page_leads_there(visitor: Visitor, scene: Scene, page: str) -> None:
    assert f'href="{page}?lang=en"' in visitor.get(f"{scene.me}?lang=en").text


def test_an_answer_is_corrected_keeps_its_origin_and_earns_nothing_more(
    app: Flask, visitor: Visitor, scene: Scene, page: str, clock: Clock
) -> None:
    with app.app_context():
        question = db.session.get_one(Campaign, scene.campaign_id).questions[0]
        entry_id, key, number = scene.ben_id, question.key, question.id
    visitor.post(f"{scene.me}/answers/{number}", {key: "sea"})
    assert "corrected on" not in text_of(visitor.get(f"{page}?lang=en"))
    before = _one("SELECT id, question_id, entry_id FROM answer")
    clock.forward(days=2)
    answer = visitor.post(f"{page}/answers/{entry_id}/{key}?lang=en", {key: "city"})
    assert answer.status_code == 303
    assert "Your answer is corrected" in text_of(visitor.get(answer.location))
    assert _one("SELECT id, question_id, entry_id FROM answer") == before
    assert _one("SELECT value FROM answer") == {"value": "city"}
    assert _one("SELECT answers FROM contact WHERE id = %(id)s", id=scene.contact_id)["answers"] == {key: "city"}
    assert _one("SELECT sum(points)::int AS n FROM ledger WHERE entry_id = %(id)s", id=entry_id) == {"n": 3}
    assert "corrected on" in text_of(visitor.get(f"{page}?lang=en"))


@pytest.mark.parametrize(
    ("kind", "kept", "wrong", "sentence"),
    [
        (QuestionKind.CHOICE, "sea", "moon", "Choose one of the answers offered."),
        (QuestionKind.NUMBER, 12, "twelve", "Write a number, in digits."),
        (QuestionKind.DATE, "2027-05-01", "tomorrow", "Write a date as year-month-day"),
    ],
)
def test_a_correction_is_checked_as_the_question_checks_it(
    app: Flask, visitor: Visitor, scene: Scene, page: str, kind: QuestionKind, kept: Any, wrong: str, sentence: str
) -> None:
    with app.app_context():
        question = make_question(db.session.get_one(Campaign, scene.campaign_id), kind=kind, position=9)
        make_answer(db.session.get_one(Entry, scene.ben_id), question, kept)
        key = question.key
    answer = visitor.post(f"{page}/answers/{scene.ben_id}/{key}?lang=en", {key: wrong})
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    if kind is not QuestionKind.CHOICE:
        assert f'value="{wrong}"' in answer.text, "what was typed is kept"
    assert _one("SELECT value FROM answer") == {"value": kept}


def test_the_form_that_asked_says_what_is_right(app: Flask, visitor: Visitor, scene: Scene, page: str) -> None:
    """The version that the person filled in, not the newest; and the form's own copy follows."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        first = publish(campaign, {"pages": [{"id": "p1", "fields": [field("team", "number", most=50)]}]})
        publish(campaign, {"pages": [{"id": "p1", "fields": [field("team", "number", most=500)]}]})
        question = next(one for one in campaign.questions if one.key == "team")
        ben = db.session.get_one(Entry, scene.ben_id)
        make_answer(ben, question, 7)
        make_submission(ben, number=first, answers={"team": 7})
    path = f"{page}/answers/{scene.ben_id}/team?lang=en"
    refused = visitor.post(path, {"team": "90"})
    assert refused.status_code == 422
    assert "Write a number of 50 at most." in text_of(refused)
    assert visitor.post(path, {"team": "9"}).status_code == 303
    assert _one("SELECT answers FROM submission") == {"answers": {"team": 9}}
    assert "form, version" in text_of(visitor.get(f"{page}?lang=en"))


def test_an_answer_is_taken_back_at_once_and_not_asked_for_again(
    app: Flask, visitor: Visitor, scene: Scene, page: str
) -> None:
    entry_id, key = _ben(app, scene)
    with app.app_context():
        make_submission(db.session.get_one(Entry, entry_id), answers={key: "sea"}, is_open=False)
    answer = visitor.post(f"{page}/answers/{entry_id}/{key}/back?lang=en")
    words = text_of(visitor.get(answer.location))
    assert "This answer is forgotten" in words
    assert "You answered no question." in words
    assert hot.many("SELECT 1 FROM answer", {}) == []
    assert _one("SELECT answers FROM contact WHERE id = %(id)s", id=scene.contact_id) == {"answers": {}}
    assert _one("SELECT answers FROM submission") == {"answers": {}}
    assert _one("SELECT data FROM fact WHERE name = 'question.withdrawn'")["data"]["questions"] == [key]
    assert "Question 1?" not in visitor.get(f"{scene.me}?lang=en").text
    assert visitor.post(f"{page}/answers/{entry_id}/{key}/back").status_code == 404


def test_points_do_not_come_twice_by_taking_back_and_answering(
    app: Flask, visitor: Visitor, scene: Scene, page: str
) -> None:
    with app.app_context():
        question = db.session.get_one(Campaign, scene.campaign_id).questions[0]
        key, number = question.key, question.id
    for _again in range(2):
        visitor.post(f"{scene.me}/answers/{number}", {key: "sea"})
        visitor.post(f"{page}/answers/{scene.ben_id}/{key}/back")
    assert _one("SELECT sum(points)::int AS n FROM ledger WHERE entry_id = %(id)s", id=scene.ben_id) == {"n": 3}


def test_what_stands_in_an_unfinished_form_is_held_and_can_be_taken_back(
    app: Flask, visitor: Visitor, scene: Scene, page: str
) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        number = publish(campaign, {"pages": [{"id": "p1", "fields": [field("boss")]}]})
        make_submission(db.session.get_one(Entry, scene.ben_id), number=number, answers={"boss": "Ida Zander"})
    assert "Ida Zander" in visitor.get(f"{page}?lang=en").text
    assert "in a form that is not finished" in text_of(visitor.get(f"{page}?lang=en"))
    visitor.post(f"{page}/answers/{scene.ben_id}/boss", {"boss": "Eva"})
    assert _one("SELECT answers FROM submission") == {"answers": {"boss": "Eva"}}
    visitor.post(f"{page}/answers/{scene.ben_id}/boss/back")
    assert _one("SELECT answers FROM submission") == {"answers": {}}


def test_name_language_and_time_zone_are_put_right(visitor: Visitor, scene: Scene, page: str) -> None:
    said = {"first_name": " Benoît ", "language": "fr", "timezone": "America/Montreal"}
    answer = visitor.post(f"{page}/person?lang=en", said)
    assert answer.status_code == 303
    shown = visitor.get(answer.location)
    assert '<html lang="fr"' in shown.text
    assert "C’est fait" in shown.text
    found = _one("SELECT first_name, locale, timezone FROM contact WHERE id = %(id)s", id=scene.contact_id)
    assert found == {"first_name": "Benoît", "locale": "fr", "timezone": "America/Montreal"}
    assert _one("SELECT locale FROM entry WHERE id = %(id)s", id=scene.ben_id) == {"locale": "fr"}
    fact = _one("SELECT data FROM fact WHERE name = 'contact.corrected'")
    assert "Benoît" not in json.dumps(fact, ensure_ascii=False), "the journal says which, not what"


@pytest.mark.parametrize(
    ("name", "typed"),
    [("first_name", ""), ("first_name", "https://x.example"), ("language", "xx"), ("timezone", "Mars")],
)
def test_what_cannot_be_is_refused_at_its_field(
    visitor: Visitor, scene: Scene, page: str, name: str, typed: str
) -> None:
    said = {"first_name": "Ben", "language": "en", "timezone": ""} | {name: typed}
    answer = visitor.post(f"{page}/person?lang=en", said)
    assert answer.status_code == 422
    assert f'id="{name}-error"' in answer.text
    assert re.search(rf'id="{name}"[^>]*aria-invalid="true"', answer.text)
    assert _one("SELECT first_name FROM contact WHERE id = %(id)s", id=scene.contact_id) == {"first_name": "Ben"}


def test_news_stop_at_once_and_come_back_by_one_press(visitor: Visitor, scene: Scene, page: str) -> None:
    """Rule 1."""
    gone = visitor.post(f"{page}/choices?lang=en", {"choice": "no-news"})
    assert "We send you no more news and offers." in text_of(visitor.get(gone.location))
    held = _one("SELECT marketing_at FROM contact WHERE id = %(id)s", id=scene.contact_id)
    assert held == {"marketing_at": None}
    assert _one("SELECT action, channel FROM consent ORDER BY id DESC LIMIT 1")["action"] == "withdrawn"
    assert "I would like to receive offers by e-mail." in visitor.get(f"{page}?lang=en").text
    visitor.post(f"{page}/choices?lang=en", {"choice": "news"})
    given = _one("SELECT action, evidence FROM consent ORDER BY id DESC LIMIT 1")
    assert (given["action"], given["evidence"]["wording"]) == ("given", "I would like to receive offers by e-mail.")


def test_the_purpose_of_answers_is_withdrawn_with_all_of_them(
    app: Flask, visitor: Visitor, scene: Scene, page: str
) -> None:
    _ben(app, scene)
    with app.app_context():
        ben = db.session.get_one(Contact, scene.contact_id)
        other = make_campaign(db.session.get_one(Brand, ben.brand_id), slug="second")
        entry = make_entry(other, ben, confirmed=True)
        make_answer(entry, other.questions[1], "city")
    answer = visitor.post(f"{page}/choices?lang=en", {"choice": "answers"})
    assert "All your answers are forgotten" in text_of(visitor.get(answer.location))
    assert hot.many("SELECT 1 FROM answer", {}) == []
    assert _one("SELECT answers FROM contact WHERE id = %(id)s", id=scene.contact_id) == {"answers": {}}


def test_the_document_to_keep_holds_the_same(app: Flask, visitor: Visitor, scene: Scene, page: str) -> None:
    _ben(app, scene)
    answer = visitor.get(f"{scene.me}/data.html?lang=en")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"].startswith("text/html")
    for part in ("ben@mail.example", "Question 1?", "earned 2 points", "Every line"):
        assert part in answer.text, part
    assert not re.search(r"<script|<link|<img|<style", answer.text), "readable by itself, for ever"


def test_every_line_of_the_file_is_shown_scores_and_all(app: Flask, visitor: Visitor, scene: Scene, page: str) -> None:
    with app.app_context():
        make_score(db.session.get_one(Entry, scene.ben_id))
    told = json.loads(visitor.get(f"{scene.me}/data.json").data)["scores"]
    lines = f"grade {told['grade']} rules version {told['rules_version']} reactivity {told['reactivity']}"
    assert lines in text_of(visitor.get(f"{page}?lang=en"))
    assert lines in text_of(visitor.get(f"{scene.me}/data.html?lang=en"))


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_part_of_the_file_has_a_title(app: Flask, scene: Scene, locale: str) -> None:
    """In both languages, whatever room it comes from."""
    with app.test_request_context(), i18n.speaking(locale):
        held = sections.held_by_all(scene.contact_id)
        parts = [name for name, value in held.items() if isinstance(value, (list, dict)) or name == "scores"]
        shown = data_words.sections({name: ["a line"] for name in parts})
    assert {"scores", "sales", "value_to_us", "sequences"} <= set(parts)
    assert [title for title, _lines in shown if title in parts] == []


def test_whoever_has_not_confirmed_sees_no_value(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """An address that somebody typed is not theirs yet, though its owner has told much in another contest."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        brand = db.session.get_one(Brand, campaign.brand_id)
        contact = make_contact(brand, "carla@mail.example", first_name="Carla", marketing=True)
        entry = make_entry(campaign, contact)
        contact_id, entry_id = contact.id, entry.id
        path = links.status(entry.id, entry.access_version).removeprefix("http://localhost")
    for answer in (
        visitor.get(f"{path}/data?lang=en"),
        visitor.get(f"{path}/data.html?lang=en"),
        visitor.get(f"{path}/data.json"),
        visitor.post(f"{path}/data/person", {"first_name": "Zed", "language": "en", "timezone": ""}),
        visitor.post(f"{path}/data/choices", {"choice": "no-news"}),
        visitor.post(f"{path}/data/answers/{entry_id}/x", {"x": "y"}),
        visitor.post(f"{path}/data/answers/{entry_id}/x/back"),
    ):
        assert answer.status_code == 403
        assert "carla@" not in answer.text
        assert "Carla" not in answer.text
    assert _one("SELECT first_name, marketing_at IS NULL AS is_out FROM contact WHERE id = %(id)s", id=contact_id) == {
        "first_name": "Carla",
        "is_out": False,
    }


def test_dead_links_lead_on(app: Flask, visitor: Visitor, scene: Scene, page: str, clock: Clock) -> None:
    assert visitor.get(f"{scene.me}x/data").status_code == 404
    clock.forward(days=31)
    old = visitor.get(f"{page}?lang=en")
    assert old.status_code == 410
    assert "Mail me a new link" in old.text
    assert "ben@" not in old.text
    assert visitor.post(f"{page}/choices", {"choice": "no-news"}).status_code == 410


def test_after_erasure_the_link_says_so(app: Flask, visitor: Visitor, scene: Scene, page: str) -> None:
    assert f'href="{scene.me}/erase?lang=en"' in visitor.get(f"{page}?lang=en").text
    with app.app_context():
        person.erase(scene.ben_id)
        db.session.commit()
        while reactions.drain():
            pass
    gone = visitor.get(f"{page}?lang=en")
    assert gone.status_code == 410
    assert "This data was erased" in gone.text


def test_another_persons_answer_is_not_there(app: Flask, visitor: Visitor, scene: Scene, page: str) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        other = make_entry(campaign, confirmed=True)
        make_answer(other, campaign.questions[0])
        other_id, key = other.id, campaign.questions[0].key
    assert visitor.post(f"{page}/answers/{other_id}/{key}", {key: "city"}).status_code == 404
    assert visitor.post(f"{page}/answers/{other_id}/{key}/back").status_code == 404
    assert _one("SELECT value FROM answer") == {"value": "sea"}


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_way_in_which_somebody_agrees_or_leaves_has_words(app: Flask, locale: str) -> None:
    ways = ["form", "confirm page", "cookie_post", "button_post", "code", "one-click", "unsubscribe page", "my page"]
    ways += ["my data page", "refuse page", "complaint", "provider", "deadline", "restore", "admin", "import"]
    with app.test_request_context(), i18n.speaking(locale):
        assert [way for way in ways if data_words._way(way) == way] == []


def test_it_speaks_french(app: Flask, visitor: Visitor, scene: Scene, page: str) -> None:
    _ben(app, scene)
    words = text_of(visitor.get(f"{page}?lang=fr"))
    for part in ("Mes données", "Pourquoi", "Combien de temps", "Vos réponses", "a rapporté 2 points"):
        assert part in words, part
    cards.forget()
