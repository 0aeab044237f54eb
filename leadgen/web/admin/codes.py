"""The vault of codes of one tier: load, void, write out; and the counter where a code is honoured once."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.campaigns import milestones as tiers
from leadgen.core import clock, i18n
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.rewards import loading, staging, vault
from leadgen.rewards.models import CouponStatus
from leadgen.web import staff
from leadgen.web.admin import reward_words
from leadgen.web.admin.door import blueprint, campaign_of_mine, redeemed_brand_ids
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

_PAGE = "/campaigns/<int:campaign_id>/rewards/<int:milestone_id>/codes"
_LONGEST_ASKED = 100


@blueprint.get(_PAGE)
@guarded_by(Guard.STAFF)
def codes(campaign_id: int, milestone_id: int) -> ResponseReturnValue:
    """How many codes there are and where they are."""
    return _show(campaign_id, milestone_id)


@blueprint.post(_PAGE)
@guarded_by(Guard.STAFF)
def codes_load(campaign_id: int, milestone_id: int) -> ResponseReturnValue:
    """Take a CSV file and show what loading it would do; nothing is loaded yet."""
    tiers.find(campaign_of_mine(campaign_id), milestone_id)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _show(campaign_id, milestone_id, problem=_("Choose a file."), status=422)
    try:
        with closing(file.stream) as stream:
            staging.stage(milestone_id, stream, file.filename, staff.name())
    except Invalid as error:
        db.session.rollback()
        return _show(campaign_id, milestone_id, problem=str(error), status=422)
    address = url_for("admin.codes", campaign_id=campaign_id, milestone_id=milestone_id, _anchor="preview")
    return redirect(address, 303)


@blueprint.post(f"{_PAGE}/confirm")
@guarded_by(Guard.STAFF)
def codes_confirm(campaign_id: int, milestone_id: int) -> ResponseReturnValue:
    """Load the file that was looked at, and say line by line what was not taken; or throw it away."""
    tiers.find(campaign_of_mine(campaign_id), milestone_id)
    if request.form.get("do") == "load":
        try:
            return _show(campaign_id, milestone_id, loaded=staging.load(milestone_id, request.form.get("mark", "")))
        except Conflict as error:
            refuse(str(error))
        except Invalid as error:
            db.session.rollback()
            return _show(campaign_id, milestone_id, problem=str(error), status=422)
    else:
        staging.throw_away(milestone_id)
        tell(_("Nothing was loaded."))
    return redirect(url_for("admin.codes", campaign_id=campaign_id, milestone_id=milestone_id), 303)


@blueprint.get(f"{_PAGE}/confirm")
@guarded_by(Guard.STAFF)
def codes_report(campaign_id: int, milestone_id: int) -> ResponseReturnValue:
    """The report stands once, at the address that loaded; whoever comes back to it finds the vault."""
    tiers.find(campaign_of_mine(campaign_id), milestone_id)
    return redirect(url_for("admin.codes", campaign_id=campaign_id, milestone_id=milestone_id), 303)


codes_load.most_bytes = loading.MOST_BYTES + 64 * 1024  # type: ignore[attr-defined]  # read at the door, before CSRF


@blueprint.post(f"{_PAGE}/void")
@guarded_by(Guard.STAFF)
def code_void(campaign_id: int, milestone_id: int) -> ResponseReturnValue:
    """Make one code worthless."""
    tiers.find(campaign_of_mine(campaign_id), milestone_id)
    try:
        vault.void_code(milestone_id, request.form.get("code", "")[:_LONGEST_ASKED].strip())
        tell(_("The code is void."))
    except (Conflict, Invalid) as error:
        refuse(str(error))
    return redirect(url_for("admin.codes", campaign_id=campaign_id, milestone_id=milestone_id), 303)


@blueprint.get(f"{_PAGE}.csv")
@guarded_by(Guard.STAFF)
def codes_csv(campaign_id: int, milestone_id: int) -> Response:
    """Every code with where it is; streamed."""
    campaign = campaign_of_mine(campaign_id)
    tiers.find(campaign, milestone_id)
    name = f"{campaign.slug}-codes-{milestone_id}-{clock.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(loading.export_csv(milestone_id), content_type="text/csv; charset=utf-8", headers=headers)


@blueprint.get("/redeem")
@guarded_by(Guard.STAFF, is_for_counter=True)
def redeem() -> str:
    """Type or scan a code: whose it is, what for, and whether it was used."""
    code = request.args.get("code", "").replace("\x00", "")[:_LONGEST_ASKED].strip()
    found = vault.find(redeemed_brand_ids(), code, i18n.locale()) if code else []
    return render_template("admin/redeem.html", code=code, found=found, reward_words=reward_words)


@blueprint.post("/redeem/<int:coupon_id>")
@guarded_by(Guard.STAFF, is_for_counter=True)
def redeem_use(coupon_id: int) -> ResponseReturnValue:
    """Honour a code, once; a second time is told when and by whom it was, and one that is over must be meant."""
    found = vault.of_brands(redeemed_brand_ids(), coupon_id)
    try:
        vault.mark_used(coupon_id, staff.name(), found.timezone, even_over=request.form.get("even_over") == "yes")
        tell(_("This code is used now. Hand the reward over."))
    except Conflict as error:
        refuse(str(error))
    return redirect(url_for("admin.redeem", code=found.code), 303)


def _show(campaign_id: int, milestone_id: int, *, status: int = 200, **more: Any) -> Response:
    campaign = campaign_of_mine(campaign_id)
    found = tiers.find(campaign, milestone_id)
    chosen = _chosen_status()
    listed = vault.listed(milestone_id, chosen, after=min(max(0, request.args.get("after", 0, type=int)), 2**62))
    values = {"loaded": None, "problem": "", "waiting": staging.waiting(milestone_id)} | more
    page = render_template(
        "admin/codes.html",
        campaign=campaign,
        reward=found,
        counts=vault.counts([milestone_id])[milestone_id],
        reward_words=reward_words,
        asked_status=chosen,
        statuses=list(CouponStatus),
        listed=listed,
        following=listed[-1].id if len(listed) == vault.PAGE else None,
        most_megabytes=loading.MOST_BYTES >> 20,
        **values,
    )
    return make_response(page, status)


def _chosen_status() -> CouponStatus | None:
    asked = request.args.get("status", "")
    return CouponStatus(asked) if asked in set(CouponStatus) else None
