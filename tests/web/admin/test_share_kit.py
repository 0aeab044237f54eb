"""The studio's share kit: texts by language and network, the drawn cards, points for visits."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from PIL import Image

from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.visits.models import VisitKind
from tests.factories_contest import make_visit_tally
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/share-kit"


def _campaign(app: Flask, world: World) -> Campaign:
    with app.app_context():
        return db.session.get_one(Campaign, world.campaign.id)


def test_f12_texts_are_kept_by_language_and_network(app: Flask, ada: Staff, world: World, path: str) -> None:
    fields = fields_of(ada.get(path).text)
    assert fields["en-wa"] == "", "what is not written falls back"
    wanted = {"en-wa": "Come: {link}", "fr-wa": "Viens : {link}", "fr-em_subject": "Pour toi", "visit_points": "2"}
    assert ada.post(path, fields | wanted).location == path
    saved = _campaign(app, world)
    assert saved.shares == {"en": {"wa": "Come: {link}"}, "fr": {"wa": "Viens : {link}", "em_subject": "Pour toi"}}
    assert saved.visit_points == 2
    assert "Come: http://localhost/r/ANNA2K7" in ada.get(path).text, "shown as it will look"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"en-x": "x" * 257}, "Use 256 characters at most; there are 257."),
        ({"fr-sms": "Salut {nom}"}, "“{nom}” cannot be filled in."),
        ({"visit_points": "many"}, "Please write a whole number."),
    ],
)
def test_what_cannot_be_sent_is_shown_again(
    app: Flask, ada: Staff, world: World, path: str, wrong: dict[str, str], told: str
) -> None:
    fields = fields_of(ada.get(path).text)
    answer = ada.post(path, fields | {"en-wa": "Kept {link}"} | wrong)
    assert answer.status_code == 422
    assert told in answer.text
    assert "Kept {link}" in answer.text
    assert _campaign(app, world).shares == {}


def test_the_cards_are_shown_as_they_will_look(ada: Staff, base: str, path: str) -> None:
    for shape, size in (("card", (1200, 630)), ("square", (1080, 1080)), ("story", (1080, 1920))):
        answer = ada.get(f"{path}/{shape}-fr.png")
        assert Image.open(io.BytesIO(answer.data)).size == size
    assert ada.get(f"{path}/poster-fr.png").status_code == 404
    assert ada.get(f"{path}/card-de.png").status_code == 404


def test_rule_8_another_brands_kit_is_not_there(ada: Staff, world: World) -> None:
    other = f"/admin/campaigns/{world.other_campaign.id}/share-kit"
    assert ada.get(other).status_code == 404
    assert ada.get(f"{other}/card-fr.png").status_code == 404


def test_an_entrants_page_says_how_the_link_was_opened(app: Flask, ada: Staff, world: World, base: str) -> None:
    """Issue 4, line 5."""
    page = f"{base}/entrants/{world.ben.id}"
    assert "Nobody and nothing has opened it yet." in ada.get(page).text
    with app.app_context():
        make_visit_tally(world.ben, kind=VisitKind.HUMAN, number=12)
        make_visit_tally(world.ben, kind=VisitKind.SCANNER, number=34, channel="em")
    told = ada.get(page).text.split('id="openings-title"')[1].split("</section>")[0]
    assert ">12<" in told
    assert ">34<" in told
    assert "WhatsApp" in told
