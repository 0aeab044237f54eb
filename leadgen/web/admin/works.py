"""Works: the queue of what was handed in, accept and refuse with undo, doubted votes, and when people vote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField

from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.gallery import forgetting, kinds, votes, works
from leadgen.gallery import service as gallery
from leadgen.gallery.models import WorkState
from leadgen.gallery.service import Before
from leadgen.web import staff
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import MomentField, StudioForm, aware, is_stale, on_the_wall, sent, whole
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

_MOMENTS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
_STATES = (WorkState.WAITING, WorkState.PUBLISHED, WorkState.REFUSED)


class VotingForm(StudioForm):
    """When people vote, on the wall clock of the campaign's time zone; both dates empty where nobody votes."""

    starts_at: Any = MomentField(format=list(_MOMENTS))
    ends_at: Any = MomentField(format=list(_MOMENTS))
    a_day = whole(1, 100)
    needs_entry: Any = BooleanField()


class Decision(NamedTuple):
    """What was pressed: for which works, what, and why."""

    work_ids: list[int]
    state: WorkState
    reason: str


@blueprint.get("/campaigns/<int:campaign_id>/works", endpoint="works")
@guarded_by(Guard.STAFF)
def works_page(campaign_id: int) -> ResponseReturnValue:
    """The queue, the oldest first; other states by filter."""
    campaign = campaign_of_mine(campaign_id)
    state = request.args.get("state", WorkState.WAITING.value)
    state = state if state in {*_STATES, ""} else WorkState.WAITING.value
    found = works.queue(campaign_id, state, after=request.args.get("after", type=int), limit=works.PAGE + 1)
    shown = found[: works.PAGE]
    return render_template(
        "admin/works.html",
        campaign=campaign,
        works=shown,
        following=shown[-1]["id"] if len(found) > works.PAGE else None,
        state=state,
        numbers=works.numbers(campaign_id),
        doubted=votes.doubted([work["id"] for work in shown]),
        doubt_words=doubt_words(),
        reasons={key: say() for key, say in kinds.REASONS.items()},
        reason_in_words=kinds.reason_in_words,
        picture_path=forgetting.picture_path,
    )


@blueprint.post("/campaigns/<int:campaign_id>/works")
@guarded_by(Guard.STAFF)
def works_decide(campaign_id: int) -> ResponseReturnValue:
    """Accept or refuse one work or many."""
    campaign_of_mine(campaign_id)
    chosen = _decision()
    try:
        before = gallery.decide(campaign_id, chosen.work_ids, chosen.state, by=staff.name(), reason=chosen.reason)
    except Invalid as error:
        refuse(str(error))
        return _back(campaign_id)
    _say(campaign_id, before, chosen.state)
    return _back(campaign_id)


@blueprint.post("/campaigns/<int:campaign_id>/works/undo")
@guarded_by(Guard.STAFF)
def works_undo(campaign_id: int) -> ResponseReturnValue:
    """Take a decision back: the works stand as they did."""
    campaign_of_mine(campaign_id)
    moved = gallery.restore(campaign_id, _read(request.form.get("before", "")), by=staff.name())
    tell(ngettext("%(num)s work stands as before.", "%(num)s works stand as before.", moved) % {"num": moved})
    return _back(campaign_id)


@blueprint.post("/campaigns/<int:campaign_id>/works/<int:work_id>/votes")
@guarded_by(Guard.STAFF)
def works_believe(campaign_id: int, work_id: int) -> ResponseReturnValue:
    """Count the doubted votes of a work after all, or not."""
    campaign_of_mine(campaign_id)
    is_counted = request.form.get("count") == "yes"
    votes.believe(campaign_id, work_id, is_counted=is_counted)
    tell(_("The doubted votes of this work count now.") if is_counted else _("The doubted votes do not count."))
    return _back(campaign_id)


