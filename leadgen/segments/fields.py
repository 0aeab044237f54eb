"""All fields of a brand: the tables of persons, deeds and values, with what its own questions and contests add."""

from __future__ import annotations

from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.segments import deeds, numbers, persons, values
from leadgen.segments.catalogue import Catalogue
from leadgen.worth import service as worth


def of_brand(brand: Brand) -> Catalogue:
    """Everything that the brand's segments may ask for, in the current language when its words are asked."""
    contests = db.session.scalars(select(Campaign).filter_by(brand_id=brand.id).order_by(Campaign.id.desc())).all()
    tables = (
        persons.identity(),
        persons.consent(),
        persons.answers(contests),
        deeds.contests(contests),
        deeds.letters(),
        deeds.friends(contests),
        numbers.scores_of(brand.id),
        values.worth(worth.currency_of(brand.id)),
    )
    return Catalogue(brand.id, brand.timezone, {spec.key: spec for table in tables for spec in table})
