"""The person's clock on the wall (nurture.hours): examples at the changes of the clock, and what always holds."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgen.nurture import hours
from leadgen.nurture.definition import DAY, HOUR, LONGEST_WAIT, MINUTE, Until, Wait
from leadgen.nurture.hours import Calendar

PARIS = ZoneInfo("Europe/Paris")
TUE_TO_THU = (2, 3, 4)
ZONES = ["Europe/Paris", "America/Guadeloupe", "Pacific/Noumea", "America/New_York", "Australia/Lord_Howe",
         "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu", "America/Sao_Paulo", "UTC"]  # fmt: skip
_SPAN = datetime.fromisoformat("2010-01-01"), datetime.fromisoformat("2040-01-01")
_moments = st.datetimes(*_SPAN, timezones=st.just(UTC))
_zones = st.sampled_from([ZoneInfo(name) for name in ZONES])
_waits = st.builds(
    Wait,
    seconds=st.one_of(
        st.integers(0, 20).map(lambda days: days * DAY), st.integers(0, 20 * DAY), st.integers(0, LONGEST_WAIT)
    ),
    at=st.one_of(st.just(""), st.times().map(lambda time: f"{time:%H:%M}")),
    weekdays=st.sets(st.integers(1, 7)).map(lambda days: tuple(sorted(days))),
)


def _due(wait: Wait, anchor: str, zone: ZoneInfo = PARIS, end: str = "") -> str:
    found = hours.due(
        wait, datetime.fromisoformat(anchor), Calendar(zone, datetime.fromisoformat(end) if end else None)
    )
    assert found is not None
    assert found.tzinfo is UTC
    return found.astimezone(zone).isoformat(sep=" ", timespec="minutes")


@pytest.mark.parametrize(
    ("anchor", "wait", "due"),
    [
        # the clocks go forward in the night to Sunday 29 March 2026, and back in the night to 25 October
        ("2026-03-28T10:00+01:00", Wait(seconds=DAY), "2026-03-29 10:00+02:00"),
        ("2026-03-28T10:00+01:00", Wait(seconds=24 * HOUR - MINUTE), "2026-03-29 10:59+02:00"),
        ("2026-03-28T02:30+01:00", Wait(seconds=DAY), "2026-03-29 03:00+02:00"),
        ("2026-03-28T02:30+01:00", Wait(seconds=DAY, at="02:15"), "2026-03-29 03:00+02:00"),
        ("2026-03-28T02:30+01:00", Wait(seconds=DAY + HOUR), "2026-03-29 04:00+02:00"),
        ("2026-10-24T02:30+02:00", Wait(seconds=DAY), "2026-10-25 02:30+02:00"),
        ("2026-10-24T10:00+02:00", Wait(seconds=DAY), "2026-10-25 10:00+01:00"),
        ("2026-10-25T02:20+02:00", Wait(at="02:30"), "2026-10-25 02:30+02:00"),
        ("2026-10-25T02:40+02:00", Wait(at="02:30"), "2026-10-26 02:30+01:00"),
        ("2026-10-25T02:20+01:00", Wait(at="02:30"), "2026-10-26 02:30+01:00"),
        # the hour of a wait of whole days is that of the day it leads to, else the first behind it
        ("2026-06-01T15:00+02:00", Wait(seconds=2 * DAY, at="10:00"), "2026-06-03 10:00+02:00"),
        ("2026-06-01T15:00+02:00", Wait(seconds=2 * HOUR, at="10:00"), "2026-06-02 10:00+02:00"),
        ("2026-06-01T09:00+02:00", Wait(at="10:00"), "2026-06-01 10:00+02:00"),
        # Friday leads to Tuesday, where the hour counts again; without `at` it is the hour of before
        ("2026-06-03T15:00+02:00", Wait(seconds=2 * DAY, at="10:00", weekdays=TUE_TO_THU), "2026-06-09 10:00+02:00"),
        ("2026-06-03T15:00+02:00", Wait(seconds=2 * DAY, weekdays=TUE_TO_THU), "2026-06-09 15:00+02:00"),
        ("2026-06-03T15:00+02:00", Wait(seconds=HOUR, weekdays=TUE_TO_THU), "2026-06-03 16:00+02:00"),
        # a weekday is the person's own: 23:30 UTC on Monday is Tuesday in Paris
        ("2026-06-01T23:30+00:00", Wait(weekdays=TUE_TO_THU), "2026-06-02 01:30+02:00"),
    ],
)
def test_after_something(anchor: str, wait: Wait, due: str) -> None:
    assert _due(wait, anchor) == due


@pytest.mark.parametrize(
    ("wait", "due"),
    [
        # the contest ends on Monday 30 March at 18:00, a day after the clocks went forward
        (Wait(until=Until.BEFORE_END, seconds=3 * DAY), "2026-03-27 18:00+01:00"),
        (Wait(until=Until.BEFORE_END, seconds=3 * DAY, at="10:00"), "2026-03-27 10:00+01:00"),
        (Wait(until=Until.BEFORE_END, seconds=2 * HOUR), "2026-03-30 16:00+02:00"),
        (Wait(until=Until.BEFORE_END, seconds=0, at="20:00"), "2026-03-29 20:00+02:00"),
        (Wait(until=Until.BEFORE_END, seconds=DAY, at="10:00", weekdays=TUE_TO_THU), "2026-03-26 10:00+01:00"),
    ],
)
def test_before_the_end(wait: Wait, due: str) -> None:
    assert _due(wait, "2026-03-01T00:00+01:00", end="2026-03-30T18:00+02:00") == due


def test_before_the_end_of_what_has_none() -> None:
    anchor = datetime(2026, 3, 1, tzinfo=UTC)
    assert hours.due(Wait(until=Until.BEFORE_END, seconds=DAY), anchor, Calendar(PARIS)) is None


@pytest.mark.parametrize(
    ("zone", "utc"),
    [
        ("Europe/Paris", "2026-03-31T08:00"),
        ("America/Guadeloupe", "2026-03-31T14:00"),
        ("Pacific/Noumea", "2026-03-30T23:00"),
    ],
)
def test_ten_oclock_is_everybodys_own(zone: str, utc: str) -> None:
    """The clocks of Paris go forward on that weekend, the others' do not."""
    wait = Wait(seconds=DAY, at="10:00", weekdays=TUE_TO_THU)
    anchor = datetime(2026, 3, 27, 12, tzinfo=UTC)
    assert hours.due(wait, anchor, Calendar(ZoneInfo(zone))) == datetime.fromisoformat(f"{utc}+00:00")


