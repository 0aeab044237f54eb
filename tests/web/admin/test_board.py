"""The leaderboard and the waiting list in the studio."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from leadgen.campaigns.models import Campaign, Mechanic, Prize, RulesVersion, WaitlistOrder
from leadgen.core.db import db
from leadgen.entries.models import Entry, LedgerKind, Review
from tests.factories import give_points, make_entry
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/leaderboard"


def _campaign(app: Flask, world: World) -> Campaign:
    with app.app_context():
        return db.session.get_one(Campaign, world.campaign.id)


def test_saving_what_was_shown_changes_nothing(app: Flask, ada: Staff, world: World, path: str) -> None:
    before = _campaign(app, world).version
    assert ada.post(path, fields_of(ada.get(path).text)).location == path
    assert _campaign(app, world).version == before


def test_everything_is_saved_and_the_rules_tell_how_equals_are_parted(
    app: Flask, ada: Staff, world: World, path: str
) -> None:
    """F7: written in the rules page automatically."""
    fields = fields_of(ada.get(path).text) | {
        "is_race": "y",
        "is_waitlist": "y",
        "board_size": "25",
        "freeze_hours": "12",
        "waitlist_order": "skip_n",
        "skip_places": "5",
        "hide_above": "1000",
    }
    fields.pop("is_board_shown", None)
    assert ada.post(path, fields).status_code == 303
    saved = _campaign(app, world)
    assert set(saved.mechanics) == {Mechanic.DRAW, Mechanic.RANK, Mechanic.WAITLIST}
    assert (saved.is_board_shown, saved.board_size, saved.freeze_hours) == (False, 25, 12)
    assert (saved.waitlist_order, saved.skip_places, saved.waitlist_hide_above) == (WaitlistOrder.SKIP_N, 5, 1000)
    for code, sentence, freeze in (
        ("en", "whoever had them first stands ahead", "During the last 12 hours"),
        ("fr", "qui les a eus la première passe devant", "Pendant les 12 dernières heures"),
    ):
        assert sentence in saved.texts[code]["rules"]
        assert freeze in saved.texts[code]["rules"]
    with app.app_context():
        version = db.session.query(RulesVersion).filter_by(campaign_id=saved.id, number=saved.rules_version).one()
        assert version.changes == [
            {"en": "How places are reckoned has changed.", "fr": "La façon de calculer les places a changé."}
        ]


def test_a_contest_without_places_does_not_speak_of_equals(app: Flask, ada: Staff, world: World, path: str) -> None:
    ada.post(path, fields_of(ada.get(path).text) | {"is_waitlist": "y"})
    assert "stands ahead" not in _campaign(app, world).texts["en"]["rules"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"board_size": "0"},
        {"board_size": "101"},
        {"freeze_hours": "-1"},
        {"skip_places": "0"},
        {"hide_above": "0"},
        {"waitlist_order": "by_luck"},
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    app: Flask, ada: Staff, world: World, path: str, wrong: dict[str, str]
) -> None:
    answer = ada.post(path, fields_of(ada.get(path).text) | {"is_race": "y"} | wrong)
    assert answer.status_code == 422
    assert Mechanic.RANK not in _campaign(app, world).mechanics


def test_a_board_does_not_stand_still_before_the_contest_begins(
    app: Flask, ada: Staff, world: World, path: str
) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        campaign.ends_at = campaign.starts_at + timedelta(hours=48)
        db.session.commit()
    fields = fields_of(ada.get(path).text) | {"is_race": "y"}
    answer = ada.post(path, fields | {"freeze_hours": "48"})
    assert answer.status_code == 422
    assert "The board would stand still before anybody has points." in answer.text
    assert ada.post(path, fields | {"freeze_hours": "47"}).status_code == 303


def test_a_race_with_a_prize_for_the_first_does_not_end(app: Flask, ada: Staff, world: World, path: str) -> None:
    """F1: a prize sits in the mechanic that gives it away."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        campaign.mechanics = [Mechanic.RANK]
        db.session.get_one(Prize, campaign.prizes[0].id).mechanic = Mechanic.RANK
        db.session.commit()
    fields = fields_of(ada.get(path).text)
    fields.pop("is_race")
    answer = ada.post(path, fields)
    assert answer.status_code == 422
    assert "A prize is given to the first places." in answer.text


def test_the_preview_shows_masked_names_what_is_on_its_way_and_who_is_held(
    app: Flask, ada: Staff, world: World, path: str
) -> None:
    with app.app_context():
        _held(world)
        ben = db.session.get_one(Entry, world.ben.id)
        ben.is_on_board = False
        code = ben.public_id[:3]
        db.session.commit()
    page = ada.get(path).text
    assert f"Participant {code}" in page
    assert "+5" in page, "Anna has not confirmed yet"
    assert "held, not shown" in page
    assert page.index("Mallory") < page.index("ben@mail.example"), "where they would stand"


def _held(world: World) -> None:
    mallory = make_entry(
        db.session.get_one(Campaign, world.campaign.id),
        email="mallory@mail.example",
        first_name="=Mallory",
        confirmed=True,
    )
    give_points(mallory, LedgerKind.MANUAL, 50)
    mallory.review = Review.HELD
    db.session.commit()


def test_the_ranking_as_csv_is_in_order_gives_no_place_to_the_held_and_runs_no_formula(
    app: Flask, ada: Staff, world: World, base: str
) -> None:
    with app.app_context():
        _held(world)
    found: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(ada.get(f"{base}/leaderboard.csv").text)))
    assert [(row["place"], row["email"], row["review"]) for row in found] == [
        ("", "mallory@mail.example", "held"),
        ("1", "ben@mail.example", "clear"),
    ]
    assert (found[0]["first_name"], found[0]["shown_name"]) == ("'=Mallory", "'=Mallory")
    assert found[1]["ranked_points"] == "1"
