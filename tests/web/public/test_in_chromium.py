"""What only a real browser can show: no script needed, nothing from elsewhere, nothing that jumps, nothing blocked."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from leadgen.core import hot, links
from tests.web.public.conftest import Scene


def _fill(page: Page, address: str) -> None:
    page.goto(f"{address}/c/island?lang=en")
    page.fill("#email", "zoe@mail.example")
    page.fill("#first_name", "Zoé")
    page.check("#consent_rules")
    page.wait_for_timeout(1100)  # nobody fills in a form within a second
    page.click("#enter-button")
    page.wait_for_url("**/waiting/**")


def _path_of_link(app: Flask) -> str:
    row = hot.one("SELECT max(id) AS id FROM entry", {})
    assert row is not None
    with app.app_context():
        return links.confirm(row["id"], 1).removeprefix("http://localhost")


def test_without_a_script_everything_works(app: Flask, chromium: Browser, street: str) -> None:
    visitor = chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = visitor.new_page()
    _fill(page, street)
    assert page.inner_text("h1") == "One step left"
    page.goto(street + _path_of_link(app))
    page.click("button:has-text('Confirm my entry')")
    assert page.inner_text("h1") == "You are in, Zoé"
    assert page.is_visible("#my-link")
    page.check("input[type=radio] >> nth=0")
    page.click("button:has-text('Answer')")
    assert "That is 2 more points for you." in page.inner_text("main")
    visitor.close()


def test_the_browser_that_entered_confirms_by_itself(app: Flask, page: Page, street: str) -> None:
    """F3: one tap in the mail is enough; the visible button stays for everybody else."""
    _fill(page, street)
    page.goto(street + _path_of_link(app))
    page.wait_for_url("**/me/**")
    assert page.inner_text("h1") == "You are in, Zoé"


def test_another_browser_waits_for_the_button(app: Flask, chromium: Browser, page: Page, street: str) -> None:
    _fill(page, street)
    other = chromium.new_context(locale="en-GB").new_page()
    other.goto(street + _path_of_link(app))
    other.wait_for_timeout(500)
    assert other.inner_text("h1") == "One last tap"
    other.context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_jumps_is_blocked_or_comes_from_elsewhere(page: Page, street: str, width: int) -> None:
    """Rule 11; no layout shift; the content security policy blocks nothing of ours."""
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{street}/c/island?lang=fr")
    page.wait_for_load_state("networkidle")
    shift = page.evaluate(
        """() => new Promise(done => { let sum = 0;
            new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value; })
                .observe({type: 'layout-shift', buffered: true});
            setTimeout(() => done(sum), 300); })"""
    )
    assert shift < 0.01
    assert [url for url in asked if not url.startswith(street)] == []
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.context.cookies() == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_persons_page_fits_a_phone(page: Page, street: str, scene: Scene, language: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{street}{scene.me}?new=1&lang={language}")
    edges = page.locator("main .card, main .card > *").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().right)"
    )
    assert max(edges) <= 390 - 16


def test_the_button_stands_above_the_fold_of_a_phone(page: Page, street: str, scene: Scene) -> None:
    """Brand, picture, promise, inviter and button without scrolling at 390 × 844."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{street}/r/{scene.code}?ch=wa")
    for part in (".brand", ".hero img", "h1", ".inviter", ".to-form .button"):
        box = page.locator(part).bounding_box()
        assert box is not None, part
        assert box["y"] + box["height"] <= 844, part


def test_both_boxes_and_all_targets_have_the_same_size(page: Page, street: str) -> None:
    """Rule 1: accepting and refusing weigh the same, and both are 44 px high."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{street}/c/island?lang=en")
    rules, news = (page.locator(f"#{name}").bounding_box() for name in ("consent_rules", "consent_marketing"))
    assert rules is not None
    assert news is not None
    assert (rules["width"], rules["height"]) == (news["width"], news["height"])
    sizes = page.locator(".boxes .check span").evaluate_all("all => all.map(one => getComputedStyle(one).fontSize)")
    assert len(set(sizes)) == 1
    heights = page.locator("main .button:visible, main .input:visible, label.check").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44


def test_a_field_that_is_left_wrong_says_so_at_once(page: Page, street: str) -> None:
    page.goto(f"{street}/c/island?lang=en")
    page.fill("#email", "zoe@")
    page.locator("#first_name").focus()
    assert "Check the address" in page.inner_text("#email-error")
    page.fill("#email", "zoe@mail.example")
    assert page.locator("#email-error").count() == 0


def test_mistakes_take_the_focus(page: Page, street: str) -> None:
    page.goto(f"{street}/c/island?lang=en")
    page.click("#enter-button")
    page.wait_for_selector("#errors")
    assert page.evaluate("document.activeElement.id") == "errors"
    page.click("#errors a >> nth=0")
    assert page.evaluate("document.activeElement.id") == "email"


def test_the_link_is_copied_and_said(chromium: Browser, street: str, scene: Scene) -> None:
    visitor = chromium.new_context(locale="en-GB", permissions=["clipboard-read", "clipboard-write"])
    page = visitor.new_page()
    page.goto(f"{street}{scene.me}?lang=en")
    page.click(".copy")
    page.wait_for_function("document.getElementById('said').textContent !== ''")
    assert page.inner_text("#said") == "Your link is copied."
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"/r/{scene.code}?ch=copy")
    visitor.close()


def test_the_sheet_to_print_fits_a_phone(chromium: Browser, street: str, scene: Scene) -> None:
    page = chromium.new_context(viewport={"width": 360, "height": 740}).new_page()
    page.goto(f"{street}/r/{scene.code}/sheet?lang=fr")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
