"""What can be won."""

from typing import Any

import pytest
from flask import Flask

from leadgen.campaigns.models import Prize, RulesVersion
from leadgen.core.db import db
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/prizes"


def _payload(**values: Any) -> dict[str, Any]:
    return {
        "en-title": "A bicycle",
        "fr-title": "Un vélo",
        "quantity": "3",
        "value": "1 250,50",
        "currency": "EUR",
        "picture": "prize-gift",
    } | values


def _prizes(app: Flask, world: World) -> list[Prize]:
    with app.app_context():
        return list(db.session.query(Prize).filter_by(campaign_id=world.campaign.id).order_by(Prize.position))


def test_a_prize_is_added_at_the_end(app: Flask, ada: Staff, world: World, path: str) -> None:
    assert ada.post(f"{path}/new", _payload()).location == path
    added = _prizes(app, world)[-1]
    assert (added.quantity, added.value, added.currency, added.position) == (3, 125_050, "EUR", 2)
    assert added.texts["fr"]["title"] == "Un vélo"
    assert "A bicycle" in ada.get(path).text


@pytest.mark.parametrize(("typed", "cents"), [("19.90", 1990), ("1250", 125_000), ("1 250", 125_000), ("0,5", 50)])
def test_amounts_are_read_as_people_type_them(
    app: Flask, ada: Staff, world: World, path: str, typed: str, cents: int
) -> None:
    ada.post(f"{path}/new", _payload(value=typed))
    assert _prizes(app, world)[-1].value == cents


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"value": "much"}, "Please write an amount such as 1250 or 19.90."),
        ({"value": "-5"}, "Please write an amount"),
        ({"value": "NaN"}, "Please write an amount"),
        ({"value": ""}, "Please fill this in."),
        ({"quantity": "0"}, "Please choose a number from 1 to 100000."),
        ({"quantity": "many"}, "Please write a whole number."),
        ({"currency": "ZZZ"}, "Please choose one of the list."),
        ({"en-title": "", "fr-title": ""}, "Give the prize a name."),
        ({"picture": "../x"}, "Choose a picture from the collection."),
    ],
)
def test_what_is_wrong_is_said(
    app: Flask, ada: Staff, world: World, path: str, wrong: dict[str, str], told: str
) -> None:
    answer = ada.post(f"{path}/new", _payload(**wrong))
    assert answer.status_code == 422
    assert told in answer.text
    assert len(_prizes(app, world)) == 1


def test_a_prize_shows_what_is_saved_and_saves_it_again(app: Flask, ada: Staff, world: World, path: str) -> None:
    one = f"{path}/{world.campaign.prizes[0].id}"
    fields = fields_of(ada.get(one).text)
    assert (fields["value"], fields["quantity"]) == ("1500", "1")
    ada.post(one, fields | {"value": "1500.50"})
    assert _prizes(app, world)[0].value == 150_050
    assert fields_of(ada.get(one).text)["value"] == "1500.50"


def test_a_change_after_publication_is_a_new_version_of_the_rules(
    app: Flask, ada: Staff, world: World, path: str
) -> None:
    """Prizes create a rules version with a public change line."""
    one = f"{path}/{world.campaign.prizes[0].id}"
    ada.post(one, fields_of(ada.get(one).text) | {"quantity": "2"})
    with app.app_context():
        version = db.session.query(RulesVersion).filter_by(campaign_id=world.campaign.id).one()
        assert "A prize was changed" in version.changes[0]["en"]


def test_the_order_is_changed_by_buttons(app: Flask, ada: Staff, world: World, path: str) -> None:
    ada.post(f"{path}/new", _payload())
    second = _prizes(app, world)[1].id
    ada.post(f"{path}/{second}/move", {"by": "up"})
    assert _prizes(app, world)[0].id == second
    ada.post(f"{path}/{second}/move", {"by": "down"})
    assert _prizes(app, world)[1].id == second


def test_a_prize_that_was_taken_away_comes_back(app: Flask, ada: Staff, world: World, path: str) -> None:
    ada.post(f"{path}/new", _payload())
    ada.post(f"{path}/{_prizes(app, world)[1].id}/remove")
    assert len(_prizes(app, world)) == 1
    page = ada.get(path).text
    assert "The prize is taken away." in page
    undo = page.split('class="flash')[1].split("</form>")[0]
    assert f'action="{path}/new"' in undo
    fields = fields_of(f"<form novalidate>{undo}</form>")
    ada.post(f"{path}/new", fields)
    back = _prizes(app, world)[1]
    assert (back.texts["fr"]["title"], back.quantity, back.value, back.picture) == ("Un vélo", 3, 125_050, "prize-gift")


def test_the_last_prize_of_a_public_contest_stays(app: Flask, ada: Staff, world: World, path: str) -> None:
    ada.post(f"{path}/{world.campaign.prizes[0].id}/remove")
    assert "A published contest needs at least one prize." in ada.get(path).text
    assert len(_prizes(app, world)) == 1
