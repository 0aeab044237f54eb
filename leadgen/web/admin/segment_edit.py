"""The builder of a segment: rows that grow by buttons, the sentence that they make, and how many people that are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.accounts.models import Brand
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Op
from leadgen.segments import checking, fields, reading, sentences
from leadgen.segments import service as segments
from leadgen.segments.catalogue import Catalogue, Group
from leadgen.segments.models import Segment
from leadgen.segments.reading import Member
from leadgen.segments.service import SegmentInput
from leadgen.web import staff
from leadgen.web.admin import segment_rows
from leadgen.web.admin.brands import mine
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.admin.segment_rows import Draft
from leadgen.web.guards import Guard, guarded_by

FIRST_PEOPLE = 5


@dataclass(frozen=True, slots=True)
class Said:
    """What the rows mean: the sentence and its people, or why they mean nothing (`told`, at the field `at`)."""

    sentence: str = ""
    number: int | None = None
    people: Sequence[Member] = ()
    told: str = ""
    at: str = ""


@blueprint.route("/brands/<int:brand_id>/segments/new", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def segment_new(brand_id: int) -> ResponseReturnValue:
    """Begin one; every button but the last only draws the page again."""
    return _built(mine(brand_id), None)


@blueprint.route("/brands/<int:brand_id>/segments/<int:segment_id>/edit", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def segment_edit(brand_id: int, segment_id: int) -> ResponseReturnValue:
    """Change one."""
    brand = mine(brand_id)
    return _built(brand, segments.get(brand.id, segment_id))


def said(catalogue: Catalogue, draft: Draft) -> Said:
    """What somebody sees while they choose."""
    definition = draft.definition(catalogue)
    if not definition[draft.match]:
        return Said(told=_("Choose what these people have in common."), at="condition")
    try:
        condition = checking.checked(catalogue, definition)
    except Invalid as error:
        return Said(told=str(error), at=error.field)
    found = reading.survey(catalogue, condition, limit=FIRST_PEOPLE)
    return Said(sentences.sentence(catalogue, condition), found.number, found.people)


def _built(brand: Brand, segment: Segment | None) -> ResponseReturnValue:
    catalogue = fields.of_brand(brand)
    if request.method == "GET":
        draft = segment_rows.of(segment.definition, catalogue) if segment else Draft()
        if draft is None and segment is not None:
            refuse(_("This segment asks for something that is there no more. Build a new one in its place."))
            return redirect(url_for("admin.segment", brand_id=brand.id, segment_id=segment.id), 303)
        return _drawn(brand, segment, catalogue, draft or Draft())
    draft = segment_rows.sent(request.form, catalogue)
    if (deed := request.form.get("do", "save")) != "save":
        draft.act(deed)
        return _drawn(brand, segment, catalogue, draft)
    try:
        kept = _saved(brand, segment, catalogue, draft)
    except (Invalid, Conflict) as error:
        return _drawn(brand, segment, catalogue, draft, error)
    tell(_("Saved."))
    return redirect(url_for("admin.segment", brand_id=brand.id, segment_id=kept.id), 303)


def _saved(brand: Brand, segment: Segment | None, catalogue: Catalogue, draft: Draft) -> Segment:
    definition = draft.definition(catalogue)
    if not definition[draft.match]:
        raise Invalid(_("Choose what these people have in common."), "condition")
    words = {name: request.form.get(name, "").replace("\x00", "") for name in ("name", "description")}
    written = SegmentInput(**words, definition=definition)
    if segment is None:
        return segments.create(brand, written, staff.name())
    segments.edit(brand, segment, written, request.form.get("version", 0, type=int), staff.name())
    return segment


def _drawn(
    brand: Brand,
    segment: Segment | None,
    catalogue: Catalogue,
    draft: Draft,
    error: Invalid | Conflict | None = None,
) -> ResponseReturnValue:
    """The page, or with `X-Background` only what changes while one chooses."""
    part = "_segment_builder" if request.headers.get("X-Background") == "1" else "segment_edit"
    page = render_template(
        f"admin/{part}.html",
        brand=brand,
        segment=segment,
        catalogue=catalogue,
        draft=draft,
        said=said(catalogue, draft),
        error=error,
        at=getattr(error, "field", ""),
        groups=[(group, [one for one in catalogue.specs.values() if one.group is group]) for group in Group],
        rows=segment_rows,
        typed=_typed(segment),
        ops=Op,
    )
    return make_response(page, 422 if error else 200)


def _typed(segment: Segment | None) -> dict[str, str | int]:
    """Name and description as they were sent, else as they are kept."""
    kept = segment or Segment(name="", description="", version=1)
    sent = {name: request.form.get(name, getattr(kept, name)) for name in ("name", "description")}
    return {**sent, "version": request.form.get("version", kept.version, type=int)}
