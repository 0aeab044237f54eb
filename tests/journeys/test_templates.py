"""Each of the seven templates: made and published by a marketer within two minutes, then shown working to people.

Everything runs for real: browsers for the marketer and the person, plain HTTP for their friends, letters in files.
"""

from __future__ import annotations

import datetime as dt
import html
import io
import re
import secrets
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from bench.stack import Stack
from tests.journeys.conftest import Mailbox, Visitor

TWO_MINUTES = 120.0
_PATIENCE = 60_000  # milliseconds; the machine may be busy
_FORM_SECONDS = 1.2


@dataclass
class Studio:
    """A marketer with a browser, who makes contests from templates."""

    page: Page
    stack: Stack

    def publish(self, template: str) -> str:
        """Choose, name, fill in what only the marketer knows, publish; the slug."""
        begun = time.monotonic()
        page, name = self.page, f"{template} {secrets.token_hex(3)}"
        page.goto(f"{self.stack.base_url}/admin/campaigns/new")
        page.check(f"input[value={template}]")
        page.fill("#name", name)
        opens = self.stack.clock.now().astimezone(ZoneInfo("Europe/Paris")) - dt.timedelta(hours=1)
        page.fill("#starts_at", opens.strftime("%Y-%m-%dT%H:%M"))
        page.get_by_role("button", name="Create the draft").click()
        page.wait_for_url(re.compile(r"/campaigns/\d+$"))
        self.base = page.url
        for path in ("prizes", "rewards"):
            for address in self._parts(path):
                self._fill_in(address)
        self._load_codes()
        page.goto(self.base)
        page.get_by_role("button", name="Publish").click()
        expect(page.locator(".flash")).to_contain_text("The campaign is published", timeout=_PATIENCE)
        assert time.monotonic() - begun < TWO_MINUTES
        slug = page.locator(".heading-lead a").get_attribute("href") or ""
        return slug.rsplit("/", 1)[1]

    def _load_codes(self) -> None:
        """Into every vault that the checklist misses."""
        for number, address in enumerate(self._parts("rewards"), 1):
            self.page.goto(f"{self.stack.base_url}{address}/codes")
            if not self.page.locator("#file").count():
                continue
            codes = "\n".join(f"GIFT{number}-{one}" for one in range(1, 4)).encode()
            self.page.set_input_files("#file", {"name": "codes.csv", "mimeType": "text/csv", "buffer": codes})
            self.page.get_by_role("button", name="Look at the file").click()
            self.page.get_by_role("button", name="Load 3 codes").click()
            expect(self.page.locator(".notice").first).to_contain_text("3 codes were added", timeout=_PATIENCE)

    def _parts(self, path: str) -> list[str]:
        self.page.goto(f"{self.base}/{path}")
        links = self.page.locator(f"main a[href*='/{path}/']").all()
        found = {link.get_attribute("href") or "" for link in links}
        return sorted(address for address in found if re.search(rf"/{path}/\d+$", address))

    def _fill_in(self, address: str) -> None:
        """What templates leave to the marketer: a value, and words in place of the note in brackets."""
        self.page.goto(self.stack.base_url + address)
        if not self.page.locator("#value").input_value().strip("0.,"):
            self.page.fill("#value", "250")
        for code in ("en", "fr"):
            self.page.fill(f"#{code}-description", "Two nights by the sea")
        self.page.get_by_role("button", name="Save").first.click()
        self.page.wait_for_load_state()
        expect(self.page.locator(".flash").first).to_be_visible(timeout=_PATIENCE)


@pytest.fixture
def studio(visit: Callable[..., Visitor], stack: Stack, slug: str) -> Studio:
    """Somebody of the staff, signed in."""
    email = f"{secrets.token_hex(4)}@staff.example"
    password = stack.flask("user", "create", email).split("password: ")[1].strip()
    page = visit("en-GB", viewport={"width": 1280, "height": 900}).page
    page.goto(f"{stack.base_url}/admin/")
    page.fill("#email", email)
    page.fill("#password", password)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Campaigns", timeout=_PATIENCE)
    return Studio(page, stack)


