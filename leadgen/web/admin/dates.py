"""When the contest runs, who may enter, and what entering and bringing friends is worth."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, Field, Form, StringField, ValidationError

from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import (
    StudioForm,
    aware,
    is_stale,
    line,
    needed,
    on_the_clock,
    on_the_wall,
    sent,
    whole,
)
from leadgen.web.admin.notes import tell
from leadgen.web.guards import Guard, guarded_by


def known_zone(_form: Form, field: Field) -> None:
    """The time zone must be one that the world knows."""
    if field.data not in available_timezones():
        raise ValidationError(_("Choose a time zone from the list, such as Europe/Paris."))


class DatesForm(StudioForm):
    """Dates on the wall clock of the chosen time zone."""

    starts_at = on_the_clock()
    ends_at = on_the_clock()
    timezone: Any = StringField(validators=[needed, known_zone])
    countries = line(longest=500)
    minimum_age = whole(13, 99)
    entry_points = whole(0, 1000)
    referral_points = whole(0, 1000)
    is_reminding: Any = BooleanField()


@blueprint.route("/campaigns/<int:campaign_id>/dates", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def dates(campaign_id: int) -> ResponseReturnValue:
    """Everything on one page; a change after publication becomes a public line of the rules."""
    campaign = campaign_of_mine(campaign_id)
    form = DatesForm(sent(), data=_as_data(campaign))
    if request.method == "POST" and form.validate() and not is_stale(form, campaign.version) and _saved(campaign, form):
        tell(_("Saved."))
        return redirect(url_for("admin.dates", campaign_id=campaign_id), 303)
    confirm_until = campaign.ends_at + timedelta(seconds=campaign.grace_seconds)
    page = render_template("admin/dates.html", campaign=campaign, form=form, zones=zones(), confirm_until=confirm_until)
    return make_response(page, 422 if form.is_wrong else 200)


def _as_data(campaign: Campaign) -> dict[str, Any]:
    same = ("timezone", "minimum_age", "entry_points", "referral_points", "is_reminding")
    return {name: getattr(campaign, name) for name in same} | {
        "starts_at": on_the_wall(campaign.starts_at, campaign.timezone),
        "ends_at": on_the_wall(campaign.ends_at, campaign.timezone),
        "countries": ", ".join(campaign.countries),
    }


def _saved(campaign: Campaign, form: DatesForm) -> bool:
    try:
        _save(campaign, form)
    except Invalid as error:
        form.blame(error)
    except Conflict as error:
        form.form_errors.append(str(error))
    return not form.is_wrong


def _save(campaign: Campaign, form: DatesForm) -> None:
    zone = form.timezone.data
    chosen = {"starts_at": campaign.starts_at, "ends_at": campaign.ends_at}
    for name, moment in chosen.items():
        # The form shows minutes: a time that nobody touched keeps its seconds, and changes no rules.
        if zone != campaign.timezone or form[name].data != on_the_wall(moment, zone):
            chosen[name] = aware(form[name].data, zone)
    if (chosen["starts_at"], chosen["ends_at"], zone) != (campaign.starts_at, campaign.ends_at, campaign.timezone):
        campaigns.edit_dates(campaign, campaigns.CampaignDates(**chosen, timezone=zone))
    countries = [code for code in form.countries.data.replace(",", " ").split() if code]
    if (sorted(c.upper() for c in countries), form.minimum_age.data) != (
        sorted(campaign.countries),
        campaign.minimum_age,
    ):
        campaigns.edit_eligibility(campaign, countries=countries, minimum_age=form.minimum_age.data)
    if (form.entry_points.data, form.referral_points.data) != (campaign.entry_points, campaign.referral_points):
        campaigns.edit_points(campaign, entry_points=form.entry_points.data, referral_points=form.referral_points.data)
    campaigns.edit_reminder(campaign, is_reminding=form.is_reminding.data)


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """The time zones that people know by a place."""
    continents = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    return (*sorted(zone for zone in available_timezones() if zone.startswith(continents)), "UTC")
