"""A campaign's first page: what is missing before launch, then live figures, the funnel, the curve and sources."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from leadgen.analytics import service as analytics
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.web.admin import charts, launching
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.guards import Guard, guarded_by


@blueprint.get("/campaigns/<int:campaign_id>")
@guarded_by(Guard.STAFF)
def overview(campaign_id: int) -> ResponseReturnValue:
    """The whole page."""
    campaign = campaign_of_mine(campaign_id)
    return render_template(
        "admin/overview.html", campaign=campaign, problems=launching.missing(campaign), **_figures(campaign)
    )


@blueprint.get("/campaigns/<int:campaign_id>/numbers")
@guarded_by(Guard.STAFF)
def numbers(campaign_id: int) -> ResponseReturnValue:
    """Only the figures, which the page fetches every few seconds."""
    campaign = campaign_of_mine(campaign_id)
    return render_template("admin/_numbers.html", campaign=campaign, **_figures(campaign))


def _figures(campaign: Campaign) -> dict[str, Any]:
    now = clock.now()
    since = min(campaign.starts_at, now)
    until = min(max(now, campaign.starts_at), campaign.ends_at)
    found = analytics.figures(campaign.id, since, until, campaign.timezone)
    return {
        "numbers": found.numbers,
        "stages": charts.funnel(found.numbers),
        "curves": [charts.curve(found.slots, found.unit, campaign.timezone, width) for width in charts.WIDTHS],
        "slots": found.slots,
        "unit": found.unit,
        "channels": found.channels,
        "sources": found.sources,
    }
