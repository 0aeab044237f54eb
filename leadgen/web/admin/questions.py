"""The editor of a campaign's form: its fields on their pages, what is wrong with it, publishing it, its versions."""

from __future__ import annotations

from collections.abc import Callable

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.forms import comparing, editing, lint
from leadgen.forms import definition as documents
from leadgen.forms import service as forms
from leadgen.forms.definition import Definition, Field
from leadgen.forms.dropping import drop_off
from leadgen.forms.service import Draft
from leadgen.forms.values import CALLING_CODES
from leadgen.nurture import uses
from leadgen.web import preview, staff
from leadgen.web.admin import conditions, form_words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import sent
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.admin.question_form import NEW, QuestionForm, arrange, as_data, chosen
from leadgen.web.guards import Guard, guarded_by


@blueprint.get("/campaigns/<int:campaign_id>/questions")
@guarded_by(Guard.STAFF)
def questions(campaign_id: int) -> str:
    """The form: pages, fields, what is wrong, and how it looks."""
    campaign = campaign_of_mine(campaign_id)
    draft = forms.draft_of(campaign)
    return render_template(
        "admin/questions.html",
        campaign=campaign,
        draft=draft,
        findings=forms.findings(campaign, draft.definition),
        form_words=form_words,
        in_words=lambda condition: conditions.in_words(condition, draft.definition),
        page_name=lint.page_name,
        preview=preview.address(campaign.id) + "/form",
    )


