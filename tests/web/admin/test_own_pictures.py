"""A marketer's own pictures for prizes, rewards and the page: made anew, chosen, served safely, shown on cards."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import update

from leadgen.campaigns import cards, own_pictures
from leadgen.campaigns.models import Campaign
from leadgen.core import clock as clock_of
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.pictures import service as pictures
from leadgen.pictures.models import Picture
from leadgen.web import drawing
from tests.factories_contest import make_milestone, make_picture
from tests.gallery import photos
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


def _sent(ada: Staff, path: str, content: bytes, name: str = "IMG_0001.jpg", **more: Any) -> Any:
    known = fields_of(ada.get(path).text)
    return ada.post(path, known | more | {"picture_file": (io.BytesIO(content), name)})


def _names() -> list[str]:
    return [f"own-{row['public_id'].lower()}" for row in hot.many("SELECT public_id FROM picture ORDER BY id", {})]


@pytest.fixture
def prize(world: World, base: str) -> str:
    return f"{base}/prizes/{world.campaign.prizes[0].id}"


@pytest.fixture
def tier(app: Flask, world: World, base: str) -> str:
    with app.app_context():
        return f"{base}/rewards/{make_milestone(db.session.get_one(Campaign, world.campaign.id)).id}"


def test_a_picture_of_one_s_own_for_a_prize_a_reward_and_the_page(
    app: Flask, ada: Staff, client: FlaskClient, world: World, base: str, prize: str, tier: str
) -> None:
    for path in (prize, tier, f"{base}/page"):
        assert _sent(ada, path, photos.with_exif()).status_code == 303, path
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        chosen = [campaign.prizes[0].picture, campaign.milestones[0].picture, campaign.picture]
    assert chosen == _names()
    cards.forget()
    page = client.get("/c/summer").text
    assert f'src="/pictures/{chosen[2]}/large.webp"' in page
    assert f"/pictures/{chosen[0]}/small.webp" in ada.get(f"{base}/prizes").text
    for path in (prize, tier, f"{base}/page"):
        shown = ada.get(path).text
        assert [name for name in chosen if f'value="{name}"' in shown] == chosen, "each can be chosen everywhere"
    assert re.search(rf'value="{chosen[0]}" checked', ada.get(prize).text)


def test_it_is_served_as_nothing_but_a_picture(ada: Staff, client: FlaskClient, prize: str) -> None:
    _sent(ada, prize, photos.with_exif() + b"<script>alert(1)</script>", name="x.html")
    [name] = _names()
    answer = client.get(f"/pictures/{name}/large.webp")
    assert answer.status_code == 200
    assert answer.mimetype == "image/webp"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer.headers["Content-Disposition"] == f'inline; filename="{name}-large.webp"'
    assert b"script" not in answer.data
    with Image.open(io.BytesIO(answer.data)) as seen:
        assert dict(seen.getexif()) == {}
    for path in (f"/pictures/{name}/huge.webp", "/pictures/own-nobody/large.webp", f"/pictures/{name[4:]}/large.webp"):
        assert client.get(path).status_code == 404


def test_a_photo_that_somebody_handed_in_is_not_served_here(app: Flask, client: FlaskClient, world: World) -> None:
    with app.app_context():
        picture = make_picture(world.brand.id)
        name = pictures.name_of(picture)
        with pytest.raises(NotFound):
            pictures.read(name, is_large=True)
    assert client.get(f"/pictures/{name}/large.webp").status_code == 404


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "This is a drawing (SVG)"),
        (b"%PDF-1.7", "This is a PDF file"),
        (b"\xff\xd8\xff" + b"\x00" * 100, "damaged"),
        (b"", "Choose a photo."),
    ],
)
def test_what_is_no_picture_is_told_at_the_chooser_and_words_stay(
    ada: Staff, prize: str, content: bytes, sentence: str
) -> None:
    answer = _sent(ada, prize, content, **{"en-title": "A better name"})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'id="picture-error"' in answer.text
    assert 'value="A better name"' in answer.text
    assert _names() == []


def test_a_form_that_comes_back_keeps_the_picture(ada: Staff, prize: str) -> None:
    answer = _sent(ada, prize, photos.photo(), quantity="-1")
    assert answer.status_code == 422
    [name] = _names()
    assert f'value="{name}" checked' in answer.text


def test_a_picture_of_another_brand_is_as_absent(app: Flask, ada: Staff, world: World, prize: str) -> None:
    with app.app_context():
        foreign = own_pictures.add_picture(world.other_brand.id, photos.photo())
        db.session.commit()
    for name in (foreign, "own-00000000000000000000"):
        answer = ada.post(prize, fields_of(ada.get(prize).text) | {"picture": name})
        assert answer.status_code == 422
        assert "Choose a picture from the collection." in answer.text


def test_the_card_of_a_link_shows_it(app: Flask, ada: Staff, base: str, world: World) -> None:
    red = Image.new("RGB", (1600, 900), (255, 0, 0))
    _sent(ada, f"{base}/page", photos.packed(red, "PNG"))
    with app.app_context():
        cards.forget()
        words = drawing.words_of(cards.by_id(world.campaign.id), "en")
        with Image.open(io.BytesIO(drawing.draw("card", words))) as drawn:
            red_part, green_part, _blue = drawn.convert("RGB").getpixel((600, 50))  # type: ignore[misc]
    assert red_part > 200
    assert green_part < 60


def test_what_no_contest_shows_makes_room(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_pictures, "MOST", 2)
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        campaign.picture = first = own_pictures.add_picture(campaign.brand_id, photos.photo())
        second = own_pictures.add_picture(campaign.brand_id, photos.photo())
        with pytest.raises(Invalid, match="2 pictures of your own that are shown or new today"):
            own_pictures.add_picture(campaign.brand_id, photos.photo())
        assert pictures.names(campaign.brand_id) == [second, first], "somebody may be about to save what shows it"
        db.session.execute(update(Picture).values(created_at=clock_of.now() - timedelta(hours=25)))
        campaign.prizes[0].picture = third = own_pictures.add_picture(campaign.brand_id, photos.photo())
        db.session.flush()
        assert pictures.names(campaign.brand_id) == [third, first]
        with pytest.raises(Invalid, match="2 pictures of your own that are shown"):
            own_pictures.add_picture(campaign.brand_id, photos.photo())


def test_two_pictures_at_one_instant_are_one_too_many(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits for the first, and counts it."""
    monkeypatch.setattr(own_pictures, "MOST", 1)
    refused: list[str] = []

    def add() -> None:
        with app.app_context():
            try:
                own_pictures.add_picture(world.brand.id, photos.photo())
                db.session.commit()
            except Invalid as error:
                refused.append(str(error))

    with app.app_context():
        own_pictures.add_picture(world.brand.id, photos.photo())
        thread = Thread(target=add)
        thread.start()
        thread.join(2)
        db.session.commit()
        thread.join(20)

    assert (len(_names()), len(refused)) == (1, 1)


def test_the_chooser_says_in_words_what_each_shows(ada: Staff, prize: str) -> None:
    page = ada.get(prize).text
    for said in ("Island", "Train", "Suitcase", "Voucher", "Gift"):
        assert f'<span class="visually-hidden">{said}</span>' in page
    assert '<span class="visually-hidden">prize-' not in page
