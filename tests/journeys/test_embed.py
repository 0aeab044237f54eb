"""A contest in the page of another site, in a real browser that gives frames of other sites no cookies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import pytest
from playwright.sync_api import Browser, Page

from bench.stack import Stack
from tests import browser
from tests.journeys.conftest import Mailbox

# The site names itself and not the machine: to a browser “localhost” and “127.0.0.1” are two sites.
_PAGES = {
    "/": "<leadgen-contest><a href='{contest}'>The link in the page</a></leadgen-contest>",
    "/popup": "<p>A long story.</p><leadgen-contest popup='time:0.5'></leadgen-contest>",
    "/button": "<button id='win'>Win something</button><leadgen-contest popup='click:#win'></leadgen-contest>",
    "/scroll": "<p style='height: 4000px'>Scroll.</p><leadgen-contest popup='scroll:50'></leadgen-contest>",
}

# How far each part of the card stands below the one before it.
_GAPS = """card => [...card.children].slice(1).map((part) =>
  part.getBoundingClientRect().top - part.previousElementSibling.getBoundingClientRect().bottom)"""


class Site:
    """Somebody's site that includes our script, with a strict policy of its own."""

    def __init__(self, contest: str, script: str) -> None:
        base = script.split("/embed/", maxsplit=1)[0]
        policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {base} 'sha256-'; frame-src {base}"

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = _PAGES.get(self.path.split("?")[0], "").format(contest=contest)
                page = f"<!doctype html><html lang='en'><title>Shop</title><h1>Shop</h1>{body}"
                page += f"<script src='{script}' async></script></html>"
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_words: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site(stack: Stack, slug: str) -> Iterator[Site]:
    """A shop that may show the contest."""
    shop = Site(f"{stack.base_url}/c/{slug}", f"{stack.base_url}/embed/{slug}.js")
    _allow(stack, slug, [shop.origin])
    yield shop
    shop.server.shutdown()
    shop.server.server_close()
    _allow(stack, slug, [])


def _allow(stack: Stack, slug: str, origins: list[str]) -> None:
    with psycopg.connect(stack.postgres.url, autocommit=True) as connection:
        connection.execute("UPDATE campaign SET embed_origins = %s WHERE slug = %s", (origins, slug))


@pytest.fixture(scope="module")
def private_chromium(chromium: Browser) -> Iterator[Browser]:
    """Chromium as it is when somebody blocks cookies of third parties."""
    flags = [*browser.FLAGS, "--no-sandbox", "--test-third-party-cookie-phaseout"]
    launched = chromium.browser_type.launch(executable_path=browser.find(), headless=True, args=flags)
    yield launched
    launched.close()


@pytest.fixture
def tab(private_chromium: Browser) -> Iterator[Page]:
    context = private_chromium.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def _enter(tab: Page, email: str) -> None:
    frame = tab.frame_locator("iframe")
    frame.locator("[name=email]").fill(email)
    frame.locator("[name=first_name]").fill("Nora")
    frame.locator("[name=consent_rules]").check()
    tab.wait_for_timeout(1100)
    frame.locator("#enter-button").click()
    frame.get_by_role("heading", name="One step left").wait_for()


def _until_ready(tab: Page, site: Site, stack: Stack, path: str) -> None:
    """Open the page until the processes know the list of sites, which they read every two seconds."""
    tab.goto(site.origin + path)
    tab.frame_locator("iframe").locator("#enter-button").wait_for(state="attached")


def test_somebody_enters_in_the_page_of_a_shop(tab: Page, site: Site, stack: Stack, mailbox: Mailbox) -> None:
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.wait_for_timeout(2100)
    tab.add_init_script("addEventListener('leadgen:entered', () => { window.heard = true })")
    _until_ready(tab, site, stack, "/")

    frame = tab.locator("iframe")
    tab.wait_for_function(
        "document.querySelector('leadgen-contest').shadowRoot.querySelector('iframe').offsetHeight > 300"
    )
    inside = tab.frame_locator("iframe").locator("body").evaluate("body => body.getBoundingClientRect().height")
    assert abs(frame.bounding_box()["height"] - inside) < 2  # type: ignore[index]
    assert not tab.get_by_text("The link in the page").is_visible()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")

    before = frame.bounding_box()["height"]  # type: ignore[index]
    _enter(tab, "nora@mail.example")
    tab.wait_for_timeout(500)
    card = tab.frame_locator("iframe").locator("main")
    content = card.evaluate("main => main.getBoundingClientRect().height")
    assert abs(frame.bounding_box()["height"] - content) < 2  # type: ignore[index]
    assert content < before - 100
    gaps = card.locator(".card").evaluate(_GAPS)
    assert min(gaps) >= 8, gaps
    assert tab.evaluate("window.heard === true")
    assert tab.context.cookies() == []
    with tab.context.expect_page() as opened:
        tab.frame_locator("iframe").get_by_role("link", name="Go on in a new tab").click()
    assert "/waiting/" in opened.value.url
    (confirmation,) = mailbox.wait("nora@mail.example", 1)
    opened.value.goto(confirmation["links"]["confirm"])
    opened.value.get_by_role("button", name="Confirm").click()
    opened.value.wait_for_url("**/me/**")
    assert opened.value.locator("#share").is_visible()
    assert faults == []


def test_a_site_that_is_not_on_the_list_shows_the_link(tab: Page, site: Site, stack: Stack, slug: str) -> None:
    _allow(stack, slug, [])
    tab.wait_for_timeout(2100)
    tab.goto(site.origin)
    tab.wait_for_timeout(1500)
    assert tab.get_by_text("The link in the page").is_visible()
    assert tab.locator("iframe").bounding_box()["height"] == 0  # type: ignore[index]


@pytest.mark.parametrize("path", ["/popup", "/button", "/scroll"])
def test_a_popup_opens_once_is_left_with_escape_and_stays_left(tab: Page, site: Site, stack: Stack, path: str) -> None:
    tab.wait_for_timeout(2100)
    tab.goto(site.origin + path)
    opens: dict[str, Callable[[], None]] = {
        "/popup": lambda: None,
        "/button": lambda: tab.click("#win"),
        "/scroll": lambda: tab.evaluate("scrollTo(0, 3000)"),
    }
    if path != "/popup":
        assert tab.locator("dialog").count() == 0
    opens[path]()
    dialog = tab.get_by_role("dialog", name="Contest")
    dialog.wait_for()
    tab.frame_locator("iframe").locator("#enter-button").wait_for()
    tab.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    tab.wait_for_timeout(800)
    assert not dialog.is_visible()
