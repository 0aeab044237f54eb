"""Pictures drawn on the server: the card that previews of a link show, and the same for feeds and stories."""

from __future__ import annotations

import hashlib
import io
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from leadgen.campaigns import sharing
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import colour
from leadgen.core.errors import NotFound
from leadgen.pictures import service as pictures
from leadgen.web.pages import STATIC

SHAPES = {"card": (1200, 630), "square": (1080, 1080), "story": (1080, 1920)}
_INK, _SOFT, _PAPER = "#10201f", "#4d5c5b", "#ffffff"
_MARGIN = 56
_PICTURE = "hero-race"  # of a campaign whose own cannot be drawn
_STRIPE = 10
_ROUND = 44
_FADE = 90  # pixels over which a picture goes over into its own colours
_MOST_BYTES = 950_000
_LAST_DRAWN = "\u052f"  # Latin, Greek and Cyrillic: what the font can draw
_SIGNS = "‘’“”„«»‹›–—…•€₣©®™№’\u00a0\u202f"


@dataclass(frozen=True, slots=True)
class Words:
    """Everything on a card. `says` stands on the accent: who invites, or that the contest is over."""

    picture: str
    brand: str
    logo: str
    accent: str
    title: str
    prize: str
    says: str
    is_over: bool = False  # grey: nobody can enter (now)


@dataclass(frozen=True, slots=True)
class _Type:
    """The sizes of letters in one shape, and how many lines a title may take."""

    says: int
    brand: int
    title: tuple[int, ...]  # the largest that fits
    prize: int
    lines: int
    prize_lines: int = 1
    foot: int = 0  # under the words: an app's own buttons lie there, so the picture goes on


_TYPES = {
    "card": _Type(says=30, brand=26, title=(56, 48, 42), prize=32, lines=2),
    "square": _Type(says=38, brand=34, title=(76, 66, 58), prize=42, lines=4, prize_lines=2),
    "story": _Type(says=46, brand=42, title=(96, 84, 72), prize=50, lines=6, prize_lines=2, foot=300),
}


def words_of(card: CampaignCard, locale: str, says: str = "", *, is_over: bool = False) -> Words:
    """What a campaign's card says in one language."""
    return Words(
        picture=card.picture if _is_drawn(card.picture) else _PICTURE,
        brand=card.brand.name,
        logo=card.brand.logo,
        accent=card.brand.accent,
        title=card.text("title", locale),
        prize=sharing.prize_title(card, locale),
        says=says,
        is_over=is_over,
    )


@lru_cache(maxsize=512)
def _is_drawn(picture: str) -> bool:
    return pictures.is_own(picture) or (STATIC / "pictures" / f"{picture}.png").is_file()


@lru_cache(maxsize=4096)
def mark(words: Words) -> str:
    """Names what a card shows, for its address: another one as soon as anything on it differs."""
    return hashlib.sha256("\n".join(map(str, astuple(words))).encode()).hexdigest()[:10]


def can_draw(name: str) -> bool:
    """Whether the font has every letter of a name."""
    return all(character <= _LAST_DRAWN or character in _SIGNS for character in name)


@lru_cache(maxsize=128)
def draw(shape: str, words: Words) -> bytes:
    """The card as a PNG of at most 1 MB in one of SHAPES."""
    size = SHAPES[shape]
    kind = _TYPES[shape]
    image = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(image)
    accent = _SOFT if words.is_over else colour.palette(words.accent).light.ground
    left = _MARGIN if not kind.foot else 2 * _MARGIN - _MARGIN // 4
    width = size[0] - 2 * left
    lines, font = _fitted(pen, _tidy(words.title), kind, width)
    prize = _prize_lines(pen, words, kind, width)
    height = _panel_height(kind, len(lines), font, prizes=len(prize))
    top = size[1] - kind.foot - height
    _paste_picture(image, words, top + 2 * _FADE if kind.foot else top, accent)
    _draw_panel(pen, size, (top, top + height), accent, is_floating=bool(kind.foot))
    y = top + _STRIPE + kind.brand
    _draw_brand(image, pen, words, (left, y), kind.brand)
    y += int(kind.brand * 1.9)
    for line in lines:
        pen.text((left, y), line, fill=_INK, font=font)
        y += int(font.size * 1.16)
    y += int(kind.prize * 0.35)
    for line in prize:
        pen.text((left, y), line, fill=accent, font=_font(kind.prize))
        y += int(kind.prize * 1.25)
    if words.says:
        _draw_says(pen, words, kind, accent, size)
    return _packed(image)


