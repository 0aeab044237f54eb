"""Forecasts: by the speed of the last minutes, never faster than the pace, and in days under a warm-up plan."""

from __future__ import annotations

from datetime import date

import pytest

from leadgen.analytics import forecasts
from leadgen.mail.models import WarmUp

TODAY = date(2026, 3, 1)


def plan(first_day: int = 1_000, ceiling: int = 200_000) -> WarmUp:
    return WarmUp(domain="brand.example", started_on=TODAY, first_day=first_day, growth=50, ceiling=ceiling)


@pytest.mark.parametrize(
    ("left", "per_minute", "pace", "seconds"),
    [(6_000, 600, None, 600), (6_000, 600, 5, 1_200), (6_000, 0, 5, 1_200), (6_000, 0, None, None), (0, 600, 5, None)],
)
def test_the_slower_of_speed_and_pace_counts(left: int, per_minute: int, pace: int | None, seconds: int | None) -> None:
    found = forecasts.forecast(left, per_minute, pace, plan=None, sent_today=0, today=TODAY)
    assert (found.seconds, found.days) == (seconds, None)


def test_a_plan_counts_in_days() -> None:
    found = forecasts.forecast(1_000_000, 60_000, None, plan=plan(), sent_today=0, today=TODAY)
    assert found.days == 15


def test_what_the_day_still_allows_is_told_by_the_clock() -> None:
    found = forecasts.forecast(600, 60, None, plan=plan(), sent_today=400, today=TODAY)
    assert (found.seconds, found.days) == (600, None)
    assert forecasts.forecast(601, 60, None, plan=plan(), sent_today=400, today=TODAY).days == 2


def test_the_ramp_ends_at_its_ceiling() -> None:
    days = forecasts.ramp(plan(100, 500))
    assert [cap for _day, cap in days] == [100, 150, 225, 337, 500]
    assert days[1][0] == date(2026, 3, 2)
    assert len(forecasts.ramp(WarmUp(started_on=TODAY, first_day=1, growth=1, ceiling=10**6))) == forecasts.LONGEST_RAMP


def test_progress_is_what_is_decided() -> None:
    assert forecasts.done_of({}) is None
    assert forecasts.done_of({"scheduled": 30, "sending": 10, "delivered": 50, "skipped": 10}) == 0.6
