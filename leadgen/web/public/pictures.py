"""Files made when asked for: a brand's colours as a style sheet, and the pictures that a shared link shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from flask import Response
from flask.typing import ResponseReturnValue

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Mechanic
from leadgen.core import colour, i18n
from leadgen.core.errors import NotFound
from leadgen.core.i18n import gettext as _
from leadgen.entries import person
from leadgen.entries.person import ReferrerCard
from leadgen.web import drawing
from leadgen.web.drawing import Words
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import stages
from leadgen.web.public.stages import Stage

_ACCENT = re.compile(r"[0-9a-f]{6}")
_FOREVER = "public, max-age=31536000, immutable"
# A first name that is kept longer than this outlives its erasure for too long.
_A_DAY = "public, max-age=86400"
_A_WHILE = "public, max-age=300"


@guarded_by(Guard.ANYONE)
def theme(brand_id: int, accent: str) -> ResponseReturnValue:
    """The brand's colours, corrected where contrast asks for it; the address names them, so it never changes."""
    del brand_id  # in the address for people who read it; the colour alone decides
    if not _ACCENT.fullmatch(accent):
        raise NotFound
    return Response(_theme(accent), mimetype="text/css", headers={"Cache-Control": _FOREVER})


@guarded_by(Guard.ANYONE)
def og_image(slug: str, locale: str, version: int) -> ResponseReturnValue:
    """The campaign's card as it is now, at an address that was given away before cards had marks."""
    del version
    card = cards.by_slug(slug)
    return _drawn(card, None, "card", locale, "")


@guarded_by(Guard.ANYONE)
def campaign_card(slug: str, shape: str, locale: str, mark: str) -> ResponseReturnValue:
    """The campaign's card, square or story in one language; the mark names what it shows."""
    return _drawn(cards.by_slug(slug), None, shape, locale, mark)


@guarded_by(Guard.ANYONE)
def person_card(code: str, shape: str, locale: str, mark: str) -> ResponseReturnValue:
    """The same for a person's link, with their first name if they agreed to that."""
    inviter = person.referrer(code)
    if inviter is None:
        raise NotFound
    return _drawn(cards.by_id(inviter.campaign_id), inviter, shape, locale, mark)


def card_address(card: CampaignCard, locale: str, inviter: ReferrerCard | None = None, shape: str = "card") -> str:
    """The path of a card; another one as soon as anything on it differs, so that it may be kept long."""
    return card_addresses(card, locale, inviter, shapes=(shape,))[0]


def card_addresses(
    card: CampaignCard, locale: str, inviter: ReferrerCard | None, *, shapes: Iterable[str] = tuple(drawing.SHAPES)
) -> list[str]:
    """The paths of a card in several shapes, its words asked once."""
    mark = drawing.mark(_words(card, inviter, locale))
    whose = f"r/{inviter.code}" if inviter else f"c/{card.slug}"
    return [f"/og/{whose}/{shape}-{locale}-{mark}.png" for shape in shapes]


def _drawn(card: CampaignCard, inviter: ReferrerCard | None, shape: str, locale: str, mark: str) -> Response:
    if locale not in card.locales or shape not in drawing.SHAPES:
        raise NotFound
    words = _words(card, inviter, locale)
    is_that_one = mark == drawing.mark(words)
    kept = _A_DAY if inviter is not None and inviter.name_on_card else _FOREVER
    headers = {"Cache-Control": kept if is_that_one else _A_WHILE}
    return Response(drawing.draw(shape, words), mimetype="image/png", headers=headers)


def _words(card: CampaignCard, inviter: ReferrerCard | None, locale: str) -> Words:
    """What the card shows at this stage of the contest. Raises NotFound for a draft."""
    stage = stages.stage_of(card)
    with i18n.speaking(locale):
        if stage in {Stage.CLOSING, Stage.CLOSED}:
            over = _("The list is closed") if card.leading is Mechanic.WAITLIST else _("The contest is over")
            return drawing.words_of(card, locale, over, is_over=True)
        if stage is Stage.PAUSED:
            return drawing.words_of(card, locale, _("A short pause"), is_over=True)
        name = inviter.name_on_card if inviter else ""
        says = _("%(name)s invites you") % {"name": name} if name and drawing.can_draw(name) else ""
        return drawing.words_of(card, locale, says)


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