def _prize_lines(pen: ImageDraw.ImageDraw, words: Words, kind: _Type, width: int) -> list[str]:
    if not words.prize:
        return []
    return _lines(pen, _tidy(words.prize), _font(kind.prize), width, most=kind.prize_lines)


def _panel_height(kind: _Type, lines: int, font: ImageFont.FreeTypeFont, *, prizes: int) -> int:
    under = int(kind.prize * (0.45 + 1.25 * prizes)) if prizes else 0
    return _STRIPE + int(kind.brand * 2.9) + int(font.size * 1.16) * lines + under + int(kind.brand * 1.1)


def _draw_panel(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], span: tuple[int, int], accent: str, *, is_floating: bool
) -> None:
    """The paper under the words: up to the edge below, or a sheet that lies on the picture."""
    top, bottom = span
    if not is_floating:
        pen.rectangle((0, top, size[0], top + _STRIPE), fill=accent)
        pen.rectangle((0, top + _STRIPE, size[0], bottom), fill=_PAPER)
        return
    edge = _MARGIN - _MARGIN // 4
    pen.rounded_rectangle((edge, top - _STRIPE, size[0] - edge, bottom), radius=_ROUND, fill=accent)
    pen.rounded_rectangle((edge, top + _STRIPE // 2, size[0] - edge, bottom), radius=_ROUND, fill=_PAPER)


def _paste_picture(image: Image.Image, words: Words, height: int, accent: str) -> None:
    """The campaign's picture over everything above the panel, cut to fit, its sky first; else the accent."""
    ImageDraw.Draw(image).rectangle((0, 0, image.width, height), fill=accent)
    source = _source(words.picture)
    if source is None:
        return
    with Image.open(source) as opened:
        hero = opened.convert("L").convert("RGB") if words.is_over else opened.convert("RGB")
    if height < image.height and image.height > image.width:
        image.paste(_glow(hero, image.size))
    scale = max(image.width / hero.width, height / hero.height)
    hero = hero.resize((round(hero.width * scale), round(hero.height * scale)), Image.Resampling.LANCZOS)
    left, over = (hero.width - image.width) // 2, hero.height - height
    seen = hero.crop((left, over * 2 // 3, left + image.width, over * 2 // 3 + height))
    image.paste(seen, (0, 0), _fading(seen.size) if image.height > image.width else None)


def _glow(hero: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The colours of a picture's lower half without its shapes: a ground that belongs to it."""
    low = hero.crop((0, hero.height // 2, hero.width, hero.height)).resize((9, 16), Image.Resampling.BOX)
    return low.resize(size, Image.Resampling.BICUBIC)


def _fading(size: tuple[int, int]) -> Image.Image:
    """A mask that lets a picture go at its lower edge."""
    column = Image.new("L", (1, size[1]), 255)
    for number in range(_FADE):
        column.putpixel((0, size[1] - 1 - number), 255 * number // _FADE)
    return column.resize(size)


def _source(picture: str) -> Path | io.BytesIO | None:
    """Where the picture is: uploaded by the brand, or in the collection; None when it is gone."""
    if pictures.is_own(picture):
        try:
            return io.BytesIO(pictures.read(picture, is_large=True)[0])
        except NotFound:
            return None
    drawn = STATIC / "pictures" / f"{picture}.png"
    return drawn if picture.replace("-", "").isalnum() and drawn.is_file() else None


def _draw_brand(image: Image.Image, pen: ImageDraw.ImageDraw, words: Words, at: tuple[int, int], size: int) -> None:
    """The logo as letters show it, else the brand's name."""
    source = STATIC / "pictures" / f"{words.logo}-letter.png"
    if words.logo.replace("-", "").isalnum() and source.is_file():
        with Image.open(source) as opened:
            logo = opened.convert("RGBA")
        height = int(size * 1.5)
        logo = logo.resize((round(logo.width * height / logo.height), height), Image.Resampling.LANCZOS)
        image.paste(logo, (at[0], at[1] - size // 4), logo)
        return
    pen.text(at, _tidy(words.brand).upper(), fill=_SOFT, font=_font(size))


def _draw_says(pen: ImageDraw.ImageDraw, words: Words, kind: _Type, accent: str, size: tuple[int, int]) -> None:
    """Who invites, in a label over the picture."""
    said, room = _tidy(words.says), size[0] - 4 * _MARGIN
    sizes = (kind.says, int(kind.says * 0.85), int(kind.says * 0.7))
    chosen = next((one for one in sizes if pen.textlength(said, font=_font(one)) <= room), sizes[-1])
    font = _font(chosen)
    [line] = _lines(pen, said, font, room, most=1)
    pad = int(kind.says * 0.7)
    left, top = _MARGIN, _MARGIN if kind is not _TYPES["story"] else 4 * _MARGIN  # a story's top belongs to the app
    right = left + int(pen.textlength(line, font=font)) + 2 * pad
    bottom = top + kind.says + int(1.4 * pad)
    ink = "#ffffff" if words.is_over else colour.palette(words.accent).light.ink
    pen.rounded_rectangle((left, top, right, bottom), radius=(bottom - top) // 2, fill=accent)
    pen.text((left + pad, (top + bottom) // 2), line, fill=ink, font=font, anchor="lm")


def _fitted(pen: ImageDraw.ImageDraw, title: str, kind: _Type, width: int) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """The title on as few lines as it goes, in the largest letters that do so; else cut in the smallest."""
    tried = [(_lines(pen, title, _font(size), width, most=kind.lines + 1), _font(size)) for size in kind.title]
    fewest = min(len(lines) for lines, _ in tried)
    if fewest <= kind.lines:
        font = next(font for lines, font in tried if len(lines) == fewest)
        return _balanced(pen, title, font, width, fewest), font
    return _lines(pen, title, _font(kind.title[-1]), width, most=kind.lines), _font(kind.title[-1])


def _balanced(pen: ImageDraw.ImageDraw, title: str, font: ImageFont.FreeTypeFont, width: int, number: int) -> list[str]:
    """So many lines of about the same length: no word is left alone on the last one."""
    for share in (0.6, 0.7, 0.8, 0.9):
        lines = _lines(pen, title, font, int(width * share), most=number + 1)
        if len(lines) == number and not lines[-1].endswith("…"):
            return lines
    return _lines(pen, title, font, width, most=number)


def _lines(pen: ImageDraw.ImageDraw, words: str, font: ImageFont.FreeTypeFont, width: int, *, most: int) -> list[str]:
    """The words on so many lines at most, cut with an ellipsis."""
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if pen.textlength(longer, font=font) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    kept = lines[:most]
    if len(lines) > most or pen.textlength(kept[-1], font=font) > width:
        while kept[-1] and pen.textlength(kept[-1] + "…", font=font) > width:
            kept[-1] = kept[-1][:-1]
        kept[-1] = kept[-1].rstrip(" ,.;:") + "…"
    return kept


def _tidy(words: str) -> str:
    """On one line, without what the font cannot draw, such as pictures among letters."""
    known = "".join(character for character in words if can_draw(character))
    return " ".join(known.replace("\u202f", "\u00a0").split(" ")).strip()


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(STATIC / "fonts" / "inter-bold.otf", size)


def _packed(image: Image.Image) -> bytes:
    """As PNG; a picture with too many colours for 1 MB keeps 256 of them."""
    packed = io.BytesIO()
    image.save(packed, "PNG")
    if packed.tell() > _MOST_BYTES:
        packed = io.BytesIO()
        image.quantize(256).save(packed, "PNG")
    return packed.getvalue()
