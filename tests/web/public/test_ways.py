"""Ways to earn points on the person's page: every state in words, every press without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from leadgen.campaigns import cards
from leadgen.campaigns.models import Action, ActionKind, Campaign, Repeat
from leadgen.core import hot, links
from leadgen.core.db import db
from leadgen.entries.models import Entry, Review
from tests.actions import conftest as kit
from tests.factories import make_campaign, make_entry
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, count, text_of

Make = Callable[..., int]


@pytest.fixture
def make(app: Flask, scene: Scene) -> Make:
    """An action of the scene's campaign; answers its id."""

    def made(kind: ActionKind, **values: Any) -> int:
        with app.app_context():
            action: Action = kit.an(kind, db.session.get_one(Campaign, scene.campaign_id), **values)
            return action.id

    return made


def _points() -> int:
    row = hot.one("SELECT coalesce(sum(points), 0) AS points FROM ledger WHERE kind = 'action'", {})
    assert row is not None
    return int(row["points"])


def _card(page: Any, action_id: int) -> str:
    found = re.search(
        rf'<li class="way [^>]*id="way-{action_id}">.*?</li>\s*(?=<li class="way|</ol>)', page.text, re.DOTALL
    )
    assert found, action_id
    return found[0]


def test_a_campaign_without_actions_shows_no_section(visitor: Visitor, scene: Scene) -> None:
    assert 'id="ways"' not in visitor.get(scene.me).text


def test_friends_and_questions_lead_the_list(visitor: Visitor, scene: Scene, make: Make) -> None:
    """Refer is the first card, from the campaign's own points."""
    make(ActionKind.CUSTOM)
    words = text_of(visitor.get(f"{scene.me}?lang=en"))
    assert "Invite friends +5 points for each friend who confirms" in words
    assert "Answer questions 2 questions left, +4 points" in words
    assert words.index("+5 points for each friend") < words.index("Answer questions") < words.index("Action ")


@pytest.mark.parametrize("kind", [ActionKind.FOLLOW, ActionKind.CUSTOM, ActionKind.DAILY])
def test_a_press_earns_once_and_says_so(visitor: Visitor, scene: Scene, make: Make, kind: ActionKind) -> None:
    action = make(kind, repeat=Repeat.DAILY if kind is ActionKind.DAILY else Repeat.ONCE)
    path = f"{scene.me}/actions/{action}?lang=en"
    answer = visitor.post(path)
    assert answer.status_code == 303
    card = _card(visitor.get(answer.location), action)
    assert "2 points more for you" in card
    assert ("comes back tomorrow" if kind is ActionKind.DAILY else "Done") in card
    assert "<form" not in card
    again = visitor.post(path)
    assert "said=already" in again.location
    assert _points() == 2


