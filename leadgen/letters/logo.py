"""The brand's logo in letters: two drawings as PNG, because mail programs show no SVG, on white and on dark ground."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from leadgen.core import links

PICTURES = Path(__file__).parents[1] / "web" / "static" / "pictures"
_SCALE = 2  # drawn twice as large as shown, for screens with fine dots


@dataclass(frozen=True, slots=True)
class Logo:
    """Addresses of both drawings, the same for everybody who gets the letter, and the size at which they are shown."""

    light: str
    dark: str
    width: int
    height: int


def logo(name: str) -> Logo | None:
    """The drawings `<name>-letter.png` and `<name>-letter-dark.png`, or None: then the brand's name stands there."""
    light, dark = PICTURES / f"{name}-letter.png", PICTURES / f"{name}-letter-dark.png"
    if not name.replace("-", "").isalnum() or not (light.is_file() and dark.is_file()):
        return None
    width, height = _size(light)
    return Logo(links.absolute(_address(light)), links.absolute(_address(dark)), width // _SCALE, height // _SCALE)


@lru_cache(maxsize=64)
def _size(path: Path) -> tuple[int, int]:
    """Width and height, as the head of a PNG tells them."""
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return width, height


@lru_cache(maxsize=64)
def _address(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:10]
    return f"/static/pictures/{path.name}?v={digest}"
