"""The address of a reward that is sent by post: asked on the person's page, kept as long as it serves (I13)."""

from __future__ import annotations

import pytest
from flask import Flask

from leadgen import reactions
from leadgen.campaigns import cards
from leadgen.campaigns.models import Approval, Campaign
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries import person, points
from leadgen.entries.models import Entry
from leadgen.rewards import jobs, stock
from tests.factories_contest import make_milestone
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, text_of

WHERE = {"name": "Ben Roy", "street": "1 rue du Port\r\nBâtiment B", "postcode": "44000", "city": "Nantes"}
WHERE |= {"country": "FR", "phone": ""}


@pytest.fixture
def claim(app: Flask, visitor: Visitor, scene: Scene) -> str:
    """The path by which Ben claims his parcel."""
    return _earned(app, visitor, scene, claim_days=7)


def _earned(app: Flask, visitor: Visitor, scene: Scene, **values: int | None) -> str:
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        make_milestone(campaign, threshold=1, approval=Approval.AUTO, is_address_asked=True, **values)
        cards.forget()
        stock.forget()
    visitor.post(scene.confirm)
    with app.app_context():
        while points.fold():
            pass
        jobs.award()
    [award] = hot.many("SELECT id FROM award", {})
    return f"{scene.me}/rewards/{award['id']}/claim?lang=en"


def _kept() -> list[hot.Row]:
    return hot.many("SELECT name, street, postcode, city, country, phone FROM award_address", {})


def test_the_letter_knows_that_an_address_is_needed(claim: str) -> None:
    [wanted] = hot.many(
        "SELECT letter, context ->> 'is_address_asked' AS asked FROM message WHERE letter LIKE 'rew%%'", {}
    )
    assert (wanted, bool(claim)) == ({"letter": "reward_ready", "asked": "1"}, True)


def test_an_address_is_asked_with_the_claim_and_kept(visitor: Visitor, scene: Scene, claim: str) -> None:
    assert "Where shall we send it?" in text_of(visitor.get(f"{scene.me}?lang=en"))
    answer = visitor.post(claim, WHERE)
    assert answer.status_code == 303
    words = text_of(visitor.get(answer.headers["Location"]))
    assert "Thank you. We send it there." in words
    assert "We send it to: Ben Roy, 1 rue du Port, Bâtiment B, 44000 Nantes, France" in words
    assert _kept() == [WHERE | {"street": "1 rue du Port, Bâtiment B"}]
    assert hot.one("SELECT claim_until FROM award", {}) == {"claim_until": None}
    assert "1 rue du Port" in visitor.get(f"{scene.me}/data.json").text


def test_it_may_be_changed_until_it_is_sent(visitor: Visitor, scene: Scene, claim: str) -> None:
    visitor.post(claim, WHERE)
    assert "Change the address" in text_of(visitor.get(f"{scene.me}?lang=en"))
    visitor.post(claim, WHERE | {"city": "Rezé"})
    assert [row["city"] for row in _kept()] == ["Rezé"]
    hot.one("UPDATE award SET state = 'delivered' RETURNING id", {})
    answer = visitor.post(claim, WHERE | {"city": "Brest"})
    words = text_of(visitor.get(answer.headers["Location"]))
    assert "This reward cannot be claimed any more." in words
    assert "Thank you. We send it there." not in words
    assert [row["city"] for row in _kept()] == ["Rezé"]


def test_without_days_to_claim_it_the_address_is_asked_all_the_same(app: Flask, visitor: Visitor, scene: Scene) -> None:
    path = _earned(app, visitor, scene, claim_days=None)
    assert "Save the address" in text_of(visitor.get(f"{scene.me}?lang=en"))
    visitor.post(path, WHERE)
    assert len(_kept()) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("street", ""),
        ("postcode", "4" * 21),
        ("city", ""),
        ("country", "XX"),
        ("country", ""),
        ("phone", "call me"),
        ("phone", "+()"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(
    visitor: Visitor, claim: str, field: str, value: str
) -> None:
    answer = visitor.post(claim, WHERE | {field: value})
    assert answer.status_code == 400
    assert f'id="{field}-' in answer.text
    assert "-error" in answer.text
    assert "One field needs another look." in text_of(answer)
    assert 'value="Nantes"' in answer.text or field == "city"
    assert _kept() == []
    assert hot.one("SELECT count(*) AS number FROM award WHERE claim_until IS NOT NULL", {}) == {"number": 1}


def test_a_contest_of_two_countries_sends_to_these(app: Flask, visitor: Visitor, scene: Scene, claim: str) -> None:
    with app.app_context():
        db.session.get_one(Campaign, scene.campaign_id).countries = ["BE", "FR"]
        db.session.commit()
        cards.forget()
    page = visitor.get(f"{scene.me}?lang=en").text
    assert '<option value="BE">Belgium</option>' in page
    assert "Germany" not in page
    assert visitor.post(claim, WHERE | {"country": "DE"}).status_code == 400


def test_the_address_of_somebody_else_is_not_touched(visitor: Visitor, scene: Scene, claim: str) -> None:
    number = int(claim.split("/rewards/")[1].split("/", maxsplit=1)[0])
    assert visitor.post(f"{scene.me}/rewards/{number + 1}/claim", WHERE).status_code == 404
    assert _kept() == []


def test_i13_it_goes_with_the_person(app: Flask, visitor: Visitor, scene: Scene, claim: str) -> None:
    visitor.post(claim, WHERE)
    with app.app_context():
        person.erase(scene.ben_id)
        db.session.commit()
        while reactions.drain():
            pass
        assert db.session.get_one(Entry, scene.ben_id).status == "erased"
    assert _kept() == []
