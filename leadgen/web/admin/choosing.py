"""Choosing a picture in a form of the studio: from the collection, of the brand's own, or a file from the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import request

from leadgen.campaigns import own_pictures
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.pictures import service as pictures
from leadgen.web.admin.forms import StudioForm

PICTURES = Path(__file__).parent.parent / "static" / "pictures"
# Above what a picture may have, so that one of 15 MB is answered with a sentence and not with a cut line.
MOST_BYTES = 25 * 1024 * 1024


def take(campaign: Campaign, form: StudioForm) -> None:
    """Keep the file that came with the form, if any, and choose it; what is wrong with it is told at the chooser."""
    file = request.files.get("picture_file")
    if file is None or not file.filename:
        return
    try:
        with closing(file.stream) as stream:
            upload = stream.read(pictures.MOST_BYTES + 1)
        field: Any = form["picture"]
        field.data = own_pictures.add_picture(campaign.brand_id, upload)
    except Invalid as error:
        form.blame(error)
    else:
        db.session.commit()  # at once: a form that comes back with something wrong must not lose the file


def choices(campaign: Campaign, drawn: Sequence[str]) -> list[tuple[str, str]]:
    """(name, words) of each picture that can be chosen: the brand's own, newest first, then these of the collection."""
    own = pictures.names(campaign.brand_id)
    mine = [(name, _("Your picture %(number)s") % {"number": len(own) - place}) for place, name in enumerate(own)]
    return [*mine, *((name, words_of(name)) for name in drawn)]


def words_of(name: str) -> str:
    """What a drawn picture shows."""
    said = _WORDS.get(name)
    return said() if said else name


# Spoken when they are shown: the language is that of the reader.
_WORDS: dict[str, Callable[[], str]] = {
    "escales-hero": lambda: _("Island with a boat"),
    "hero-coupons": lambda: _("Coupons"),
    "hero-milestones": lambda: _("Steps up a hill"),
    "hero-photos": lambda: _("Photos on a wall"),
    "hero-quiz": lambda: _("Question cards"),
    "hero-race": lambda: _("Race"),
    "hero-waitlist": lambda: _("Waiting line"),
    "prize-gift": lambda: _("Gift"),
    "prize-island": lambda: _("Island"),
    "prize-suitcase": lambda: _("Suitcase"),
    "prize-train": lambda: _("Train"),
    "prize-voucher": lambda: _("Voucher"),
}


@lru_cache(maxsize=1)
def of_pages() -> tuple[str, ...]:
    """The drawn pictures that a page can open with: those made for it, and those of prizes."""
    names = sorted(path.stem for path in PICTURES.glob("*.svg"))
    made = [name for name in names if (PICTURES / f"{name}.png").exists()]
    return (*made, *(name for name in of_prizes() if name not in made))


@lru_cache(maxsize=1)
def of_prizes() -> tuple[str, ...]:
    """The drawn pictures of prizes."""
    return tuple(sorted(path.stem for path in PICTURES.glob("prize*.svg")))
