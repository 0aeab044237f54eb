"""A marketer writes to two hundred people at once and watches the bar reach the end."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from bench.stack import ROOT, Stack
from tests.journeys.conftest import Mailbox, Visitor

PEOPLE = 200
WORDS = {
    "en": ("Only a few days are left", "Your last days", "Hello {first_name}, bring a friend before {end_date}.", "Go"),
    "fr": ("Plus que quelques jours", "Derniers jours", "Bonjour {first_name}, invitez un ami.", "Y aller"),
}  # fmt: skip
_PATIENCE = 120_000  # milliseconds; the machine may be busy


def _flask(stack: Stack, *words: str) -> str:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    environment = {**os.environ, **stack.environment}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def studio(visit: Callable[..., Visitor], stack: Stack) -> Page:
    """Somebody of the staff, signed in."""
    email = f"{secrets.token_hex(4)}@staff.example"
    password = _flask(stack, "user", "create", email).split("password: ")[1].strip()
    page = visit("en-GB").page
    page.goto(f"{stack.base_url}/admin/")
    page.fill("#email", email)
    page.fill("#password", password)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Campaigns", timeout=_PATIENCE)
    return page


def test_two_hundred_people_are_written_to_and_the_bar_reaches_its_end(
    studio: Page, stack: Stack, mailbox: Mailbox
) -> None:
    page = studio
    assert "200 made-up people" in _flask(stack, "seed", "--people", str(PEOPLE))
    page.locator("tbody th a").first.click()
    pages = page.get_by_role("navigation", name="Pages of this campaign")
    pages.get_by_role("link", name="Letters").click()
    page.get_by_role("navigation", name="Letters").get_by_role("link", name="Broadcasts").click()
    page.get_by_role("button", name="New broadcast").first.click()
    page.wait_for_url("**/edit")
    for code, words in WORDS.items():
        for key, typed in zip(("subject", "heading", "body", "button"), words, strict=True):
            page.fill(f"#{code}-{key}", typed)
    expect(page.locator("[data-save-state]")).to_have_text("Draft saved", timeout=_PATIENCE)
    shown = page.frame_locator("iframe[title='Letter in English']")
    page.locator("iframe[title='Letter in English']").scroll_into_view_if_needed()
    expect(shown.get_by_text("Your last days")).to_be_visible(timeout=_PATIENCE)

    page.get_by_role("button", name="Look it over").click()
    page.get_by_role("button", name="Send me a test in English").click()
    expect(page.locator(".flash")).to_contain_text("The test is sent to", timeout=_PATIENCE)
    button = page.locator("button[name=when][value=now]")
    people = int(re.sub(r"\D", "", button.inner_text()))
    assert people >= PEOPLE
    button.click()

    expect(page.locator("#far-title")).to_have_text("All is sent", timeout=_PATIENCE)
    assert page.get_attribute("progress", "value") == str(people) == page.get_attribute("progress", "max")
    expect(page.locator(".badge", has_text="Sent")).to_be_visible(timeout=_PATIENCE)

    page.locator(".figures").get_by_role("link").first.click()
    email = page.locator("tbody .under").first.inner_text()
    (letter,) = mailbox.wait(email, 1)
    assert letter["subject"] in {words[0] for words in WORDS.values()}
    assert "List-Unsubscribe" in letter["headers"]
