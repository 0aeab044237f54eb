"""The list of campaigns, a new one from a template, the moves of its life, and the places that ⌘K goes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from flask import jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from leadgen.accounts import service as accounts
from leadgen.accounts.models import Brand
from leadgen.analytics import service as analytics
from leadgen.campaigns import cards
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.forms import service as forms
from leadgen.letters import editing as letters
from leadgen.rewards import readiness as rewards
from leadgen.web import staff
from leadgen.web.admin.door import blueprint, brand_ids, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, aware, line, needed, on_the_clock, on_the_wall, sent
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.admin.tabs import TABS
from leadgen.web.guards import Guard, guarded_by


class NewCampaignForm(StudioForm):
    """All that a draft needs; everything else comes from the template."""

    template: Any = StringField()
    brand: Any = StringField()
    name = line(needed, longest=90)
    slug = line(longest=60)
    starts_at = on_the_clock()
    ends_at = on_the_clock()


@blueprint.get("/")
@guarded_by(Guard.STAFF)
def campaign_list() -> str:
    """Every campaign of the user's brands, with the figures that matter at a glance."""
    found = campaigns.list_for(brand_ids())
    glances = analytics.glances([campaign.id for campaign in found])
    brands = {brand.id: brand for brand in accounts.brands_of(staff.current())}
    return render_template("admin/campaign_list.html", campaigns=found, glances=glances, brands=brands)


