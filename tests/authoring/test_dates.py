"""Dates worked out once for an hour of a zone are those of each person alone, over changes of the clock too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadgen.authoring.moving import Dates
from leadgen.nurture import hours
from leadgen.nurture.definition import DAY, HOUR, Until, Wait
from leadgen.nurture.hours import Calendar

ZONES = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca", "UTC")
SPRING = datetime(2027, 3, 26, 0, 30, tzinfo=UTC)
_waits = st.builds(
    Wait,
    until=st.sampled_from([Until.AFTER, Until.AFTER, Until.BEFORE_END]),
    seconds=st.sampled_from([0, 90, HOUR, DAY, 2 * DAY, 3 * DAY + 90, 180 * DAY]),
    at=st.sampled_from(["", "", "02:30", "10:00"]),
    weekdays=st.sampled_from([(), (), (7,), (1, 3)]),
)
_moments = st.integers(0, 400 * 24 * 60 * 4).map(lambda quarter: SPRING + timedelta(seconds=15 * quarter))


@settings(max_examples=200)
@given(_waits, st.sampled_from(ZONES), st.lists(_moments, min_size=1, max_size=5), st.sampled_from([None, SPRING]))
@example(Wait(seconds=2 * DAY), "Europe/Paris", [SPRING + timedelta(minutes=15 * n) for n in range(400)], None)
@example(Wait(seconds=DAY, at="02:30"), "Europe/Paris", [SPRING + timedelta(minutes=20 * n) for n in range(400)], None)
@example(Wait(seconds=DAY), "Australia/Lord_Howe", [SPRING + timedelta(minutes=20 * n) for n in range(1_000)], None)
def test_they_are_the_same(wait: Wait, zone: str, anchors: list[datetime], end: datetime | None) -> None:
    calendar = Calendar(ZoneInfo(zone), end)
    dates = Dates(wait)
    for anchor in anchors:
        for moment in (anchor, anchor + timedelta(minutes=7, microseconds=5)):
            assert dates.due(moment, calendar) == hours.due(wait, moment, calendar)
