"""The studio in a real browser: what a script makes smoother, keyboard and phone, and nothing against the policy."""

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import ThreadedWSGIServer

from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import hot
from leadgen.core.db import db
from tests import factories
from tests.analytics.spreading import make_random_spread
from tests.world import World


class _Server(ThreadedWSGIServer):
    """A thread for each request, whose own connection ends with it, also when the browser hung up half-way."""

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            hot.forget()


@pytest.fixture
def address(app: Flask, world: World) -> Iterator[str]:
    """The product at a real address."""
    server = _Server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(chromium: Browser, address: str, complaints: list[str]) -> Iterator[Page]:
    """Ada's browser, signed in by the keyboard alone."""
    context = chromium.new_context(locale="en-GB", base_url=address, viewport={"width": 1280, "height": 860})
    context.set_default_timeout(60_000)
    tab = context.new_page()
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    tab.goto("/admin/sign-in")
    tab.keyboard.press("Tab")
    expect(tab.locator("*:focus")).to_have_attribute("href", "#content")
    tab.locator("#email").fill("ada@staff.example")
    tab.keyboard.press("Tab")
    tab.keyboard.type(factories.PASSWORD)
    tab.keyboard.press("Enter")
    expect(tab.locator("h1")).to_have_text("Campaigns")
    yield tab
    context.close()


def test_the_palette_goes_anywhere_by_keyboard(page: Page, base: str, complaints: list[str]) -> None:
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.type("summer quest")
    expect(page.locator(".palette-list li[aria-selected=true]")).to_have_text("Summer › Questions")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{base}/questions")
    assert complaints == []


def test_search_narrows_while_one_types(page: Page, base: str, complaints: list[str]) -> None:
    page.goto(f"{base}/entrants")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.locator("#text").press_sequentially("anna")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "text=anna" in page.url
    assert complaints == []


def test_figures_move_without_a_reload(app: Flask, page: Page, base: str, world: World, complaints: list[str]) -> None:
    page.goto(base)
    entries = page.locator(".figure", has=page.locator("dt", has_text="Entries")).locator("dd a")
    expect(entries).to_have_text("2")
    page.locator("summary").click()
    page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    with app.app_context():
        factories.make_entry(db.session.get_one(Campaign, world.campaign.id))
    expect(entries).to_have_text("3")
    expect(page.locator("#curve-table")).to_have_attribute("open", "")
    assert complaints == []


def test_a_draft_saves_itself_and_shows_it(app: Flask, page: Page, world: World) -> None:
    with app.app_context():
        brand = db.session.get_one(type(world.brand), world.brand.id)
        draft = factories.make_campaign(brand, status=CampaignStatus.DRAFT).id
    page.goto(f"/admin/campaigns/{draft}/page")
    page.locator("#en-title").fill("A promise that saves itself")
    expect(page.locator("[data-save-state]")).to_have_text("Draft saved")
    shown = page.frame_locator("[data-preview]")
    expect(shown.locator("h1")).to_have_text("A promise that saves itself")
    page.locator("label:has(input[name=lang][value=fr])").click()
    expect(shown.locator("html")).to_have_attribute("lang", "fr")
    page.locator("label:has(input[name=width][value=desktop])").click()
    frame, card = page.locator("[data-preview]").bounding_box(), page.locator(".preview-frame").bounding_box()
    assert frame is not None
    assert card is not None
    assert abs(frame["width"] - card["width"]) < 4


def test_a_letter_is_seen_in_its_frame(page: Page, base: str, complaints: list[str]) -> None:
    page.goto(f"{base}/letters/welcome")
    frame = page.locator(".letter iframe").first
    frame.scroll_into_view_if_needed()
    expect(page.frame_locator(".letter iframe >> nth=0").locator("body")).to_contain_text("Anna")
    assert complaints == []


def test_an_error_is_focused_and_leads_to_its_field(page: Page, base: str, complaints: list[str]) -> None:
    page.goto(f"{base}/prizes/new")
    page.locator("#value").fill("much")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".summary")).to_be_focused()
    page.locator(".summary a", has_text="amount").click()
    expect(page.locator("#value")).to_be_focused()
    assert page.locator("#value").get_attribute("aria-invalid") == "true"
    assert [words for words in complaints if "422" not in words] == []


_PARTS = ("", "/page", "/prizes", "/dates", "/questions", "/letters", "/nurture", "/entrants")
_OF_THE_FORM = ("/questions/new", "/questions/pages/p1", "/questions/publish", "/questions/versions")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("part", [*_PARTS, *_OF_THE_FORM])
def test_nothing_is_wider_than_the_screen(page: Page, base: str, width: int, part: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{base}{part}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("part", ["sending", "sending/pace"])
def test_sending_is_not_wider_than_the_screen(page: Page, base: str, width: int, part: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"/admin/{part}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_sending_updates_itself(page: Page, app: Flask, world: World, base: str, complaints: list[str]) -> None:
    page.goto("/admin/sending")
    expect(page.get_by_text("Nothing is sent yet")).to_be_visible()
    with app.app_context():
        factories.make_stream(db.session.get_one(Campaign, world.campaign.id), name="Last days")
    expect(page.get_by_text("Last days").first).to_be_visible()
    assert complaints == []


def test_the_rail_opens_on_a_phone(page: Page, base: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(base)
    sign_out = page.get_by_role("button", name=re.compile("Sign out"))
    expect(sign_out).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(sign_out).to_be_visible()
    sign_out.click()
    expect(page.locator("h1")).to_have_text("Sign in")


def test_a_question_is_moved_by_keyboard_and_keeps_the_focus(page: Page, base: str, complaints: list[str]) -> None:
    page.goto(f"{base}/questions")
    page.get_by_role("link", name="Question 1?").focus()
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_url("**/questions#question-question_1")
    expect(page.locator("[data-reorder] h3").first).to_have_text("Question 2?")
    expect(page.get_by_role("link", name="Question 1?")).to_be_focused()
    expect(page.frame_locator(".builder-preview iframe").locator("legend").first).to_have_text("Question 2?")
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_column_of_the_virality_page_is_cut(page: Page, app: Flask, world: World, width: int) -> None:
    """At 1280 px everything fits; on a phone the box scrolls, by the keyboard too."""
    with app.app_context():
        make_random_spread(db.session.get_one(Campaign, world.campaign.id), seed=7, people=30)
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(f"/admin/campaigns/{world.campaign.id}/virality")
    boxes = page.locator(".table-scroll")
    assert boxes.count() == 2
    for box in boxes.all():
        box.focus()
        expect(box).to_be_focused()
        if width == 1280:
            assert box.evaluate("box => box.scrollWidth - box.clientWidth") <= 0
