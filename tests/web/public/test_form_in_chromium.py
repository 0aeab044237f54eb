"""The form in a real browser: fields come and go while somebody answers, the way back, and all without a script."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.forms import definition as documents
from leadgen.forms import service as forms
from tests.forms.conftest import FORM
from tests.web.public.conftest import Scene


@pytest.fixture
def form(app: Flask, scene: Scene, street: str) -> str:
    """The address of Ben's form."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        forms.save(campaign, documents.from_data(FORM), 0)
        forms.publish(campaign, "Ada")
        db.session.commit()
    cards.forget()
    return f"{street}{scene.me}/form?lang=en"


def test_fields_come_and_go_while_somebody_answers(page: Page, form: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(form)
    page.get_by_role("button", name="Begin").click()
    firm = page.get_by_label("Firm?")
    expect(firm).to_be_hidden()
    page.get_by_label("Owner").check()
    expect(firm).to_be_visible()
    firm.fill("Cap Sud")
    page.get_by_label("Clerk").check()
    expect(firm).to_be_hidden()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("Boss?")).to_be_visible()
    assert hot.one("SELECT answers FROM submission", {}) == {"answers": {"role": "clerk"}}
    page.go_back()
    expect(page.get_by_label("Clerk")).to_be_checked()
    page.get_by_label("Owner").check()
    expect(firm).to_be_visible()
    firm.fill("Cap Nord")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Team?").fill("7")
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("h1")).to_have_text("Thank you, your answers are in")
    kept = hot.many("SELECT key, value FROM answer ORDER BY key", {})
    assert {row["key"]: row["value"] for row in kept} == {"role": "owner", "firm": "Cap Nord", "team": 7}
    assert said == []


def test_the_same_without_a_script(chromium: Browser, form: str) -> None:
    page = chromium.new_context(java_script_enabled=False, locale="en-GB").new_page()
    page.goto(form)
    page.click("text=Begin")
    page.check("[name=role][value=owner]")
    page.click("button:has-text('Next')")
    expect(page.locator("main")).to_contain_text("Your answers opened more questions on this page.")
    page.fill("[name=firm]", "Cap Sud")
    page.click("button:has-text('Next')")
    page.go_back()
    page.go_back()
    page.check("[name=role][value=clerk]")
    page.click("button:has-text('Next')")
    page.fill("[name=boss]", "Ada")
    page.click("button:has-text('Next')")
    page.click("button:has-text('Finish')")
    expect(page.locator("h1")).to_have_text("Thank you, your answers are in")
    kept = hot.many("SELECT key, value FROM answer ORDER BY key", {})
    assert {row["key"]: row["value"] for row in kept} == {"role": "clerk", "boss": "Ada"}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_form_that_comes_back_takes_the_focus_and_fits_a_phone(page: Page, form: str, language: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(form.replace("lang=en", f"lang={language}"))
    page.locator("form button").first.click()
    page.locator("#form button").first.click()
    expect(page.locator("#problems")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#problems a").click()
    expect(page.locator("#f-role")).to_be_focused()
