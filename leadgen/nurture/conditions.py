"""Whether a condition holds for people at this moment: the one place where sequences ask, by the SQL of segments."""

from __future__ import annotations

import logging
from collections.abc import Collection

from sqlalchemy import select, text
from sqlalchemy.exc import DataError, ProgrammingError

from leadgen.accounts.models import Brand
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.logic import Condition
from leadgen.nurture.definition import Event, Happening
from leadgen.segments import fields
from leadgen.segments.catalogue import Catalogue
from leadgen.segments.compiling import fragment
from leadgen.segments.models import Segment

log = logging.getLogger(__name__)
_HOLDING = "SELECT c.id FROM contact c WHERE c.id = ANY(:people) AND {condition}"


def segment_of(happening: Happening, brand_id: int) -> Condition | None:
    """The definition of the segment that a happening names; for one that was put away, one nobody fulfils."""
    if happening.on is not Event.SEGMENT_JOINED:
        return None
    number = int(happening.of) if happening.of.isdigit() else 0
    in_use = select(Segment.definition).filter_by(id=number, brand_id=brand_id, archived_at=None)
    found = db.session.scalar(in_use)
    return {"any": []} if found is None else found


class Conditions:
    """Answers for one batch; remembers what each brand may be asked."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self._catalogues: dict[int, Catalogue] = {}

    def holding(self, brand_id: int, condition: Condition, people: Collection[int]) -> frozenset[int] | None:
        """Those of these contacts for whom the condition holds now; None when it cannot be judged.

        It cannot when it asks for a field that is no more, and that is logged: whoever asks goes on with the others. A
        fault of the database that passes is raised: it says nothing about the condition.
        """
        try:
            asked = fragment(self._catalogue(brand_id), condition, clock.now(), is_crowd=False)
            statement = text(_HOLDING.format(condition=asked.sql))
            with db.session.begin_nested():
                found = db.session.scalars(statement, {"people": list(people), **asked.values}).all()
        except (Invalid, DataError, ProgrammingError, KeyError, ValueError, TypeError, AttributeError) as error:
            log.warning("a condition of brand %d cannot be judged: %s", brand_id, error)
            return None
        return frozenset(found)

    def _catalogue(self, brand_id: int) -> Catalogue:
        if brand_id not in self._catalogues:
            self._catalogues[brand_id] = fields.of_brand(db.session.get_one(Brand, brand_id))
        return self._catalogues[brand_id]
