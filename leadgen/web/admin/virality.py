"""How a campaign spreads: the page of figures, and the lists of people and openings behind every one of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.analytics import crowds, sheets, trees
from leadgen.analytics import virality as spreading
from leadgen.analytics.crowds import Asked, Crowd, Openings
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.errors import NotFound
from leadgen.web.admin import spread_charts, spread_words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.guards import Guard, guarded_by

_PAGE = "/campaigns/<int:campaign_id>/virality"
_Word = TypeVar("_Word", Crowd, Openings)
LARGEST = 2**63 - 1
DEEPEST = 2**31 - 1
_YEARS = range(1970, 3000)


@blueprint.get(_PAGE)
@guarded_by(Guard.STAFF)
def virality(campaign_id: int) -> ResponseReturnValue:
    """The whole page."""
    campaign = campaign_of_mine(campaign_id)
    found = spreading.spread(campaign.id, campaign.timezone)
    return render_template(
        "admin/virality.html",
        campaign=campaign,
        spread=found,
        told=spread_words,
        charts=[spread_charts.weeks(found.cohorts, width) for width in spread_charts.WIDTHS],
    )


@blueprint.get(f"{_PAGE}/people")
@guarded_by(Guard.STAFF)
def virality_people(campaign_id: int) -> ResponseReturnValue:
    """The people whom a figure counts, page by page."""
    campaign = campaign_of_mine(campaign_id)
    asked = _asked(campaign)
    before = _number("before", LARGEST)
    found = crowds.people(asked, before_id=before, limit=crowds.PAGE + 1)
    return render_template(
        "admin/virality_people.html",
        campaign=campaign,
        asked=asked,
        number=crowds.how_many(asked),
        found=found[: crowds.PAGE],
        following=found[crowds.PAGE - 1].id if len(found) > crowds.PAGE else None,
        told=spread_words,
    )


@blueprint.get(f"{_PAGE}/openings")
@guarded_by(Guard.STAFF)
def virality_openings(campaign_id: int) -> ResponseReturnValue:
    """The human openings of links that a figure counts."""
    campaign = campaign_of_mine(campaign_id)
    which = _word(Openings, request.args.get("which", Openings.HUMAN))
    found = crowds.openings(campaign.id, which, before_id=_number("before", LARGEST), limit=crowds.PAGE + 1)
    return render_template(
        "admin/virality_openings.html",
        campaign=campaign,
        which=which,
        number=crowds.how_many_openings(campaign.id, which),
        found=found[: crowds.PAGE],
        following=found[crowds.PAGE - 1].id if len(found) > crowds.PAGE else None,
        told=spread_words,
    )


def _asked(campaign: Campaign) -> Asked:
    return Asked(
        campaign.id,
        campaign.timezone,
        _word(Crowd, request.args.get("who", Crowd.ENTRIES)),
        depth=_number("depth", DEEPEST),
        week=_day("week"),
        brought_week=_day("brought"),
        root_id=_number("of", LARGEST),
        level=min(3, max(1, _number("level", 3) or 1)),
    )


def _word(kind: type[_Word], asked: str) -> _Word:
    try:
        return kind(asked)
    except ValueError as error:
        raise NotFound from error


def _number(name: str, largest: int) -> int | None:
    number = request.args.get(name, type=int)
    return None if number is None else max(0, min(number, largest))


def _day(name: str) -> date | None:
    if not (asked := request.args.get(name)):
        return None
    try:
        day = date.fromisoformat(asked)
    except ValueError as error:
        raise NotFound from error
    if day.year not in _YEARS:
        raise NotFound
    return day


@blueprint.get(f"{_PAGE}/tree/<int:entry_id>")
@guarded_by(Guard.STAFF)
def virality_tree(campaign_id: int, entry_id: int) -> ResponseReturnValue:
    """One person's three generations, page by page."""
    campaign = campaign_of_mine(campaign_id)
    found = trees.tree(campaign.id, entry_id, start=_number("start", DEEPEST) or 0)
    return render_template(
        "admin/virality_tree.html",
        campaign=campaign,
        tree=found,
        drawings=[spread_charts.tree(found, width) for width in spread_charts.WIDTHS],
        told=spread_words,
    )


@blueprint.get(f"{_PAGE}/influencers.csv")
@guarded_by(Guard.STAFF)
def virality_influencers_csv(campaign_id: int) -> Response:
    """Everybody who brought somebody, with what became of it, streamed."""
    campaign = campaign_of_mine(campaign_id)
    return _csv(campaign, "influencers", sheets.influencers(campaign.id))


@blueprint.get(f"{_PAGE}/cohorts.csv")
@guarded_by(Guard.STAFF)
def virality_cohorts_csv(campaign_id: int) -> Response:
    """The weeks of entry as the page shows them."""
    campaign = campaign_of_mine(campaign_id)
    found = spreading.spread(campaign.id, campaign.timezone)
    return _csv(campaign, "cohorts", [sheets.cohorts(found.cohorts)])


def _csv(campaign: Campaign, name: str, body: Iterable[bytes]) -> Response:
    file = f"{campaign.slug}-{name}-{clock.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return Response(body, content_type="text/csv; charset=utf-8", headers=headers)
