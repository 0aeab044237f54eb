"""Referrals in the studio: defaults in plain words, bounds, and a new version of the rules (F4, F5)."""

from __future__ import annotations

import pytest
from flask import Flask

from leadgen.campaigns.models import Campaign, TouchModel
from leadgen.core.db import db
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/referrals"


def _campaign(app: Flask, world: World) -> Campaign:
    with app.app_context():
        return db.session.get_one(Campaign, world.campaign.id)


def test_saving_what_was_shown_changes_nothing(app: Flask, ada: Staff, world: World, path: str) -> None:
    before = _campaign(app, world).version
    assert ada.post(path, fields_of(ada.get(path).text)).location == path
    assert _campaign(app, world).version == before


def test_everything_is_saved_and_told_in_the_rules(app: Flask, ada: Staff, world: World, path: str) -> None:
    before = _campaign(app, world).rules_version
    fields = fields_of(ada.get(path).text) | {
        "touch_model": "first_touch",
        "is_remembering_touch": "y",
        "hold_hours": "48",
        "cap_per_day": "20",
        "cap_total": "300",
        "indirect_points": "2",
        "profile_points": "1",
        "stay_points": "3",
        "stay_days": "10",
        "declared_cap": "25",
    }
    assert ada.post(path, fields).status_code == 303

    campaign = _campaign(app, world)
    assert (campaign.touch_model, campaign.is_remembering_touch) == (TouchModel.FIRST, True)
    assert (campaign.hold_hours, campaign.cap_per_day, campaign.cap_total) == (48, 20, 300)
    assert (campaign.indirect_points, campaign.profile_points, campaign.stay_points) == (2, 1, 3)
    assert (campaign.stay_days, campaign.declared_cap) == (10, 25)
    assert campaign.rules_version == before + 1
    assert "48 heures" in campaign.texts["fr"]["rules"]
    assert "At most 300 friends in all" in campaign.texts["en"]["rules"]


@pytest.mark.parametrize(
    ("field", "typed"), [("hold_hours", "721"), ("cap_total", "0"), ("declared_cap", "101"), ("stay_days", "soon")]
)
def test_what_cannot_be_is_refused_beside_its_field(ada: Staff, path: str, field: str, typed: str) -> None:
    answer = ada.post(path, fields_of(ada.get(path).text) | {field: typed})

    assert answer.status_code == 422
    assert f'id="{field}"' in answer.text
