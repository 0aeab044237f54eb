"""A brand's accent made readable: corrected in lightness until it keeps the contrasts of WCAG 2.2 on every surface."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

TEXT_CONTRAST = 4.5
CONTROL_CONTRAST = 3.0
# The lightest and darkest surfaces of tokens.css, as sRGB.
_LIGHT_SURFACES = ("#ffffff", "#f3f6f8")
_DARK_SURFACES = ("#0b0f12", "#1a2025")
_DARK_INK = "#0b1416"
_STEP = 0.01

Lch = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Scheme:
    """The accent in one colour scheme: its ground, the ground under the pointer, ink on it, text, tint and line."""

    ground: str
    hover: str
    ink: str
    text: str
    soft: str
    line: str


@dataclass(frozen=True, slots=True)
class Palette:
    """The accent in both schemes; `is_corrected` when the light ground is not the colour that was asked for."""

    light: Scheme
    dark: Scheme
    is_corrected: bool


@lru_cache(maxsize=256)
def palette(accent: str) -> Palette:
    """Readable colours for a brand's accent (“#0b6e6e”). Raises ValueError when it is not a colour."""
    lch = _to_oklch(accent)
    light = _light(lch, accent)
    return Palette(light=light, dark=_dark(lch), is_corrected=light.ground != accent.lower())


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by WCAG 2.2, from 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _light(lch: Lch, accent: str) -> Scheme:
    lightness, chroma, hue = lch
    ground = accent.lower()
    while min(contrast(ground, s) for s in _LIGHT_SURFACES) < CONTROL_CONTRAST:
        lightness -= _STEP
        ground = _to_hex((lightness, chroma, hue))
    ink = "#ffffff" if contrast(ground, "#ffffff") >= TEXT_CONTRAST else _DARK_INK
    while contrast(ground, ink) < TEXT_CONTRAST:  # between the two inks neither is readable: darken for white
        ink = "#ffffff"
        lightness -= _STEP
        ground = _to_hex((lightness, chroma, hue))
    soft = _to_hex((0.955, min(chroma, 0.03), hue))
    hover_step = -0.05 if ink == "#ffffff" else 0.05
    return Scheme(
        ground=ground,
        hover=_to_hex((lightness + hover_step, chroma, hue)),
        ink=ink,
        text=_readable((lightness, chroma, hue), (*_LIGHT_SURFACES, soft), -_STEP),
        soft=soft,
        line=_to_hex((0.86, min(chroma, 0.06), hue)),
    )


def _dark(lch: Lch) -> Scheme:
    lightness, chroma, hue = max(lch[0], 0.7), min(lch[1], 0.16), lch[2]
    soft = _to_hex((0.28, min(chroma, 0.05), hue))
    ground = _readable((lightness, chroma, hue), (_DARK_INK,), _STEP)
    return Scheme(
        ground=ground,
        hover=_to_hex((min(lightness + 0.06, 0.95), chroma, hue)),
        ink=_DARK_INK,
        text=_readable((max(lightness, 0.78), min(chroma, 0.12), hue), (*_DARK_SURFACES, soft), _STEP),
        soft=soft,
        line=_to_hex((0.42, min(chroma, 0.08), hue)),
    )


def _readable(lch: Lch, grounds: tuple[str, ...], step: float) -> str:
    lightness, chroma, hue = lch
    colour = _to_hex(lch)
    while min(contrast(colour, ground) for ground in grounds) < TEXT_CONTRAST and 0 < lightness < 1:
        lightness += step
        colour = _to_hex((lightness, chroma, hue))
    return colour


def _channels(colour: str) -> list[float]:
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError(f"{colour} is not a colour like #0b6e6e")
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _luminance(colour: str) -> float:
    red, green, blue = map(_linear, _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_oklch(colour: str) -> Lch:
    """Björn Ottosson's OKLab in polar form."""
    red, green, blue = map(_linear, _channels(colour))
    l_ = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    m_ = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    s_ = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * l_ + 0.7936177850 * m_ - 0.0040720468 * s_
    a = 1.9779984951 * l_ - 2.4285922050 * m_ + 0.4505937099 * s_
    b = 0.0259040371 * l_ + 0.7827717662 * m_ - 0.8086757660 * s_
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _to_hex(lch: Lch) -> str:
    """The nearest sRGB colour; chroma gives way before lightness, which carries the contrast."""
    lightness, chroma, hue = min(max(lch[0], 0.0), 1.0), lch[1], lch[2]
    channels = _to_rgb(lightness, chroma, hue)
    while chroma > 0.001 and not all(-0.0005 <= channel <= 1.0005 for channel in channels):
        chroma *= 0.95
        channels = _to_rgb(lightness, chroma, hue)
    return "#" + "".join(f"{round(_encoded(min(max(channel, 0.0), 1.0)) * 255):02x}" for channel in channels)


def _to_rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    l_ = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    m_ = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s_ = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * l_ - 3.3077115913 * m_ + 0.2309699292 * s_,
        -1.2684380046 * l_ + 2.6097574011 * m_ - 0.3413193965 * s_,
        -0.0041960863 * l_ - 0.7034186147 * m_ + 1.7076147010 * s_,
    )


def _encoded(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