@blueprint.route("/campaigns/new", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def campaign_new() -> ResponseReturnValue:
    """Choose a template, a name and the dates: a draft in one step."""
    brands = accounts.brands_of(staff.current())
    form = NewCampaignForm(sent(), data=_usual_dates(brands[0].timezone if brands else "UTC"))
    if request.method == "POST" and form.validate():
        try:
            campaign = _create(_brand(brands, form.brand.data), form)
        except Invalid as error:
            form.blame(error)
        else:
            tell(_("The draft is ready. Look it over, then publish it."))
            return redirect(url_for("admin.overview", campaign_id=campaign.id), 303)
    page = render_template(
        "admin/campaign_new.html",
        form=form,
        brands=brands,
        templates=campaigns.templates(),
        brand_choices=[(brand.id, brand.name) for brand in brands],
    )
    return make_response(page, 422 if form.is_wrong else 200)


def _brand(brands: Sequence[Brand], chosen: str | None) -> Brand:
    found = [brand for brand in brands if str(brand.id) == chosen] or list(brands[:1])
    if not found:
        raise Invalid(_("You do not work for any brand yet. Ask whoever runs this server."), field="brand")
    return found[0]


def _create(brand: Brand, form: NewCampaignForm) -> Campaign:
    starts_at = aware(form.starts_at.data, brand.timezone)
    ends_at = aware(form.ends_at.data, brand.timezone)
    offered = {card.key for card in campaigns.templates()}
    if form.template.data not in offered:
        raise Invalid(_("Please choose a template."), field="template")
    return campaigns.create_from_template(
        brand, form.template.data, name=form.name.data, slug=form.slug.data, starts_at=starts_at, ends_at=ends_at
    )


def _usual_dates(zone: str) -> dict[str, Any]:
    """From tomorrow at nine for two weeks, on the brand's wall clock."""
    tomorrow = on_the_wall(clock.now(), zone).replace(hour=9, minute=0) + timedelta(days=1)
    return {"starts_at": tomorrow, "ends_at": tomorrow + timedelta(days=14)}


@blueprint.post("/campaigns/<int:campaign_id>/publish")
@guarded_by(Guard.STAFF)
def publish(campaign_id: int) -> ResponseReturnValue:
    """Make it public, when nothing is missing and no letter has an error."""
    return _move(campaign_id, _publish, _("The campaign is published."))


@blueprint.post("/campaigns/<int:campaign_id>/pause")
@guarded_by(Guard.STAFF)
def pause(campaign_id: int) -> ResponseReturnValue:
    """Take no entries for a while."""
    undo = url_for("admin.resume", campaign_id=campaign_id)
    return _move(campaign_id, campaigns.pause, _("The campaign is paused: nobody can enter for now."), undo=undo)


@blueprint.post("/campaigns/<int:campaign_id>/resume")
@guarded_by(Guard.STAFF)
def resume(campaign_id: int) -> ResponseReturnValue:
    """Take entries again."""
    return _move(campaign_id, campaigns.resume, _("The campaign goes on: people can enter again."))


@blueprint.post("/campaigns/<int:campaign_id>/duplicate")
@guarded_by(Guard.STAFF)
def duplicate(campaign_id: int) -> ResponseReturnValue:
    """A new draft with everything but the people."""
    campaign = campaign_of_mine(campaign_id)
    twin = campaigns.duplicate(campaign, name=_("Copy of %(name)s") % {"name": campaign.name[:70]})
    tell(_("This is the copy. It starts tomorrow unless you change its dates."))
    return redirect(url_for("admin.overview", campaign_id=twin.id), 303)


@blueprint.route("/campaigns/<int:campaign_id>/delete", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def delete(campaign_id: int) -> ResponseReturnValue:
    """Delete a draft for good, once its name was typed: this cannot be undone."""
    campaign = campaign_of_mine(campaign_id)
    typed = request.form.get("name", "").strip()
    if request.method == "POST" and typed == campaign.name:
        try:
            campaigns.delete_draft(campaign)
        except Conflict as error:
            refuse(str(error))
            return redirect(url_for("admin.overview", campaign_id=campaign_id), 303)
        tell(_("The draft is deleted."))
        return redirect(url_for("admin.campaign_list"), 303)
    is_wrong = request.method == "POST"
    page = render_template("admin/campaign_delete.html", campaign=campaign, is_wrong=is_wrong)
    return make_response(page, 422 if is_wrong else 200)


@blueprint.get("/places.json")
@guarded_by(Guard.STAFF)
def places() -> ResponseReturnValue:
    """Where ⌘K can go: every page of every campaign."""
    found = [{"name": _("Campaigns"), "to": url_for("admin.campaign_list")}]
    found += [{"name": _("New campaign"), "to": url_for("admin.campaign_new")}]
    found += [
        {"name": f"{brand.name} › {_('Segments')}", "to": url_for("admin.segment_list", brand_id=brand.id)}
        for brand in accounts.brands_of(staff.current())
    ]
    found += [
        {"name": f"{brand.name} › {_('Scores')}", "to": url_for("admin.score_rules", brand_id=brand.id)}
        for brand in accounts.brands_of(staff.current())
    ]
    for campaign in campaigns.list_for(brand_ids()):
        found += [
            {"name": f"{campaign.name} › {tab.word()}", "to": url_for(tab.endpoint, campaign_id=campaign.id)}
            for tab in TABS
            if tab.applies(campaign)
        ]
    return jsonify(found)


def _publish(campaign: Campaign) -> None:
    if found := letters.errors_before_launch(cards.by_id(campaign.id)):
        raise Invalid(found[0].sentence, "letters")
    if lacking := rewards.missing_before_launch(campaign):
        raise Invalid(lacking[0].sentence, lacking[0].where)
    if faulty := forms.findings(campaign, forms.draft_of(campaign).definition):
        raise Invalid(faulty[0].sentence, "questions")
    campaigns.publish(campaign)


def _move(campaign_id: int, verb: Callable[[Campaign], None], told: str, undo: str = "") -> ResponseReturnValue:
    """Run a move of the campaign's life and tell how it went, on the overview."""
    campaign = campaign_of_mine(campaign_id)
    try:
        verb(campaign)
    except (Conflict, Invalid) as error:
        refuse(str(error))
    else:
        tell(told, undo=undo)
    return redirect(url_for("admin.overview", campaign_id=campaign_id), 303)
