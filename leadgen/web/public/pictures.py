"""Files made when asked for: a brand's colours as a style sheet, and the picture that previews of a link show."""

from __future__ import annotations

import io
import re
from functools import lru_cache

from flask import Response
from flask.typing import ResponseReturnValue
from PIL import Image, ImageDraw, ImageFont

from leadgen.campaigns import cards
from leadgen.core import colour
from leadgen.core.errors import NotFound
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.pages import STATIC
from leadgen.web.public import stages

_ACCENT = re.compile(r"[0-9a-f]{6}")
_FOREVER = "public, max-age=31536000, immutable"
_SIZE = (1200, 630)
_BAND = 210  # height of the band that carries the words
_MARGIN = 56
_LARGE, _SMALL = 56, 44  # letters of a title on one line, on two
_SKY = 110  # so much of the picture's sky gives way to the band


@guarded_by(Guard.ANYONE)
def theme(brand_id: int, accent: str) -> ResponseReturnValue:
    """The brand's colours, corrected where contrast asks for it; the address names them, so it never changes."""
    del brand_id  # in the address for people who read it; the colour alone decides
    if not _ACCENT.fullmatch(accent):
        raise NotFound
    return Response(_theme(accent), mimetype="text/css", headers={"Cache-Control": _FOREVER})


@guarded_by(Guard.ANYONE)
def og_image(slug: str, locale: str, version: int) -> ResponseReturnValue:
    """The campaign's picture, brand and title at 1200 × 630, for previews in messengers and networks."""
    card = cards.by_slug(slug)
    stages.stage_of(card)
    if locale not in card.locales:
        raise NotFound
    del version  # names the state of the texts, so that previews are fetched anew after an edit
    png = _og(card.picture, card.brand.name, card.text("title", locale), colour.palette(card.brand.accent).light.ground)
    return Response(png, mimetype="image/png", headers={"Cache-Control": "public, max-age=86400"})


@lru_cache(maxsize=256)
def _theme(accent: str) -> str:
    found = colour.palette(f"#{accent}")
    pairs = {
        "accent": (found.light.ground, found.dark.ground),
        "accent-hover": (found.light.hover, found.dark.hover),
        "on-accent": (found.light.ink, found.dark.ink),
        "accent-text": (found.light.text, found.dark.text),
        "accent-soft": (found.light.soft, found.dark.soft),
        "accent-line": (found.light.line, found.dark.line),
    }
    lines = (f"  --{name}: light-dark({light}, {dark});" for name, (light, dark) in pairs.items())
    return ":root {\n" + "\n".join(lines) + "\n}\n"


@lru_cache(maxsize=64)
def _og(picture: str, brand: str, title: str, accent: str) -> bytes:
    image = Image.new("RGB", _SIZE, accent)
    source = STATIC / "pictures" / f"{picture}.png"
    if picture.replace("-", "").isalnum() and source.is_file():
        with Image.open(source) as hero:
            image.paste(hero.convert("RGB").resize(_SIZE).crop((0, _SKY, _SIZE[0], _SIZE[1] - _BAND + _SKY)), (0, 0))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, _SIZE[1] - _BAND, *_SIZE), fill="#ffffff")
    draw.rectangle((0, _SIZE[1] - _BAND, _SIZE[0], _SIZE[1] - _BAND + 10), fill=accent)
    draw.text((_MARGIN, _SIZE[1] - _BAND + 36), brand.upper(), fill=accent, font=_font(26))
    top = _SIZE[1] - _BAND + 76
    is_short = draw.textlength(title, font=_font(_LARGE)) <= _SIZE[0] - 2 * _MARGIN
    font = _font(_LARGE if is_short else _SMALL)
    for line in _lines(draw, title, font):
        draw.text((_MARGIN, top), line, fill="#10201f", font=font)
        top += 56
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return packed.getvalue()


def _lines(draw: ImageDraw.ImageDraw, words: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """The title on two lines at most, cut with an ellipsis."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font=font) <= _SIZE[0] - 2 * _MARGIN:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines if len(lines) <= 2 else [lines[0], lines[1].rstrip(",.;:") + "…"]


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(STATIC / "fonts" / "inter-bold.otf", size)
