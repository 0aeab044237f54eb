"""The pages of a campaign's form: their titles, and where people jump from them."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FieldList, FormField

from leadgen.campaigns.models import Campaign
from leadgen.core import i18n
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.forms import editing, lint
from leadgen.forms import service as forms
from leadgen.forms.definition import END, Page
from leadgen.forms.service import Draft
from leadgen.web.admin import conditions, form_words
from leadgen.web.admin.conditions import ConditionForm
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, line, sent
from leadgen.web.admin.notes import tell
from leadgen.web.admin.questions import change
from leadgen.web.guards import Guard, guarded_by


class JumpForm(StudioForm):
    """One jump; without a target it is left out. Without comparisons it is always taken."""

    to = line(longest=20)
    when: Any = FormField(ConditionForm)


class QuestionPageForm(StudioForm):
    """A page of the form."""

    revision = line(longest=12)
    en = line(longest=120)
    fr = line(longest=120)
    jumps: Any = FieldList(FormField(JumpForm))


@blueprint.post("/campaigns/<int:campaign_id>/questions/pages")
@guarded_by(Guard.STAFF)
def question_page_new(campaign_id: int) -> ResponseReturnValue:
    """Add a page at the end."""
    change(campaign_id, editing.add_page)
    return redirect(url_for("admin.questions", campaign_id=campaign_id, _anchor="pages-end"), 303)


@blueprint.route("/campaigns/<int:campaign_id>/questions/pages/<page_key>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def question_page(campaign_id: int, page_key: str) -> ResponseReturnValue:
    """Title and jumps of a page."""
    campaign = campaign_of_mine(campaign_id)
    draft = forms.draft_of(campaign)
    page = draft.definition.page(page_key)
    if page is None:
        raise NotFound
    form = QuestionPageForm(sent(), data=_as_data(page, draft))
    if request.method == "POST" and form.validate() and _saved(campaign, draft, page, form):
        tell(_("Saved."))
        return redirect(url_for("admin.questions", campaign_id=campaign_id, _anchor=f"page-{page_key}"), 303)
    names = lint.available(draft.definition, forms.known_fields(campaign, draft.definition), "", page.id)
    ids = [one.id for one in draft.definition.pages]
    later = draft.definition.pages[ids.index(page.id) + 1 :]
    targets = [(one.id, lint.page_name(one, ids.index(one.id))) for one in later]
    html = render_template(
        "admin/question_page.html",
        campaign=campaign,
        page=page,
        name=lint.page_name(page, ids.index(page.id)),
        form=form,
        form_words=form_words,
        names=conditions.fields_to_ask(names, draft.definition),
        targets=[("", "–"), *targets, (END, _("The end of the form"))],
    )
    return make_response(html, 422 if form.is_wrong else 200)


@blueprint.post("/campaigns/<int:campaign_id>/questions/pages/<page_key>/remove")
@guarded_by(Guard.STAFF)
def question_page_remove(campaign_id: int, page_key: str) -> ResponseReturnValue:
    """Take an empty page out."""
    change(campaign_id, lambda definition: editing.remove_page(definition, page_key))
    return redirect(url_for("admin.questions", campaign_id=campaign_id), 303)


def _as_data(page: Page, draft: Draft) -> dict[str, Any]:
    jumps = [{"to": one.to, "when": conditions.as_data(one.when, draft.definition)} for one in page.jumps]
    empty = {"to": "", "when": conditions.as_data(None, draft.definition)}
    titles = {code: page.texts.get(code, {}).get("title", "") for code in i18n.LOCALES}
    return titles | {"revision": str(draft.revision), "jumps": [*jumps, empty]}


def _saved(campaign: Campaign, draft: Draft, page: Page, form: QuestionPageForm) -> bool:
    names = lint.available(draft.definition, forms.known_fields(campaign, draft.definition), "", page.id)
    try:
        jumps = [
            (conditions.read(row.form.when.form, draft.definition, names, old) or {"all": []}, row.form.to.data)
            for row, old in zip_longest(form.jumps, (jump.when for jump in page.jumps))
            if row is not None and row.form.to.data
        ]
        titles = {code: form[code].data for code in i18n.LOCALES}
        revision = form.revision.data
        changed = editing.edit_page(draft.definition, page.id, titles, jumps)
        forms.save(campaign, changed, int(revision) if revision.isdecimal() else draft.revision)
    except Invalid as error:
        form.blame(error)
    except Conflict as error:
        form.form_errors.append(str(error))
    return not form.is_wrong
