"""The letters that follow a confirmation: the sequence as a whole, and one step with its words, delay and condition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FormField, StringField

from leadgen.campaigns.models import Campaign, QuestionKind
from leadgen.core import i18n
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.nurture import sequences as nurture
from leadgen.nurture.models import Sequence, Step
from leadgen.nurture.sequences import LetterShown
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, line, lines, one_of, sent, whole
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

UNITS = {"minutes": 60, "hours": 3600, "days": 86400}


class StepTextsForm(StudioForm):
    """A step's letter in one language."""

    subject = line(longest=120)
    preheader = line(longest=150)
    heading = line(longest=120)
    body = lines(longest=10_000)
    button = line(longest=40)
    url = line(longest=500)


class StepForm(StudioForm):
    """When the letter leaves, for whom, and what it says."""

    delay = whole(0, 5000)
    unit = one_of(*UNITS)
    rule = one_of("everybody", "is", "is_not")
    answer: Any = StringField()
    en: Any = FormField(StepTextsForm)
    fr: Any = FormField(StepTextsForm)


@blueprint.get("/campaigns/<int:campaign_id>/nurture")
@guarded_by(Guard.STAFF)
def sequences(campaign_id: int) -> str:
    """The sequence, step by step."""
    campaign = campaign_of_mine(campaign_id)
    sequence = nurture.sequence_of(campaign.id)
    steps = nurture.shown(sequence) if sequence else []
    told = {step.id: condition_words(campaign, step) for step in steps}
    return render_template("admin/sequences.html", campaign=campaign, sequence=sequence, steps=steps, conditions=told)


@blueprint.post("/campaigns/<int:campaign_id>/nurture/set-up")
@guarded_by(Guard.STAFF)
def sequence_set_up(campaign_id: int) -> ResponseReturnValue:
    """Make the sequence of the campaign's template."""
    nurture.set_up(campaign_of_mine(campaign_id))
    return redirect(url_for("admin.sequences", campaign_id=campaign_id), 303)


@blueprint.post("/campaigns/<int:campaign_id>/nurture/switch")
@guarded_by(Guard.STAFF)
def sequence_switch(campaign_id: int) -> ResponseReturnValue:
    """Start or pause the whole sequence."""
    sequence = _sequence(campaign_of_mine(campaign_id))
    is_active = request.form.get("is_active") == "1"
    try:
        nurture.set_active(sequence, is_active=is_active)
    except Invalid as error:
        refuse(str(error))
    else:
        paused = _("The sequence is paused. Nobody is lost: people go on later.")
        tell(
            _("The sequence is on.") if is_active else paused,
            undo=request.path,
            fields={"is_active": "0" if is_active else "1"},
        )
    return redirect(url_for("admin.sequences", campaign_id=campaign_id), 303)


