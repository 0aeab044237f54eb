"""How fast mails may leave: the paces, and how a sending domain warms up, with a picture of its ramp."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.analytics import forecasts
from leadgen.analytics import sending as figures
from leadgen.core import clock
from leadgen.core.errors import Invalid, NotAllowed
from leadgen.core.i18n import gettext as _
from leadgen.mail import pacing, steering
from leadgen.mail.steering import Plan
from leadgen.web import staff
from leadgen.web.admin import sending_words
from leadgen.web.admin.door import blueprint, brand_ids, steers_all
from leadgen.web.admin.forms import StudioForm, line, one_of, whole
from leadgen.web.admin.notes import tell
from leadgen.web.guards import Guard, guarded_by

# What the picture of a plan is asked most often.
A_MILLION = 1_000_000


class PaceForm(StudioForm):
    """The most mails a second of one bucket."""

    bucket = one_of(*steering.BUCKETS)
    pace = whole(1, steering.FASTEST)


class PlanForm(StudioForm):
    """How a sending domain warms up."""

    domain = line(longest=253)
    first_day = whole(1, steering.MOST_A_DAY)
    growth = whole(1, steering.MOST_GROWTH)
    ceiling = whole(1, steering.MOST_A_DAY)


@blueprint.get("/sending/pace")
@guarded_by(Guard.STAFF)
def sending_pace() -> ResponseReturnValue:
    """Both forms and what holds now."""
    return _page(PaceForm(), PlanForm(data={"first_day": 1000, "growth": 50, "ceiling": 100_000}))


@blueprint.post("/sending/pace")
@guarded_by(Guard.STAFF)
def sending_pace_set() -> ResponseReturnValue:
    """Set a pace, or with `clear` take it away."""
    if not steers_all():
        raise NotAllowed
    if request.form.get("clear"):
        steering.clear_pace(request.form["clear"].replace("\x00", ""))
        tell(_("The pace is taken away."))
        return redirect(url_for("admin.sending_pace"), 303)
    form = PaceForm(request.form)
    try:
        if form.validate():
            steering.set_pace(form.bucket.data, form.pace.data, staff.name())
    except Invalid as error:
        form.blame(error)
    if form.is_wrong:
        return _page(form, PlanForm())
    tell(_("The pace holds from now on."))
    return redirect(url_for("admin.sending_pace"), 303)


@blueprint.post("/sending/warm-up")
@guarded_by(Guard.STAFF)
def sending_plan_set() -> ResponseReturnValue:
    """Set a warm-up plan, or with `clear` end it."""
    form = PlanForm(request.form)
    own = [plan.domain for plan in figures.plans(brand_ids())]
    is_ending = bool(request.form.get("clear"))
    try:
        if is_ending:
            steering.clear_plan(request.form["clear"], own)
        elif form.validate():
            numbers = Plan(form.domain.data, form.first_day.data, form.growth.data, form.ceiling.data)
            steering.set_plan(numbers, own, staff.name())
    except Invalid as error:
        form.blame(error)
    if (not is_ending and form.is_wrong) or form.domain.errors:
        return _page(PaceForm(), form)
    tell(_("The plan is ended.") if is_ending else _("The plan holds from now on."))
    return redirect(url_for("admin.sending_pace"), 303)


def _page(pace: StudioForm, plan: StudioForm) -> ResponseReturnValue:
    pacing.forget()
    found = figures.plans(brand_ids())
    page = render_template(
        "admin/sending_pace.html",
        pace=pace,
        plan=plan,
        paces=pacing.limits().per_second,
        steers_all=steers_all(),
        buckets=[(name, sending_words.bucket(name)) for name in steering.BUCKETS],
        plans=found,
        ramps={one.domain: _ramp(one) for one in found if one.plan},
        domains=[(one.domain, one.domain) for one in found],
        sending_words=sending_words,
    )
    return make_response(page, 422 if pace.is_wrong or plan.is_wrong else 200)


def _ramp(found: figures.PlanNow) -> dict[str, Any]:
    """Bars of the plan's days, 0 to 100 high, and what a million mails would take."""
    assert found.plan is not None
    days = forecasts.ramp(found.plan)
    highest = max(cap for _day, cap in days)
    today = clock.now().date()
    return {
        "days": [(day, cap, max(1.5, round(100 * cap / highest, 2)), day == today) for day, cap in days],
        "width": 100 / len(days),
        "million": pacing.days_for(found.plan, A_MILLION, found.sent_today, today),
        "is_over": found.cap is None,
    }