@blueprint.route("/campaigns/<int:campaign_id>/works/voting", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def works_voting(campaign_id: int) -> ResponseReturnValue:
    """When people vote, how often, and who."""
    campaign = campaign_of_mine(campaign_id)
    form = VotingForm(sent(), data=_as_data(campaign))
    if request.method == "POST" and form.validate() and not is_stale(form, campaign.version) and _saved(campaign, form):
        tell(_("Saved."))
        return redirect(url_for("admin.works_voting", campaign_id=campaign_id), 303)
    return make_response(
        render_template("admin/works_voting.html", campaign=campaign, form=form), 422 if form.is_wrong else 200
    )


def doubt_words() -> dict[str, str]:
    """Why votes are not counted, in the current language."""
    return {
        votes.Doubt.OWN_NETWORK.value: _("from the network of the work’s maker"),
        votes.Doubt.BURST.value: _("many in one minute from one network"),
        votes.Doubt.NETWORK.value: _("many in a day from one network for this work"),
        votes.Doubt.REVIEW.value: _("from entries that are being checked"),
    }


def _decision() -> Decision:
    """One work by its own buttons, or all that are ticked by those of the bar."""
    form = request.form
    for button, state in (("accept", WorkState.PUBLISHED), ("refuse", WorkState.REFUSED)):
        if button in form:
            one = form[button]
            work_ids = [one] if one != "ticked" else form.getlist("work")
            own, chosen = form.get(f"words-{one}", ""), form.get(f"reason-{one}", "")
            return Decision([int(number) for number in work_ids if number.isdecimal()], state, own.strip() or chosen)
    return Decision([], WorkState.PUBLISHED, "")


def _say(campaign_id: int, before: Sequence[Before], state: WorkState) -> None:
    number = len(before)
    if not number:
        refuse(_("Nothing was chosen that could change."))
        return
    if state is WorkState.PUBLISHED:
        sentence = ngettext("%(num)s work is in the gallery.", "%(num)s works are in the gallery.", number)
    else:
        sentence = ngettext("%(num)s work is refused.", "%(num)s works are refused.", number)
    tell(
        sentence % {"num": number},
        undo=url_for("admin.works_undo", campaign_id=campaign_id),
        fields={"before": "\n".join(f"{one.work_id}:{one.state.value}:{one.reason}" for one in before)},
    )


def _read(before: str) -> list[Before]:
    """What an undo carries; lines that say nothing we know are left out."""
    found = []
    for line in before.splitlines():
        number, _colon, rest = line.partition(":")
        state, _colon, reason = rest.partition(":")
        if number.isdecimal() and state in set(_STATES):
            found.append(Before(int(number), WorkState(state), reason[: gallery.LONGEST_REASON]))
    return found


def _back(campaign_id: int) -> AnyResponse:
    state = request.args.get("state")
    return redirect(url_for("admin.works", campaign_id=campaign_id, state=state), 303)


def _as_data(campaign: Campaign) -> dict[str, Any]:
    moments = {"starts_at": campaign.votes_start_at, "ends_at": campaign.votes_end_at}
    shown = {name: on_the_wall(moment, campaign.timezone) if moment else None for name, moment in moments.items()}
    return shown | {"a_day": campaign.votes_a_day, "needs_entry": campaign.votes_need_entry}


def _saved(campaign: Campaign, form: VotingForm) -> bool:
    chosen = {"starts_at": campaign.votes_start_at, "ends_at": campaign.votes_end_at}
    shown = _as_data(campaign)
    for name in chosen:
        typed = form[name].data
        # The form shows minutes: a time that nobody touched keeps its seconds, and changes no rules.
        if typed != shown[name]:
            chosen[name] = aware(typed, campaign.timezone) if typed else None
    voting = campaigns.VotingInput(**chosen, a_day=form.a_day.data, needs_entry=form.needs_entry.data)
    try:
        campaigns.edit_voting(campaign, voting)
    except Invalid as error:
        form.blame(error)
    except Conflict as error:
        form.form_errors.append(str(error))
    return not form.is_wrong
