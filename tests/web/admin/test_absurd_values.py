"""Days and numbers that nobody can mean: a sentence at the field, what was typed kept, nothing written (F1)."""

from __future__ import annotations

import html
from typing import Any

import pytest
from flask import Flask

from leadgen.campaigns.models import ActionKind, Campaign
from leadgen.core.db import db
from tests.factories_contest import make_action, make_milestone
from tests.house import doors
from tests.web.admin.studio import Staff, fields_of
from tests.world import World

DAYS = ("0000-01-01T00:00", "0001-01-01T00:00", "1850-06-01T12:00", "9999-12-31T23:59", "99999-01-01T00:00", "-1")
NUMBERS = ("-1", "99999999999", "1" + "0" * 30, "9" * 5000, "1e30", "NaN")


@pytest.fixture
def forms(app: Flask, world: World, base: str) -> dict[str, str]:
    """The pages with forms, by name."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        action = make_action(campaign, kind=ActionKind.UPLOAD, settings={"what": "text"})
        tier = make_milestone(campaign)
        return {
            "action": f"{base}/actions/{action.id}",
            "reward": f"{base}/rewards/{tier.id}",
            "prize": f"{base}/prizes/{world.campaign.prizes[0].id}",
            "dates": f"{base}/dates",
            "voting": f"{base}/works/voting",
            "spreading": f"{base}/referrals",
            "board": f"{base}/leaderboard",
            "kit": f"{base}/share-kit",
        }


def _refused(ada: Staff, path: str, field: str, value: str, **more: Any) -> None:
    known = fields_of(ada.get(path).text)
    assert field in known or more, f"{path} has no field {field}"
    before = doors.content(but=frozenset({"session"}))
    answer = ada.post(path, known | more | {field: value})
    assert answer.status_code == 422, (path, field, value, answer.status_code)
    page = html.unescape(answer.text)
    assert f'id="{field}-error"' in page, (path, field, value)
    assert f'value="{value}"' in page, "what was typed is kept"
    assert doors.changed(before, doors.content(but=frozenset({"session"}))) == []


def test_absurd_days(app: Flask, ada: Staff, forms: dict[str, str]) -> None:
    with app.app_context():
        for form in ("action", "dates", "voting"):
            for day in DAYS:
                _refused(ada, forms[form], "starts_at", day)
            _refused(ada, forms[form], "ends_at", DAYS[1])


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ("action", ("points", "needs_others")),
        ("reward", ("threshold", "stock", "claim_days", "value")),
        ("prize", ("quantity", "value")),
        ("dates", ("minimum_age", "referral_points")),
        ("voting", ("a_day",)),
        ("spreading", ("hold_hours", "cap_total")),
        ("board", ("board_size", "hide_above")),
        ("kit", ("visit_points",)),
    ],
)
def test_absurd_numbers(app: Flask, ada: Staff, forms: dict[str, str], form: str, fields: tuple[str, ...]) -> None:
    with app.app_context():
        for field in fields:
            for number in NUMBERS:
                _refused(ada, forms[form], field, number)


def test_a_new_campaign_with_absurd_dates(app: Flask, ada: Staff, world: World) -> None:
    with app.app_context():
        for day in DAYS:
            _refused(ada, "/admin/campaigns/new", "starts_at", day, name="Autumn", template="prize-draw")
