"""Colours and pictures made when asked for."""

import io
import re
from dataclasses import replace

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from leadgen.campaigns import cards
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import colour
from leadgen.core.db import db
from leadgen.entries import person
from leadgen.entries.models import Entry
from leadgen.web import drawing
from leadgen.web.drawing import Words
from leadgen.web.pages import STATIC
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor


def test_a_brands_colours_come_as_a_style_sheet(visitor: Visitor, scene: Scene) -> None:
    answer = visitor.get("/theme/1-ffdd00.css")
    assert answer.mimetype == "text/css"
    assert "immutable" in answer.headers["Cache-Control"]
    assert f"--accent: light-dark({colour.palette('#ffdd00').light.ground}" in answer.text
    assert len(re.findall(r"--[a-z-]+: light-dark", answer.text)) == 6


@pytest.mark.parametrize("accent", ["zzzzzz", "fff", "0b6e6e;}"])
def test_what_is_no_colour_is_not_there(visitor: Visitor, scene: Scene, accent: str) -> None:
    assert visitor.get(f"/theme/1-{accent}.css").status_code == 404


def _picture(answer: TestResponse) -> Image.Image:
    assert answer.mimetype == "image/png"
    return Image.open(io.BytesIO(answer.data))


def _card_of(page: TestResponse) -> str:
    [found] = re.findall(r'<meta property="og:image" content="http://localhost([^"]+)">', page.text)
    return found


def test_the_card_has_the_size_that_networks_want(visitor: Visitor, scene: Scene) -> None:
    """F12: 1200 × 630, at most 1 MB, absolute address, one for each language."""
    english, french = (_card_of(visitor.get(f"/c/island?lang={lang}")) for lang in ("en", "fr"))
    assert english != french
    answer = visitor.get(english)
    assert len(answer.data) < 1_000_000
    assert _picture(answer).size == (1200, 630)
    assert answer.data != visitor.get(french).data
    assert visitor.get("/og/c/island/card-de-0.png").status_code == 404
    assert visitor.get("/og/c/island/poster-en-0.png").status_code == 404
    assert visitor.get("/og/c/nowhere/card-en-0.png").status_code == 404


def test_a_cards_address_is_for_ever_and_another_after_an_edit(app: Flask, visitor: Visitor, scene: Scene) -> None:
    before = _card_of(visitor.get("/c/island?lang=en"))
    assert "immutable" in visitor.get(before).headers["Cache-Control"]
    with app.app_context():
        campaigns.edit_texts(
            db.session.get_one(Campaign, scene.campaign_id), "en", {"title": "Win two weeks in Lisbon"}
        )
        db.session.commit()
    cards.forget()
    after = _card_of(visitor.get("/c/island?lang=en"))
    assert after != before
    assert "immutable" not in visitor.get(before).headers["Cache-Control"], "what an old address shows may change"


def test_the_first_name_is_on_the_card_of_whoever_agreed(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """Issue 4, line 6."""
    crawler = {"User-Agent": "facebookexternalhit/1.1", "Accept-Language": "fr"}
    without = _card_of(visitor.get(f"/r/{scene.code}", headers=crawler))
    assert visitor.get(without).data == visitor.get(_card_of(visitor.get("/c/island?lang=fr"))).data
    with app.app_context():
        db.session.get_one(Entry, scene.ben_id).is_name_on_card = True
        db.session.commit()
    person.forget()
    named = _card_of(visitor.get(f"/r/{scene.code}", headers=crawler))
    assert named != without
    assert visitor.get(named).headers["Cache-Control"] == "public, max-age=86400", "a name is not kept for a year"
    assert visitor.get(named).data != visitor.get(without.replace("/og/r/" + scene.code, "/og/c/island")).data


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (CampaignStatus.PAUSED, "takes no entries at the moment"),
        (CampaignStatus.CLOSED, "This contest is over"),
    ],
)
def test_f12_another_card_when_paused_or_closed(
    app: Flask, visitor: Visitor, scene: Scene, status: CampaignStatus, said: str
) -> None:
    crawler = {"User-Agent": "WhatsApp/2.24", "Accept-Language": "en"}
    live = _card_of(visitor.get(f"/r/{scene.code}", headers=crawler))
    with app.app_context():
        db.session.get_one(Campaign, scene.campaign_id).status = status
        db.session.commit()
    cards.forget()
    page = visitor.get(f"/r/{scene.code}", headers=crawler)
    assert said in page.text
    assert _card_of(page) != live
    assert _picture(visitor.get(_card_of(page))).size == (1200, 630)


