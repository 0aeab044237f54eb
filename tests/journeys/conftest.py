"""The whole product as real processes with letters in files, and visitors with browsers of their own."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from bench import campaign
from bench.stack import Stack

_PATIENCE = 120.0  # seconds for a letter; the machine may be busy


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """Servers, web, two workers and the scheduler; it is noon."""
    with Stack({"LEADGEN_ENV": "development", "MAIL_PROVIDER": "file"}, tuned=False) as running:
        yield running


@pytest.fixture(scope="package")
def slug(stack: Stack) -> str:
    """The seeded live campaign."""
    return campaign.prepare(stack)


@dataclass
class Mailbox:
    """What the product has written, read over HTTP as a person would."""

    base_url: str

    def letters(self, address: str) -> list[dict[str, Any]]:
        """All letters to this address, oldest first."""
        with urllib.request.urlopen(f"{self.base_url}/dev/mailbox.json?to={quote(address)}") as answer:
            mails: list[dict[str, Any]] = json.load(answer)["mails"]
        return mails[::-1]

    def wait(self, address: str, number: int) -> list[dict[str, Any]]:
        """The letters to this address once there are so many."""
        deadline = time.monotonic() + _PATIENCE
        while len(found := self.letters(address)) < number:
            assert time.monotonic() < deadline, f"{len(found)} of {number} letters came to {address}"
            time.sleep(0.2)
        assert len(found) == number, [mail["subject"] for mail in found]
        return found


@pytest.fixture
def mailbox(stack: Stack) -> Mailbox:
    return Mailbox(stack.base_url)


@dataclass
class Visitor:
    """Somebody with a browser of their own, who notes whatever should not be."""

    base_url: str
    slug: str
    context: BrowserContext
    page: Page = field(init=False)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Note third parties, refused content and errors, in every tab."""
        self.context.set_default_timeout(60_000)
        self.context.on("request", self._check_request)
        self.context.on("console", self._check_console)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))

    @property
    def landing(self) -> str:
        return f"{self.base_url}/c/{self.slug}"

    def enter(self, email: str, first_name: str, *, marketing: bool = True) -> None:
        """Fill in the form of the page as a person does, and send it."""
        self.page.fill("[name=email]", email)
        self.page.fill("[name=first_name]", first_name)
        self.page.check("[name=consent_rules]")
        if marketing:
            self.page.check("[name=consent_marketing]")
        self.page.wait_for_timeout(1100)
        self.page.click("#enter-button")
        self.page.wait_for_url("**/waiting/**")

    def points(self) -> int:
        """The points on the person's page."""
        figure = self.page.locator(".figures dd").first.inner_text()
        return int(re.sub(r"\D", "", figure))

    def _check_request(self, request: Request) -> None:
        if not request.url.startswith((self.base_url, "data:", "blob:")):
            self.faults.append(f"third party: {request.url}")

    def _check_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")


@pytest.fixture
def visit(chromium: Browser, stack: Stack, slug: str) -> Iterator[Callable[..., Visitor]]:
    """Opens a new browser for somebody; at the end nothing must have been noted by any of them."""
    visitors: list[Visitor] = []

    def open_browser(locale: str = "en-GB", **options: Any) -> Visitor:
        visitors.append(Visitor(stack.base_url, slug, chromium.new_context(locale=locale, **options)))
        return visitors[-1]

    yield open_browser
    for visitor in visitors:
        visitor.context.close()
    assert [fault for visitor in visitors for fault in visitor.faults] == []
