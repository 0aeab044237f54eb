"""Photos are made anew (security rows 5.1.1–5.4.2, 1.3.4; H55, H56): every wrong file gets a sentence, none is kept."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from leadgen.core.errors import Invalid
from leadgen.pictures import service as pictures
from tests.gallery import photos

_SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
_HEIC = b"\x00\x00\x00\x18ftypheic" + b"\x00" * 100


def _opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content), formats=("WEBP",))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_becomes_two_webp_pictures(kind: str) -> None:
    remade = pictures.remake(photos.photo(2400, 1800, kind=kind))
    assert (remade.width, remade.height) == (1600, 1200) == _opened(remade.large).size
    assert _opened(remade.small).size == (480, 360)


def test_a_small_photo_is_not_blown_up() -> None:
    assert pictures.remake(photos.photo(640, 480)).width == 640


def test_place_camera_and_name_are_removed() -> None:
    remade = pictures.remake(photos.with_exif())
    for content in (remade.large, remade.small):
        assert dict(_opened(content).getexif()) == {}
        assert b"Exif" not in content
        assert b"Anna" not in content


def test_it_stands_as_the_camera_was_held() -> None:
    """Orientation 8: the top of the scene is at the right edge of the file."""
    turned = _opened(pictures.remake(photos.with_exif(orientation=8)).large)
    assert turned.size == (600, 800)
    left, right = turned.getpixel((20, 400)), turned.getpixel((580, 400))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[0] > 150 > right[0]


def test_what_is_transparent_becomes_white() -> None:
    seen = _opened(pictures.remake(photos.packed(Image.new("RGBA", (300, 300), (0, 0, 0, 0)), "PNG")).large)
    assert seen.convert("RGB").getpixel((10, 10)) == (255, 255, 255)


def test_of_an_animation_the_first_frame_is_kept() -> None:
    frames = [Image.new("RGB", (300, 300), colour) for colour in (photos.RED, photos.BLUE)]
    moving = photos.packed(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=100)
    still = _opened(pictures.remake(moving).large)
    assert getattr(still, "n_frames", 1) == 1
    assert still.convert("RGB").getpixel((10, 10))[0] > 150  # type: ignore[index]


def test_a_program_behind_the_last_pixel_does_not_survive() -> None:
    """A polyglot: a good photo, and a page with a script behind it."""
    remade = pictures.remake(photos.photo() + b"<html><script>alert(document.cookie)</script></html>PK\x03\x04")
    assert b"script" not in remade.large + remade.small
    assert b"PK\x03\x04" not in remade.large + remade.small


@pytest.mark.parametrize(
    ("upload", "sentence"),
    [
        (b"", "Choose a photo"),
        (_SVG, "drawing (SVG)"),
        (b"\xef\xbb\xbf  " + _SVG, "drawing (SVG)"),
        (b"<html><body>hello</body></html>", "not a photo that we can read"),
        (_HEIC, "HEIC"),
        (b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 100, "film"),
        (photos.photo(kind="GIF"), "GIF file"),
        (b"%PDF-1.7 nothing", "PDF file"),
        (b"PK\x03\x04 an archive", "ZIP file"),
        (b"\xff\xd8\xff only the beginning", "damaged"),
        (photos.photo()[:400], "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "damaged"),
        (photos.photo(100, 900), "too small"),
        (photos.promising(50_000, 50_000), "25 million"),
        (photos.promising(6_000, 5_000), "25 million"),
        (b"\xff\xd8\xff" + b"\x00" * pictures.MOST_BYTES, "larger than 10 MB"),
    ],
)
def test_a_wrong_file_gets_a_sentence(upload: bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=re.escape(sentence)) as refused:
        pictures.remake(upload)
    assert refused.value.field == "photo"


def test_a_name_or_type_that_lies_changes_nothing() -> None:
    """Only the first bytes tell: a GIF stays a GIF, whatever it is called; a PNG is one without any name."""
    assert pictures.remake(photos.photo(kind="PNG")).width == 800