def test_a_day_that_a_calendar_leaves_out() -> None:
    """Samoa had no 30 December 2011, a Friday."""
    apia = ZoneInfo("Pacific/Apia")
    anchor = datetime(2011, 12, 28, 12, tzinfo=apia)
    assert hours.due(Wait(seconds=2 * DAY), anchor, Calendar(apia)) == datetime(2011, 12, 31, tzinfo=apia)
    fridays = hours.due(Wait(seconds=DAY, at="10:00", weekdays=(5,)), anchor, Calendar(apia))
    assert fridays == datetime(2012, 1, 6, 10, tzinfo=apia)


@pytest.mark.parametrize(
    ("named", "country", "zone"),
    [
        ("Pacific/Noumea", "FR", "Pacific/Noumea"),
        ("", "RE", "Indian/Reunion"),
        ("", "fr", "Europe/Paris"),
        ("Mars/Olympus", "GP", "America/Guadeloupe"),
        ("", "US", "Europe/Brussels"),
        ("", "XX", "Europe/Brussels"),
        ("", "", "Europe/Brussels"),
        ("../etc/passwd", "", "Europe/Brussels"),
    ],
)
def test_whose_zone_counts(named: str, country: str, zone: str) -> None:
    """The browser's, the country's where it has one, the campaign's; never UTC silently."""
    found = hours.zone_of(named, country, "Europe/Brussels")
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    assert summer.astimezone(found).utcoffset() == summer.astimezone(ZoneInfo(zone)).utcoffset()
    assert found.key == zone or country in {"fr", "GP", "RE"}


@given(_waits, _moments, _zones)
def test_a_wait_ends_on_an_allowed_day_at_its_hour_and_not_before_it_began(
    wait: Wait, anchor: datetime, zone: ZoneInfo
) -> None:
    due = hours.due(wait, anchor, Calendar(zone))
    assert due is not None
    local = due.astimezone(zone)
    assert due >= anchor
    assert not wait.weekdays or local.isoweekday() in wait.weekdays
    if wait.at and f"{local:%H:%M}" != wait.at:  # only where the clock leaves that time out
        wall = datetime.combine(local.date(), time.fromisoformat(wait.at))
        back = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
        assert back != wall
        assert (due - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < wall


@given(_waits, _moments, _zones)
def test_no_allowed_day_is_passed_over(wait: Wait, anchor: datetime, zone: ZoneInfo) -> None:
    due = hours.due(wait, anchor, Calendar(zone))
    first = hours.later(anchor, wait.seconds, zone)
    assert due is not None
    days = (due.astimezone(zone).date() - first.astimezone(zone).date()).days
    assert -1 < days <= 8
    passed = [first.astimezone(zone).date() + timedelta(days=number) for number in range(1, days)]
    assert not any(not wait.weekdays or day.isoweekday() in wait.weekdays for day in passed if _is_there(day, zone))


def _is_there(day: date, zone: ZoneInfo) -> bool:
    return hours.exact(datetime.combine(day, datetime.min.time()), zone).astimezone(zone).date() == day


@given(_waits, _moments, _moments, _zones)
def test_before_an_end_is_never_after_it(wait: Wait, anchor: datetime, end: datetime, zone: ZoneInfo) -> None:
    before = Wait(until=Until.BEFORE_END, seconds=wait.seconds, at=wait.at, weekdays=wait.weekdays)
    due = hours.due(before, anchor, Calendar(zone, end))
    assert due is not None
    assert due <= end
    assert not wait.weekdays or due.astimezone(zone).isoweekday() in wait.weekdays


@given(st.datetimes(*_SPAN), _zones)
def test_the_first_moment_that_shows_a_time(wall: datetime, zone: ZoneInfo) -> None:
    found = hours.exact(wall, zone)
    shown = found.astimezone(zone).replace(tzinfo=None, fold=0)
    assert shown >= wall
    assert shown == wall or (found - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < wall
    assert (found - timedelta(hours=1)).astimezone(zone).replace(tzinfo=None, fold=0) != wall
