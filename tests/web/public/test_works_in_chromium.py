"""A contest of photos in a real browser: handing in and voting without a script, and nothing that the policy blocks."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from leadgen.core import hot, links
from leadgen.core.db import db
from leadgen.gallery import service as gallery
from leadgen.gallery.models import WorkState
from tests.gallery import photos
from tests.gallery.conftest import Contest, make_contest


@pytest.fixture
def photo_file(tmp_path: Path) -> Path:
    path = tmp_path / "beach.jpg"
    path.write_bytes(photos.with_exif(orientation=6))
    return path


def _me(app: Flask, contest: Contest, street: str) -> str:
    with app.app_context():
        ben = db.session.merge(contest.ben)
        return links.status(ben.id, ben.access_version).replace("http://localhost", street)


def test_from_the_file_to_the_first_vote_without_a_script(
    app: Flask, chromium: Browser, street: str, photo_file: Path
) -> None:
    with app.app_context():
        contest = make_contest()
        campaign_id = contest.campaign.id
    visitor = chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = visitor.new_page()
    page.goto(_me(app, contest, street))
    page.click("#works >> text=Hand in a photo")
    page.set_input_files("#photo", photo_file)
    page.fill("#title", "Low tide")
    page.click("#hand-in")
    assert "Tick the box" in page.inner_text("main")  # the words are still there, only the file must be chosen again
    assert page.input_value("#title") == "Low tide"
    page.set_input_files("#photo", photo_file)
    page.check("#rights")
    page.click("#hand-in")
    expect(page.locator("#works")).to_contain_text("being looked at")
    with app.app_context():
        work_id = hot.many("SELECT id FROM work", {})[0]["id"]
        gallery.decide(campaign_id, [work_id], WorkState.PUBLISHED, by="Ada")
        db.session.commit()
        db.session.merge(contest.campaign)
        contest.campaign = db.session.merge(contest.campaign)
        contest.vote_now()
    stranger = chromium.new_context(java_script_enabled=False, locale="en-GB").new_page()
    stranger.goto(f"{street}/c/photos/works?lang=en")
    stranger.click("text=Low tide")
    stranger.click("text=Vote for this work")
    expect(stranger.locator("#vote")).to_contain_text("You have 2 votes left today.")
    assert stranger.context.cookies() == []
    assert hot.many("SELECT votes FROM work", {}) == [{"votes": 1}]
    stranger.context.close()
    visitor.close()


def test_the_gallery_keeps_to_its_policy_on_a_phone(app: Flask, chromium: Browser, street: str, page: Page) -> None:
    with app.app_context():
        contest = make_contest()
        given = gallery.WorkInput(title="A", body="", photo=photos.photo(), is_agreed=True, rights="x", address="::1")
        work = gallery.hand_in(contest.ben.id, contest.card, contest.action, given)
        gallery.decide(contest.campaign.id, [work.id], WorkState.PUBLISHED, by="Ada")
        db.session.commit()
        public_id = work.public_id
        contest.vote_now()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/c/photos/works", f"/c/photos/works/{public_id}"):
        page.goto(street + address)
        expect(page.locator("main img").first).to_have_js_property("complete", value=True)
        assert page.evaluate("document.querySelector('main img').naturalWidth") > 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert said == []


def test_what_cannot_arrive_is_mended_or_said_before_it_is_sent(
    app: Flask, chromium: Browser, street: str, tmp_path: Path
) -> None:
    """A photo of too many pixels is made smaller in the browser; a HEIC is refused there, in the person's language."""
    with app.app_context():
        contest = make_contest()
    page = chromium.new_context(locale="fr-FR").new_page()
    page.goto(_me(app, contest, street) + "?lang=fr")
    page.click("#works >> css=a.button >> nth=0")

    heic = tmp_path / "IMG_0001.HEIC"
    heic.write_bytes(b"\x00\x00\x00\x18ftypheic" + b"\x00" * 100)
    page.set_input_files("#photo", heic)
    expect(page.locator("#photo-error")).to_contain_text("C’est une photo HEIC")
    page.click("#hand-in")
    assert page.evaluate("document.activeElement.id") == "photo", "nothing is sent"

    huge = tmp_path / "huge.png"
    Image.new("RGB", (7000, 4000), "#0b6e6e").save(huge)
    page.set_input_files("#photo", huge)
    expect(page.locator("#photo-said")).to_have_text("La photo a été réduite pour arriver plus vite.")
    expect(page.locator("#photo-error")).to_have_count(0)
    page.fill("#title", "La mer")
    page.check("#rights")
    page.click("#hand-in")
    expect(page.locator("#works .notice-success")).to_be_visible()


def test_forty_megabytes_get_an_answer_and_not_a_cut_line(
    app: Flask, chromium: Browser, street: str, tmp_path: Path
) -> None:
    """Without a script, over a real line: the sentence, and the words that were typed."""
    with app.app_context():
        contest = make_contest()
    page = chromium.new_context(java_script_enabled=False, locale="en-GB").new_page()
    page.goto(_me(app, contest, street))
    page.click("#works >> text=Hand in a photo")
    large = tmp_path / "large.jpg"
    large.write_bytes(b"\xff\xd8\xff" + b"\x00" * (40 * 1024 * 1024))
    page.set_input_files("#photo", large)
    page.fill("#title", "At the sea")
    page.click("#hand-in")
    assert "larger than 10 MB" in page.inner_text("main")
    assert page.input_value("#title") == "At the sea"