@blueprint.route("/campaigns/<int:campaign_id>/questions/new", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def question_new(campaign_id: int) -> ResponseReturnValue:
    """Add a field."""
    campaign = campaign_of_mine(campaign_id)
    draft = forms.draft_of(campaign)
    last = draft.definition.pages[-1].id if draft.definition.pages else ""
    data = NEW | {"page": request.args.get("page", last), "revision": str(draft.revision)}
    return _edit(campaign, draft, None, QuestionForm(sent(), data=data))


@blueprint.route("/campaigns/<int:campaign_id>/questions/fields/<field_key>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def question(campaign_id: int, field_key: str) -> ResponseReturnValue:
    """Change a field; its key stays."""
    campaign = campaign_of_mine(campaign_id)
    draft = forms.draft_of(campaign)
    found, page = draft.definition.field(field_key), draft.definition.page_of(field_key)
    if found is None or page is None:
        raise NotFound
    data = as_data(found, page, draft.definition) | {"revision": str(draft.revision)}
    return _edit(campaign, draft, found, QuestionForm(sent(), data=data))


@blueprint.post("/campaigns/<int:campaign_id>/questions/fields/<field_key>/move")
@guarded_by(Guard.STAFF)
def question_move(campaign_id: int, field_key: str) -> ResponseReturnValue:
    """One place up or down, over the edge of its page into the next."""
    by = -1 if request.form.get("by") == "up" else 1
    change(campaign_id, lambda definition: editing.move_field(definition, field_key, by))
    return redirect(url_for("admin.questions", campaign_id=campaign_id, _anchor=f"question-{field_key}"), 303)


@blueprint.post("/campaigns/<int:campaign_id>/questions/fields/<field_key>/remove")
@guarded_by(Guard.STAFF)
def question_remove(campaign_id: int, field_key: str) -> ResponseReturnValue:
    """Stop asking it; answers that were given stay."""
    if change(campaign_id, lambda definition: editing.remove_field(definition, field_key)):
        tell(_("The question is not asked any more. Answers that were given stay."))
    return redirect(url_for("admin.questions", campaign_id=campaign_id), 303)


@blueprint.route("/campaigns/<int:campaign_id>/questions/publish", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def questions_publish(campaign_id: int) -> ResponseReturnValue:
    """Say what publishing changes; then do it."""
    campaign = campaign_of_mine(campaign_id)
    if request.method == "POST":
        try:
            version = forms.publish(campaign, staff.current().name)
        except (Conflict, Invalid) as error:
            refuse(str(error))
        else:
            tell(_("Version %(number)s of the form is published.") % {"number": version.number})
        return redirect(url_for("admin.questions", campaign_id=campaign_id), 303)
    draft = forms.draft_of(campaign)
    before = forms.published(campaign)
    return render_template(
        "admin/questions_publish.html",
        campaign=campaign,
        draft=draft,
        findings=forms.findings(campaign, draft.definition),
        differences=comparing.differences(before, draft.definition),
        form_words=form_words,
        are_points_other=_points(before) != _points(draft.definition),
        lost=_lost(campaign.id, before, draft.definition),
    )


@blueprint.get("/campaigns/<int:campaign_id>/questions/versions")
@guarded_by(Guard.STAFF)
def questions_versions(campaign_id: int) -> str:
    """Each version with what it changed, and where people left it."""
    campaign = campaign_of_mine(campaign_id)
    found = [(version, documents.from_data(version.definition)) for version in forms.versions(campaign.id)]
    before = [definition for _version, definition in found[1:]] + [None]
    shown = [
        (
            version,
            definition,
            comparing.differences(old, definition) if old else [],
            drop_off(campaign.id, version.number),
        )
        for (version, definition), old in zip(found, before, strict=False)  # of none there is none before
    ]
    return render_template("admin/questions_versions.html", campaign=campaign, shown=shown, form_words=form_words)


def _lost(campaign_id: int, before: Definition, after: Definition) -> list[str]:
    """Sequences that rest on a question which is asked no more."""
    gone = {field.key for field in before.fields} - {field.key for field in after.fields}
    return sorted({name for key in gone for name in uses.of_question(campaign_id, key)})


def _points(definition: Definition) -> dict[str, int]:
    return {one.key: one.points for one in definition.fields if one.has_answer}


def change(campaign_id: int, how: Callable[[Definition], Definition]) -> bool:
    """Change the draft as it is now, or say why not."""
    campaign = campaign_of_mine(campaign_id)
    draft = forms.draft_of(campaign)
    try:
        forms.save(campaign, how(draft.definition), draft.revision)
    except (Conflict, Invalid) as error:
        refuse(str(error))
        return False
    return True


def _edit(campaign: Campaign, draft: Draft, found: Field | None, form: QuestionForm) -> ResponseReturnValue:
    deed = request.form.get("do", "save")
    if request.method == "POST" and deed == "save" and form.validate() and _saved(campaign, draft, found, form):
        tell(_saved_words(campaign))
        return redirect(url_for("admin.questions", campaign_id=campaign.id), 303)
    arrange(form, deed)
    key = found.key if found else ""
    names = lint.available(draft.definition, forms.known_fields(campaign, draft.definition), key, form.page.data or "")
    page = render_template(
        "admin/question.html",
        campaign=campaign,
        question=found,
        form=form,
        form_words=form_words,
        kinds=form_words.field_types(),
        pages=[(page.id, lint.page_name(page, place)) for place, page in enumerate(draft.definition.pages)],
        names=conditions.fields_to_ask(names, draft.definition),
        suggestions=_suggestions(draft.definition),
        calling=[("", "–"), *((code, f"{code} +{number}") for code, number in CALLING_CODES.items())],
    )
    return make_response(page, 422 if form.is_wrong else 200)


def _suggestions(definition: Definition) -> list[str]:
    """Words that a condition's value may be, for the browser to offer."""
    found = [label for one in definition.fields for _id, label in conditions.choices(one.key, definition)]
    return list(dict.fromkeys([*found, _("yes"), _("no")]))


def _saved_words(campaign: Campaign) -> str:
    if campaign.status is CampaignStatus.DRAFT:
        return _("Saved.")
    return _("Saved in the draft. People see it when you publish the form.")


def _saved(campaign: Campaign, draft: Draft, found: Field | None, form: QuestionForm) -> bool:
    try:
        field = chosen(campaign, draft.definition, form, found)
        changed = editing.put_field(draft.definition, form.page.data, field, before=found.key if found else "")
        revision = form.revision.data
        forms.save(campaign, changed, int(revision) if revision.isdecimal() else draft.revision)
    except Invalid as error:
        (form.part(campaign.default_locale) if error.field == "label" else form).blame(error)
    except Conflict as error:
        form.form_errors.append(str(error))
    except NotFound:
        form.form_errors.append(_("Choose a page of this form."))
    return not form.is_wrong
