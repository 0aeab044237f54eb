"""Rewards on the person's page: the way there, what is earned, the code, the claim, the file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask

from leadgen.campaigns import cards
from leadgen.campaigns.models import Approval, Campaign, Delivery, Metric
from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries import points
from leadgen.rewards import jobs, stock
from tests.conftest import Clock
from tests.factories_contest import make_coupon, make_milestone
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, text_of


def _tier(app: Flask, scene: Scene, threshold: int = 1, code: str = "", **values: Any) -> int:
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        tier = make_milestone(campaign, threshold=threshold, **({"approval": Approval.AUTO, "stock": None} | values))
        if code:
            make_coupon(tier, code)
        cards.forget()
        stock.forget()
        return tier.id


def _award(app: Flask) -> None:
    with app.app_context():
        while points.fold():
            pass
        jobs.award()


def test_the_way_to_the_next_reward(app: Flask, visitor: Visitor, scene: Scene) -> None:
    _tier(app, scene, 3)
    _tier(app, scene, 10, stock=0)
    page = visitor.get(f"{scene.me}?lang=en")
    words = text_of(page)

    assert "3 friends to go" in words
    assert '<progress max="3" value="0"' in page.text
    assert "for 10 friends who count" in words
    assert "sold out" in words


def test_a_giveaway_from_the_confirmation_to_the_code(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """A coupon for everybody who confirms: on the page and in the letter."""
    _tier(app, scene, metric=Metric.ENTRY, delivery=Delivery.CODE, code="HELLO-1")
    make = "INSERT INTO points_moved (entry_id) SELECT id FROM entry WHERE status = 'confirmed' RETURNING id"
    hot.many(make, {})
    _award(app)
    page = visitor.get(f"{scene.me}?lang=en").text

    assert 'value="HELLO-1"' in page
    assert 'data-copy="HELLO-1"' in page
    [letter] = hot.many(
        "SELECT letter, context ->> 'reward_code' AS code FROM message WHERE letter LIKE 'reward%%'", {}
    )
    assert letter == {"letter": "reward_code", "code": "HELLO-1"}


def test_beside_the_code_stands_until_when_it_is_good(app: Flask, visitor: Visitor, scene: Scene, clock: Clock) -> None:
    last_day = product_clock.today("Europe/Paris") + timedelta(days=2)
    _tier(app, scene, 1, delivery=Delivery.CODE, code="HELLO-1", codes_until=last_day)
    visitor.post(scene.confirm)
    _award(app)
    shown = f"{last_day.day} {last_day:%B %Y}"
    assert f"Good until {shown}." in text_of(visitor.get(f"{scene.me}?lang=en"))
    assert hot.one("SELECT context ->> 'code_until' AS day FROM message WHERE letter = 'reward_code'", {}) == {
        "day": f"{last_day}"
    }

    clock.forward(days=4)
    words = text_of(visitor.get(f"{scene.me}?lang=en"))
    assert f"This code expired on {shown}." in words
    assert "Good until" not in words


def test_a_friend_confirms_and_the_reward_is_claimed(app: Flask, visitor: Visitor, scene: Scene) -> None:
    _tier(app, scene, 1, delivery=Delivery.CODE, code="CLAIM-ME", claim_days=7)
    visitor.post(scene.confirm)
    _award(app)
    page = visitor.get(f"{scene.me}?lang=en").text
    assert "CLAIM-ME" not in page
    award = hot.one("SELECT id FROM award", {})
    assert award is not None

    answer = visitor.post(f"{scene.me}/rewards/{award['id']}/claim?lang=en")
    assert answer.status_code == 303
    page = visitor.get(answer.headers["Location"]).text
    assert "Done. This reward is yours." in page
    assert 'value="CLAIM-ME"' in page


def test_a_get_claims_nothing_and_nobody_claims_for_another(app: Flask, visitor: Visitor, scene: Scene) -> None:
    _tier(app, scene, 1, claim_days=7, delivery=Delivery.FILE, file_url="https://files.example/a.pdf")
    visitor.post(scene.confirm)
    _award(app)
    award = hot.one("SELECT id FROM award", {})
    assert award is not None

    assert visitor.get(f"{scene.me}/rewards/{award['id']}/claim").status_code == 405
    assert visitor.post(f"{scene.me}/rewards/{award['id'] + 1}/claim").status_code == 404
    assert visitor.get(f"{scene.me}/rewards/{award['id']}/file").status_code == 404
    assert "files.example" not in visitor.get(scene.me).text
    visitor.post(f"{scene.me}/rewards/{award['id']}/claim")
    answer = visitor.get(f"{scene.me}/rewards/{award['id']}/file")
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://files.example/a.pdf")


def test_too_late_is_said_on_the_page(app: Flask, visitor: Visitor, scene: Scene) -> None:
    _tier(app, scene, 1, claim_days=7)
    visitor.post(scene.confirm)
    _award(app)
    award = hot.one("UPDATE award SET claim_until = now() - interval '1 minute' RETURNING id", {})
    assert award is not None

    answer = visitor.post(f"{scene.me}/rewards/{award['id']}/claim?lang=en")
    words = text_of(visitor.get(answer.headers["Location"]))
    assert "cannot be claimed any more" in words
    assert "not claimed in time" in words


def test_the_landing_page_tells_what_each_reward_takes(app: Flask, visitor: Visitor, scene: Scene) -> None:
    _tier(app, scene, 3)
    with app.app_context():
        slug = db.session.get_one(Campaign, scene.campaign_id).slug

    assert "for 3 friends who count" in text_of(visitor.get(f"/c/{slug}?lang=en"))


def test_rewards_and_codes_are_in_the_file_of_held_data(app: Flask, visitor: Visitor, scene: Scene) -> None:
    _tier(app, scene, 1, delivery=Delivery.CODE, code="MINE-1")
    visitor.post(scene.confirm)
    _award(app)

    held = visitor.get(f"{scene.me}/data.json").get_json()
    assert [(row["state"], row["code"]) for row in held["rewards"]] == [("delivered", "MINE-1")]
