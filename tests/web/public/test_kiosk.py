"""The contest on a tablet that everybody uses."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import hot
from leadgen.core.db import db
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, fields_of, payload, text_of


def _enter(visitor: Visitor, path: str, **fields: str | None) -> str:
    hidden = fields_of(visitor.get(path))
    visitor.clock.forward(seconds=4)
    answer = visitor.post(path, payload(**(hidden | fields)))
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers, "the next person would be this one"
    return answer.location


def _last() -> dict[str, object]:
    row = hot.one("SELECT channel, referrer_id FROM entry ORDER BY id DESC LIMIT 1", {})
    assert row is not None
    return row


def test_an_entry_leaves_nothing_on_the_tablet(visitor: Visitor, scene: Scene) -> None:
    onward = _enter(visitor, "/c/island/kiosk?lang=en")
    assert onward == "/c/island/kiosk?lang=en&done=1"
    page = visitor.get(onward)
    assert "on your own phone" in text_of(page)
    assert "zoe" not in page.text.lower()
    assert '<meta http-equiv="refresh" content="12;url=/c/island/kiosk?lang=en">' in page.text, "without a script too"
    assert _last() == {"channel": "kiosk", "referrer_id": None}


def test_nobody_sees_what_others_typed_before(visitor: Visitor, scene: Scene) -> None:
    page = visitor.get("/c/island/kiosk?lang=en").text
    assert 'autocomplete="email"' not in page
    assert page.count('autocomplete="off"') >= 2
    assert 'autocomplete="email"' in visitor.get("/c/island?lang=en").text


def test_the_stand_gets_the_credit(visitor: Visitor, scene: Scene) -> None:
    _enter(visitor, f"/c/island/kiosk?lang=en&stand={scene.code}")
    assert _last() == {"channel": "kiosk", "referrer_id": scene.ben_id}
    _enter(visitor, "/c/island/kiosk?lang=en&stand=NOTACODE", email="other@mail.example")
    assert _last() == {"channel": "kiosk", "referrer_id": None}


def test_what_was_typed_stays_when_something_is_wrong(visitor: Visitor, scene: Scene) -> None:
    path = "/c/island/kiosk?lang=en"
    hidden = fields_of(visitor.get(path))
    visitor.clock.forward(seconds=4)
    answer = visitor.post(path, payload(**(hidden | {"email": "not an address"})))
    assert answer.status_code == 400
    assert "not an address" in answer.text


def test_the_code_leads_to_the_same_contest(visitor: Visitor, scene: Scene) -> None:
    answer = visitor.get("/qr/c/island.svg")
    assert answer.mimetype == "image/svg+xml"
    assert visitor.get(f"/qr/c/island.svg?stand={scene.code}").data != answer.data
    assert visitor.get("/qr/c/nowhere.svg").status_code == 404


@pytest.mark.parametrize(("status", "said"), [(CampaignStatus.PAUSED, "pause"), (CampaignStatus.CLOSED, "closes")])
def test_a_contest_that_takes_no_entries_says_so(
    app: Flask, visitor: Visitor, scene: Scene, status: CampaignStatus, said: str
) -> None:
    with app.app_context():
        db.session.get_one(Campaign, scene.campaign_id).status = status
        db.session.commit()
    cards.forget()
    page = visitor.get("/c/island/kiosk?lang=fr")
    assert said in text_of(page)
    assert 'http-equiv="refresh"' in page.text


def test_without_a_connection_the_form_waits_and_then_goes(page: Page, street: str, scene: Scene) -> None:
    page.goto(f"{street}/c/island/kiosk?lang=en")
    page.fill("#email", "zoe@mail.example")
    page.fill("#first_name", "Zoé")
    page.check("#consent_rules")
    page.wait_for_timeout(1100)
    page.context.set_offline(True)
    page.click("#enter-button")
    page.wait_for_selector("[data-offline]:not([hidden])")
    assert "What you typed stays here" in page.inner_text("[data-offline]")
    assert page.input_value("#email") == "zoe@mail.example"
    page.context.set_offline(False)
    page.wait_for_url("**done=1**")
    assert page.inner_text("h1") == "One step left, on your own phone"
    assert page.context.cookies() == []


def test_a_form_that_was_left_empties_itself(page: Page, street: str, scene: Scene) -> None:
    page.clock.install()
    page.goto(f"{street}/c/island/kiosk?lang=en")
    page.fill("#email", "zoe@mail.example")
    page.clock.run_for(91_000)
    page.wait_for_selector("[data-still]:not([hidden])")
    page.click("[data-here]")
    assert page.input_value("#email") == "zoe@mail.example"
    page.clock.run_for(91_000)
    page.clock.run_for(31_000)
    page.wait_for_function("document.querySelector('#email').value === ''")
