"""The queue of works by keyboard, in a real browser."""

from __future__ import annotations

from flask import Flask
from playwright.sync_api import Page, expect

from leadgen.campaigns.models import ActionKind, Campaign
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.gallery.models import WorkState
from tests.factories_contest import make_action, make_work
from tests.web.admin.test_browser import address, complaints, page  # noqa: F401 - fixtures
from tests.world import World


def test_works_are_accepted_and_refused_by_keys(app: Flask, world: World, page: Page, complaints: list[str]) -> None:  # noqa: F811 - fixtures
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        action = make_action(campaign, kind=ActionKind.UPLOAD, settings={"what": "text"})
        ben = db.session.get_one(Entry, world.ben.id)
        for number in range(3):
            make_work(ben, action, state=WorkState.WAITING, title=f"Work {number}", body="Hm.")
    page.goto(f"/admin/campaigns/{world.campaign.id}/works")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".work:focus")).to_contain_text("Work 1")
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("1 work is in the gallery.")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("1 work stands as before.")
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.locator("select:focus")).to_have_count(1)
    page.get_by_role("button", name="Refuse “Work 0”").click()
    expect(page.get_by_role("status")).to_contain_text("1 work is refused.")
    states = [row["state"] for row in hot.many("SELECT state FROM work ORDER BY id", {})]
    assert states == ["refused", "waiting", "waiting"]
    assert complaints == []
