"""Uploaded photos made anew: known by their first bytes, bounded, turned upright, and freed of all they carried."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from PIL import Image, ImageOps
from sqlalchemy import delete, select
from sqlalchemy.orm import load_only

from leadgen.core import clock, hot, ids
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.pictures.models import Picture

OWN = "own-"
MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
LARGE, SMALL = 1600, 480  # pixels of the longer side
MIME = "image/webp"
_LEAST = 200  # pixels of the shorter side: below it nothing can be seen in a gallery
_FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY = 82
# What people send instead of a photo, by how it begins; what it is called tells nothing.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "gif"),
    (b"%PDF", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"BM", "bmp"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
)
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")

_OWN_PICTURE = """
SELECT CASE WHEN %(is_large)s::boolean THEN content ELSE thumbnail END AS content, mime
FROM picture WHERE public_id = %(public_id)s AND is_brands
"""
_WITHOUT_BYTES = load_only(Picture.public_id)

# A header may promise more pixels than memory can hold. Pillow warns above this and fails above twice as many; we
# refuse at once (`_remade`).
Image.MAX_IMAGE_PIXELS = MOST_PIXELS


@dataclass(frozen=True, slots=True)
class Remade:
    """A photo as we keep it: two WebP pictures without metadata; width and height are those of the large one."""

    large: bytes
    small: bytes
    width: int
    height: int


def remake(upload: bytes) -> Remade:
    """The photo decoded and written anew; of an animation the first frame.

    Nothing of the file itself is kept, so that neither a place in its EXIF nor a program behind its last pixel
    survives. Raises Invalid(field="photo") with a sentence for everything that is not a photo of a sane size.
    """
    _check_kind(upload)
    try:
        return _remade(upload)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_many_pixels() from None
    except Invalid:
        raise
    except Exception:  # noqa: BLE001 - decoders fail in as many ways as files are broken; none is ours to tell
        raise Invalid(_("This photo is damaged: it could not be read to its end. Choose another."), "photo") from None


def keep(brand_id: int, remade: Remade, *, is_brands: bool = False) -> Picture:
    """Write the pictures into the running transaction; what `is_brands` everybody may see from then on."""
    picture = Picture(
        public_id=ids.public_id() + ids.public_id(),
        brand_id=brand_id,
        content=remade.large,
        thumbnail=remade.small,
        mime=MIME,
        width=remade.width,
        height=remade.height,
        created_at=clock.now(),
        is_brands=is_brands,
    )
    db.session.add(picture)
    db.session.flush()
    return picture


def name_of(picture: Picture) -> str:
    """By what a campaign, a prize or a reward names one of the brand's own pictures."""
    return f"{OWN}{picture.public_id.lower()}"


def names(brand_id: int, *, before: datetime | None = None) -> list[str]:
    """The brand's own pictures, newest first; only those made before a moment, if asked."""
    own = select(Picture).where(Picture.brand_id == brand_id, Picture.is_brands).options(_WITHOUT_BYTES)
    if before is not None:
        own = own.where(Picture.created_at < before)
    return [name_of(picture) for picture in db.session.scalars(own.order_by(Picture.id.desc()))]


def is_own(name: str) -> bool:
    """Whether this names a picture that a brand uploaded, and not one of the collection."""
    return name.startswith(OWN)


def read(name: str, *, is_large: bool) -> tuple[bytes, str]:
    """The bytes of a brand's own picture and their MIME type. Raises NotFound, also for people's photos."""
    row = hot.one(_OWN_PICTURE, {"public_id": name.removeprefix(OWN).upper(), "is_large": is_large})
    if row is None or not is_own(name):
        raise NotFound
    return row["content"], row["mime"]


def delete_own(brand_id: int, names: Collection[str]) -> None:
    """Delete these of the brand's own pictures."""
    ids = [name.removeprefix(OWN).upper() for name in names]
    db.session.execute(
        delete(Picture).where(Picture.brand_id == brand_id, Picture.is_brands, Picture.public_id.in_(ids))
    )


def _check_kind(upload: bytes) -> None:
    """Raises Invalid unless these bytes begin like a JPEG, PNG or WebP file."""
    if not upload:
        raise Invalid(_("Choose a photo."), "photo")
    if len(upload) > MOST_BYTES:
        raise Invalid(_("This photo is larger than 10 MB. Choose a smaller version of it."), "photo")
    is_webp = upload[:4] == b"RIFF" and upload[8:12] == b"WEBP"
    if upload.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or is_webp:
        return
    raise Invalid(_sentence(_kind_of(upload)), "photo")


def _kind_of(upload: bytes) -> str:
    if upload[4:8] == b"ftyp":
        return "heic" if upload[8:12] in _HEIC_BRANDS else "film"
    if found := next((kind for start, kind in _OTHERS if upload.startswith(start)), ""):
        return found
    start = upload[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "svg" if start.startswith(b"<") and b"<svg" in start else ""


def _sentence(kind: str) -> str:
    if kind == "heic":
        return _(
            "This is a HEIC photo, which we cannot read. Save it as JPEG: on an iPhone choose “Most compatible” under "
            "Settings, Camera, Formats, or send yourself the photo by mail and take it from there."
        )
    if kind == "svg":
        return _("This is a drawing (SVG), not a photo. Choose a JPEG, PNG or WebP file.")
    if kind == "film":
        return _("This is a film, not a photo. Choose a JPEG, PNG or WebP file.")
    if kind:
        return _("This is a %(kind)s file. Choose a JPEG, PNG or WebP file.") % {"kind": kind.upper()}
    return _("This file is not a photo that we can read. Choose a JPEG, PNG or WebP file.")


def _remade(upload: bytes) -> Remade:
    with Image.open(io.BytesIO(upload), formats=_FORMATS) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise _too_many_pixels()
        if min(width, height) < _LEAST:
            raise Invalid(
                _("This photo is too small: each side needs at least %(least)s pixels.") % {"least": _LEAST}, "photo"
            )
        image.draft("RGB", (LARGE, LARGE))  # a large JPEG is decoded at half its size or less: a third of the time
        image.load()
        upright = _on_white(_upright(image))
    upright.thumbnail((LARGE, LARGE), Image.Resampling.LANCZOS)
    small = upright.copy()
    small.thumbnail((SMALL, SMALL), Image.Resampling.LANCZOS)
    return Remade(_packed(upright), _packed(small), *upright.size)


def _upright(image: Image.Image) -> Image.Image:
    """Turned as the camera was held; a photo whose EXIF cannot be read stays as it lies."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - broken metadata is thrown away with the rest of it
        return image.copy()


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        seen = image.convert("RGBA")
        ground = Image.new("RGB", seen.size, "#ffffff")
        ground.paste(seen, mask=seen.getchannel("A"))
        return ground
    return image.convert("RGB")


def _packed(image: Image.Image) -> bytes:
    """WebP without anything but pixels: `info` still holds the EXIF and colour profile that came in."""
    packed = io.BytesIO()
    image.info = {}
    image.save(packed, "WEBP", quality=_QUALITY, method=4, exif=b"", icc_profile=b"", xmp=b"")
    return packed.getvalue()


def _too_many_pixels() -> Invalid:
    return Invalid(_("This photo has more than 25 million pixels. Choose a smaller version of it."), "photo")
