"""Before a sequence is published: what changes for whom and what becomes of them; and earlier versions."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.authoring import publishing
from leadgen.authoring.publishing import Choices, Inside, Timing
from leadgen.campaigns.models import Campaign
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.nurture import looking
from leadgen.nurture.definition import from_data
from leadgen.nurture.models import Sequence
from leadgen.web import staff
from leadgen.web.admin import sequence_words
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.forms import StudioForm, one_of, sent, whole
from leadgen.web.admin.notes import tell
from leadgen.web.admin.sequence_edit import numbered, standing
from leadgen.web.admin.sequences import is_changed, sequence_of_mine
from leadgen.web.guards import Guard, guarded_by


class ChoicesForm(StudioForm):
    """What is chosen in the dialog."""

    timing = one_of(*Timing)
    those_inside = one_of(*Inside)
    spread_days = whole(0, publishing.MOST_SPREAD_DAYS)
    finished_within_days = whole(0, publishing.MOST_FINISHED_DAYS)


@blueprint.route("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/publish", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def sequence_publish(campaign_id: int, sequence_id: int) -> ResponseReturnValue:
    """Say what would happen with these choices; publish when that button is pressed."""
    campaign, found = sequence_of_mine(campaign_id, sequence_id)
    usual = {"timing": Timing.KEEP, "those_inside": Inside.MOVE, "spread_days": 0, "finished_within_days": 0}
    form = ChoicesForm(sent(), data=usual)
    if request.method == "GET" or not form.validate() or request.form.get("then") != "publish":
        return _dialog(campaign, found, form)
    if request.form.get("revision", 0, type=int) != found.revision:
        told = _("Somebody else changed the draft while you were reading. Look at the changes again, then publish.")
        form.form_errors.append(told)
        return _dialog(campaign, found, form)
    try:
        made = publishing.publish(found, _choices(form), staff.name())
    except (Invalid, Conflict) as error:
        form.form_errors.append(str(error))
        return _dialog(campaign, found, form)
    tell(_("Version %(number)s is published.") % {"number": made.number})
    return redirect(sequence_words.page(found), 303)


@blueprint.get("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/versions")
@guarded_by(Guard.STAFF)
def sequence_versions(campaign_id: int, sequence_id: int) -> str:
    """Everything that was published, newest first."""
    campaign, found = sequence_of_mine(campaign_id, sequence_id)
    versions = publishing.versions(found)
    return render_template("admin/sequence_versions.html", **standing(campaign, found), versions=versions)


@blueprint.get("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/versions/<int:number>")
@guarded_by(Guard.STAFF)
def sequence_version(campaign_id: int, sequence_id: int, number: int) -> str:
    """One of them, to be looked at."""
    campaign, found = sequence_of_mine(campaign_id, sequence_id)
    version = next((one for one in publishing.versions(found) if one.number == number), None)
    if version is None:
        raise NotFound
    definition = from_data(version.definition)
    shown = standing(campaign, found) | {"definition": definition, "version": version, "numbers": numbered(definition)}
    return render_template("admin/sequence_version.html", **shown)


@blueprint.post("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/versions/<int:number>/put-back")
@guarded_by(Guard.STAFF)
def sequence_put_back(campaign_id: int, sequence_id: int, number: int) -> ResponseReturnValue:
    """Make an old version the draft."""
    _campaign, found = sequence_of_mine(campaign_id, sequence_id)
    publishing.put_back(found, number, staff.name())
    tell(
        _("Version %(number)s is the draft now. Nothing changes for anybody before you publish it.")
        % {"number": number}
    )
    return redirect(sequence_words.page(found), 303)


def _choices(form: ChoicesForm) -> Choices:
    """What is chosen; what cannot be read is as by default."""
    return Choices(
        timing=_word(Timing, form.timing.data, Timing.KEEP),
        those_inside=_word(Inside, form.those_inside.data, Inside.MOVE),
        spread_days=_days(form.spread_days.data, publishing.MOST_SPREAD_DAYS),
        finished_within_days=_days(form.finished_within_days.data, publishing.MOST_FINISHED_DAYS),
    )


_Word = TypeVar("_Word", Timing, Inside)


def _word(words: type[_Word], given: Any, usual: _Word) -> _Word:
    return words(given) if given in set(words) else usual


def _days(given: Any, most: int) -> int:
    return given if isinstance(given, int) and 0 <= given <= most else 0


def _dialog(campaign: Campaign, found: Sequence, form: ChoicesForm) -> ResponseReturnValue:
    """The page, or with `X-Background` only what depends on the choices."""
    is_part = request.headers.get("X-Background") == "1"
    shown = standing(campaign, found)
    html = render_template(
        "admin/_sequence_preview.html" if is_part else "admin/sequence_publish.html",
        **shown,
        form=form,
        begins_for=looking.would_begin(campaign.id, found.id, shown["definition"]),
        preview=publishing.preview(found, _choices(form)),
        is_new=is_changed(found),
        timings=Timing,
        insides=Inside,
    )
    return make_response(html, 422 if form.is_wrong else 200)
