"""What stands around the steps of a sequence: what begins it and for whom, its goal and exits, its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.authoring.arranging import Data
from leadgen.campaigns.models import Campaign
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.nurture import sequences as nurture
from leadgen.nurture import wording
from leadgen.nurture.definition import Again
from leadgen.nurture.models import Sequence
from leadgen.nurture.wording import Names
from leadgen.web.admin import sequence_asking, sequence_forms, sequence_words
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.forms import StudioForm, sent
from leadgen.web.admin.notes import tell
from leadgen.web.admin.sequence_asking import Asked
from leadgen.web.admin.sequence_edit import standing
from leadgen.web.admin.sequence_forms import SettingsForm, TriggerForm, goal_form, packed, unpacked
from leadgen.web.admin.sequence_step import revision_shown, save_draft
from leadgen.web.admin.sequences import catalogue_of, draft_of, sequence_of_mine
from leadgen.web.guards import Guard, guarded_by


@dataclass(frozen=True, slots=True)
class Part:
    """One page: its form, filled from the draft; how the draft becomes what it says; which condition it builds."""

    form: Callable[[Sequence, Data], StudioForm]
    read: Callable[[StudioForm, Names, Data], Data]
    condition: Callable[[Data], Any] | None = None
    with_condition: Callable[[Data, Any], Data] | None = None
    empty: Callable[[], str] = lambda: ""


@dataclass(frozen=True, slots=True)
class Open:
    """A part on its page, with what its form and its builder say."""

    campaign: Campaign
    sequence: Sequence
    name: str
    form: StudioForm
    asked: Asked

    @property
    def part(self) -> Part:
        """What the page is made of."""
        return PARTS[self.name]


@blueprint.route("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/parts/<part>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def sequence_part(campaign_id: int, sequence_id: int, part: str) -> ResponseReturnValue:
    """Change the beginning, the goal and exits, or the settings; wrong input is shown again as it was typed."""
    campaign, found = sequence_of_mine(campaign_id, sequence_id)
    if part not in PARTS:
        raise NotFound(part)
    data, condition = draft_of(found), PARTS[part].condition
    asked = sequence_asking.of_page(condition(data) if condition else None, catalogue_of(campaign))
    page = Open(campaign, found, part, PARTS[part].form(found, data), asked)
    if request.method == "GET" or sequence_asking.deed() != "save":
        return _drawn(page)
    error = _saved(page) if page.form.validate() else None
    if error or page.form.is_wrong:
        return _drawn(page, error)
    tell(_("Saved in the draft."))
    return redirect(sequence_words.page(found, _anchor=part), 303)


def _saved(page: Open) -> Invalid | None:
    """Keep it; answers what is wrong with the condition, all else is told beside its field."""
    data = draft_of(page.sequence)
    try:
        data = page.part.read(page.form, wording.names(page.campaign), data)
    except Invalid as error:
        page.form.blame(error)
    if page.part.with_condition:
        try:
            data = page.part.with_condition(data, page.asked.condition(catalogue_of(page.campaign)))
        except Invalid as error:
            return error
    if not page.form.is_wrong:
        save_draft(page.sequence, data, page.form)
    if isinstance(page.form, SettingsForm) and not page.form.is_wrong:
        nurture.rename(page.sequence, page.form.name.data)
    return None


def _trigger_form(_found: Sequence, data: Data) -> StudioForm:
    begins = {"what": packed(data["trigger"]), "days": data["trigger"].get("days", 14)}
    return TriggerForm(sent(), data={"begins": begins, "stays_while": data.get("stays_while", False)})


def _trigger_read(form: StudioForm, names: Names, data: Data) -> Data:
    begins = form.part("begins")
    try:
        trigger = unpacked(begins.what.data, names, "what", days=begins.days.data or 0, begins=True)
    except Invalid as error:
        begins.blame(error)
        return data
    return {**data, "trigger": trigger, "stays_while": form["stays_while"].data}


def _with_who(data: Data, condition: Any) -> Data:
    return {**data, "who": condition}


def _goal_form(_found: Sequence, data: Data) -> StudioForm:
    goal: Mapping[str, Any] = data.get("goal") or {}
    shown = {"goal": packed(goal.get("on")), "days": goal.get("days", 30), "value": goal.get("value", 0)}
    exits = [packed(one["on"]) for one in data.get("exits", []) if one.get("on")]
    shown |= {f"exit_{number}": one for number, one in enumerate(exits)}
    typed = sum(1 for name in request.form if name.startswith("exit_"))
    return goal_form(max(len(exits), typed - 1))(sent(), data=shown)


def _goal_read(form: StudioForm, names: Names, data: Data) -> Data:
    goal = None
    if form["goal"].data:
        on = unpacked(form["goal"].data, names, "goal")
        goal = {"on": on, "days": form["days"].data, "value": form["value"].data or 0}
    chosen = {field.data: field.name for field in form if field.name.startswith("exit_") and field.data}
    events = [{"on": unpacked(word, names, name)} for word, name in chosen.items()]
    return {**data, "goal": goal, "exits": events + [one for one in data.get("exits", []) if not one.get("on")]}


def _exit_condition(data: Data) -> Any:
    return next((one["when"] for one in data.get("exits", []) if one.get("when")), None)


def _with_exit(data: Data, condition: Any) -> Data:
    """The first condition is the one that is built here; others, which only YAML can write, stay."""
    events = [one for one in data.get("exits", []) if one.get("on")]
    others = [one for one in data.get("exits", []) if not one.get("on")][1:]
    return {**data, "exits": [*events, *([{"when": condition}] if condition else []), *others]}


def _settings_form(found: Sequence, data: Data) -> StudioForm:
    shown = {
        "name": found.name,
        "again": data.get("again", Again.NEVER.value),
        "again_days": data.get("again_days", 30),
    }
    shown |= {"priority": data.get("priority", 5), "holdout": data.get("holdout", 0)}
    return SettingsForm(sent(), data=shown)


def _settings_read(form: StudioForm, _names: Names, data: Data) -> Data:
    again, days = form["again"].data, form["again_days"].data
    if again == Again.AFTER and not days:
        raise Invalid(_("Write how many days."), "again_days")
    kept = {"again": again, "again_days": days if again == Again.AFTER else 0}
    return {**data, **kept, "priority": form["priority"].data, "holdout": form["holdout"].data}


def _drawn(page: Open, error: Invalid | None = None) -> ResponseReturnValue:
    """The page, or with `X-Background` only what changes while one chooses."""
    shown, form = standing(page.campaign, page.sequence), page.form
    is_background = request.headers.get("X-Background") == "1"
    html = render_template(
        "admin/_sequence_builder.html" if is_background else f"admin/sequence_{page.name}.html",
        **shown | sequence_asking.shown(page.asked, shown["catalogue"], page.part.empty(), error),
        form=form,
        error=error,
        revision=revision_shown(page.sequence, form),
        happenings=sequence_forms.happenings(shown["names"], begins=page.name == "trigger"),
        exits=[field for field in form if field.name.startswith("exit_")],
        others=[one for one in shown["definition"].exits if one.when][1:],
        again_words=[
            (Again.NEVER, _("Once for each person")),
            (Again.AFTER, _("Again, some days after the last time ended")),
            (Again.EACH, _("Each time it happens")),
        ],
    )
    return make_response(html, 422 if error or form.is_wrong else 200)


PARTS = {
    "trigger": Part(
        _trigger_form,
        _trigger_read,
        lambda data: data.get("who"),
        _with_who,
        lambda: _("Without a condition it begins for everybody who agreed to marketing mails."),
    ),
    "goal": Part(
        _goal_form,
        _goal_read,
        _exit_condition,
        _with_exit,
        lambda: _("Without a condition nobody leaves by what is known of them."),
    ),
    "settings": Part(_settings_form, _settings_read),
}
