"""The window on a contest: its script, the page in its frame, and who gets neither."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.contacts.models import Contact
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.web.public import forms
from tests.conftest import Clock
from tests.factories import make_campaign
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, fields_of, text_of

SHOP = "https://shop.example"
FRAME = f"/c/island/embed?host={SHOP}&lang=en"


@pytest.fixture
def shop(app: Flask, scene: Scene) -> Scene:
    """The scene, and a shop that may show the contest."""
    with app.app_context():
        db.session.get_one(Campaign, scene.campaign_id).embed_origins = [SHOP]
        db.session.commit()
    cards.forget()
    return scene


def _filled(page: TestResponse, **values: str) -> dict[str, str]:
    return fields_of(page) | {"email": "lea@mail.example", "first_name": "Léa", "consent_rules": "on"} | values


def test_the_script_is_small_the_same_for_all_and_sets_nothing(visitor: Visitor, shop: Scene) -> None:
    answer = visitor.get("/embed/island.js")
    assert answer.mimetype == "text/javascript"
    assert len(answer.data) <= 15 * 1024
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "SETTLED" not in answer.text
    for storing in ("cookie", "localStorage", "sessionStorage", "innerHTML"):
        assert storing not in answer.text.split("(() => {", 1)[1]


def test_a_draft_has_no_script(app: Flask, visitor: Visitor, scene: Scene) -> None:
    with app.app_context():
        slug = make_campaign(status=CampaignStatus.DRAFT).slug
    assert visitor.get(f"/embed/{slug}.js").status_code == 404
    assert visitor.get("/embed/nowhere.js").status_code == 404


@pytest.mark.parametrize("path", ["/embed/nowhere.js", "/embed/nowhere", "/og/nowhere.png", "/qr/nowhere.png"])
def test_an_error_under_an_address_of_pictures_has_its_styles(visitor: Visitor, scene: Scene, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_an_error_inside_the_frame_is_read_there(visitor: Visitor, shop: Scene) -> None:
    answer = visitor.post(FRAME, _filled(visitor.get(FRAME)), headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert f"frame-ancestors 'self' {SHOP}" in answer.headers["Content-Security-Policy"]
    refused = visitor.get("/c/island/embed?host=https://elsewhere.example")
    assert refused.status_code == 403
    assert "frame-ancestors 'none'" in refused.headers["Content-Security-Policy"]


def test_the_frame_is_for_the_sites_on_the_list_only(visitor: Visitor, shop: Scene) -> None:
    answer = visitor.get(FRAME)
    assert answer.status_code == 200
    assert f"frame-ancestors 'self' {SHOP}" in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers
    assert "Set-Cookie" not in answer.headers

    for host in ("https://thief.example", "https://shop.example.thief.example", "*"):
        refused = visitor.get(f"/c/island/embed?host={host}&lang=en")
        assert refused.status_code == 403
        assert "<form" not in refused.text
        assert "frame-ancestors 'none'" in refused.headers["Content-Security-Policy"]


def test_an_entry_from_the_frame_counts_and_sets_no_cookie(
    app: Flask, visitor: Visitor, shop: Scene, clock: Clock
) -> None:
    page = visitor.get(f"{FRAME}&code={shop.code}")
    assert "Ben invites you to take part" in text_of(page)
    clock.forward(seconds=5)
    answer = visitor.post(f"{FRAME}&code={shop.code}", data=_filled(page))
    assert answer.status_code == 200
    assert "One step left" in text_of(answer)
    assert "Set-Cookie" not in answer.headers
    onward = re.search(r'href="(/c/island/waiting/[^"]+)"', answer.text)
    assert onward
    assert visitor.get(onward[1]).status_code == 200
    with app.app_context():
        contact = db.session.query(Contact).filter_by(email="lea@mail.example").one()
        entry = db.session.query(Entry).filter_by(contact_id=contact.id).one()
        assert entry.referrer_id == shop.ben_id
        assert entry.channel == "embed"
        assert entry.source["host"] == "shop.example"


def test_what_was_typed_stays_when_something_is_wrong(visitor: Visitor, shop: Scene, clock: Clock) -> None:
    page = visitor.get(FRAME)
    clock.forward(seconds=5)
    answer = visitor.post(FRAME, data=_filled(page, email="lea@"))
    assert answer.status_code == 400
    assert 'value="Léa"' in answer.text
    assert f"frame-ancestors 'self' {SHOP}" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("forged", ["another campaign", "another site", "landing page", "nobody"])
def test_a_token_of_elsewhere_is_refused(app: Flask, visitor: Visitor, shop: Scene, clock: Clock, forged: str) -> None:
    page = visitor.get(FRAME)
    with app.app_context():
        other = make_campaign().id
    token = {
        "another campaign": forms.new_token(other, SHOP),
        "another site": forms.new_token(shop.campaign_id, "https://thief.example"),
        "landing page": forms.new_token(shop.campaign_id),
        "nobody": "forged",
    }[forged]
    clock.forward(seconds=5)
    answer = visitor.post(FRAME, data=_filled(page, csrf_token=token))
    assert answer.status_code == 400


def test_a_form_of_another_origin_is_refused(visitor: Visitor, shop: Scene, clock: Clock) -> None:
    page = visitor.get(FRAME)
    clock.forward(seconds=5)
    assert visitor.post(FRAME, data=_filled(page), headers={"Origin": SHOP}).status_code == 403


def test_the_frame_speaks_the_language_that_is_asked_for(visitor: Visitor, shop: Scene) -> None:
    for locale in i18n.LOCALES:
        assert f'<html lang="{locale}">' in visitor.get(f"/c/island/embed?host={SHOP}&lang={locale}").text


def test_a_contest_that_is_paused_says_so_in_the_frame(app: Flask, visitor: Visitor, shop: Scene) -> None:
    with app.app_context():
        db.session.get_one(Campaign, shop.campaign_id).status = CampaignStatus.PAUSED
        db.session.commit()
    cards.forget()
    words = text_of(visitor.get(FRAME))
    assert "A short pause" in words
    assert "Send" not in words
