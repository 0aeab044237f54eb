"""What a sequence brought: its tests, the comparison with who was held out, a segment's, and whether it pays."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.nurture import service as nurture
from leadgen.nurture.models import Sequence
from leadgen.outcomes import readers, results, returns, trials
from leadgen.outcomes.results import LetterResult, Which
from leadgen.outcomes.returns import CostInput
from leadgen.segments import service as segments
from leadgen.web import staff
from leadgen.web.admin import charts, result_words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import MoneyField, StudioForm, sent
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

_PAGE = "/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/results"
LARGEST = 2**63 - 1
_SIDES = {
    "treated": (False, False),
    "treated_reached": (False, True),
    "held": (True, False),
    "held_reached": (True, True),
}


class CostForm(StudioForm):
    """What a goal is worth and what letters cost; empty is nothing, or as the goal says."""

    value: Any = MoneyField()
    per_thousand: Any = MoneyField()
    fixed: Any = MoneyField()


@blueprint.get(_PAGE)
@guarded_by(Guard.STAFF)
def sequence_results(campaign_id: int, sequence_id: int) -> ResponseReturnValue:
    """The whole page; `by=clicks` judges letters by clicks, `segment` compares inside a segment."""
    campaign, sequence = mine(campaign_id, sequence_id)
    return _page(campaign, sequence, None)


@blueprint.post(f"{_PAGE}/costs")
@guarded_by(Guard.STAFF)
def sequence_costs(campaign_id: int, sequence_id: int) -> ResponseReturnValue:
    """Keep the marketer's own value and costs."""
    campaign, sequence = mine(campaign_id, sequence_id)
    form = CostForm(sent())
    brand = db.session.get_one(Brand, campaign.brand_id)
    if not save_costs(brand, sequence, form, returns.currency(brand.id)):
        return _page(campaign, sequence, form)
    tell(_("Reckoned anew with your figures."))
    return redirect(_path(sequence) + "#return", 303)


@blueprint.post(f"{_PAGE}/winner")
@guarded_by(Guard.STAFF)
def sequence_winner(campaign_id: int, sequence_id: int) -> ResponseReturnValue:
    """Leave one wording in the draft, or (without one named) put those that are published back."""
    _campaign, sequence = mine(campaign_id, sequence_id)
    step_key, variant = request.form.get("step", ""), request.form.get("variant", "")
    try:
        if variant:
            is_undone = trials.keep_winner(sequence, step_key, variant, staff.name())
            told = _("Only %(wording)s is in the draft now. People get it once you publish.")
            undo = request.path if is_undone else ""
            tell(told % {"wording": result_words.wording(variant)}, undo=undo, fields={"step": step_key})
        else:
            trials.put_wordings_back(sequence, step_key, staff.name())
            tell(_("The draft has the published wordings again."))
    except (NotFound, Conflict) as error:
        refuse(str(error) or _("The draft has no such wording any more."))
    return redirect(_path(sequence), 303)


@blueprint.get(f"{_PAGE}/people")
@guarded_by(Guard.STAFF)
def sequence_result_people(campaign_id: int, sequence_id: int) -> str:
    """The people behind a figure, page by page."""
    campaign, sequence = mine(campaign_id, sequence_id)
    which = request.args.get("which", "treated")
    before = request.args.get("before", type=int)
    before = None if before is None else max(0, min(before, LARGEST))
    if which in _SIDES:
        is_held, has_reached = _SIDES[which]
        found = readers.compared(sequence, is_held=is_held, has_reached=has_reached, before_id=before)
    else:
        place, variant = _asked(sequence)
        found = readers.people(sequence, place, variant, _which(which), before_id=before)
    return render_template(
        "admin/sequence_result_people.html",
        campaign=campaign,
        sequence=sequence,
        which=which,
        found=found[: readers.PAGE],
        following=found[readers.PAGE - 1].id if len(found) > readers.PAGE else None,
        asked={name: request.args[name] for name in ("step", "variant", "experiment") if name in request.args},
        told=result_words,
    )


