"""The studio's list of actions in a real browser: dragged into order, nothing too wide, nothing against the policy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from leadgen.campaigns.models import ActionKind, Campaign
from leadgen.core.db import db
from tests.actions import conftest as kit
from tests.web.admin.test_browser import address, complaints, page
from tests.world import World

__all__ = ["address", "complaints", "page"]


@pytest.mark.parametrize("width", [390, 1280])
def test_actions_are_dragged_into_order(
    app: Flask, world: World, base: str, page: Page, complaints: list[str], width: int
) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        kinds = (ActionKind.DAILY, ActionKind.QUIZ, ActionKind.CODE)
        first, quiz, last = (kit.an(kind, campaign).id for kind in kinds)
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(f"{base}/actions")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    with page.expect_response("**/actions/order"):
        page.drag_and_drop(f"#action-{last} .rows-icon", f"#action-{first}", target_position={"x": 5, "y": 2})
    page.reload()
    order = page.locator("[data-id]").evaluate_all("all => all.map(row => Number(row.dataset.id))")
    assert order == [last, first, quiz]
    for name, path in (("list", ""), ("catalogue", "/new"), ("quiz", f"/{quiz}")):
        page.goto(f"{base}/actions{path}")
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=str(Path(folder) / f"studio-{name}-{width}.png"), full_page=True)
    assert complaints == []
