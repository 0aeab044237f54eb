"""Who looked at an invitation: a real browser tells, a browser that a program drives does not."""

from __future__ import annotations

import time

from playwright.sync_api import Browser, BrowserContext, Page

from leadgen.core import hot
from leadgen.visits import service as visits
from tests.web.public.conftest import Scene
from tests.web.public.street import BROWSER

# Playwright's browser says that it is driven, and calls itself headless; a person's does neither.
_LIKE_A_PERSON = "Object.defineProperty(navigator, 'webdriver', { get: () => false })"


def _person(chromium: Browser) -> BrowserContext:
    context = chromium.new_context(locale="en-GB", user_agent=BROWSER)
    context.add_init_script(_LIKE_A_PERSON)
    return context


def _open(page: Page, street: str, scene: Scene) -> None:
    page.goto(f"{street}/r/{scene.code}?ch=wa&lang=en")
    page.wait_for_url("**/c/island**")


def _kinds(*, within: float = 30.0, until: str = "") -> list[str]:
    deadline = time.monotonic() + within
    while True:
        visits.flush()
        found = [row["kind"] for row in hot.many("SELECT kind FROM visit ORDER BY id", {})]
        if until in found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def test_somebody_who_looks_for_a_second_is_a_person(chromium: Browser, street: str, scene: Scene) -> None:
    """Issue 4, line 5."""
    context = _person(chromium)
    _open(context.new_page(), street, scene)
    assert _kinds(until="human") == ["human"]
    context.close()


def test_a_touch_is_enough(chromium: Browser, street: str, scene: Scene) -> None:
    context = _person(chromium)
    page = context.new_page()
    page.clock.install()  # no second passes by itself
    _open(page, street, scene)
    page.mouse.click(5, 200)
    assert _kinds(until="human") == ["human"]
    assert context.cookies() == [], "rule 11: no cookie before the form is sent"
    context.close()


def test_a_browser_that_a_program_drives_is_none(chromium: Browser, street: str, scene: Scene) -> None:
    context = chromium.new_context(locale="en-GB", user_agent=BROWSER)
    page = context.new_page()
    _open(page, street, scene)
    page.mouse.click(5, 200)
    page.wait_for_timeout(1500)
    assert _kinds(within=1.0, until="human") == ["candidate"]
    context.close()