@pytest.fixture
def person(visit: Callable[..., Visitor], mailbox: Mailbox) -> Callable[[str], Visitor]:
    """Somebody who enters on a phone and confirms, and now looks at their page."""

    def enter(slug: str) -> Visitor:
        anna = visit("en-GB", viewport={"width": 390, "height": 844})
        anna.slug, email = slug, f"anna-{secrets.token_hex(4)}@mail.example"
        anna.page.goto(anna.landing)
        anna.enter(email, "Anna", marketing=False)
        (confirmation,) = mailbox.wait(email, 1)
        anna.page.goto(confirmation["links"]["confirm"])
        anna.page.wait_for_url("**/me/**")
        return anna

    return enter


def _friends(anna: Visitor, mailbox: Mailbox, *names: str) -> None:
    """Friends who come through the link on her page and confirm."""
    link = anna.page.input_value("#my-link")
    for name in names:
        email = f"{name.lower()}-{secrets.token_hex(4)}@mail.example"
        with urllib.request.urlopen(_asked(link)) as landing:
            page, address = landing.read().decode(), landing.url
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        fields = {key: html.unescape(value) for key, value in hidden.items()}
        fields |= {"email": email, "first_name": name, "consent_rules": "1"}
        time.sleep(_FORM_SECONDS)  # a form that comes back at once is taken for a script's
        _post(address, fields)
        (confirmation,) = mailbox.wait(email, 1)
        _post(confirmation["links"]["confirm"], {})
    _until(anna.page, lambda: f"{len(names)} friend" in anna.page.inner_text(".friends"))


def _post(address: str, fields: dict[str, str]) -> None:
    body = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(_asked(address, body)) as answer:
        assert answer.status == 200


def _asked(address: str, body: bytes | None = None) -> urllib.request.Request:
    """As a person's browser asks: whoever names no browser is taken for a preview machine."""
    return urllib.request.Request(address, body, {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})


def _until(page: Page, holds: Callable[[], bool]) -> None:
    """Look at the page again until it says so: points are folded and rewards given by workers."""
    deadline = time.monotonic() + _PATIENCE / 1000
    while not holds():
        assert time.monotonic() < deadline, page.inner_text("main")[:2000]
        time.sleep(0.5)
        page.reload()


def test_prize_draw(studio: Studio, person: Callable[[str], Visitor], mailbox: Mailbox) -> None:
    anna = person(studio.publish("prize-draw"))
    assert anna.points() == 1
    _friends(anna, mailbox, "Ben")
    _until(anna.page, lambda: anna.points() == 6)
    assert "Ben" in anna.page.inner_text(".friends")


def test_top_referrers_race(studio: Studio, person: Callable[[str], Visitor], mailbox: Mailbox) -> None:
    """Whoever brought a friend stands above whoever did not, on the page that everybody can see."""
    slug = studio.publish("top-referrers")
    anna = person(slug)
    _friends(anna, mailbox, "Ben")
    board = f"{anna.base_url}/c/{slug}/board?lang=en"

    def is_first() -> bool:
        with urllib.request.urlopen(_asked(board)) as answer:
            names = re.findall(r"Anna|Ben", answer.read().decode())
        return names[:1] == ["Anna"]

    _until(anna.page, is_first)
    assert "No. 1" in anna.page.inner_text(".standing")


def test_milestone_programme(studio: Studio, person: Callable[[str], Visitor], mailbox: Mailbox) -> None:
    """Three friends who confirmed earn the first reward."""
    anna = person(studio.publish("milestones"))
    assert "3 friends to go" in anna.page.inner_text("#rewards")
    _friends(anna, mailbox, "Ben", "Cleo", "Dan")
    _until(anna.page, lambda: "3 friends to go" not in anna.page.inner_text("#rewards"))
    _until(anna.page, lambda: "earned" in anna.page.inner_text("#rewards"))


