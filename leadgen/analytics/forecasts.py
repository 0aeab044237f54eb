"""When a blast will be through: from what is left, the speed of the last minutes, the pace, and the warm-up plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from leadgen.mail import pacing
from leadgen.mail.models import WarmUp

LONGEST_RAMP = 60  # days that a picture of a plan shows


@dataclass(frozen=True, slots=True)
class Forecast:
    """`days` under a warm-up plan (today is the first), else `seconds`; neither: nothing can be said yet."""

    left: int
    seconds: float | None = None
    days: int | None = None


def left_of(tally: Mapping[str, int]) -> int:
    """How many mails of a stream are still to go, by its last count."""
    return tally.get("scheduled", 0) + tally.get("sending", 0)


def done_of(tally: Mapping[str, int]) -> float | None:
    """Which part of a stream's mails is decided, 0 to 1; None for a stream without mails."""
    total = sum(tally.values())
    return (total - left_of(tally)) / total if total else None


def forecast(
    left: int, per_minute: float, pace: int | None, *, plan: WarmUp | None, sent_today: int, today: date
) -> Forecast:
    """How long `left` mails take: under a plan in days, when it needs more than this one; else by speed or pace.

    `pace` is the most mails a second that a bucket allows; with it nothing is faster, whatever was measured before.
    """
    if plan is not None and pacing.daily_cap(plan, today) is not None:
        days = pacing.days_for(plan, left, sent_today, today)
        if days > 1:
            return Forecast(left, days=days)
    speeds = [speed for speed in (per_minute / 60, pace) if speed]
    return Forecast(left, seconds=left / min(speeds)) if speeds and left else Forecast(left)


def ramp(plan: WarmUp) -> list[tuple[date, int]]:
    """The plan day by day until its ceiling, at most two months of it."""
    found: list[tuple[date, int]] = []
    for number in range(LONGEST_RAMP):
        day = plan.started_on + timedelta(days=number)
        cap = pacing.daily_cap(plan, day)
        if cap is None:
            return [*found, (day, plan.ceiling)]
        found.append((day, cap))
    return found