def mine(campaign_id: int, sequence_id: int) -> tuple[Campaign, Sequence]:
    """The campaign of mine and its sequence. Raises NotFound."""
    campaign = campaign_of_mine(campaign_id)
    found = db.session.scalar(select(Sequence).filter_by(id=sequence_id, campaign_id=campaign.id))
    if found is None:
        raise NotFound
    return campaign, found


def save_costs(brand: Brand, sequence: Sequence | None, form: CostForm, currency: str) -> bool:
    """Keep what the form says; what is wrong with it is told beside its field."""
    if form.validate():
        try:
            amounts = {"per_thousand": form.per_thousand.data or 0, "fixed": form.fixed.data or 0}
            value = form.value.data if sequence else None
            returns.save(brand, sequence, CostInput(**amounts, value=value, currency=currency), staff.name())
        except Invalid as error:
            form.blame(error)
    return not form.is_wrong


def chart(result: LetterResult) -> list[charts.Intervals]:
    """The lead of the first wording over the next, for a desktop and for a phone."""
    verdict = result.verdict
    if verdict is None or not all(arm.people for arm in result.arms):
        return []
    names = [result_words.wording(one.variant) for one in result.counts]
    named = [(f"{names[verdict.first]} − {names[verdict.next]}", verdict.interval)]
    return [charts.intervals(named, width) for width in charts.INTERVAL_WIDTHS]


def _page(campaign: Campaign, sequence: Sequence, form: CostForm | None) -> ResponseReturnValue:
    brand = db.session.get_one(Brand, campaign.brand_id)
    found = results.letters(sequence, by_clicks=request.args.get("by") == "clicks")
    published = trials.published(sequence)
    goal = published[-1][1].goal if published else None
    page = render_template(
        "admin/sequence_results.html",
        campaign=campaign,
        sequence=sequence,
        tests=[(one, chart(one)) for one in found if one.trial],
        letters=[one for one in found if not one.trial],
        names={step.key: nurture.step_name(step) for step in reversed(sequence.steps)},
        goal=goal,
        holdout=trials.holdout(published),
        stops=results.stops(sequence),
        told=result_words,
        **_compared(brand, sequence, form),
    )
    return make_response(page, 422 if form is not None and form.is_wrong else 200)


def _compared(brand: Brand, sequence: Sequence, form: CostForm | None) -> dict[str, Any]:
    lift = results.lift(sequence)
    entered = returns.costs(brand.id)
    worth = returns.worth(sequence, entered)
    shown = {"value": worth.value or None, "per_thousand": worth.per_thousand or None, "fixed": worth.fixed or None}
    is_known = lift is not None and lift.treated.people > 0 and lift.held.people > 0
    return {
        "lift": lift,
        "lift_charts": [charts.intervals([("", lift.interval)], width) for width in charts.INTERVAL_WIDTHS]
        if lift and is_known
        else [],
        "worth": worth,
        "paid": returns.reckon(lift, worth) if lift and is_known and worth.value else None,
        "currency": returns.currency(brand.id),
        "form": form or CostForm(data=shown),
        **_inside(brand, sequence),
    }


def _inside(brand: Brand, sequence: Sequence) -> dict[str, Any]:
    """The same comparison inside a segment, when one is chosen. Raises NotFound for another brand's."""
    number = request.args.get("segment", type=int)
    chosen = segments.get(brand.id, max(0, min(number, LARGEST))) if number else None
    return {
        "segments": segments.of_brand(brand.id),
        "chosen": chosen,
        "inside": results.lift(sequence, segments.condition(brand.id, chosen.id)) if chosen else None,
    }


def _asked(sequence: Sequence) -> tuple[trials.Trial | str, str]:
    """The test, or the letter, and the wording that a link names. Raises NotFound."""
    step_key, variant = request.args.get("step", ""), request.args.get("variant", "")
    experiment = request.args.get("experiment")
    if experiment is None:
        return step_key, variant
    for trial in trials.trials(trials.published(sequence)):
        if (trial.step_key, trial.experiment) == (step_key, experiment):
            return trial, variant
    raise NotFound


def _which(word: str) -> Which:
    try:
        return Which(word)
    except ValueError as error:
        raise NotFound from error


def _path(sequence: Sequence) -> str:
    return url_for("admin.sequence_results", campaign_id=sequence.campaign_id, sequence_id=sequence.id)