def test_waiting_list(studio: Studio, person: Callable[[str], Visitor], mailbox: Mailbox) -> None:
    """A friend who confirms moves one ahead of whoever came earlier and brought nobody."""
    slug = studio.publish("waitlist")
    early, anna = person(slug), person(slug)
    before = anna.page.inner_text(".standing")
    _friends(anna, mailbox, "Ben")
    _until(anna.page, lambda: anna.page.inner_text(".standing") != before)
    early.page.reload()
    assert early.page.inner_text(".standing") != before


def test_coupon_giveaway(studio: Studio, person: Callable[[str], Visitor], mailbox: Mailbox) -> None:
    """Whoever confirms finds a code on the page; two people, two codes."""
    slug = studio.publish("coupon-giveaway")
    found = set()
    for anna in (person(slug), person(slug)):
        _until(anna.page, lambda page=anna.page: page.locator(".reward-code input").count() > 0)
        found.add(anna.page.input_value(".reward-code input"))
    assert len(found) == 2
    assert all(code.startswith("GIFT1-") for code in found)


def test_quiz(studio: Studio, person: Callable[[str], Visitor]) -> None:
    """The right answers stand in no page before the quiz is handed in; each brings its points."""
    anna = person(studio.publish("quiz"))
    anna.page.locator("#ways").get_by_role("link", name="Hand in my answers").click()
    assert "Entering is free for everybody" not in anna.page.content()
    for label in ("Nothing", "When the friend has confirmed", "No"):
        anna.page.get_by_label(label, exact=True).check()
    anna.page.wait_for_timeout(3500)
    anna.page.get_by_role("button", name="Hand in my answers").click()
    anna.page.wait_for_load_state()
    _until(anna.page, lambda: "Entering is free for everybody" in anna.page.content() or "/me/" in anna.page.url)
    anna.page.goto(anna.page.url.split("/actions/")[0].split("?")[0])
    _until(anna.page, lambda: anna.points() == 7)


def test_photo_contest(
    studio: Studio, person: Callable[[str], Visitor], visit: Callable[..., Visitor], stack: Stack
) -> None:
    """Hand in, be looked at, be voted for by a stranger without a cookie."""
    slug = studio.publish("photo-contest")
    anna = person(slug)
    anna.page.locator("#works").get_by_role("link", name="Choose a photo").click()
    picture = io.BytesIO()
    Image.new("RGB", (1200, 800), "#2b8fa8").save(picture, "JPEG")
    anna.page.set_input_files("#photo", {"name": "sea.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()})
    anna.page.fill("#title", "The sea at noon")
    anna.page.check("#rights")
    anna.page.click("#hand-in")
    anna.page.wait_for_url("**/me/**works=handed-in**")
    gallery = f"{anna.base_url}/c/{slug}/works?lang=en"
    with urllib.request.urlopen(_asked(gallery)) as answer:
        assert "The sea at noon" not in answer.read().decode()

    studio.page.goto(f"{studio.base}/works")
    studio.page.get_by_role("button", name="Accept", exact=False).last.click()
    studio.page.wait_for_load_state()
    _until(anna.page, lambda: "in the gallery" in anna.page.inner_text("#works"))

    _let_people_vote(studio)
    stranger = visit("en-GB")
    stranger.page.goto(gallery)
    stranger.page.get_by_role("link", name="The sea at noon").click()
    stranger.page.get_by_role("button", name=re.compile("Vote")).first.click()
    expect(stranger.page.locator("main")).to_contain_text("votes left today", timeout=_PATIENCE)
    assert stranger.context.cookies() == []


def _let_people_vote(studio: Studio) -> None:
    """The marketer lets voting begin at once."""
    studio.page.goto(f"{studio.base}/works/voting")
    now = studio.stack.clock.now().astimezone(ZoneInfo("Europe/Paris"))
    moments = studio.page.locator("input[type=datetime-local]")
    moments.first.fill((now - dt.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M"))
    studio.page.get_by_role("button", name="Save").first.click()
    expect(studio.page.locator(".flash").first).to_be_visible(timeout=_PATIENCE)
