"""A brand's segments: kept, changed, copied, put away, and counted over time."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from leadgen.accounts.models import Brand
from leadgen.contacts.models import Contact
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import fields_of
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName
from leadgen.segments import checking, fields, reading
from leadgen.segments.catalogue import Catalogue
from leadgen.segments.compiling import Fragment, fragment
from leadgen.segments.models import Segment, SegmentSize

LONGEST_NAME = 90
LONGEST_DESCRIPTION = 500
MOST_SEGMENTS = 200  # in use by one brand: each is counted every night
_LONGEST_CHART = 400  # days
_NIGHTLY_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentInput:
    """A segment as somebody writes it; the definition is unchecked."""

    name: str
    description: str = ""
    definition: Any


def of_brand(brand_id: int, *, is_archived: bool = False) -> Sequence[Segment]:
    """The brand's segments by name: those in use, or those that were put away."""
    away = Segment.archived_at.is_not(None) if is_archived else Segment.archived_at.is_(None)
    return db.session.scalars(
        select(Segment).filter_by(brand_id=brand_id).where(away).order_by(func.lower(Segment.name), Segment.id)
    ).all()


def get(brand_id: int, segment_id: int) -> Segment:
    """The brand's segment, put away or not. Raises NotFound."""
    found = db.session.scalar(select(Segment).filter_by(id=segment_id, brand_id=brand_id))
    if found is None:
        raise NotFound
    return found


def create(brand: Brand, written: SegmentInput, by: str = "") -> Segment:
    """A new segment, counted at once. Raises Invalid with the field, Conflict when there are too many."""
    _refuse_too_many(brand.id)
    now = clock.now()
    made = Segment(brand_id=brand.id, created_by=by, created_at=now, changed_at=now, **_checked(brand, written))
    db.session.add(made)
    db.session.flush()
    journal.record(FactName.SEGMENT_CREATED, brand_id=brand.id, segment=made.id, by=by)
    measure(brand, made)
    return made


def edit(brand: Brand, segment: Segment, written: SegmentInput, version: int, by: str = "") -> None:
    """Replace what it says, and count it. `version` is the one that the writer saw.

    Raises Invalid with the field; Conflict when somebody else saved since.
    """
    found = _locked(segment)
    if found.version != version:
        raise Conflict(_("Somebody else saved this segment while you were writing. Look at it, then save again."))
    for name, value in _checked(brand, written).items():
        setattr(found, name, value)
    found.version += 1
    found.changed_at = clock.now()
    db.session.flush()
    journal.record(FactName.SEGMENT_CHANGED, brand_id=brand.id, segment=found.id, by=by)
    measure(brand, found)


def duplicate(brand: Brand, segment: Segment, name: str, by: str = "") -> Segment:
    """Another segment that says the same. Raises Invalid for a definition that does not hold any more, Conflict."""
    definition = copy.deepcopy(segment.definition)
    written = SegmentInput(name=name[:LONGEST_NAME], description=segment.description, definition=definition)
    return create(brand, written, by)


def archive(segment: Segment, by: str = "") -> None:
    """Put it away: it is listed and counted no more. A broadcast that names it keeps its people. Twice is once."""
    found = _locked(segment)
    if found.archived_at is None:
        found.archived_at = clock.now()
        db.session.flush()
        journal.record(FactName.SEGMENT_ARCHIVED, brand_id=found.brand_id, segment=found.id, by=by)


def restore(segment: Segment, by: str = "") -> None:
    """Take it out again. Raises Conflict when there are too many."""
    found = _locked(segment)
    if found.archived_at is not None:
        _refuse_too_many(found.brand_id)
        found.archived_at = None
        db.session.flush()
        journal.record(FactName.SEGMENT_RESTORED, brand_id=found.brand_id, segment=found.id, by=by)


def record_export(segment: Segment, by: str) -> None:
    """Somebody takes everybody's data with them: that is kept."""
    journal.record(FactName.SEGMENT_EXPORTED, brand_id=segment.brand_id, segment=segment.id, by=by)


