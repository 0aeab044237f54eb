"""Who entered: search as you type, by state, page by page, and everything as a CSV file."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.core import clock
from leadgen.entries import entrants as people
from leadgen.entries.models import EntryStatus
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.guards import Guard, guarded_by

LONGEST_SEARCH = 100


@blueprint.get("/campaigns/<int:campaign_id>/entrants")
@guarded_by(Guard.STAFF)
def entrants(campaign_id: int) -> ResponseReturnValue:
    """The list; with `X-Background` only its rows, which the search field fetches while one types."""
    campaign = campaign_of_mine(campaign_id)
    asked = _asked()
    found = people.search(
        campaign.id, typed=asked["text"], status=asked["status"], before_id=asked["before"], limit=people.PAGE + 1
    )
    following = found[people.PAGE - 1].id if len(found) > people.PAGE else None
    part = "admin/_entrants.html" if request.headers.get("X-Background") == "1" else "admin/entrants.html"
    return render_template(
        part,
        campaign=campaign,
        found=found[: people.PAGE],
        following=following,
        asked=asked,
        statuses=list(EntryStatus),
    )


@blueprint.get("/campaigns/<int:campaign_id>/entrants.csv")
@guarded_by(Guard.STAFF)
def entrants_csv(campaign_id: int) -> Response:
    """Everybody, the unconfirmed and the rejected included (rule 10), streamed."""
    campaign = campaign_of_mine(campaign_id)
    name = f"{campaign.slug}-{clock.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(people.export_csv(campaign.id), content_type="text/csv; charset=utf-8", headers=headers)


def _asked() -> dict[str, Any]:
    status = request.args.get("status", "")
    return {
        "text": request.args.get("text", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
        "status": status if status in set(EntryStatus) else "",
        "before": request.args.get("before", type=int),
    }
