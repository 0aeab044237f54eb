"""The questions that people answer after confirming: the list, and one question with its choices."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FieldList, FormField, HiddenField

from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, Question, QuestionKind
from leadgen.core import i18n
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.web.admin import words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, line, moved, one_of, sent, whole
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

SPARE_ROWS = 2
MORE_ROWS = 4


class QuestionTextsForm(StudioForm):
    """A question's words in one language."""

    label = line(longest=200)
    help = line(longest=300)


class OptionForm(StudioForm):
    """One choice; `id` stays while its words change."""

    id: Any = HiddenField()
    en = line(longest=120)
    fr = line(longest=120)


class QuestionForm(StudioForm):
    """One question."""

    kind = one_of(*(kind.value for kind in QuestionKind))
    key = line(longest=40)
    en: Any = FormField(QuestionTextsForm)
    fr: Any = FormField(QuestionTextsForm)
    options: Any = FieldList(FormField(OptionForm))
    points = whole(0, 1000)


@blueprint.get("/campaigns/<int:campaign_id>/questions")
@guarded_by(Guard.STAFF)
def questions(campaign_id: int) -> str:
    """The list, in the order in which they are asked."""
    campaign = campaign_of_mine(campaign_id)
    asked = [question for question in campaign.questions if question.is_active]
    return render_template("admin/questions.html", campaign=campaign, asked=asked)


@blueprint.route("/campaigns/<int:campaign_id>/questions/new", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def question_new(campaign_id: int) -> ResponseReturnValue:
    """Add a question."""
    return _edit(campaign_of_mine(campaign_id), None, QuestionForm(sent(), kind=QuestionKind.CHOICE.value, points=2))


@blueprint.route("/campaigns/<int:campaign_id>/questions/<int:question_id>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def question(campaign_id: int, question_id: int) -> ResponseReturnValue:
    """Change a question; its kind and key stay."""
    campaign = campaign_of_mine(campaign_id)
    found = next((one for one in campaign.questions if one.id == question_id and one.is_active), None)
    if found is None:
        raise NotFound
    options = [{"id": option["id"], **option["texts"]} for option in found.options]
    data = {"kind": found.kind.value, "key": found.key, "points": found.points, "options": options}
    return _edit(campaign, found, QuestionForm(sent(), data=data | found.texts))


@blueprint.post("/campaigns/<int:campaign_id>/questions/<int:question_id>/move")
@guarded_by(Guard.STAFF)
def question_move(campaign_id: int, question_id: int) -> ResponseReturnValue:
    """One place up or down."""
    campaign = campaign_of_mine(campaign_id)
    try:
        campaigns.move_question(campaign, question_id, by=-1 if request.form.get("by") == "up" else 1)
    except Conflict as error:
        refuse(str(error))
    return redirect(url_for("admin.questions", campaign_id=campaign_id, _anchor=f"question-{question_id}"), 303)


@blueprint.post("/campaigns/<int:campaign_id>/questions/<int:question_id>/remove")
@guarded_by(Guard.STAFF)
def question_remove(campaign_id: int, question_id: int) -> ResponseReturnValue:
    """Stop asking it; answers that were given stay."""
    campaign = campaign_of_mine(campaign_id)
    try:
        campaigns.remove_question(campaign, question_id)
    except Conflict as error:
        refuse(str(error))
    else:
        tell(_("The question is not asked any more. Answers that were given stay."))
    return redirect(url_for("admin.questions", campaign_id=campaign_id), 303)


def _edit(campaign: Campaign, found: Question | None, form: QuestionForm) -> ResponseReturnValue:
    deed = request.form.get("do", "save")
    is_saving = request.method == "POST" and deed == "save"
    if is_saving and form.validate() and _saved(campaign, found, form):
        tell(_("Saved."))
        return redirect(url_for("admin.questions", campaign_id=campaign.id), 303)
    _arrange(form, deed)
    kinds = [(kind.value, words.question_kind(kind)) for kind in QuestionKind]
    page = render_template("admin/question.html", campaign=campaign, question=found, form=form, kinds=kinds)
    return make_response(page, 422 if form.is_wrong else 200)


def _arrange(form: QuestionForm, deed: str) -> None:
    """Show the choices as asked: one moved (“up-2”, “down-0”), one taken out (“drop-1”), or more empty rows."""
    rows = [row.data for row in form.options if any(row.data.values())]
    word, _dash, place = deed.partition("-")
    if place.isdecimal() and word in {"up", "down"}:
        moved(rows, int(place), -1 if word == "up" else 1)
    elif place.isdecimal() and word == "drop":
        del rows[int(place) : int(place) + 1]
    errors = form.options.errors
    while form.options.entries:
        form.options.pop_entry()
    for row in rows + [{}] * (MORE_ROWS if deed == "more" else SPARE_ROWS):
        form.options.append_entry(row)
    form.options.errors = errors


def _saved(campaign: Campaign, found: Question | None, form: QuestionForm) -> bool:
    chosen = _chosen(campaign, form)
    try:
        if found is None:
            campaigns.add_question(campaign, chosen)
        else:
            campaigns.edit_question(campaign, found.id, chosen)
    except Invalid as error:
        (form.part(campaign.default_locale) if error.field == "label" else form).blame(error)
    except Conflict as error:
        form.form_errors.append(str(error))
    return not form.is_wrong


def _chosen(campaign: Campaign, form: QuestionForm) -> campaigns.QuestionInput:
    options: list[dict[str, Any]] = [
        {"id": row.form.id.data or "", "texts": {code: row.form[code].data for code in i18n.LOCALES}}
        for row in form.options
    ]
    return campaigns.QuestionInput(
        key=form.key.data or _key(form.part(campaign.default_locale).label.data),
        kind=QuestionKind(form.kind.data),
        texts={code: form.part(code).data for code in i18n.LOCALES},
        options=options,
        points=form.points.data,
    )


def _key(label: str) -> str:
    """A key made from the question's words, for marketers who do not care how exports call it."""
    plain = unicodedata.normalize("NFKD", label.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_0123456789")[:40].strip("_")