def measure(brand: Brand, segment: Segment, *, milliseconds: int = reading.PATIENCE_MS) -> int | None:
    """Count it and keep the figure of the day; None where the time or a field of it is missing."""
    catalogue = fields.of_brand(brand)
    if missing_fields(catalogue, segment):
        return None
    people = reading.count(catalogue, segment.definition, milliseconds=milliseconds)
    if people is not None:
        values = {"segment_id": segment.id, "day": clock.now().date(), "people": people}
        again = insert(SegmentSize).values(values)
        db.session.execute(
            again.on_conflict_do_update(index_elements=["segment_id", "day"], set_={"people": again.excluded.people})
        )
    return people


def measure_all() -> None:
    """Count every segment in use (nightly job); commits after each, so that one that is slow holds up no other."""
    listed = select(Segment.id, Segment.brand_id).where(Segment.archived_at.is_(None)).order_by(Segment.id)
    for segment_id, brand_id in db.session.execute(listed).all():
        segment = db.session.get(Segment, segment_id)
        if segment is not None:
            measure(db.session.get_one(Brand, brand_id), segment, milliseconds=_NIGHTLY_MS)
        db.session.commit()


def sizes(segment: Segment) -> Sequence[SegmentSize]:
    """How many people it held, oldest day first."""
    newest = select(SegmentSize).filter_by(segment_id=segment.id).order_by(SegmentSize.day.desc())
    return db.session.scalars(newest.limit(_LONGEST_CHART)).all()[::-1]


def last_sizes(segments: Sequence[Segment]) -> Mapping[int, int]:
    """The last figure of each, by its id."""
    ids = [segment.id for segment in segments]
    rows = db.session.execute(
        select(SegmentSize.segment_id, SegmentSize.people)
        .where(SegmentSize.segment_id.in_(ids))
        .ext(distinct_on(SegmentSize.segment_id))
        .order_by(SegmentSize.segment_id, SegmentSize.day.desc())
    )
    return {row.segment_id: row.people for row in rows}


def of_contact(brand: Brand, contact: Contact) -> list[Segment]:
    """The segments in use that a person is in now."""
    catalogue = fields.of_brand(brand)
    sound = {one.id: one for one in of_brand(brand.id) if not missing_fields(catalogue, one)}
    inside = reading.holding(catalogue, {key: one.definition for key, one in sound.items()}, contact.id)
    return [one for key, one in sound.items() if key in inside]


def missing_fields(catalogue: Catalogue, segment: Segment) -> list[str]:
    """The fields that it asks for and that are there no more: of a question or a contest that was deleted."""
    return sorted(fields_of(segment.definition) - set(catalogue.asked))


def condition(brand_id: int, segment_id: int) -> Fragment:
    """Who is in a segment now, as a condition on the contact `c` to embed in a statement; nobody where it is unsound.

    Raises NotFound.
    """
    segment = get(brand_id, segment_id)
    catalogue = fields.of_brand(db.session.get_one(Brand, brand_id))
    if missing_fields(catalogue, segment):
        return Fragment("false", {})
    return fragment(catalogue, segment.definition, clock.now(), is_crowd=False)


def _checked(brand: Brand, written: SegmentInput) -> dict[str, Any]:
    name, description = " ".join(written.name.split()), written.description.strip()
    if not name:
        raise Invalid(_("Give the segment a name."), "name")
    for field, said, limit in (("name", name, LONGEST_NAME), ("description", description, LONGEST_DESCRIPTION)):
        if len(said) > limit:
            raise Invalid(_("Use %(limit)d characters at most.") % {"limit": limit}, field)
    definition = checking.checked(fields.of_brand(brand), written.definition)
    return {"name": name, "description": description, "definition": definition}


def _refuse_too_many(brand_id: int) -> None:
    if len(of_brand(brand_id)) >= MOST_SEGMENTS:
        raise Conflict(_("Keep to %(limit)d segments in use; archive one first.") % {"limit": MOST_SEGMENTS})


def _locked(segment: Segment) -> Segment:
    return db.session.scalars(
        select(Segment).filter_by(id=segment.id).with_for_update().execution_options(populate_existing=True)
    ).one()
