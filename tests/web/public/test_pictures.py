"""Colours and pictures made when asked for."""

import io
import re

import pytest
from PIL import Image

from leadgen.core import colour
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


def test_the_preview_picture_has_the_size_that_networks_want(visitor: Visitor, scene: Scene) -> None:
    """F12: 1200 × 630, at most 1 MB."""
    answer = visitor.get("/og/island-fr-1.png")
    assert len(answer.data) < 1_000_000
    assert Image.open(io.BytesIO(answer.data)).size == (1200, 630)
    assert answer.data != visitor.get("/og/island-en-1.png").data
    assert visitor.get("/og/island-de-1.png").status_code == 404


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
