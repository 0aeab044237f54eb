"""All sequences of a brand together: what letters bring more than none, to whom, and whether they pay."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.accounts import service as accounts
from leadgen.accounts.models import Brand
from leadgen.core.errors import NotFound
from leadgen.core.i18n import gettext as _
from leadgen.outcomes import returns
from leadgen.outcomes.results import EVERYBODY
from leadgen.outcomes.returns import CURRENCIES
from leadgen.segments import service as segments
from leadgen.web import staff
from leadgen.web.admin import charts, result_words
from leadgen.web.admin.brands import mine
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import one_of, sent
from leadgen.web.admin.notes import tell
from leadgen.web.admin.sequence_results import LARGEST, CostForm, save_costs
from leadgen.web.guards import Guard, guarded_by

_PAGE = "/brands/<int:brand_id>/programme"


class BrandCostForm(CostForm):
    """What holds for all letters of the brand."""

    currency = one_of(*CURRENCIES)


@blueprint.get("/programme")
@guarded_by(Guard.STAFF)
def programme_brands() -> ResponseReturnValue:
    """Go to the programme of the user's first brand; its page leads to the other brands'."""
    brands = accounts.brands_of(staff.current())
    if not brands:
        raise NotFound
    return redirect(url_for("admin.programme", brand_id=brands[0].id), 303)


@blueprint.get(_PAGE)
@guarded_by(Guard.STAFF)
def programme(brand_id: int) -> ResponseReturnValue:
    """The whole page; `campaign` narrows it to a contest, `segment` to people."""
    return _page(mine(brand_id), None)


@blueprint.post(f"{_PAGE}/costs")
@guarded_by(Guard.STAFF)
def programme_costs(brand_id: int) -> ResponseReturnValue:
    """Keep what letters of the brand cost, and in which currency."""
    brand = mine(brand_id)
    form = BrandCostForm(sent())
    if not save_costs(brand, None, form, str(form.currency.data or "")):
        return _page(brand, form)
    tell(_("Reckoned anew with your figures."))
    return redirect(url_for("admin.programme", brand_id=brand.id) + "#return", 303)


def _page(brand: Brand, form: BrandCostForm | None) -> ResponseReturnValue:
    campaign_id, segment_id = (_number(name) for name in ("campaign", "segment"))
    campaign = campaign_of_mine(campaign_id) if campaign_id else None
    if campaign is not None and campaign.brand_id != brand.id:
        raise NotFound
    chosen = segments.get(brand.id, segment_id) if segment_id else None
    among = segments.condition(brand.id, chosen.id) if chosen else EVERYBODY
    found = returns.programme(brand, campaign_id, among)
    page = render_template(
        "admin/programme.html",
        brand=brand,
        brands=accounts.brands_of(staff.current()),
        campaign_chosen=campaign,
        chosen=chosen,
        segments=segments.of_brand(brand.id),
        found=found,
        charts=_charts(found),
        form=form or BrandCostForm(data=_entered(brand)),
        currencies=[(one, one) for one in CURRENCIES],
        told=result_words,
    )
    return make_response(page, 422 if form is not None and form.is_wrong else 200)


def _entered(brand: Brand) -> dict[str, Any]:
    entered = returns.costs(brand.id).get(None)
    if entered is None:
        return {"currency": CURRENCIES[0]}
    amounts = {"per_thousand": entered.per_thousand or None, "fixed": entered.fixed or None}
    return amounts | {"currency": entered.currency}


def _charts(found: returns.Programme) -> list[charts.Intervals]:
    """All together first, then each sequence."""
    if not found.measured:
        return []
    named = [(_("All together"), found.interval)] if len(found.measured) > 1 else []
    named += [(one.sequence.name, one.lift.interval) for one in found.measured if one.lift]
    return [charts.intervals(named[:12], width) for width in charts.INTERVAL_WIDTHS]


def _number(name: str) -> int | None:
    found = request.args.get(name, type=int)
    return None if found is None else max(0, min(found, LARGEST))
