"""Setting the pace by hand: so many mails a second of a bucket, and the warm-up plan of a sending domain."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.letters.models import Lane
from leadgen.mail import groups, pacing
from leadgen.mail.models import Pace, WarmUp

FASTEST = 100_000
MOST_A_DAY = 100_000_000
MOST_GROWTH = 300
BUCKETS = ("provider", *(f"lane:{lane.value}" for lane in Lane), *(f"group:{name}" for name in groups.ALL if name))


@dataclass(frozen=True, slots=True)
class Plan:
    """A warm-up plan as somebody writes it; its first day is the day on which it is set (UTC)."""

    domain: str
    first_day: int  # mails
    growth: int  # percent a day
    ceiling: int  # mails a day at which the plan ends


def set_pace(bucket: str, per_second: int, by: str) -> None:
    """Let at most so many mails a second out of a bucket, from the next second on. Raises Invalid (`per_second`)."""
    if bucket not in BUCKETS:
        raise Invalid(_("Please choose one of the list."), "bucket")
    if not 1 <= per_second <= FASTEST:
        raise Invalid(_("Please choose a number from %(least)s to %(most)s.") % {"least": 1, "most": FASTEST}, "pace")
    values = {"bucket": bucket, "per_second": per_second, "changed_at": clock.now(), "changed_by": by}
    statement = insert(Pace).values(values)
    db.session.execute(statement.on_conflict_do_update(index_elements=["bucket"], set_=values))
    pacing.forget()


def clear_pace(bucket: str) -> None:
    """Let a bucket run without a limit of its own."""
    db.session.execute(delete(Pace).where(Pace.bucket == bucket))
    pacing.forget()


def set_plan(plan: Plan, own_domains: Collection[str], by: str) -> None:
    """Begin a warm-up plan today, or change the numbers of the one that runs, which keeps its first day.

    Raises Invalid, with the field, for a domain that is not among `own_domains` and for numbers that make no plan.
    """
    if plan.domain not in own_domains:
        raise Invalid(_("Choose a domain that one of your brands sends from."), "domain")
    if plan.first_day < 1:
        raise Invalid(_("Begin with at least one mail a day."), "first_day")
    if not 1 <= plan.growth <= MOST_GROWTH:
        raise Invalid(_("Let it grow by %(least)s to %(most)s percent a day.") % {"least": 1, "most": MOST_GROWTH},
                      "growth")  # fmt: skip
    if not plan.first_day <= plan.ceiling <= MOST_A_DAY:
        raise Invalid(_("The plan must end at a higher number than it begins with."), "ceiling")
    numbers = {"first_day": plan.first_day, "growth": plan.growth, "ceiling": plan.ceiling, "changed_by": by}
    statement = insert(WarmUp).values(numbers | {"domain": plan.domain, "started_on": clock.now().date()})
    db.session.execute(statement.on_conflict_do_update(index_elements=["domain"], set_=numbers))
    pacing.forget()


def clear_plan(domain: str, own_domains: Collection[str]) -> None:
    """End a plan: the domain sends as fast as its pace allows. Raises Invalid for somebody else's domain."""
    if domain not in own_domains:
        raise Invalid(_("Choose a domain that one of your brands sends from."), "domain")
    db.session.execute(delete(WarmUp).where(WarmUp.domain == domain))
    pacing.forget()
