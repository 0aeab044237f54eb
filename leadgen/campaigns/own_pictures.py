"""The pictures that a brand uploads for its contests, prizes and rewards."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, union_all

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign, Milestone, Prize
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.pictures import service as pictures

MOST = 60
SPARED = timedelta(days=1)


def add_picture(brand_id: int, upload: bytes) -> str:
    """Keep a picture, made anew, and answer its name for a contest, a prize or a reward.

    What no contest of the brand shows goes when there are too many, but not what is younger than a day: somebody may be
    about to save what shows it. Raises Invalid(field="picture") for what is no picture of a sane size, and when there
    is none that may go.
    """
    try:
        remade = pictures.remake(upload)
    except Invalid as error:
        raise Invalid(str(error), "picture") from None
    db.session.execute(select(Brand.id).where(Brand.id == brand_id).with_for_update(key_share=True))  # one at a time
    if len(pictures.names(brand_id)) >= MOST:
        unused = set(pictures.names(brand_id, before=clock.now() - SPARED)) - _used(brand_id)
        if not unused:
            sentence = _("You have %(most)d pictures of your own that are shown or new today. Choose one of them.")
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
