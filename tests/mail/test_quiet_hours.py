"""Quiet hours by the wall clock: on the nights when the clock changes eight o'clock stays eight o'clock."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from leadgen.mail import gates


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "until"),
    [
        ("2026-07-01T05:59", "Europe/Paris", "2026-07-01T06:00"),  # 07:59 there
        ("2026-07-01T06:00", "Europe/Paris", None),  # 08:00: open
        ("2026-07-01T18:59", "Europe/Paris", None),  # 20:59: still open
        ("2026-07-01T19:00", "Europe/Paris", "2026-07-02T06:00"),  # 21:00: closed until tomorrow
        ("2026-03-28T22:00", "Europe/Paris", "2026-03-29T06:00"),  # the night that loses an hour
        ("2026-10-24T22:00", "Europe/Paris", "2026-10-25T07:00"),  # the night that gains one
        ("2026-03-08T03:00", "America/Toronto", "2026-03-08T12:00"),
        ("2026-11-01T04:00", "America/Toronto", "2026-11-01T13:00"),
        ("2026-07-01T12:00", "Pacific/Noumea", "2026-07-01T21:00"),  # 23:00 in a French zone far away
        ("2026-07-01T00:00", "Asia/Kathmandu", "2026-07-01T02:15"),  # 05:45: zones need not be whole hours
    ],
)
def test_the_next_opening(moment: str, zone: str, until: str | None) -> None:
    assert gates.opening(utc(moment), ZoneInfo(zone)) == (utc(until) if until else None)