def test_a_script_gets_the_same_as_json(visitor: Visitor, scene: Scene, make: Make) -> None:
    path = f"{scene.me}/actions/{make(ActionKind.FOLLOW)}?lang=en"
    answer = visitor.post(path, headers={"Accept": "application/json"})
    assert answer.json == {
        "outcome": "done",
        "points": 2,
        "seconds": 0,
        "said": "Thank you. 2 points more for you.",
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_share_of_each_network_without_a_script(visitor: Visitor, scene: Scene, make: Make) -> None:
    action = make(ActionKind.SHARE)
    page = visitor.get(f"{scene.me}?lang=en")
    assert '<option value="wa">WhatsApp' in page.text
    assert f'data-share="{scene.me}/actions/{action}' in page.text
    visitor.post(f"{scene.me}/actions/{action}", {"network": "wa"})
    card = _card(visitor.get(f"{scene.me}?lang=en"), action)
    assert '<option value="wa">' not in card
    assert '<option value="fb">' in card
    refused = visitor.post(f"{scene.me}/actions/{action}?lang=en", {"network": "../../x"})
    assert refused.status_code == 400
    assert "Choose one of the networks." in refused.text


def test_a_visit_without_a_script(visitor: Visitor, scene: Scene, make: Make) -> None:
    action = make(ActionKind.VISIT)
    path = f"{scene.me}/actions/{action}?lang=en"
    page = visitor.get(visitor.post(path).location)
    assert "Open the site now" in _card(page, action)
    out = visitor.get(f"{scene.me}/out/{action}")
    assert (out.status_code, out.location) == (302, "https://brand.example/new")
    assert out.headers["Referrer-Policy"] == "no-referrer", "the site must not learn the link of the page"
    assert "Stay " in _card(visitor.get(visitor.post(path, {"back": "1"}).location), action)
    visitor.clock.forward(seconds=11)
    assert "said=done" in visitor.post(path, {"back": "1"}).location
    assert _points() == 2


def test_only_visits_lead_out(visitor: Visitor, scene: Scene, make: Make) -> None:
    answer = visitor.get(f"{scene.me}/out/{make(ActionKind.FOLLOW)}?url=https://evil.example")
    assert answer.location.startswith("/me/"), "where it leads stands in the action, never in the link"


def test_a_film_is_named_in_the_policy_and_loads_nothing_by_itself(visitor: Visitor, scene: Scene, make: Make) -> None:
    """Rule 11: nothing of third parties before the person plays it."""
    make(ActionKind.VIDEO)
    page = visitor.get(f"{scene.me}?lang=en")
    assert page.headers["Content-Security-Policy"].endswith("; media-src https://films.example")
    video = re.search(r"<video.*?</video>", page.text, re.DOTALL)
    assert video
    assert 'preload="none"' in video[0]
    assert "poster" not in video[0]


def test_a_quiz_hides_its_answers_until_it_is_over(visitor: Visitor, scene: Scene, make: Make) -> None:
    action = make(ActionKind.QUIZ)
    path = f"{scene.me}/actions/{action}?lang=en"
    page = visitor.get(path)
    assert "Where is Porto?" in page.text
    for secret in ("Douro", "(right)", "right&#34;", '"right"'):
        assert secret not in page.text, secret
        assert secret not in visitor.get(f"{scene.me}?lang=en").text
    stamp = re.search(r'name="stamp" value="([^"]+)"', page.text)
    assert stamp
    given = {"stamp": stamp[1], "q-one": ["a"], "q-two": ["Malta", "Madeira"]}
    fast = visitor.client.post(path, data=given)
    assert "said=too_soon" in fast.location
    visitor.clock.forward(seconds=9)
    done = visitor.get(visitor.client.post(path, data=given).location)
    assert "2 points more for you" in done.text
    assert "It lies at the mouth of the Douro." in done.text
    assert _points() == 2


@pytest.mark.parametrize("stamp", ["", "forged", "{other}"])
def test_a_quiz_wants_to_have_been_shown(app: Flask, visitor: Visitor, scene: Scene, make: Make, stamp: str) -> None:
    """A forged or somebody else's stamp is no reading time."""
    action = make(ActionKind.QUIZ)
    if stamp == "{other}":
        with app.app_context():
            cleo = make_entry(db.session.get_one(Campaign, scene.campaign_id), email="c@mail.example", confirmed=True)
            link = links.status(cleo.id, cleo.access_version).removeprefix("http://localhost")
        stamp = re.findall(r'name="stamp" value="([^"]+)"', visitor.get(f"{link}/actions/{action}").text)[0]
    visitor.clock.forward(minutes=1)
    answer = visitor.client.post(f"{scene.me}/actions/{action}", data={"stamp": stamp, "q-one": ["a"]})
    assert "said=too_soon" in answer.location
    assert count("deed") == 0


def test_a_code_is_redeemed_and_wrong_ones_rest(app: Flask, visitor: Visitor, scene: Scene, make: Make) -> None:
    action = make(ActionKind.CODE)
    hot.one("INSERT INTO secret_code (action_id, code) VALUES (%(action)s, 'SUMMER') RETURNING id", {"action": action})
    path = f"{scene.me}/actions/{action}?lang=en"
    for _ in range(10):
        last = visitor.post(path, {"code": "nope"})
    assert "Too many wrong codes. Try again in 60 minutes." in visitor.get(last.location).text
    assert "said=resting" in visitor.post(path, {"code": "summer"}).location
    visitor.clock.forward(hours=1, seconds=1)
    assert "said=done" in visitor.post(path, {"code": "sum mer"}).location


def test_locked_ones_say_what_comes_first(visitor: Visitor, scene: Scene, make: Make) -> None:
    make(ActionKind.FOLLOW, is_mandatory=True, texts={"en": {"title": "Follow us"}, "fr": {"title": "Suivez-nous"}})
    locked = make(ActionKind.CUSTOM, needs_others=1)
    assert "Opens after: Follow us." in _card(visitor.get(f"{scene.me}?lang=en"), locked)
    assert "said=locked" in visitor.post(f"{scene.me}/actions/{locked}").location


def test_what_is_asked_for_must_be_told(visitor: Visitor, scene: Scene, make: Make) -> None:
    action = make(ActionKind.CUSTOM, settings={"asks": True, "approval": True})
    path = f"{scene.me}/actions/{action}?lang=en"
    empty = visitor.post(path, {"note": " "})
    assert empty.status_code == 400
    assert "Tell us in a few words" in _card(empty, action)
    sent = visitor.get(visitor.post(path, {"note": "https://me.example/photo"}).location)
    assert "We look at it, then your points follow." in _card(sent, action)
    assert _points() == 0


def test_held_people_act_and_see_why_it_does_not_show_yet(
    app: Flask, visitor: Visitor, scene: Scene, make: Make
) -> None:
    action = make(ActionKind.CUSTOM)
    with app.app_context():
        db.session.get_one(Entry, scene.ben_id).review = Review.HELD
        db.session.commit()
    assert "Your entry is being checked." in visitor.get(f"{scene.me}?lang=en").text
    assert "said=done" in visitor.post(f"{scene.me}/actions/{action}").location


def test_the_cap_of_declared_chances_is_told_in_plain_words(visitor: Visitor, scene: Scene, make: Make) -> None:
    action = make(ActionKind.CUSTOM, points=9, chances=9)
    visitor.post(f"{scene.me}/actions/{action}")
    words = text_of(visitor.get(f"{scene.me}?lang=en"))
    assert "You have 10 chances in the draw, of which 1 count now." in words
    assert "at most 30% of the chances that count" in words


def test_unconfirmed_people_see_no_button(app: Flask, visitor: Visitor, scene: Scene, make: Make) -> None:
    """Rule 3."""
    action = make(ActionKind.CUSTOM)
    with app.app_context():
        link = links.status(scene.anna_id, 1).removeprefix("http://localhost")
    assert "<form" not in _card(visitor.get(f"{link}?lang=en"), action)
    assert "said=unconfirmed" in visitor.post(f"{link}/actions/{action}").location
    assert _points() == 0


def test_a_paused_contest_shows_no_button(app: Flask, visitor: Visitor, scene: Scene, make: Make) -> None:
    action = make(ActionKind.CUSTOM)
    hot.one("UPDATE campaign SET status = 'paused' WHERE id = %(id)s RETURNING id", {"id": scene.campaign_id})
    cards.forget()
    assert "<form" not in _card(visitor.get(f"{scene.me}?lang=en"), action)
    closed = visitor.post(f"{scene.me}/actions/{action}?lang=en")
    assert "said=closed" in closed.location
    assert "takes no deeds at the moment" in visitor.get(closed.location).text


@pytest.mark.parametrize("method", ["get", "post"])
def test_forged_foreign_and_erased_links(app: Flask, visitor: Visitor, scene: Scene, make: Make, method: str) -> None:
    action = make(ActionKind.QUIZ)
    with app.app_context():
        foreign = kit.an(ActionKind.CUSTOM, make_campaign()).id
    ask = getattr(visitor, method)
    assert ask(f"/me/forged/actions/{action}").status_code == 404
    assert ask(f"{scene.me}/actions/{foreign}").status_code == 404
    assert ask(f"{scene.me}/actions/99999999999999999999999").status_code in {400, 404}
    visitor.post(f"{scene.me}/erase?lang=en", {"word": "erase"})
    assert ask(f"{scene.me}/actions/{action}").status_code == 410


@pytest.mark.parametrize(
    "fields",
    [
        {"n": "-1"},
        {"n": "9" * 5000},
        {"note": "\x00"},
        {"network": "\ud800"},
        {"code": "a" * 100_000},
        {"q-one": "\x00"},
        {"stamp": "x" * 9999},
    ],
)
@pytest.mark.parametrize("kind", [ActionKind.CUSTOM, ActionKind.CODE, ActionKind.QUIZ, ActionKind.SHARE])
def test_no_input_breaks_the_door(
    visitor: Visitor, scene: Scene, make: Make, kind: ActionKind, fields: dict[str, str]
) -> None:
    answer = visitor.client.post(
        f"{scene.me}/actions/{make(kind)}",
        data={name: value.encode("utf-8", "surrogatepass") for name, value in fields.items()},
    )
    assert answer.status_code in {303, 400}


@pytest.mark.parametrize(
    "query", ["act=x&said=done", "act=1&said=%00", "act={id}&said=evil", "act={id}&said=done&points=zz"]
)
def test_the_address_cannot_put_words_into_the_page(visitor: Visitor, scene: Scene, make: Make, query: str) -> None:
    action = make(ActionKind.CUSTOM)
    page = visitor.get(f"{scene.me}?lang=en&{query.format(id=action)}")
    assert page.status_code == 200
    assert "evil" not in page.text


def test_too_many_presses_are_slowed(visitor: Visitor, scene: Scene, make: Make) -> None:
    """ASVS 2.4.1: sixty in ten minutes, at n and n + 1."""
    path = f"{scene.me}/actions/{make(ActionKind.DAILY, repeat=Repeat.DAILY)}"
    assert [visitor.post(path).status_code for _ in range(60)] == [303] * 60
    slowed = visitor.post(path)
    assert slowed.status_code == 429
    assert slowed.headers["Retry-After"] == "600"


def test_looking_changes_nothing(visitor: Visitor, scene: Scene, make: Make) -> None:
    """Rule 2."""
    quiz, visit = make(ActionKind.QUIZ), make(ActionKind.VISIT, settings={"callback": True})
    for path in (scene.me, f"{scene.me}/actions/{quiz}", f"{scene.me}/out/{visit}"):
        visitor.get(path)
        visitor.client.head(path)
    assert [count(table) for table in ("deed", "fact", "code_tries")] == [0, 0, 0]
