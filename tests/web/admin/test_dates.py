"""Dates, who may enter, and points."""

import pytest
from flask import Flask

from leadgen.campaigns.models import Campaign, RulesVersion
from leadgen.core.db import db
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/dates"


def _campaign(app: Flask, world: World) -> Campaign:
    with app.app_context():
        return db.session.get_one(Campaign, world.campaign.id)


def _changes(app: Flask, world: World) -> list[str]:
    with app.app_context():
        versions = db.session.query(RulesVersion).filter_by(campaign_id=world.campaign.id).order_by(RulesVersion.number)
        return [change["en"] for version in versions for change in version.changes]


def test_saving_what_was_shown_changes_no_rules(app: Flask, ada: Staff, world: World, path: str) -> None:
    before = _campaign(app, world)
    assert ada.post(path, fields_of(ada.get(path).text)).location == path
    after = _campaign(app, world)
    assert (after.starts_at, after.ends_at, after.rules_version) == (before.starts_at, before.ends_at, 1)
    assert _changes(app, world) == []


def test_everything_is_saved_and_material_changes_are_public_lines(
    app: Flask, ada: Staff, world: World, path: str
) -> None:
    """Dates, points and eligibility create a rules version and a public change line."""
    fields = fields_of(ada.get(path).text) | {
        "ends_at": "2031-03-01T20:00",
        "countries": "fr, BE ch",
        "minimum_age": "16",
        "entry_points": "2",
        "referral_points": "7",
    }
    fields.pop("is_reminding")
    ada.post(path, fields)
    saved = _campaign(app, world)
    assert saved.ends_at.isoformat() == "2031-03-01T19:00:00+00:00"
    assert (sorted(saved.countries), saved.minimum_age) == (["BE", "CH", "FR"], 16)
    assert (saved.entry_points, saved.referral_points, saved.is_reminding) == (2, 7, False)
    assert len(_changes(app, world)) == 3


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"ends_at": "2020-01-01T09:00"}, "The end must"),
        ({"ends_at": "whenever"}, "Please write day and time"),
        ({"starts_at": "2031-01-01T09:00", "ends_at": "2031-02-01T09:00"}, "its start stays as it is"),
        ({"timezone": "Mars/Olympus"}, "Choose a time zone from the list"),
        ({"countries": "FR Utopia"}, "is not the code of a country"),
        ({"minimum_age": "12"}, "Please choose a number from 13 to 99."),
        ({"referral_points": "-1"}, "Please choose a number from 0 to 1000."),
        ({"entry_points": ""}, "Please fill this in."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    app: Flask, ada: Staff, world: World, path: str, wrong: dict[str, str], told: str
) -> None:
    fields = fields_of(ada.get(path).text) | {"referral_points": "9"} | wrong
    answer = ada.post(path, fields)
    assert answer.status_code == 422
    assert told in answer.text
    assert _campaign(app, world).referral_points == 5
    assert _changes(app, world) == []


def test_somebody_elses_save_is_seen_first(ada: Staff, path: str) -> None:
    mine = fields_of(ada.get(path).text)
    ada.post(path, mine | {"referral_points": "6"})
    answer = ada.post(path, mine | {"referral_points": "8"})
    assert answer.status_code == 422
    assert "Somebody else saved this campaign" in answer.text