@blueprint.route("/campaigns/<int:campaign_id>/nurture/new", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def step_new(campaign_id: int) -> ResponseReturnValue:
    """Add a letter at the end."""
    campaign = campaign_of_mine(campaign_id)
    return _edit(campaign, _sequence(campaign), None, StepForm(sent(), delay=3, unit="days"))


@blueprint.route("/campaigns/<int:campaign_id>/nurture/<int:step_id>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def step(campaign_id: int, step_id: int) -> ResponseReturnValue:
    """Change a letter of the sequence."""
    campaign = campaign_of_mine(campaign_id)
    sequence = _sequence(campaign)
    found = _letter(sequence, step_id)
    return _edit(campaign, sequence, found, StepForm(sent(), data=_as_data(found)))


@blueprint.post("/campaigns/<int:campaign_id>/nurture/<int:step_id>/remove")
@guarded_by(Guard.STAFF)
def step_remove(campaign_id: int, step_id: int) -> ResponseReturnValue:
    """Send this letter to nobody any more."""
    nurture.remove_step(_sequence(campaign_of_mine(campaign_id)), step_id)
    tell(_("The letter is taken out. Who waited for it goes on to the next one."))
    return redirect(url_for("admin.sequences", campaign_id=campaign_id), 303)


def _edit(campaign: Campaign, sequence: Sequence, found: LetterShown | None, form: StepForm) -> ResponseReturnValue:
    if request.method == "POST" and form.validate() and _saved(sequence, found, form):
        tell(_("Saved."))
        return redirect(url_for("admin.sequences", campaign_id=campaign.id), 303)
    page = render_template(
        "admin/step.html",
        campaign=campaign,
        step=found,
        form=form,
        units=_unit_words(),
        rules=_rule_words(),
        answers=list(answers(campaign)),
        findings=nurture.hints(sequence, found.texts) if found else [],
    )
    return make_response(page, 422 if form.is_wrong else 200)


def _unit_words() -> list[tuple[str, str]]:
    return [("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days"))]


def _rule_words() -> list[tuple[str, str]]:
    return [
        ("everybody", _("Everybody")), ("is", _("Only who answered")), ("is_not", _("Everybody but who answered")),
    ]  # fmt: skip


def _saved(sequence: Sequence, found: LetterShown | None, form: StepForm) -> bool:
    try:
        chosen = nurture.StepInput(
            texts={code: form.part(code).data for code in i18n.LOCALES},
            delay_seconds=form.delay.data * UNITS[form.unit.data],
            condition=_condition(form),
        )
        if found is None:
            nurture.add_step(sequence, chosen)
        else:
            nurture.edit_step(sequence, found.id, chosen)
    except Invalid as error:
        code, _dash, key = error.field.partition("-")
        part = form.part(code) if key and code in i18n.LOCALES else form
        part.blame(Invalid(str(error), {"condition": "answer"}.get(key or error.field, key or error.field)))
    return not form.is_wrong


def _condition(form: StepForm) -> dict[str, Any] | None:
    if form.rule.data == "everybody":
        return None
    try:
        question, value = json.loads(form.answer.data or "")
    except ValueError:
        raise Invalid(_("Choose an answer that the letter depends on."), "condition") from None
    return {"question": question, form.rule.data: value}


def _as_data(found: LetterShown) -> dict[str, Any]:
    unit = next(name for name, size in reversed(UNITS.items()) if found.delay_seconds % size == 0)
    data: dict[str, Any] = {"delay": found.delay_seconds // UNITS[unit], "unit": unit, "rule": "everybody"}
    if found.condition:
        rule = "is" if "is" in found.condition else "is_not"
        data |= {"rule": rule, "answer": _packed(found.condition["question"], found.condition[rule])}
    return data | dict(found.texts)


def answers(campaign: Campaign) -> Iterator[tuple[str, str]]:
    """Every answer that a condition can ask for: (packed value, words)."""
    for question in campaign.questions:
        if not question.is_active:
            continue
        label = _label(question.texts, "label")
        if question.kind in {QuestionKind.CHOICE, QuestionKind.MANY}:
            for option in question.options:
                yield _packed(question.key, option["id"]), f"{label} › {_word(option['texts'])}"
        elif question.kind is QuestionKind.YES_NO:
            yield _packed(question.key, value=True), f"{label} › {_('Yes')}"
            yield _packed(question.key, value=False), f"{label} › {_('No')}"


def condition_words(campaign: Campaign, step: LetterShown) -> str:
    """Whom a step is for, in a sentence."""
    if not step.condition:
        return _("for everybody")
    rule = "is" if "is" in step.condition else "is_not"
    packed = _packed(step.condition["question"], step.condition[rule])
    answer = dict(answers(campaign)).get(packed, f"{step.condition['question']} › {step.condition[rule]}")
    if rule == "is":
        return _("only after the answer “%(answer)s”") % {"answer": answer}
    return _("not after the answer “%(answer)s”") % {"answer": answer}


def _packed(question: str, value: Any) -> str:
    return json.dumps([question, value], ensure_ascii=False)


def _label(texts: dict[str, Any], key: str) -> str:
    return _word({code: words.get(key, "") for code, words in texts.items()})


def _word(words: dict[str, str]) -> str:
    """In the reader's language, else in any."""
    return words.get(i18n.locale()) or next((word for word in words.values() if word), "")


def _sequence(campaign: Campaign) -> Sequence:
    found = nurture.sequence_of(campaign.id)
    if found is None:
        raise NotFound
    return found


def _letter(sequence: Sequence, step_id: int) -> LetterShown:
    found = next((one for one in nurture.shown(sequence) if one.id == step_id), None)
    if found is None:
        raise NotFound
    return found


def find_step(sequence: Sequence, step_id: int) -> Step:
    """The step of this sequence that is still sent. Raises NotFound."""
    found = next((one for one in sequence.steps if one.id == step_id and one.is_active), None)
    if found is None:
        raise NotFound
    return found
