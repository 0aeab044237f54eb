"""The pictures that a brand uploads for its contests, prizes and rewards."""

from __future__ import annotations

from sqlalchemy import select, union_all

from leadgen.campaigns.models import Campaign, Milestone, Prize
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.pictures import service as pictures

MOST = 60


def add_picture(brand_id: int, upload: bytes) -> str:
    """Keep a picture, made anew, and answer its name for a contest, a prize or a reward.

    What no contest of the brand shows goes when there are too many. Raises Invalid(field="picture") for what is no
    picture of a sane size, and when all of them are in use.
    """
    try:
        remade = pictures.remake(upload)
    except Invalid as error:
        raise Invalid(str(error), "picture") from None
    own = pictures.names(brand_id)
    if len(own) >= MOST:
        unused = set(own) - _used(brand_id)
        if not unused:
            sentence = _("Your contests show %(most)d pictures of your own already. Choose one of them.")
            raise Invalid(sentence % {"most": MOST}, "picture")
        pictures.delete_own(brand_id, unused)
    return pictures.name_of(pictures.keep(brand_id, remade, is_brands=True))


def _used(brand_id: int) -> set[str]:
    own = Campaign.brand_id == brand_id
    shown = union_all(
        select(Campaign.picture).where(own),
        select(Prize.picture).join(Campaign, Campaign.id == Prize.campaign_id).where(own),
        select(Milestone.picture).join(Campaign, Campaign.id == Milestone.campaign_id).where(own),
    )
    return set(db.session.scalars(shown))
