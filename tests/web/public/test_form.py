"""The form of a confirmed person: page by page, without a script, from any browser that has the link."""

import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign
from leadgen.core import hot, links
from leadgen.core.db import db
from leadgen.forms import definition as documents
from leadgen.forms import service as forms
from tests.forms.conftest import FORM, ROLES, field
from tests.web.public.conftest import Scene
from tests.web.public.street import BROWSER, Visitor, text_of


def _publish(app: Flask, scene: Scene, data: dict[str, object]) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        forms.save(campaign, documents.from_data(data), forms.draft_of(campaign).revision)
        forms.publish(campaign, "Ada")
        db.session.commit()
    cards.forget()


@pytest.fixture
def form(app: Flask, scene: Scene) -> str:
    """The address of Ben's form."""
    _publish(app, scene, FORM)
    return f"{scene.me}/form"


def _shown(page: TestResponse) -> list[str]:
    """The fields that a browser without a script shows and sends."""
    boxes = re.findall(r'<fieldset class="form-field" data-key="(\w+)"( hidden disabled)?>', page.text)
    return [key for key, hidden in boxes if not hidden]


def _send(visitor: Visitor, form: str, page: TestResponse, **answers: str) -> TestResponse:
    """Send the form of this page as it is shown, with these answers."""
    found = re.search(r'name="_page" value="(\w+)"', page.text)
    assert found is not None
    data = {"_page": found[1], "_shown": _shown(page)} | answers
    return visitor.client.post(f"{form}?lang=en", data=data)


def _follow(visitor: Visitor, answer: TestResponse) -> TestResponse:
    assert answer.status_code == 303, text_of(answer)
    return visitor.get(answer.location, follow_redirects=True)


def test_the_whole_way_without_a_script(visitor: Visitor, form: str, scene: Scene) -> None:
    page = visitor.get(f"{form}?lang=en")
    assert "A few questions" in text_of(page)
    page = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    assert _shown(page) == ["role"]
    page = _follow(visitor, _send(visitor, form, page, role="owner"))
    assert "Your answers opened more questions on this page." in text_of(page)
    assert _shown(page) == ["role", "firm"]
    assert 'value="owner" checked' in page.text
    page = _follow(visitor, _send(visitor, form, page, role="owner", firm="Cap Sud"))
    assert _shown(page) == ["team"]
    page = _follow(visitor, _send(visitor, form, page, team="1 200"))
    assert "Thank you, your answers are in" in text_of(page)
    assert "That is 7 more points for you." in text_of(page)
    kept = hot.one("SELECT answers FROM contact WHERE id = %(id)s", {"id": scene.contact_id})
    assert kept == {"answers": {"role": "owner", "firm": "Cap Sud", "team": 1200}}


def test_the_back_button_is_safe(visitor: Visitor, form: str) -> None:
    first = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    second = _follow(visitor, _send(visitor, form, first, role="clerk"))
    assert _shown(second) == ["boss"]
    assert "page=p1" in second.text, "a link leads back"
    back = visitor.get(f"{form}?lang=en&page=p1")
    assert 'value="clerk" checked' in back.text
    opened = _follow(visitor, _send(visitor, form, back, role="owner"))
    third = _follow(visitor, _send(visitor, form, opened, role="owner"))
    assert _shown(third) == ["team"]
    stale = _follow(visitor, _send(visitor, form, second, boss="Ada"))  # the page of before is sent once more
    assert _shown(stale) == ["team"]
    away = visitor.get(f"{form}?lang=en&page=p2", follow_redirects=True)
    assert _shown(away) == ["team"], "no page off the way can be asked for"


def test_a_form_goes_on_in_another_browser(app: Flask, visitor: Visitor, form: str) -> None:
    first = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    _send(visitor, form, first, role="clerk")
    other = app.test_client()
    other.environ_base["HTTP_USER_AGENT"] = BROWSER
    assert _shown(other.get(f"{form}?lang=en", follow_redirects=True)) == ["boss"]


