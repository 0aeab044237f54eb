"""Ways to earn points in a real browser: one press where there is a script, and nothing too wide on a phone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from leadgen.campaigns.models import ActionKind, Campaign, Repeat
from leadgen.core import hot
from leadgen.core.db import db
from tests.actions import conftest as kit
from tests.web.public.conftest import Scene

WORDS = {
    ActionKind.SHARE: ("Share the contest", "Partagez le jeu"),
    ActionKind.VISIT: ("Look at our new pages", "Découvrez nos nouveautés"),
    ActionKind.VIDEO: ("Watch our film", "Regardez notre film"),
    ActionKind.QUIZ: ("Three questions on islands", "Trois questions sur les îles"),
    ActionKind.CODE: ("Find the code in your parcel", "Trouvez le code dans votre colis"),
    ActionKind.DAILY: ("Daily bonus", "Bonus quotidien"),
    ActionKind.FOLLOW: ("Follow us on Instagram", "Suivez-nous sur Instagram"),
    ActionKind.CUSTOM: ("Come to our stand", "Passez à notre stand"),
}


@pytest.fixture
def made(app: Flask, scene: Scene) -> dict[ActionKind, int]:
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        ids = {}
        for kind, (en, fr) in WORDS.items():
            texts = {"en": {"title": en, "help": "One line that says why."}, "fr": {"title": fr, "help": "Une ligne."}}
            repeat = Repeat.DAILY if kind is ActionKind.DAILY else Repeat.ONCE
            more = {"needs_others": 3} if kind is ActionKind.CUSTOM else {}
            settings = {"seconds": 1} if kind is ActionKind.VISIT else {}
            ids[kind] = kit.an(kind, campaign, texts=texts, repeat=repeat, settings=settings, **more).id
        return ids


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "locale"), [(390, "en"), (390, "fr"), (1280, "en"), (1280, "fr")])
def test_every_card_fits(
    chromium: Browser, street: str, scene: Scene, made: dict[ActionKind, int], width: int, locale: str, scheme: str
) -> None:
    visitor = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = visitor.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{street}{scene.me}?lang={locale}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.eval_on_selector_all(
        ".way-do button, .way-do a.button", "all => all.filter(b => b.offsetHeight && b.offsetHeight < 44).length"
    )
    assert small == 0, "targets of 44 pixels"
    assert said == []
    if folder := os.environ.get("SHOTS"):
        page.locator("#ways").screenshot(path=str(Path(folder) / f"ways-{width}-{locale}-{scheme}.png"))
        page.goto(f"{street}{scene.me}/actions/{made[ActionKind.QUIZ]}?lang={locale}")
        page.screenshot(path=str(Path(folder) / f"quiz-{width}-{locale}-{scheme}.png"))
    visitor.close()


def test_a_profile_is_followed_with_one_press(
    page: Page, street: str, scene: Scene, made: dict[ActionKind, int]
) -> None:
    card = f"#way-{made[ActionKind.FOLLOW]}"
    page.context.route("https://social.example/**", lambda route: route.fulfill(body="hello"))
    page.goto(f"{street}{scene.me}?lang=en")
    page.click(f"{card} a[data-act]")
    page.wait_for_selector(f"{card} .way-state-done")
    assert "2 points more for you." in page.inner_text(card)


def test_a_share_button_tells_the_card(page: Page, street: str, scene: Scene, made: dict[ActionKind, int]) -> None:
    page.context.route("https://wa.me/**", lambda route: route.fulfill(body="hello"))
    page.goto(f"{street}{scene.me}?lang=en")
    with page.expect_response("**/actions/*"):
        page.click(".network-wa")
    page.reload()
    assert "WhatsApp" in page.inner_text(f"#way-{made[ActionKind.SHARE]} .badge-success")
    assert hot.many("SELECT occurrence FROM deed", {}) == [{"occurrence": "wa"}]


def test_a_visit_counts_by_coming_back(page: Page, street: str, scene: Scene, made: dict[ActionKind, int]) -> None:
    card = f"#way-{made[ActionKind.VISIT]}"
    page.context.route("**/out/*", lambda route: route.fulfill(body="the site"))
    page.goto(f"{street}{scene.me}?lang=en")
    with page.expect_popup() as opened:
        page.click(f"{card} .way-go")
    page.wait_for_timeout(1500)
    opened.value.close()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector(f"{card} .way-state-done")
