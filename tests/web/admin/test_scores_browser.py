"""The rules of scores by keyboard alone, in a real browser; and no page wider than a phone."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from leadgen.accounts.models import Brand
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.journal.vocabulary import FactName
from leadgen.scores import jobs
from leadgen.scores import service as scores
from tests import factories
from tests.web.admin.test_browser import address, complaints, page  # noqa: F401 - fixtures
from tests.world import World


@pytest.fixture
def scored(app: Flask, world: World) -> World:
    """Ben confirmed and answered; a draft would move him."""
    with app.app_context():
        ben = db.session.get_one(Entry, world.ben.id)
        db.session.get_one(Contact, ben.contact_id).answers = {"question_1": "sea"}
        factories.make_fact(ben, FactName.ENTRY_CONFIRMED)
        jobs.look_at_all()
        jobs.score()
        brand = db.session.get_one(Brand, world.brand.id)
        draft = scores.open_draft(brand, "Ada")
        fit = [{"key": "told", "when": {"field": "answered", "op": "gte", "value": 1}, "points": 90}]
        scores.save_draft(brand, draft.definition | {"fit": fit}, draft.revision, "Ada")
        db.session.commit()
    return world


def test_a_rule_is_written_and_published_by_keyboard(
    app: Flask,
    scored: World,
    page: Page,  # noqa: F811 - fixture
    complaints: list[str],  # noqa: F811 - fixture
) -> None:
    page.goto(f"/admin/brands/{scored.brand.id}/scores/draft")
    page.locator("#fit-1-what").focus()
    page.locator("#fit-1-what").select_option("answer.question_1:is:sea")
    page.keyboard.press("Tab")
    expect(page.locator("#fit-1-value")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#fit-1-points")).to_be_focused()
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    expect(page.locator(".summary")).to_be_focused()
    page.locator("#fit-1-points").fill("10")
    page.locator("#fit-1-points").press("Enter")
    expect(page.locator("h1")).to_have_text("Who would move")
    page.get_by_role("button", name="Publish these rules").press("Enter")
    expect(page.locator(".score-progress")).to_be_visible()
    with app.app_context():
        jobs.score()
    page.goto(f"/admin/campaigns/{scored.campaign.id}/entrants/{scored.ben.id}")
    expect(page.locator(".score-figure").first).to_contain_text("Fit 100")
    assert [one for one in complaints if "422" not in one] == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_of_scores_is_wider_than_the_screen(page: Page, scored: World, width: int) -> None:  # noqa: F811 - fixtures
    page.set_viewport_size({"width": width, "height": 800})
    brand = f"/admin/brands/{scored.brand.id}/scores"
    person = f"/admin/campaigns/{scored.campaign.id}/entrants/{scored.ben.id}"
    for path in (brand, f"{brand}/draft", f"{brand}/preview", f"{brand}/versions/1", person):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
