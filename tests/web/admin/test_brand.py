"""The brand: organiser, sender, look."""

import pytest
from flask import Flask

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.core.db import db
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def path(world: World) -> str:
    return f"/admin/brands/{world.brand.id}"


def test_what_is_saved_shows_on_the_public_page_at_once(app: Flask, ada: Staff, world: World, path: str) -> None:
    public = f"/c/{world.campaign.slug}"
    app.test_client().get(public)
    fields = fields_of(ada.get(path).text) | {"name": "Cap Nord", "accent": "#aa3300"}
    assert ada.post(path, fields).location == path
    assert "Cap Nord" in app.test_client().get(public).text


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"sender_email": "nobody"}, "This does not look like an e-mail address."),
        ({"contact_email": "a@b@c"}, "This does not look like an e-mail address."),
        ({"website": "javascript:alert(1)"}, "Give an address that starts with https://."),
        ({"website": "http://[::1"}, "Give an address that starts with https://."),
        ({"sender_name": "A\rBcc: y@evil.example"}, "Please keep this to one line."),
        ({"sender_name": "A\u2028B"}, "Please keep this to one line."),
        ({"accent": "red;}b{"}, "Write a colour such as #0b6e6e."),
        ({"accent": "#12345g"}, "Write a colour such as #0b6e6e."),
    ],
)
def test_what_is_wrong_is_said(
    app: Flask, ada: Staff, world: World, path: str, wrong: dict[str, str], told: str
) -> None:
    answer = ada.post(path, fields_of(ada.get(path).text) | {"legal_name": "Changed"} | wrong)
    assert answer.status_code == 422
    assert told in answer.text
    with app.app_context():
        assert db.session.get_one(Brand, world.brand.id).legal_name != "Changed"


def test_a_line_end_cannot_get_into_the_head_of_a_mail(app: Flask, ada: Staff, world: World, path: str) -> None:
    answer = ada.post(path, fields_of(ada.get(path).text) | {"sender_name": "Cap\nBcc: all@mail.example"})
    assert answer.status_code == 422
    assert "Please keep this to one line." in answer.text


def test_the_list_of_what_is_missing_leads_here(ada: Staff, base: str, path: str) -> None:
    assert ada.get(f"{base}/brand").location == path


def test_counting_clicks_can_be_switched_off(app: Flask, ada: Staff, world: World, path: str) -> None:
    fields = fields_of(ada.get(path).text)
    for sent, kept in ((fields | {"is_tracking_clicks": "y"}, True), (_without(fields), False)):
        assert ada.post(path, sent).location == path
        with app.app_context():
            assert db.session.get_one(Brand, world.brand.id).is_tracking_clicks is kept
        assert cards.by_slug(world.campaign.slug).brand.is_tracking_clicks is kept


def _without(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name != "is_tracking_clicks"}
