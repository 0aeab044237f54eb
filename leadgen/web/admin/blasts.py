"""A broadcast on its way: looked over before it leaves, watched while it goes, paused, resumed and cancelled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.broadcasts import expansion, progress
from leadgen.broadcasts import service as nurture
from leadgen.broadcasts.models import Broadcast
from leadgen.campaigns.models import Campaign
from leadgen.core import clock, i18n
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.letters import checking
from leadgen.mail.models import MessageStatus
from leadgen.web import staff
from leadgen.web.admin.broadcasts import broadcast_of_mine
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.forms import aware, on_the_wall
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

# From so many people on the number is typed before it leaves: it cannot be called back.
TYPED_FROM = 10_001
# People confirm and leave while somebody reads the page; more than this means that something else was meant.
_DRIFT = 0.02


@blueprint.get("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>")
@guarded_by(Guard.STAFF)
def broadcast(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    """Before it leaves: who, when and what; afterwards: how far it is."""
    campaign, found = broadcast_of_mine(campaign_id, broadcast_id)
    if found.status in nurture.EDITABLE:
        return _review(campaign, found)
    return render_template("admin/broadcast.html", campaign=campaign, broadcast=found, **_standing(found))


@blueprint.get("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/progress")
@guarded_by(Guard.STAFF)
def broadcast_progress(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    """Only the bar and the figures, which the page fetches every two seconds."""
    campaign, found = broadcast_of_mine(campaign_id, broadcast_id)
    if found.status in nurture.EDITABLE:
        return make_response("", 204)
    return render_template("admin/_broadcast.html", campaign=campaign, broadcast=found, **_standing(found))


@blueprint.post("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/send")
@guarded_by(Guard.STAFF)
def broadcast_send(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    """Send it now or at the chosen time, to the number of people that the person saw."""
    campaign, found = broadcast_of_mine(campaign_id, broadcast_id)
    try:
        at = _chosen_time(campaign.timezone)
        _check_number(found)
        is_new = nurture.send(found, at=at, by=staff.name())
    except (Invalid, Conflict) as error:
        return _review(campaign, found, str(error))
    if is_new and at:
        moment = i18n.format_datetime(at, campaign.timezone)
        undo = url_for("admin.broadcast_unschedule", campaign_id=campaign_id, broadcast_id=broadcast_id)
        tell(_("The broadcast leaves on %(moment)s.") % {"moment": moment}, undo=undo)
    return _back(found)


@blueprint.post("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/unschedule")
@guarded_by(Guard.STAFF)
def broadcast_unschedule(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    """Take a scheduled broadcast back."""
    return _do(campaign_id, broadcast_id, lambda found, _by: nurture.unschedule(found), _("It is a draft again."))


@blueprint.post("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/pause")
@guarded_by(Guard.STAFF)
def broadcast_pause(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    """Hand over nothing more for now."""
    undo = url_for("admin.broadcast_resume", campaign_id=campaign_id, broadcast_id=broadcast_id)
    return _do(campaign_id, broadcast_id, nurture.pause, _("Paused: nothing more leaves until you resume."), undo)


@blueprint.post("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/resume")
@guarded_by(Guard.STAFF)
def broadcast_resume(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    """Go on where it stopped."""
    undo = url_for("admin.broadcast_pause", campaign_id=campaign_id, broadcast_id=broadcast_id)
    return _do(campaign_id, broadcast_id, nurture.resume, _("It goes on. Nobody gets it twice."), undo)


@blueprint.route("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/cancel", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def broadcast_cancel(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    """Stop for good; the page says first how many mails cannot be called back."""
    campaign, found = broadcast_of_mine(campaign_id, broadcast_id)
    if request.method == "POST":
        told = _("Cancelled. What was handed over already cannot be called back.")
        return _do(campaign_id, broadcast_id, nurture.cancel, told)
    if found.status not in nurture.RUNNING:
        return _back(found)
    standing = progress.of(found)
    return render_template("admin/broadcast_cancel.html", campaign=campaign, broadcast=found, standing=standing)


@blueprint.post("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/duplicate")
@guarded_by(Guard.STAFF)
def broadcast_duplicate(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    """A new draft with the same words."""
    _campaign, found = broadcast_of_mine(campaign_id, broadcast_id)
    twin = nurture.duplicate(found, _("Copy of %(name)s") % {"name": found.name[:70]}, staff.name())
    tell(_("This is the copy."))
    return redirect(url_for("admin.broadcast_edit", campaign_id=campaign_id, broadcast_id=twin.id), 303)


@blueprint.post("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/delete")
@guarded_by(Guard.STAFF)
def broadcast_delete(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    """Delete a draft."""
    _campaign, found = broadcast_of_mine(campaign_id, broadcast_id)
    try:
        nurture.delete(found)
    except Conflict as error:
        refuse(str(error))
    else:
        tell(_("The draft is deleted."))
    return redirect(url_for("admin.broadcasts", campaign_id=campaign_id), 303)


@blueprint.get("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/people")
@guarded_by(Guard.STAFF)
def broadcast_people(campaign_id: int, broadcast_id: int) -> str:
    """Who stands behind a figure, page by page."""
    campaign, found = broadcast_of_mine(campaign_id, broadcast_id)
    asked = request.args.get("status", "")
    status = MessageStatus(asked) if asked in set(MessageStatus) else MessageStatus.DELIVERED
    rows = progress.people(found, status, request.args.get("after", 0, type=int), progress.PAGE + 1)
    following = rows[progress.PAGE - 1].id if len(rows) > progress.PAGE else None
    return render_template(
        "admin/broadcast_people.html",
        campaign=campaign,
        broadcast=found,
        status=status,
        rows=rows[: progress.PAGE],
        following=following,
    )


def _review(campaign: Campaign, found: Broadcast, told: str = "") -> ResponseReturnValue:
    size = nurture.audience_size(found)
    findings = nurture.findings(found, size)
    problems = nurture.missing(found, size)
    wall = on_the_wall(found.send_at or clock.now(), campaign.timezone)
    is_late = bool(found.send_at and found.send_at < clock.now() - expansion.LATEST_START)
    page = render_template(
        "admin/broadcast_review.html",
        campaign=campaign,
        broadcast=found,
        size=size,
        problems=problems,
        advice=[one for one in findings if one.level is checking.Level.WARNING],
        forecast=progress.forecast(campaign.brand_id, size),
        is_typed=size.people >= TYPED_FROM,
        told=told,
        send_at=request.form.get("send_at") or f"{wall:%Y-%m-%dT%H:%M}",
        is_late=is_late,
        is_sendable=campaign.status in nurture.SENDABLE,
    )
    return make_response(page, 422 if told else 200)


def _standing(found: Broadcast) -> dict[str, Any]:
    standing = progress.of(found)
    sampled = progress.SAMPLED if progress.is_large(found) else 0
    return {"standing": standing, "reasons": progress.reasons(found), "sampled": sampled}


def _chosen_time(zone: str) -> datetime | None:
    """None for now; otherwise the moment at which the campaign's clock shows what was typed. Raises Invalid."""
    if request.form.get("when") != "later":
        return None
    try:
        return aware(datetime.fromisoformat(request.form.get("send_at", "")).replace(tzinfo=None), zone)
    except (ValueError, OverflowError):
        raise Invalid(_("Please write day and time, such as 2027-01-31T18:00."), "send_at") from None


