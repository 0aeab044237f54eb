"""Referrals in the studio: who is credited for a friend, when, how often, and for what more."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, SelectField

from leadgen.campaigns import service as campaigns
from leadgen.campaigns import spreading as limits
from leadgen.campaigns.editing import POINTS_LIMIT
from leadgen.campaigns.models import Campaign, TouchModel
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, WholeField, between, is_stale, sent, whole
from leadgen.web.admin.notes import tell
from leadgen.web.guards import Guard, guarded_by

_SAME = (
    "is_remembering_touch", "hold_hours", "cap_per_day", "cap_total", "indirect_points", "profile_points",
    "stay_points", "stay_days", "declared_cap",
)  # fmt: skip

_MODELS: Any = [model.value for model in TouchModel]  # WTForms takes words; its types do not know it


class SpreadingForm(StudioForm):
    """Everything about friends."""

    touch_model: Any = SelectField(choices=_MODELS)
    is_remembering_touch: Any = BooleanField()
    hold_hours = whole(0, limits.MOST_HOURS)
    cap_per_day: Any = WholeField(validators=[between(1, limits.MOST_FRIENDS)])
    cap_total: Any = WholeField(validators=[between(1, limits.MOST_FRIENDS)])
    indirect_points = whole(0, POINTS_LIMIT)
    profile_points = whole(0, POINTS_LIMIT)
    stay_points = whole(0, POINTS_LIMIT)
    stay_days = whole(1, limits.MOST_DAYS)
    declared_cap = whole(0, 100)


@blueprint.route("/campaigns/<int:campaign_id>/referrals", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def spreading(campaign_id: int) -> ResponseReturnValue:
    """How friends count, in plain words with the defaults."""
    campaign = campaign_of_mine(campaign_id)
    data = {name: getattr(campaign, name) for name in _SAME} | {"touch_model": campaign.touch_model.value}
    form = SpreadingForm(sent(), data=data)
    if request.method == "POST" and form.validate() and not is_stale(form, campaign.version) and _saved(campaign, form):
        tell(_("Saved."))
        return redirect(url_for("admin.spreading", campaign_id=campaign_id), 303)
    page = render_template("admin/spreading.html", campaign=campaign, form=form, models=models())
    return make_response(page, 422 if form.is_wrong else 200)


def models() -> list[tuple[str, str]]:
    """Which of several links decides, in words."""
    return [
        (TouchModel.LAST.value, _("The link that was followed last")),
        (TouchModel.FIRST.value, _("The link that was followed first")),
    ]


def _saved(campaign: Campaign, form: SpreadingForm) -> bool:
    chosen = limits.SpreadingInput(**(form.data | {"touch_model": TouchModel(form.touch_model.data)}))
    try:
        campaigns.edit_spreading(campaign, chosen)
    except Invalid as error:
        form.blame(error)
    except Conflict as error:
        form.form_errors.append(str(error))
    return not form.is_wrong
