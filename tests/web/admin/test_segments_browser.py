"""The builder of a segment by keyboard alone, in a real browser; and on a phone."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from leadgen.core.db import db
from leadgen.segments.models import Segment
from tests import factories
from tests.web.admin.test_browser import address, complaints, page  # noqa: F401 - fixtures
from tests.world import World


def test_one_is_built_by_keyboard_while_its_people_are_counted(
    app: Flask,
    world: World,
    page: Page,  # noqa: F811 - fixture
    complaints: list[str],  # noqa: F811 - fixture
) -> None:
    page.goto(f"/admin/brands/{world.brand.id}/segments/new")
    expect(page.locator("[data-without-script]")).to_be_hidden()
    page.locator("#name").focus()
    page.keyboard.type("Willing, and alone")
    page.locator("#set-0-row-0-field").focus()
    page.keyboard.type("agreed to m")
    page.keyboard.press("Tab")
    expect(page.locator("#set-0-row-0-way")).to_be_focused()
    expect(page.locator("#segment-told")).to_contain_text("People who agreed to marketing.")
    expect(page.locator("#segment-told b")).to_have_text("1")
    expect(page.locator(".segment-first")).to_contain_text("ben@mail.example")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#row-0")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#set-0-row-1-field")).to_be_focused()
    page.keyboard.type("confirmed friends")
    page.keyboard.press("Tab")
    expect(page.locator("#set-0-row-1-way")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#set-0-row-1-value")).to_be_focused()
    page.keyboard.type("5")
    expect(page.locator("#segment-told")).to_contain_text("and who brought at least 5 friends.")
    expect(page.locator("#segment-told b")).to_have_text("0")
    expect(page.locator("#set-0-row-1-value")).to_be_focused()
    page.keyboard.press("Backspace")
    page.keyboard.type("many")
    expect(page.locator("#segment-told")).to_contain_text("“Confirmed friends brought”")
    for _letter in "many":
        page.keyboard.press("Backspace")
    page.keyboard.type("0")
    expect(page.locator("#segment-told b")).to_have_text("1")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Willing, and alone")
    with app.app_context():
        made = db.session.query(Segment).one()
        assert [part["field"] for part in made.definition["all"][0]["all"]] == ["marketing", "friends"]
    assert complaints == []


def test_groups_come_and_go_without_a_reload(page: Page, world: World, complaints: list[str]) -> None:  # noqa: F811 - fixtures
    page.goto(f"/admin/brands/{world.brand.id}/segments/new")
    page.locator("#name").fill("Kept while one chooses")
    page.get_by_role("button", name="Add a group").click()
    expect(page.locator("#set-1-row-0-field")).to_be_focused()
    page.locator("#set-1-row-0-field").select_option("language")
    page.get_by_label("French").check()
    expect(page.locator("#segment-told")).to_contain_text("People whose language is French.")
    page.get_by_label("at least one group below").check()
    page.get_by_role("button", name="Remove group 1").click()
    expect(page.locator(".segment-set")).to_have_count(1)
    expect(page.locator("#name")).to_have_value("Kept while one chooses")
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_of_segments_is_wider_than_the_screen(app: Flask, page: Page, world: World, width: int) -> None:  # noqa: F811 - fixtures
    with app.app_context():
        number = factories.make_segment(world.brand).id
    page.set_viewport_size({"width": width, "height": 844})
    for part in ("", "/new", f"/{number}", f"/{number}/edit"):
        page.goto(f"/admin/brands/{world.brand.id}/segments{part}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, part