def _check_number(found: Broadcast) -> None:
    """The person knows how many people it goes to. Raises Invalid."""
    people = nurture.audience_size(found).people
    shown = request.form.get("people", 0, type=int)
    if abs(people - shown) > _DRIFT * people:
        sentence = ngettext(
            "The audience is another now: %(number)s person. Look again, then send.",
            "The audience is another now: %(number)s people. Look again, then send.",
            people,
        )
        raise Invalid(sentence % {"number": i18n.format_number(people)}, "people")
    typed = "".join(sign for sign in request.form.get("typed", "") if sign.isdecimal())
    if people >= TYPED_FROM and typed != str(shown):
        raise Invalid(
            _("Type the number of people, %(number)s, to send it.") % {"number": i18n.format_number(shown)}, "typed"
        )


def _do(
    campaign_id: int, broadcast_id: int, verb: Callable[[Broadcast, str], None], told: str, undo: str = ""
) -> ResponseReturnValue:
    """Run a verb and tell how it went, on the broadcast's page."""
    _campaign, found = broadcast_of_mine(campaign_id, broadcast_id)
    try:
        verb(found, staff.name())
    except Conflict as error:
        refuse(str(error))
    else:
        tell(told, undo=undo)
    return _back(found)


def _back(found: Broadcast) -> ResponseReturnValue:
    return redirect(url_for("admin.broadcast", campaign_id=found.campaign_id, broadcast_id=found.id), 303)
