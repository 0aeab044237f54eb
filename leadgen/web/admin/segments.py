"""A brand's segments: the list with ready-made ones, one with its people and its size over time, and its export."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.accounts import service as accounts
from leadgen.core import clock
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.nurture import uses
from leadgen.segments import examples, fields, reading, sentences
from leadgen.segments import service as segments
from leadgen.segments.models import Segment
from leadgen.segments.reading import Survey
from leadgen.segments.service import SegmentInput
from leadgen.web import staff
from leadgen.web.admin import charts
from leadgen.web.admin.brands import mine
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

_PAGE = "/brands/<int:brand_id>/segments"
_LARGEST = 2**63 - 1


@blueprint.get("/segments")
@guarded_by(Guard.STAFF)
def segment_brands() -> ResponseReturnValue:
    """Go to the segments of the user's first brand; their page leads to the other brands'."""
    brands = accounts.brands_of(staff.current())
    if not brands:
        raise NotFound
    return redirect(url_for("admin.segment_list", brand_id=brands[0].id), 303)


@blueprint.get(_PAGE)
@guarded_by(Guard.STAFF)
def segment_list(brand_id: int) -> str:
    """Those in use, or with `archived` those that were put away; below, examples to begin with."""
    brand = mine(brand_id)
    is_archived = request.args.get("archived") == "1"
    found = segments.of_brand(brand.id, is_archived=is_archived)
    catalogue = fields.of_brand(brand)
    return render_template(
        "admin/segments.html",
        brand=brand,
        brands=accounts.brands_of(staff.current()),
        found=found,
        is_archived=is_archived,
        sizes=segments.last_sizes(found),
        said={one.id: sentences.sentence(catalogue, one.definition) for one in found},
        examples=[(one, sentences.sentence(catalogue, one.definition)) for one in examples.ALL],
    )


@blueprint.post(f"{_PAGE}/take/<example>")
@guarded_by(Guard.STAFF)
def segment_take(brand_id: int, example: str) -> ResponseReturnValue:
    """Take an example over, as it is; it can be changed afterwards."""
    brand = mine(brand_id)
    chosen = examples.by_key(example)
    if chosen is None:
        raise NotFound
    written = SegmentInput(name=chosen.name(), description=chosen.use(), definition=chosen.definition)
    try:
        made = segments.create(brand, written, staff.name())
    except (Invalid, Conflict) as error:
        refuse(str(error))
        return redirect(url_for("admin.segment_list", brand_id=brand.id), 303)
    tell(_("It is yours now: change it as you like."))
    return _to(made)


@blueprint.get(f"{_PAGE}/<int:segment_id>")
@guarded_by(Guard.STAFF)
def segment(brand_id: int, segment_id: int) -> str:
    """What it says, how many people that are and were, and who."""
    brand = mine(brand_id)
    found = segments.get(brand.id, segment_id)
    catalogue = fields.of_brand(brand)
    missing = segments.missing_fields(catalogue, found)
    before = request.args.get("before", type=int)
    place = None if before is None else max(0, min(before, _LARGEST))
    inside = Survey()
    if not missing:
        inside = reading.survey(catalogue, found.definition, before_id=place, limit=reading.PAGE + 1)
    rows = inside.people
    sizes = segments.sizes(found)
    return render_template(
        "admin/segment.html",
        brand=brand,
        segment=found,
        sentence=sentences.sentence(catalogue, found.definition),
        missing=missing,
        number=inside.number,
        people=rows[: reading.PAGE],
        following=rows[reading.PAGE - 1].id if len(rows) > reading.PAGE else None,
        sizes=sizes,
        curves=[charts.growth([(one.day, one.people) for one in sizes], width) for width in charts.WIDTHS],
    )


@blueprint.post(f"{_PAGE}/<int:segment_id>/export")
@guarded_by(Guard.STAFF)
def segment_export(brand_id: int, segment_id: int) -> ResponseReturnValue:
    """Everybody in it as a CSV file, streamed; that it was taken is kept, so it is asked for by POST."""
    brand = mine(brand_id)
    found = segments.get(brand.id, segment_id)
    catalogue = fields.of_brand(brand)
    if segments.missing_fields(catalogue, found):
        refuse(_("This segment asks for something that is there no more: it holds nobody."))
        return _to(found)
    segments.record_export(found, staff.name())
    headers = {"Content-Disposition": f'attachment; filename="segment-{found.id}-{clock.now():%Y-%m-%d}.csv"'}
    body = reading.export_csv(catalogue, found.definition)
    return Response(body, content_type="text/csv; charset=utf-8", headers=headers)


@blueprint.post(f"{_PAGE}/<int:segment_id>/duplicate")
@guarded_by(Guard.STAFF)
def segment_duplicate(brand_id: int, segment_id: int) -> ResponseReturnValue:
    """Another one that says the same, to be changed."""
    brand = mine(brand_id)
    found = segments.get(brand.id, segment_id)
    try:
        twin = segments.duplicate(brand, found, _("Copy of %(name)s") % {"name": found.name[:70]}, staff.name())
    except (Invalid, Conflict) as error:
        refuse(str(error))
        return _to(found)
    tell(_("This is the copy."))
    return redirect(url_for("admin.segment_edit", brand_id=brand.id, segment_id=twin.id), 303)


@blueprint.post(f"{_PAGE}/<int:segment_id>/archive")
@guarded_by(Guard.STAFF)
def segment_archive(brand_id: int, segment_id: int) -> ResponseReturnValue:
    """Put it away."""
    undo = url_for("admin.segment_restore", brand_id=brand_id, segment_id=segment_id)
    told = _("Archived: it is listed and counted no more.")
    if names := uses.of_segment(mine(brand_id).id, segment_id):
        used = _("These sequences begin, wait, end or aim by it, and hear of nobody any more: %(names)s.")
        told = f"{told} {used % {'names': ', '.join(names)}}"
    return _do(brand_id, segment_id, segments.archive, told, undo)


@blueprint.post(f"{_PAGE}/<int:segment_id>/restore")
@guarded_by(Guard.STAFF)
def segment_restore(brand_id: int, segment_id: int) -> ResponseReturnValue:
    """Take it out again."""
    return _do(brand_id, segment_id, segments.restore, _("It is in use again."))


def _do(
    brand_id: int, segment_id: int, verb: Callable[[Segment, str], None], told: str, undo: str = ""
) -> ResponseReturnValue:
    """Run a verb and tell how it went, on the segment's page."""
    found = segments.get(mine(brand_id).id, segment_id)
    try:
        verb(found, staff.name())
    except Conflict as error:
        refuse(str(error))
    else:
        tell(told, undo=undo)
    return _to(found)


def _to(found: Segment) -> ResponseReturnValue:
    return redirect(url_for("admin.segment", brand_id=found.brand_id, segment_id=found.id), 303)
