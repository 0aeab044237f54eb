"""The review desk: who is in doubt and why, and what staff decide about it."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, FraudPreset
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.fraud import appeals, bands, desk, looks, preview, rulings, safelist, sources, strictness
from leadgen.fraud.desk import Shown
from leadgen.fraud.models import Decision, Ruling
from leadgen.web import staff
from leadgen.web.admin import review_graph, review_words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

LONGEST_SEARCH = 100
PEOPLE_NAMED = 5
_DEEDS = {"accept": Decision.ACCEPTED, "hold": Decision.HELD, "reject": Decision.REJECTED, "open": Decision.NONE}


@blueprint.get("/campaigns/<int:campaign_id>/review")
@guarded_by(Guard.STAFF)
def review(campaign_id: int) -> ResponseReturnValue:
    """One of the lists, most points at stake first."""
    campaign = campaign_of_mine(campaign_id)
    shown = Shown(request.args["list"]) if request.args.get("list") in set(Shown) else Shown.OPEN
    typed = request.args.get("text", "").replace("\x00", "").strip()[:LONGEST_SEARCH]
    offset = min(max(0, request.args.get("from", 0, type=int)), 100_000)
    found = desk.queue(campaign.id, shown, typed=typed, offset=offset)
    return render_template(
        "admin/review.html",
        campaign=campaign,
        shown=shown,
        typed=typed,
        found=found[: desk.PAGE],
        deeds=desk.useful(campaign, found[: desk.PAGE]),
        following=offset + desk.PAGE if len(found) > desk.PAGE else None,
        **_frame(campaign),
    )


@blueprint.get("/campaigns/<int:campaign_id>/review/<int:entry_id>")
@guarded_by(Guard.STAFF)
def review_case(campaign_id: int, entry_id: int) -> ResponseReturnValue:
    """One case: sentences, group, comparison with honest groups, and what each decision would do."""
    campaign = campaign_of_mine(campaign_id)
    found = desk.case(campaign.id, entry_id)
    return render_template(
        "admin/review_case.html",
        campaign=campaign,
        case=found,
        graph=review_graph.draw(found.members),
        tone=review_graph.tone,
        effects={deed: desk.effect(campaign, found, deed) for deed in desk.useful(campaign, [found.row])},
        group_deeds=desk.useful(campaign, found.members),
        appeal=appeals.standing(entry_id).appeal,
        **_frame(campaign),
    )


@blueprint.post("/campaigns/<int:campaign_id>/review/rule")
@guarded_by(Guard.STAFF)
def review_rule(campaign_id: int) -> ResponseReturnValue:
    """Decide about the ticked people, or about all of a group, with a reason; undone from the next page."""
    campaign = campaign_of_mine(campaign_id)
    deed = _DEEDS.get(request.form.get("deed", ""))
    ids = _ticked(campaign.id)
    if deed is None or not ids:
        refuse(_("Tick at least one person and choose what to do."))
        return redirect(_back(campaign_id), 303)
    try:
        ruling = rulings.rule(campaign.id, ids, deed, reason=request.form.get("reason", ""), by=_me())
    except (Invalid, Conflict, NotFound) as error:
        refuse(str(error) or _("These people are not there any more."))
        return redirect(_back(campaign_id), 303)
    _tell(campaign_id, ruling)
    return redirect(_back(campaign_id), 303)


@blueprint.post("/campaigns/<int:campaign_id>/review/rulings/<int:ruling_id>/undo")
@guarded_by(Guard.STAFF)
def review_undo(campaign_id: int, ruling_id: int) -> ResponseReturnValue:
    """Take a decision back."""
    campaign = campaign_of_mine(campaign_id)
    try:
        rulings.undo(campaign.id, ruling_id, by=_me())
    except Conflict as error:
        refuse(str(error))
    else:
        tell(_("The decision is taken back."))
    return redirect(_back(campaign_id), 303)


@blueprint.get("/campaigns/<int:campaign_id>/review/log")
@guarded_by(Guard.STAFF)
def review_log(campaign_id: int) -> ResponseReturnValue:
    """Every decision, who made it, why, and the way back."""
    campaign = campaign_of_mine(campaign_id)
    found = rulings.latest(campaign.id)
    return render_template(
        "admin/review_log.html",
        campaign=campaign,
        found=found,
        people=rulings.people(found, PEOPLE_NAMED),
        may_undo=rulings.may_be_undone,
        **_frame(campaign),
    )


@blueprint.route("/campaigns/<int:campaign_id>/review/messages", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def review_messages(campaign_id: int) -> ResponseReturnValue:
    """What people wrote about decisions, and our answers."""
    campaign = campaign_of_mine(campaign_id)
    problem, typed = "", ""
    if request.method == "POST":
        typed = request.form.get("answer", "")
        try:
            appeals.answer(campaign.id, request.form.get("entry", 0, type=int), typed, by=_me())
        except (Invalid, Conflict) as error:
            problem = str(error)
        else:
            tell(_("Answered. The person gets a mail and reads it on their page."))
            return redirect(url_for("admin.review_messages", campaign_id=campaign_id), 303)
    page = render_template(
        "admin/review_messages.html",
        campaign=campaign,
        found=appeals.of_campaign(campaign.id),
        problem=problem,
        typed=typed,
        answering=request.form.get("entry", 0, type=int),
        **_frame(campaign),
    )
    return page, 422 if problem else 200


def _frame(campaign: Campaign) -> dict[str, Any]:
    """What all pages of the desk need."""
    return {"counts": desk.counts(campaign.id), "Shown": Shown, "said": review_words, "Decision": Decision}


def _ticked(campaign_id: int) -> list[int]:
    ids = {int(value) for value in request.form.getlist("entry") if value.isdecimal() and len(value) < 19}
    if request.form.get("group", "").isdecimal():
        head = int(request.form["group"])
        desk.case(campaign_id, head)  # of this campaign, or absent
        ids |= {member.id for member in desk.members_of(head)}
    return sorted(ids)


def _tell(campaign_id: int, ruling: Ruling) -> None:
    people = ngettext("%(number)d person", "%(number)d people", len(ruling.entry_ids)) % {
        "number": len(ruling.entry_ids)
    }
    undo = url_for("admin.review_undo", campaign_id=campaign_id, ruling_id=ruling.id)
    told = _("%(deed)s: %(people)s.") % {"deed": review_words.decided(ruling.deed), "people": people}
    tell(told, undo=undo, fields={"next": _back(campaign_id)})


def _back(campaign_id: int) -> str:
    """The page of this desk that the form came from; nothing else is followed."""
    base = url_for("admin.review", campaign_id=campaign_id)
    wanted = request.form.get("next", "")
    return wanted if wanted == base or wanted.startswith((f"{base}/", f"{base}?")) else base


def _me() -> str:
    return str(staff.current().name or staff.current().email)


@blueprint.route("/campaigns/<int:campaign_id>/review/strictness", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def review_rules(campaign_id: int) -> ResponseReturnValue:
    """How strict the bands are, and who would stand otherwise before anything is changed; what is known to be safe."""
    campaign = campaign_of_mine(campaign_id)
    asked = request.values.get("preset", "")
    preset = FraudPreset(asked) if asked in set(FraudPreset) else campaign.fraud_preset
    if request.method == "POST":
        campaigns.edit_strictness(campaign, preset)
        looks.want_settling(campaign.id)
        tell(_("Saved. Everybody is weighed anew within a minute."))
        return redirect(url_for("admin.review_rules", campaign_id=campaign_id), 303)
    kept = preview.stored(campaign.id)
    return render_template(
        "admin/review_rules.html",
        campaign=campaign,
        preset=preset,
        outcomes=strictness.outcomes(kept),
        touched=strictness.changes(kept, campaign.fraud_preset, preset),
        never=bands.NEVER,
        **_frame(campaign),
    )


@blueprint.route("/campaigns/<int:campaign_id>/review/safe", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def review_safe(campaign_id: int) -> ResponseReturnValue:
    """What the brand knows to be honest, and how good each source of people is: looked at instead of banned."""
    campaign = campaign_of_mine(campaign_id)
    problem = ""
    if request.method == "POST":
        try:
            _change_safe(campaign)
        except Invalid as error:
            problem = str(error)
        else:
            tell(_("Saved. The people concerned are looked at anew."))
            return redirect(_back(campaign_id), 303)
    kind = request.args.get("by", "") if request.args.get("by") in sources.KINDS else "channel"
    page = render_template(
        "admin/review_safe.html",
        campaign=campaign,
        safe=safelist.all_of(campaign.brand_id),
        kind=kind,
        kinds=sources.KINDS,
        qualities=sources.quality(campaign.id, kind),
        problem=problem,
        typed=request.form,
        **_frame(campaign),
    )
    return page, 422 if problem else 200


def _change_safe(campaign: Campaign) -> None:
    form = request.form
    if form.get("remove"):
        safelist.remove(campaign.brand_id, form.get("remove", 0, type=int))
    elif form.get("entry"):
        found = desk.case(campaign.id, form.get("entry", 0, type=int))
        safelist.add_of_entry(found.row.entry_id, form.get("kind", ""), brand_id=campaign.brand_id, by=_me())
    else:
        note = form.get("note", "")
        safelist.add(campaign.brand_id, form.get("kind", ""), form.get("value", ""), by=_me(), note=note)