def test_nobody_sees_what_another_person_said(app: Flask, visitor: Visitor, form: str, scene: Scene) -> None:
    """A second person in the same browser: the link alone says who somebody is, and only of the confirmed."""
    first = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    opened = _follow(visitor, _send(visitor, form, first, role="owner"))
    _send(visitor, form, opened, role="owner", firm="Zanzibar Ltd")
    with app.app_context():
        anna = links.status(scene.anna_id, 1).removeprefix("http://localhost")
    for path in ("", "/begin"):
        answer = visitor.get(f"{anna}/form") if not path else visitor.post(f"{anna}/form{path}")
        assert answer.status_code == 404, "Anna has not confirmed"
    visitor.post(scene.confirm)
    page = _follow(visitor, visitor.post(f"{anna}/form/begin?lang=en"))
    assert "Zanzibar" not in page.text
    assert "checked" not in page.text
    assert "Zanzibar" not in visitor.get(f"/c/{scene.slug}?lang=en").text


def test_what_a_browser_makes_up_is_not_kept(visitor: Visitor, form: str) -> None:
    page = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    data = {
        "_page": "p1",
        "_shown": ["role"],
        "role": "clerk",
        "firm": "x",
        "team": "3",
        "came_from": "forged",
        "z": "z",
    }
    assert visitor.client.post(form, data=data).status_code == 303
    assert hot.one("SELECT answers FROM submission", {}) == {"answers": {"role": "clerk"}}
    assert _shown(page) == ["role"]


def test_one_submission_for_a_person(visitor: Visitor, form: str) -> None:
    for _again in range(3):
        visitor.post(f"{form}/begin")
    assert hot.one("SELECT count(*) AS n FROM submission", {}) == {"n": 1}


def test_a_get_writes_nothing(visitor: Visitor, form: str) -> None:
    visitor.get(form)
    assert hot.one("SELECT count(*) AS n FROM submission", {}) == {"n": 0}


def test_what_is_wrong_is_said_by_name_and_what_was_typed_stays(app: Flask, visitor: Visitor, scene: Scene) -> None:
    fields = [
        field("born", "date"), field("mail", "email"), field("phone", "phone"), field("size", "range", least=1, most=9),
        field("land", "country"), field("mark", "rating"), field("order", "ranking", options=ROLES),
        field("note", "long_text", most=5),
    ]  # fmt: skip
    _publish(app, scene, {"pages": [{"id": "p1", "fields": fields}]})
    form = f"{scene.me}/form"
    page = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    wrong = {
        "born": "2027-02-30", "mail": "nobody", "phone": "12", "size": "10", "land": "Atlantis", "mark": "6",
        "order": "1:owner", "note": "<b>much</b>",
    }  # fmt: skip
    again = _send(visitor, form, page, **wrong)
    assert again.status_code == 422
    words = text_of(again)
    assert "8 answers need another look" in words
    assert "Born? : Write a date as year-month-day, such as 2027-05-31." in words
    for key in wrong:
        assert f'<a href="#f-{key}">{key.title()}?</a>' in again.text
        assert f'id="f-{key}"' in again.text
    assert 'value="2027-02-30"' in again.text
    assert html.escape("<b>much</b>") in again.text
    assert visitor.client.post(form, data={"_page": "p1", "_shown": [*wrong]}).status_code == 303
    assert hot.one("SELECT answers FROM submission", {}) == {"answers": {}}


def test_consent_is_never_needed_and_leaves_its_wording(app: Flask, visitor: Visitor, scene: Scene) -> None:
    visitor.post(f"{scene.me}/consent", {"marketing": "withdraw"})
    words = {"en": {"label": "Yes, write me about islands."}, "fr": {"label": "Oui, écrivez-moi."}}
    data = {"pages": [{"id": "p1", "fields": [field("news", "consent", texts=words, is_required=True, points=9)]}]}
    _publish(app, scene, data)
    form = f"{scene.me}/form"
    page = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    assert "checked" not in page.text
    assert "earned" not in _send(visitor, form, page).location
    asked = "SELECT marketing_at IS NOT NULL AS on FROM contact WHERE id = %(id)s"
    assert hot.one(asked, {"id": scene.contact_id}) == {"on": False}

    page = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    assert "earned" not in _send(visitor, form, page, news="yes").location
    assert hot.one(asked, {"id": scene.contact_id}) == {"on": True}
    proof = hot.one("SELECT evidence FROM consent ORDER BY id DESC LIMIT 1", {})
    assert proof is not None
    assert proof["evidence"]["wording"] == "Yes, write me about islands."
    assert proof["evidence"]["form_version"] == 2

    visitor.post(f"{scene.me}/consent", {"marketing": "withdraw"})
    page = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    assert "checked" not in page.text, "a box is never ticked beforehand"


