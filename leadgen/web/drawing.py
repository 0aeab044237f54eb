"""Pictures drawn on the server: the card that previews of a link show, and the same for feeds and stories."""

from __future__ import annotations

import hashlib
import io
from dataclasses import astuple, dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from leadgen.campaigns import sharing
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import colour
from leadgen.web.pages import STATIC

SHAPES = {"card": (1200, 630), "square": (1080, 1080), "story": (1080, 1920)}
_INK, _SOFT, _PAPER = "#10201f", "#4d5c5b", "#ffffff"
_MARGIN = 56
_PICTURE = "hero-race"  # of a campaign whose own cannot be drawn
_STRIPE = 10
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


_TYPES = {
    "card": _Type(says=30, brand=26, title=(56, 48, 42), prize=32, lines=2),
    "square": _Type(says=38, brand=34, title=(76, 66, 58), prize=42, lines=4),
    "story": _Type(says=46, brand=42, title=(96, 84, 72), prize=50, lines=5),
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
    return (STATIC / "pictures" / f"{picture}.png").is_file()


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
    width = size[0] - 2 * _MARGIN
    lines, font = _fitted(pen, _tidy(words.title), kind, width)
    height = _panel_height(kind, len(lines), font, has_prize=bool(words.prize))
    top = size[1] - height
    _paste_picture(image, words, top, accent)
    pen.rectangle((0, top, size[0], top + _STRIPE), fill=accent)
    y = top + _STRIPE + kind.brand
    _draw_brand(image, pen, words, (_MARGIN, y), kind.brand)
    y += int(kind.brand * 1.9)
    for line in lines:
        pen.text((_MARGIN, y), line, fill=_INK, font=font)
        y += int(font.size * 1.16)
    if words.prize:
        [prize], small = _lines(pen, _tidy(words.prize), _font(kind.prize), width, most=1), _font(kind.prize)
        pen.text((_MARGIN, y + int(kind.prize * 0.35)), prize, fill=accent, font=small)
    if words.says:
        _draw_says(pen, words, kind, accent, size)
    return _packed(image)


def _panel_height(kind: _Type, lines: int, font: ImageFont.FreeTypeFont, *, has_prize: bool) -> int:
    under = int(kind.prize * 1.7) if has_prize else 0
    return _STRIPE + int(kind.brand * 2.9) + int(font.size * 1.16) * lines + under + int(kind.brand * 1.1)


def _paste_picture(image: Image.Image, words: Words, height: int, accent: str) -> None:
    """The campaign's picture over everything above the panel, cut to fit, its sky first; else the accent."""
    ImageDraw.Draw(image).rectangle((0, 0, image.width, height), fill=accent)
    source = STATIC / "pictures" / f"{words.picture}.png"
    if not (words.picture.replace("-", "").isalnum() and source.is_file()):
        return
    with Image.open(source) as opened:
        hero = opened.convert("L").convert("RGB") if words.is_over else opened.convert("RGB")
    scale = max(image.width / hero.width, height / hero.height)
    hero = hero.resize((round(hero.width * scale), round(hero.height * scale)), Image.Resampling.LANCZOS)
    left, over = (hero.width - image.width) // 2, hero.height - height
    image.paste(hero.crop((left, over * 2 // 3, left + image.width, over * 2 // 3 + height)), (0, 0))


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
    font = _font(kind.says)
    [line] = _lines(pen, _tidy(words.says), font, size[0] - 4 * _MARGIN, most=1)
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
        return next(found for found in tried if len(found[0]) == fewest)
    return _lines(pen, title, _font(kind.title[-1]), width, most=kind.lines), _font(kind.title[-1])


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