@pytest.mark.parametrize(("shape", "size"), [("square", (1080, 1080)), ("story", (1080, 1920))])
def test_pictures_to_share_come_in_the_shapes_of_feeds(
    visitor: Visitor, scene: Scene, shape: str, size: tuple[int, int]
) -> None:
    [address] = re.findall(rf'href="(/og/r/{scene.code}/{shape}-[^"]+)"', visitor.get(f"{scene.me}?lang=en").text)
    answer = visitor.get(address)
    assert _picture(answer).size == size
    assert len(answer.data) < 1_000_000


def test_an_address_from_before_cards_had_marks_still_shows_one(visitor: Visitor, scene: Scene) -> None:
    assert _picture(visitor.get("/og/island-fr-1.png")).size == (1200, 630)
    assert visitor.get("/og/island-de-1.png").status_code == 404


@pytest.mark.parametrize("title", ["Win it \U0001f389", "x" * 90, "A " * 45, "Gewinne Übergröße, ça c’est sûr"])
def test_any_title_can_be_drawn(title: str) -> None:
    words = drawing.Words("", "Brand", "", "#ffdd00", title, "A prize " * 20, "Ben invites you")
    for shape, size in drawing.SHAPES.items():
        assert Image.open(io.BytesIO(drawing.draw(shape, words))).size == size


def test_drawn_pictures_load_nothing_and_hero_pictures_have_a_preview() -> None:
    drawn = sorted((STATIC / "pictures").glob("*.svg"))
    assert len(drawn) > 15
    for picture in drawn:
        source = picture.read_text()
        assert "href" not in source, picture.name
        assert "<script" not in source, picture.name
        assert len(source) < 60_000, picture.name
    kinds = ("race", "milestones", "waitlist", "coupons", "quiz", "photos")
    for hero in ("escales-hero", *(f"hero-{kind}" for kind in kinds)):
        preview = STATIC / "pictures" / f"{hero}.png"
        assert preview.stat().st_size <= 200_000
        with Image.open(preview) as picture:
            assert picture.size == (1200, 630)


_LONG = Words(
    picture="hero-race",
    brand="Brûlerie À l’Étage Édition",
    logo="",
    accent="#7a1f5c",
    title="Rejoignez dès aujourd’hui la liste d’attente de notre toute nouvelle collection d’été et avancez",
    prize="Une très longue récompense qui ne tient pas sur une seule ligne de la carte 🎁",
    says="Marie-Antoinette-Éléonore vous invite à participer 🎉",
)


@pytest.mark.parametrize("shape", drawing.SHAPES)
@pytest.mark.parametrize("words", [_LONG, replace(_LONG, prize="", says="", title="Win"), replace(_LONG, is_over=True)])
def test_no_fifth_of_a_picture_is_empty(shape: str, words: Words) -> None:
    """Long words, no prize, nobody who invites: something is drawn from the top to the foot."""
    image = Image.open(io.BytesIO(drawing.draw(shape, words))).convert("L")
    fifth = image.height // 5
    for number in range(5):
        part = image.crop((0, number * fifth, image.width, (number + 1) * fifth))
        low, high = part.getextrema()
        assert int(str(high)) - int(str(low)) > 60, (shape, number)


def test_the_words_of_a_story_stay_clear_of_the_apps_own_buttons() -> None:
    """Stories lay their answer field over the lowest part: the picture goes on there, the sheet ends above."""
    words = replace(_LONG, picture="escales-hero")
    image = Image.open(io.BytesIO(drawing.draw("story", words))).convert("RGB")
    assert image.getpixel((540, 1600)) == (255, 255, 255)
    assert image.getpixel((540, 1700)) != (255, 255, 255)
    assert image.getpixel((540, 1900)) != (255, 255, 255)
