"""A sequence from nothing to published in a real browser; by keyboard; on a phone; and nothing against the policy."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from playwright.sync_api import Page, expect

from leadgen.authoring import drafts
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.nurture.models import Sequence
from tests import factories
from tests.web.admin.test_browser import address, complaints, page  # noqa: F401 - fixtures
from tests.web.admin.test_sequences import make, publish
from tests.world import World


def _write(page: Page, word: str) -> None:  # noqa: F811 - no fixture
    for code in ("en", "fr"):
        page.locator(f"#{code}-subject").fill(f"{word} in {code}")
        page.locator(f"#{code}-heading").fill("Hello")
        page.locator(f"#{code}-body").fill("A word or two about what we do, so that there is something to read here.")
        page.locator(f"#{code}-button").fill("Go on")


def _add(page: Page, behind: str, kind: str) -> None:  # noqa: F811 - no fixture
    page.locator("summary", has_text=behind).first.click()
    page.locator(".flow-add[open] button", has_text=kind).click()


def test_one_is_made_from_nothing_published_and_shortened(
    app: Flask,
    world: World,
    base: str,
    page: Page,  # noqa: F811 - fixture
    complaints: list[str],  # noqa: F811 - fixture
) -> None:
    page.goto(f"{base}/nurture")
    page.get_by_role("button", name="Begin with nothing").click()
    expect(page.locator("#missing")).to_contain_text("before it can be published")
    _add(page, "Add a step after “Beginning”", "Letter")
    page.locator("#wait-amount").fill("3")
    expect(page.locator("#wait-said")).to_contain_text("3 days later.")
    _write(page, "First")
    expect(page.frame_locator("[name=letter-frame]").locator("h1")).to_have_text("Hello")
    page.locator(".form-actions .button").first.click()
    _add(page, "Add a step after “First in en”", "Branch")
    page.locator("#set-0-row-0-field").select_option("friends")
    page.locator("#set-0-row-0-value").fill("1")
    expect(page.locator("#segment-said")).to_contain_text("People who brought at least 1 friend.")
    page.locator(".form-actions .button").first.click()
    for side in ("Yes", "No"):
        _add(page, f"Add a step after “{side}”", "Letter")
        _write(page, side)
        page.locator(".form-actions .button").first.click()
    expect(page.locator("#missing")).to_contain_text("Nothing: it can be published.")
    yes, no = (page.locator(f".flow-lane-{side}").bounding_box() for side in ("yes", "no"))
    assert yes is not None
    assert no is not None
    assert yes["x"] + yes["width"] <= no["x"] + 1  # side by side
    page.get_by_role("link", name="Look over and publish").click()
    page.get_by_role("button", name="Publish now").click()
    expect(page.locator(".flash")).to_contain_text("Version 1 is published.")
    with app.app_context():
        sequence = db.session.query(Sequence).one()
        first = drafts.definition_of(sequence).steps[0].key
        later = clock.now() + timedelta(days=2)
        begun = clock.now() - timedelta(days=1)
        factories.make_enrolment(sequence, world.ben, step_key=first, anchor_at=begun, next_run_at=later)
    page.locator(".flow-wait a", has_text="3 days later").click()
    page.locator("#wait-unit").select_option("hours")
    page.locator(".form-actions .button").first.click()
    expect(page.locator(".badge", has_text="On, with changes to publish")).to_be_visible()
    page.get_by_role("link", name="Look over and publish").click()
    told = page.locator("[data-choices-into]")
    expect(told).to_contain_text("1 person waits for it.")
    expect(page.locator("[data-without-script]")).to_be_hidden()
    page.locator("[name=timing][value=recompute]").check()
    expect(told).to_contain_text("1 of them would be due now.")
    page.get_by_role("button", name="Publish now").click()
    expect(page.locator(".flash")).to_contain_text("Version 2 is published.")
    assert complaints == []


def test_steps_are_moved_by_keyboard_without_a_reload(
    app: Flask,
    world: World,
    base: str,
    page: Page,  # noqa: F811 - fixture
    complaints: list[str],  # noqa: F811 - fixture
) -> None:
    page.goto(f"{base}/nurture/{make(app, world)}")
    page.evaluate("window.isSame = true")
    page.locator("#step-hello a").focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".flow-lane-yes #step-hello")).to_be_visible()
    expect(page.locator('[value="down:hello"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".flow-lane-yes [data-step]").nth(1)).to_have_id("step-hello")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".flow-lane-yes [data-step]").nth(0)).to_have_id("step-hello")
    assert page.evaluate("window.isSame") is True
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".flow-add[open]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".flow-add[open]")).to_have_count(0)
    page.locator('[value="remove:thanks"]').click()
    expect(page.locator("#step-thanks")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#step-thanks")).to_be_visible()
    assert complaints == []


def test_no_page_of_sequences_is_wider_than_the_screen(
    app: Flask,
    world: World,
    base: str,
    page: Page,  # noqa: F811 - fixture
) -> None:
    number = make(app, world)
    publish(app, number)
    parts = ["/steps/hello", "/steps/answered", "/parts/trigger", "/parts/goal", "/parts/settings", "/publish"]
    for part in ("", *(f"/{number}{one}" for one in ["", *parts, "/versions", "/versions/1", "/yaml"])):
        page.goto(f"{base}/nurture{part}")
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (part, width)
