"""Pausing a sequence, and the page that says what piled up before it goes on."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.authoring import pausing
from leadgen.authoring.pausing import Clock, How
from leadgen.campaigns.models import Campaign
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.nurture.models import Sequence
from leadgen.web import staff
from leadgen.web.admin import sequence_words
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.forms import StudioForm, one_of, sent, whole
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.admin.sequence_edit import standing
from leadgen.web.admin.sequences import sequence_of_mine, state
from leadgen.web.guards import Guard, guarded_by


class ResumeForm(StudioForm):
    """What becomes of letters whose time passed, and what the pause was for everybody else."""

    how = one_of(*How)
    spread_days = whole(0, pausing.MOST_SPREAD_DAYS)
    clock = one_of(*Clock)


@blueprint.post("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/pause")
@guarded_by(Guard.STAFF)
def sequence_pause(campaign_id: int, sequence_id: int) -> ResponseReturnValue:
    """Let nothing leave from now on."""
    _campaign, found = sequence_of_mine(campaign_id, sequence_id)
    try:
        pausing.pause(found, staff.name())
    except Conflict as error:
        refuse(str(error))
    else:
        tell(_("Paused: nothing leaves any more. Nobody is lost, people go on when you resume."))
    return redirect(sequence_words.page(found), 303)


@blueprint.route("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/resume", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def sequence_resume(campaign_id: int, sequence_id: int) -> ResponseReturnValue:
    """Say how many are overdue, and go on as chosen."""
    campaign, found = sequence_of_mine(campaign_id, sequence_id)
    if state(found) != "paused":
        return redirect(sequence_words.page(found), 303)
    form = ResumeForm(sent(), data={"how": How.SPREAD, "spread_days": 3, "clock": Clock.FREEZE})
    if request.method == "POST" and request.form.get("then") == "resume" and form.validate():
        how, clock = How(form.how.data), Clock(form.clock.data)
        days = form.spread_days.data if how is How.SPREAD else 0
        try:
            pausing.resume(found, how, spread_days=days, clock=clock, by=staff.name())
        except Invalid as error:
            form.blame(error)
        except Conflict as error:
            form.form_errors.append(str(error))
        else:
            tell(_("The sequence goes on."))
            return redirect(sequence_words.page(found), 303)
    return _dialog(campaign, found, form)


def _dialog(campaign: Campaign, found: Sequence, form: ResumeForm) -> ResponseReturnValue:
    """The page, or with `X-Background` only what depends on the choices."""
    is_part = request.headers.get("X-Background") == "1"
    clock = Clock(form.clock.data) if form.clock.data in set(Clock) else Clock.FREEZE
    html = render_template(
        "admin/_sequence_overdue.html" if is_part else "admin/sequence_resume.html",
        **standing(campaign, found),
        form=form,
        overdue=pausing.overdue(found, clock),
        hows=How,
        clocks=Clock,
    )
    return make_response(html, 422 if form.is_wrong else 200)
