"""The studio's pages of actions: every kind can be made, changed, ordered, taken away and brought back."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask

from leadgen.actions import desk, external
from leadgen.campaigns.models import Action, ActionKind, Campaign, Proof, RulesVersion
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries.models import Entry
from tests.actions import conftest as kit
from tests.factories import make_entry
from tests.web.admin.studio import Staff
from tests.world import World

WORDS = {"en-title": "Do it", "fr-title": "Faites-le"}
COMMON = {"points": "2", "chances": "2", "needs_others": "0", "do": "save"} | WORDS
QUIZ = {
    "questions-0-en": "Where is Porto?",
    "questions-0-fr": "Où est Porto ?",
    "questions-0-options-0-en": "Portugal",
    "questions-0-options-0-fr": "Portugal",
    "questions-0-options-0-is_right": "y",
    "questions-0-options-1-en": "Spain",
    "questions-0-options-1-fr": "Espagne",
    "tries": "2",
    "pass_mark": "1",
}
FIELDS: dict[ActionKind, dict[str, Any]] = {
    ActionKind.SHARE: {"networks": ["wa", "fb"], "repeat": "once"},
    ActionKind.VISIT: {"url": "https://brand.example/new", "seconds": "10", "repeat": "daily"},
    ActionKind.VIDEO: {"url": "https://films.example/a.mp4", "seconds": "30", "repeat": "once"},
    ActionKind.QUIZ: QUIZ | {"repeat": "once"},
    ActionKind.CODE: {"repeat": "once"},
    ActionKind.DAILY: {"repeat": "daily"},
    ActionKind.FOLLOW: {"network": "ig", "url": "https://social.example/brand", "repeat": "once"},
    ActionKind.UPLOAD: {"what": "photo", "most_per_person": "1", "repeat": "once"},
    ActionKind.CUSTOM: {"approval": "y", "asks": "y", "repeat": "unlimited", "most_times": "3"},
    ActionKind.EXTERNAL: {"repeat": "once"},
}


@pytest.fixture
def own(base: str) -> str:
    return f"{base}/actions"


def _actions(app: Flask, world: World) -> list[Action]:
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        found = [action for action in campaign.actions if action.is_active]
        db.session.expunge_all()
        return found


def _add(ada: Staff, own: str, kind: ActionKind, **changed: Any) -> Any:
    return ada.post(f"{own}/new/{kind.value}", COMMON | FIELDS[kind] | changed)


def test_the_catalogue_names_every_kind_with_its_trust(ada: Staff, own: str) -> None:
    page = ada.get(f"{own}/new").text
    for kind in ActionKind:
        assert f"/actions/new/{kind.value}" in page
    for label in ("verified", "declared", "external"):
        assert label in page


@pytest.mark.parametrize("kind", ActionKind)
def test_every_kind_can_be_made_and_opened_again(
    app: Flask, ada: Staff, world: World, own: str, kind: ActionKind
) -> None:
    assert ada.get(f"{own}/new/{kind.value}").status_code == 200
    answer = _add(ada, own, kind)
    assert answer.status_code == 303, answer.text
    [made] = _actions(app, world)
    assert made.kind is kind
    assert made.points == 2
    page = ada.get(f"{own}/{made.id}")
    assert page.status_code == 200
    assert "Do it" in ada.get(own).text
    again = ada.post(f"{own}/{made.id}", COMMON | FIELDS[kind] | {"key": made.key, "points": "7"} | _ids(made))
    assert again.status_code == 303, again.text
    [changed] = _actions(app, world)
    assert changed.points == 7
    assert changed.settings == made.settings


def _ids(made: Action) -> dict[str, str]:
    """The ids that the form carries along for a quiz."""
    found = {}
    for number, question in enumerate(made.settings.get("questions", ())):
        found[f"questions-{number}-id"] = question["id"]
        for place, option in enumerate(question["options"]):
            found[f"questions-{number}-options-{place}-id"] = option["id"]
    return found


def test_trust_follows_from_what_is_seen(app: Flask, ada: Staff, world: World, own: str) -> None:
    _add(ada, own, ActionKind.CUSTOM)
    _add(ada, own, ActionKind.CUSTOM, approval="")
    ada.post(f"{own}/new/visit", COMMON | FIELDS[ActionKind.VISIT] | {"callback": "y", "proof": "external"})
    proofs = [action.proof for action in _actions(app, world)]
    assert proofs[0] is Proof.VERIFIED
    assert proofs[2] is Proof.VERIFIED, "nobody chooses the label in a form"


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (ActionKind.VISIT, "url", "http://brand.example"),
        (ActionKind.VISIT, "url", "javascript:alert(1)"),
        (ActionKind.VISIT, "url", "https://user:pw@brand.example"),
        (ActionKind.VIDEO, "url", "https://films.example/a.mp4; script-src *"),
        (ActionKind.VISIT, "seconds", "0"),
        (ActionKind.VISIT, "seconds", "many"),
        (ActionKind.SHARE, "networks", []),
        (ActionKind.SHARE, "networks", ["myspace"]),
        (ActionKind.FOLLOW, "network", "myspace"),
        (ActionKind.CUSTOM, "most_times", ""),
        (ActionKind.DAILY, "repeat", "unlimited"),
        (ActionKind.QUIZ, "pass_mark", "2"),
        (ActionKind.QUIZ, "questions-0-options-0-is_right", ""),
        (ActionKind.QUIZ, "questions-0-options-1-en", ""),
        (ActionKind.UPLOAD, "what", "virus"),
        (ActionKind.CODE, "points", "-1"),
        (ActionKind.CODE, "en-title", "x" * 91),
        (ActionKind.CODE, "key", "Not A Key"),
        (ActionKind.CODE, "starts_at", "yesterday"),
        (ActionKind.CODE, "ends_at", "2001-01-01T00:00"),
    ],
)
def test_what_cannot_work_is_told_beside_its_field(
    app: Flask, ada: Staff, world: World, own: str, kind: ActionKind, field: str, value: Any
) -> None:
    more = {"questions-0-options-1-fr": ""} if field == "questions-0-options-1-en" else {}
    answer = _add(ada, own, kind, **{field: value}, **more)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert _actions(app, world) == []


def test_questions_of_a_quiz_come_and_go_without_a_script(ada: Staff, own: str) -> None:
    more = _add(ada, own, ActionKind.QUIZ, do="more")
    assert "Question 2" in more.text
    assert "Where is Porto?" in more.text
    gone = _add(ada, own, ActionKind.QUIZ, do="drop-0")
    assert "Where is Porto?" not in gone.text


def test_order_by_arrows_and_by_dragging(app: Flask, ada: Staff, world: World, own: str) -> None:
    for kind in (ActionKind.CODE, ActionKind.DAILY, ActionKind.FOLLOW):
        _add(ada, own, kind)
    first, second, third = (action.id for action in _actions(app, world))
    ada.post(f"{own}/{first}/move", {"by": "down"})
    assert [action.id for action in _actions(app, world)] == [second, first, third]
    ada.post(f"{own}/order", {"ids": f"{third},{first}"})
    assert [action.id for action in _actions(app, world)] == [third, first, second]
    assert ada.post(f"{own}/order", {"ids": "987654321"}).status_code == 404


def test_taking_away_keeps_deeds_and_can_be_undone(app: Flask, ada: Staff, world: World, own: str) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        action = kit.an(ActionKind.FOLLOW, campaign)
        kit.do(db.session.get_one(Entry, world.ben.id), action)
        action_id = action.id
    gone = ada.get(ada.post(f"{own}/{action_id}/remove").location)
    assert "Points already earned stay." in gone.text
    assert "Undo" in gone.text
    assert _actions(app, world) == []
    assert hot.many("SELECT state FROM deed", {}) == [{"state": "done"}]
    for _twice in range(2):
        assert ada.post(f"{own}/{action_id}/restore").status_code == 303
    assert [action.id for action in _actions(app, world)] == [action_id]


def test_each_material_change_makes_a_version_of_the_rules(app: Flask, ada: Staff, world: World, own: str) -> None:
    """F1, F14."""

    def versions() -> list[str]:
        with app.app_context():
            found = db.session.query(RulesVersion).filter_by(campaign_id=world.campaign.id).order_by(RulesVersion.id)
            return [str(version.changes[0]["en"]) for version in found if version.changes]

    _add(ada, own, ActionKind.DAILY)
    [action] = _actions(app, world)
    ada.post(f"{own}/{action.id}", COMMON | FIELDS[ActionKind.DAILY] | {"key": action.key, "points": "9"})
    ada.post(
        f"{own}/{action.id}", COMMON | FIELDS[ActionKind.DAILY] | {"key": action.key, "points": "9", "en-help": "New"}
    )
    ada.post(f"{own}/{action.id}/remove")
    told = versions()
    assert [sentence.split(":")[0] for sentence in told] == [
        "A way to earn points was added",
        "A way to earn points was changed",
        "A way to earn points was taken away",
    ], "a new help text alone is no new version"


def test_codes_come_from_a_file_and_from_the_keyboard(app: Flask, ada: Staff, world: World, own: str) -> None:
    _add(ada, own, ActionKind.CODE)
    [action] = _actions(app, world)
    assert "It has no code yet." in ada.get(own).text
    file = (io.BytesIO("\ufeffalpha1\r\nbeta 2\r\nx\r\n".encode()), "codes.txt")
    answer = ada.post(f"{own}/{action.id}/codes", {"codes": "Alpha-1\ngamma3", "file": file, "most_uses": "5"})
    page = ada.get(answer.location).text
    assert "3 codes added." in page
    assert "Not codes (3 to 64 characters): x" in page
    assert "BETA2" in page
    [row, *_] = hot.many("SELECT id FROM secret_code ORDER BY id", {})
    ada.post(f"{own}/{action.id}/codes", {"drop": str(row["id"])})
    assert len(hot.many("SELECT 1 FROM secret_code", {})) == 2


def test_the_secret_is_shown_once(app: Flask, ada: Staff, world: World, own: str) -> None:
    _add(ada, own, ActionKind.EXTERNAL)
    [action] = _actions(app, world)
    assert "This campaign has no secret yet." in ada.get(f"{own}/{action.id}").text
    shown = ada.post(f"{own}/{action.id}/secret").text
    with app.app_context():
        secret = external._secret(world.campaign.id)
    assert secret in shown
    page = ada.get(f"{own}/{action.id}").text
    assert secret not in page
    assert f"/hooks/actions/{world.campaign.slug}/{action.key}" in page


def test_the_queue_accepts_and_refuses(app: Flask, ada: Staff, world: World, own: str, base: str) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        action = kit.an(ActionKind.CUSTOM, campaign, settings={"approval": True})
        kit.do(db.session.get_one(Entry, world.ben.id), action, note="<b>seen</b>")
        action_id = action.id
        [line] = desk.lines([action_id])
    page = ada.get(own).text
    assert "Waiting for you" in page
    assert "&lt;b&gt;seen&lt;/b&gt;" in page
    assert "Say in a few words why" in ada.get(ada.post(f"{base}/deeds/{line.id}", {"do": "refuse"}).location).text
    ada.post(f"{base}/deeds/{line.id}", {"do": "refuse", "reason": "Nothing to see"})
    ada.post(f"{base}/deeds/{line.id}", {"do": "approve"})
    assert hot.many("SELECT data ->> 'by' AS by, state FROM deed", {})[0]["state"] == "done"
    people = ada.get(f"{own}/{action_id}/people").text
    assert "done" in people
    assert f"/entrants/{world.ben.id}" in people
    assert "done 1 time" in ada.get(own).text


@pytest.mark.parametrize("path", ["new/nothing", "987654321", "987654321/people"])
def test_what_is_not_there_is_not_there(ada: Staff, own: str, path: str) -> None:
    assert ada.get(f"{own}/{path}").status_code == 404


def test_a_foreign_brands_deed_is_not_there(app: Flask, ada: Staff, world: World, base: str) -> None:
    """Rule 8."""
    with app.app_context():
        other = db.session.get_one(Campaign, world.other_campaign.id)
        action = kit.an(ActionKind.CUSTOM, other, settings={"approval": True})
        kit.do(make_entry(other, email="zed@mail.example", confirmed=True), action)
        [line] = desk.lines([action.id])
    assert ada.post(f"{base}/deeds/{line.id}", {"do": "approve"}).status_code == 404
