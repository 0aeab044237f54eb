"""Scores of a brand: how its people stand, the rules in force, a draft with its preview, and earlier versions."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.accounts import service as accounts
from leadgen.accounts.models import Brand
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.scores import asked, preview
from leadgen.scores import rules as documents
from leadgen.scores import service as scores
from leadgen.scores import words as score_words
from leadgen.scores.models import ScoreRules
from leadgen.web import staff
from leadgen.web.admin import charts, score_rows
from leadgen.web.admin.brands import mine
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.admin.score_rows import Page
from leadgen.web.guards import Guard, guarded_by

_PAGE = "/brands/<int:brand_id>/scores"


@blueprint.get("/scores")
@guarded_by(Guard.STAFF)
def score_brands() -> ResponseReturnValue:
    """Go to the scores of the user's first brand; their page leads to the other brands'."""
    brands = accounts.brands_of(staff.current())
    if not brands:
        raise NotFound
    return redirect(url_for("admin.score_rules", brand_id=brands[0].id), 303)


@blueprint.get(_PAGE)
@guarded_by(Guard.STAFF)
def score_rules(brand_id: int) -> str:
    """How many people stand in which grade, and by which rules."""
    brand = mine(brand_id)
    standing = scores.standing(brand.id)
    grades, number = preview.distribution(brand.id)
    return render_template(
        "admin/scores.html",
        brands=accounts.brands_of(staff.current()),
        standing=standing,
        draft=scores.draft(brand.id),
        computing=scores.computing(brand.id),
        versions=scores.versions(brand.id),
        grades=grades,
        number=number,
        most=max(grades.values(), default=0),
        **_said(brand, standing),
    )


@blueprint.get(f"{_PAGE}/versions/<int:version>")
@guarded_by(Guard.STAFF)
def score_version(brand_id: int, version: int) -> str:
    """What one version says."""
    brand = mine(brand_id)
    found = scores.get(brand.id, version)
    return render_template("admin/scores_version.html", version=found, **_said(brand, found))


@blueprint.route(f"{_PAGE}/draft", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def score_draft(brand_id: int) -> ResponseReturnValue:
    """Write the rules; every button but the last only draws the page again."""
    brand = mine(brand_id)
    draft = scores.draft(brand.id) or scores.standing(brand.id)
    known = asked.fields(brand.id)
    kept = draft.definition if draft else documents.default()
    if request.method == "GET":
        return _drawn(brand, known, score_rows.of(kept, known))
    page = score_rows.sent(request.form, kept)
    if (deed := request.form.get("do", "save")) != "save":
        page.act(deed)
        return _drawn(brand, known, page)
    try:
        _save(brand, known, page)
    except (Invalid, Conflict) as error:
        return _drawn(brand, known, page, error)
    tell(_("Saved. This is what would change; nothing has changed yet."))
    return redirect(url_for("admin.score_preview", brand_id=brand.id), 303)


@blueprint.get(f"{_PAGE}/preview")
@guarded_by(Guard.STAFF)
def score_preview(brand_id: int) -> ResponseReturnValue:
    """How people would stand by the draft, beside how they stand, and who moves."""
    brand = mine(brand_id)
    draft = scores.draft(brand.id)
    if draft is None:
        return redirect(url_for("admin.score_rules", brand_id=brand.id), 303)
    found = preview.preview(brand, draft)
    bars = [(name, [charts.bins(getattr(found, name), width) for width in charts.WIDTHS], getattr(found, name))
            for name in ("fit", "engagement")]  # fmt: skip
    return make_response(render_template("admin/scores_preview.html", brand=brand, draft=draft, found=found, bars=bars))


@blueprint.post(f"{_PAGE}/publish")
@guarded_by(Guard.STAFF)
def score_publish(brand_id: int) -> ResponseReturnValue:
    """Publish the draft that the preview showed."""
    brand = mine(brand_id)
    try:
        made = scores.publish(brand, request.form.get("revision", 0, type=int), staff.name())
    except Conflict as error:
        refuse(str(error))
        return redirect(url_for("admin.score_preview", brand_id=brand.id), 303)
    said = _("Version %(number)d is being reckoned for everybody. Until that is done, the scores stay as they are.")
    back = url_for("admin.score_restore", brand_id=brand.id, version=made.based_on) if made.based_on else ""
    tell(said % {"number": made.number}, undo=back)
    return redirect(url_for("admin.score_rules", brand_id=brand.id), 303)


@blueprint.post(f"{_PAGE}/discard")
@guarded_by(Guard.STAFF)
def score_discard(brand_id: int) -> ResponseReturnValue:
    """Put the draft away; it stays among the versions."""
    brand = mine(brand_id)
    draft = scores.draft(brand.id)
    if draft is not None:
        scores.discard(draft)
        undo = url_for("admin.score_restore", brand_id=brand.id, version=draft.number)
        tell(_("The draft is put away. The rules in force are as they were."), undo=undo)
    return redirect(url_for("admin.score_rules", brand_id=brand.id), 303)


@blueprint.post(f"{_PAGE}/versions/<int:version>/restore")
@guarded_by(Guard.STAFF)
def score_restore(brand_id: int, version: int) -> ResponseReturnValue:
    """Make a draft of an earlier version; publishing it puts it back."""
    brand = mine(brand_id)
    scores.open_draft(brand, staff.name(), version)
    tell(_("This is a draft that says what version %(number)d says.") % {"number": version})
    return redirect(url_for("admin.score_preview", brand_id=brand.id), 303)


def _save(brand: Brand, known: dict[str, asked.Asked], page: Page) -> None:
    """Check first: what is refused makes no draft."""
    revision = request.form.get("revision", 0, type=int)
    definition = score_rows.definition(page, known)
    scores.save(brand, definition, revision, staff.name(), seen=request.form.get("seen", 0, type=int))


def _drawn(
    brand: Brand, known: dict[str, asked.Asked], page: Page, error: Invalid | Conflict | None = None
) -> ResponseReturnValue:
    draft = scores.draft(brand.id)
    shown = {kind: [*rows, dict.fromkeys(score_rows.COLUMNS[kind], "")] for kind, rows in page.rows.items()}
    body = render_template(
        "admin/scores_edit.html",
        brand=brand,
        draft=draft,
        page=page,
        shown=shown,
        choices=score_rows.choices(known),
        kept={key: score_words.condition(when, known) for key, when in page.conditions.items()},
        deeds=score_rows.deeds(known, asked.actions(brand.id)),
        contests=asked.contests(brand.id),
        seen=request.form.get("seen", getattr(scores.standing(brand.id), "number", 0), type=int),
        revision=request.form.get("revision", draft.revision if draft else 0, type=int),
        error=error,
        at=getattr(error, "field", "").replace(".", "-"),
    )
    return make_response(body, 422 if error else 200)


def _said(brand: Brand, version: ScoreRules | None) -> dict[str, Any]:
    """What templates tell rules with."""
    return {
        "brand": brand,
        "rules": documents.read(version.definition if version else documents.default()),
        "known": asked.fields(brand.id),
        "names": asked.names(brand.id),
        "score_words": score_words,
    }
