"""A brand's colour made readable in letters: mail clients know neither our tokens nor OKLCH."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_STANDARD = "#0b6e6e"
_TEXT_CONTRAST = 4.5
_PAPER, _NIGHT = "#ffffff", "#1b1f24"


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of one brand's letters: the button and the words on it, links on white and on the dark ground."""

    button: str
    on_button: str
    link: str
    link_dark: str


@lru_cache(maxsize=256)
def look(accent: str) -> Look:
    """The brand's colour, moved towards black or white as far as reading needs it (WCAG: 4.5)."""
    base = accent if _HEX.fullmatch(accent) else _STANDARD
    on_button = max(_PAPER, "#10151a", key=lambda ink: contrast(ink, base))
    return Look(base, on_button, _readable(base, _PAPER, "#000000"), _readable(base, _NIGHT, "#ffffff"))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2.2 reckons it, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: str, ground: str, towards: str) -> str:
    for step in range(21):
        mixed = _mix(colour, towards, step / 20)
        if contrast(mixed, ground) >= _TEXT_CONTRAST:
            return mixed
    return towards


def _mix(colour: str, towards: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(towards), strict=True)
    return "#" + "".join(f"{round(one + (other - one) * share):02x}" for one, other in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (x / 255 for x in _channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