def test_correcting_opens_the_form_again(visitor: Visitor, form: str) -> None:
    page = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    page = _follow(visitor, _send(visitor, form, page, role="clerk"))
    page = _follow(visitor, _send(visitor, form, page, boss="Ada"))
    page = _follow(visitor, _send(visitor, form, page))
    assert "Correct my answers" in text_of(page)
    page = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    assert 'value="clerk" checked' in page.text


def test_the_card_on_the_page_follows_the_same_way(app: Flask, visitor: Visitor, form: str, scene: Scene) -> None:
    with app.app_context():
        ids = {question.key: question.id for question in cards.by_id(scene.campaign_id).questions}
    assert "Role?" in text_of(visitor.get(f"{scene.me}?lang=en"))
    visitor.post(f"{scene.me}/answers/{ids['role']}", {"role": "owner"})
    page = text_of(visitor.get(f"{scene.me}?lang=en"))
    assert "Firm?" in page
    assert "Boss?" not in page
    assert "Answer all questions at once" in page


def test_questions_of_later_come_two_a_day_the_most_valuable_first(
    app: Flask, visitor: Visitor, scene: Scene, client: FlaskClient
) -> None:
    later = [field(key, ask_at="later", weight=weight) for key, weight in (("one", 1), ("two", 5), ("three", 3))]
    _publish(app, scene, {"pages": [{"id": "p1", "fields": later}]})
    with app.app_context():
        ids = {question.key: question.id for question in cards.by_id(scene.campaign_id).questions}
    for key in ("two", "three"):
        assert f"{key.title()}?" in text_of(visitor.get(f"{scene.me}?lang=en"))
        visitor.post(f"{scene.me}/answers/{ids[key]}", {key: "something"})
    assert "That is all for today. Thank you." in text_of(visitor.get(f"{scene.me}?lang=en"))
    visitor.clock.forward(days=1)
    assert "One?" in text_of(visitor.get(f"{scene.me}?lang=en"))


def test_what_has_aged_is_asked_again(app: Flask, visitor: Visitor, scene: Scene) -> None:
    data = {"pages": [{"id": "p1", "fields": [field("plan", fresh_days=5), field("name")]}]}
    _publish(app, scene, data)
    with app.app_context():
        ids = {question.key: question.id for question in cards.by_id(scene.campaign_id).questions}
    for key, number in ids.items():
        visitor.post(f"{scene.me}/answers/{number}", {key: "something"})
    assert "You have answered every question." in text_of(visitor.get(f"{scene.me}?lang=en"))
    visitor.clock.forward(days=6)
    assert "Plan?" in text_of(visitor.get(f"{scene.me}?lang=en"))


def test_what_another_contest_of_the_brand_knows_is_not_asked(app: Flask, visitor: Visitor, scene: Scene) -> None:
    with app.app_context():
        key = db.session.get_one(Campaign, scene.campaign_id).questions[0].key
    known = f'{{"{key}": "sea"}}'
    hot.one(
        "UPDATE contact SET answers = %(k)s::jsonb WHERE id = %(id)s RETURNING id", {"k": known, "id": scene.contact_id}
    )
    assert "Question 2?" in text_of(visitor.get(f"{scene.me}?lang=en"))


def test_the_download_tells_what_was_said_in_the_form(visitor: Visitor, form: str, scene: Scene) -> None:
    page = _follow(visitor, visitor.post(f"{form}/begin?lang=en"))
    _send(visitor, form, page, role="clerk")
    held = visitor.get(f"{scene.me}/data.json").get_json()
    assert held["forms"][0]["answers"] == {"role": "clerk"}
