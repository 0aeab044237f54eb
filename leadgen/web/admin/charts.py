"""Charts as plain geometry: the server works out every point, templates draw them as SVG, no script is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil, floor, log10
from zoneinfo import ZoneInfo

from babel import dates, numbers

from leadgen.analytics.service import Numbers, Slot
from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.experiments.intervals import Interval

# Drawn once for a desktop and once for a phone, so that words have the same size on both.
WIDTHS = (560, 320)
HEIGHT = 240
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 24, 26


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the funnel. `width` is 0–100 of the widest; `rate` of the stage before it."""

    key: str
    name: str
    meaning: str
    number: int
    width: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the grid with its word."""

    at: float
    word: str


@dataclass(frozen=True, slots=True)
class Series:
    """One line of the curve; `end_y` is where its name stands, beside its last point."""

    key: str
    name: str
    points: str
    area: str
    last_x: float
    last_y: float
    name_y: float
    total: int


@dataclass(frozen=True, slots=True)
class Curve:
    """The whole chart."""

    width: int
    height: int
    left: int
    right: float
    bottom: float
    rows: tuple[Mark, ...]
    columns: tuple[Mark, ...]
    series: tuple[Series, ...]


def funnel(numbers: Numbers) -> list[Stage]:
    """From a visit to a friend who confirmed, each stage measured against the one before."""
    steps = [
        (
            "visits",
            _("Visits"),
            _("How often the page was opened by something that looks like a person."),
            numbers.visits,
        ),
        ("entries", _("Entries"), _("Entry forms sent; one for each person."), numbers.entries),
        ("confirmed", _("Confirmed"), _("Entries whose address was confirmed by its owner."), numbers.confirmed),
        (
            "referrers",
            _("Brought an entry"),
            _("People through whose link at least one friend entered."),
            numbers.referrers,
        ),
        (
            "referrers_confirmed",
            _("Brought a confirmed friend"),
            _("People through whose link at least one friend entered and confirmed."),
            numbers.referrers_confirmed,
        ),
    ]
    widest = max(1, *(number for *_words, number in steps))
    stages: list[Stage] = []
    for key, name, meaning, number in steps:
        before = stages[-1].number if stages else 0
        rate = number / before if before and number <= before else None
        stages.append(Stage(key, name, meaning, number, round(100 * number / widest, 2), rate))
    return stages


def curve(slots: Sequence[Slot], unit: str, zone: str, width: int) -> Curve:
    """Entries and confirmations over time."""
    top = _ceiling(max((slot.entries for slot in slots), default=0), max((s.confirmed for s in slots), default=0))
    right, bottom = width - RIGHT, HEIGHT - BOTTOM

    def y(number: int) -> float:
        return round(bottom - (bottom - TOP) * number / top, 1)

    def x(place: int) -> float:
        return round(LEFT + (right - LEFT) * place / max(1, len(slots) - 1), 1)

    lines = [
        _line("entries", _("Entries"), [(x(n), y(slot.entries)) for n, slot in enumerate(slots)], bottom,
              sum(slot.entries for slot in slots)),
        _line("confirmed", _("Confirmed"), [(x(n), y(slot.confirmed)) for n, slot in enumerate(slots)], bottom,
              sum(slot.confirmed for slot in slots)),
    ]  # fmt: skip
    rows = tuple(Mark(y(number), i18n.format_number(number)) for number in _steps(top))
    columns = tuple(Mark(x(n), _when(slots[n].at, unit, zone)) for n in _spread(len(slots), width // 80))
    return Curve(width, HEIGHT, LEFT, right, bottom, rows, columns, tuple(lines))


def growth(days: Sequence[tuple[date, int]], width: int) -> Curve:
    """How many people stood in something, day by day; days that were not counted keep their room."""
    top = _ceiling(max((people for _day, people in days), default=0))
    right, bottom = width - RIGHT, HEIGHT - BOTTOM
    span = max(1, (days[-1][0] - days[0][0]).days) if days else 1

    def y(number: int) -> float:
        return round(bottom - (bottom - TOP) * number / top, 1)

    def x(day: date) -> float:
        return round(LEFT + (right - LEFT) * (day - days[0][0]).days / span, 1)

    points = [(x(day), y(people)) for day, people in days]
    line = _line("confirmed", _("People"), points, bottom, days[-1][1] if days else 0)
    rows = tuple(Mark(y(number), _short(number)) for number in _steps(top))
    columns = tuple(Mark(x(days[n][0]), _day(days[n][0])) for n in _spread(len(days), width // 80))
    return Curve(width, HEIGHT, LEFT, right, bottom, rows, columns, (line,))


@dataclass(frozen=True, slots=True)
class Bar:
    """Two bars side by side, before and after, with their word underneath."""

    x: float
    width: float
    before: float
    after: float
    word: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A distribution before and after; a bar hangs from `bottom` upwards."""

    width: int
    height: int
    left: int
    right: float
    bottom: float
    rows: tuple[Mark, ...]
    bars: tuple[Bar, ...]


def bins(numbers: tuple[Sequence[int], Sequence[int]], width: int) -> Bars:
    """How many people stand in each ten points from 0 to 100, by two sets of rules."""
    top = _ceiling(*(max(some, default=0) for some in numbers))
    right, bottom = width - RIGHT, HEIGHT - BOTTOM
    step = (right - LEFT) / len(numbers[0])

    def tall(number: int) -> float:
        return round((bottom - TOP) * number / top, 1)

    bars = tuple(
        Bar(round(LEFT + step * (place + 0.1), 1), round(step * 0.38, 1), tall(before), tall(after), str(place * 10))
        for place, (before, after) in enumerate(zip(*numbers, strict=True))
    )
    rows = tuple(Mark(round(bottom - tall(number), 1), _short(number)) for number in _steps(top))
    return Bars(width, HEIGHT, LEFT, right, bottom, rows, bars)


def _line(key: str, name: str, points: list[tuple[float, float]], bottom: float, total: int) -> Series:
    path = " ".join(f"{px},{py}" for px, py in points)
    area = f"{points[0][0]},{bottom} {path} {points[-1][0]},{bottom}" if points else ""
    last_x, last_y = points[-1] if points else (LEFT, bottom)
    return Series(key, name, path, area, last_x, last_y, max(TOP, last_y - 8), total)


def _ceiling(*highest: int) -> int:
    """The least number of the row 4, 10, 20, 40, 100 … that is not below the highest value."""
    value = max(4, *highest)
    power = int(10 ** floor(log10(value)))
    return next(step * power for step in (1, 2, 4, 10) if step * power >= value)


def _steps(top: int) -> list[int]:
    return [round(top * part / 4) for part in range(5)] if top >= 4 else [0, top]


def _spread(count: int, most: int) -> list[int]:
    """At most `most` places among `count`, evenly apart, the first included."""
    if count == 0:
        return []
    stride = max(1, ceil(count / max(1, most)))
    return list(range(0, count, stride))


def _short(number: int) -> str:
    """A number of the grid that fits beside it at any size: 750, 250K, 1M."""
    language = "en_GB" if i18n.locale() == "en" else i18n.locale()
    return str(numbers.format_compact_decimal(number, locale=language, fraction_digits=1))


def _day(day: date) -> str:
    language = "en_GB" if i18n.locale() == "en" else i18n.locale()
    return str(dates.format_skeleton("MMMd", day, locale=language))


def _when(moment: datetime, unit: str, zone: str) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    language = "en_GB" if i18n.locale() == "en" else i18n.locale()
    if unit == "hour":
        return str(dates.format_time(local, "HH:mm", locale=language))
    return str(dates.format_skeleton("MMMd", local, locale=language))


@dataclass(frozen=True, slots=True)
class Span:
    """One interval: from where to where, where its middle stands, and on which side of nothing it lies."""

    name: str
    y: float
    x: float
    width: float
    middle: float
    tone: str  # more, less, unsure


@dataclass(frozen=True, slots=True)
class Intervals:
    """Differences beside each other on one scale, with a line where there is none."""

    width: int
    height: int
    left: int
    right: float
    nothing: float
    columns: tuple[Mark, ...]
    spans: tuple[Span, ...]


INTERVAL_WIDTHS = (900, 300)
_ROW = 34
_WIDEST = 0.5  # what is drawn of a difference that nobody knows yet


def intervals(named: Sequence[tuple[str, Interval]], width: int) -> Intervals:
    """Each (name, interval) on its row; the scale is people of a hundred, the same on both sides of nothing."""
    reach = min(_WIDEST, max((abs(end) for _, one in named for end in (one.low, one.high)), default=_WIDEST))
    top = max(4, _ceiling(ceil(reach * 100)))  # people of a hundred
    left, right, height = 12, width - 12, _ROW * len(named) + BOTTOM + 8

    def x(difference: float) -> float:
        inside = max(-top, min(top, difference * 100))
        return round(left + (right - left) * (inside + top) / (2 * top), 1)

    spans = tuple(
        Span(name, _ROW * row + 26, x(one.low), round(x(one.high) - x(one.low), 1), x(one.middle), _tone(one))
        for row, (name, one) in enumerate(named)
    )
    columns = tuple(Mark(x(number / 100), _signed(number)) for number in (-top, -top / 2, 0, top / 2, top))
    return Intervals(width, height, left, right, x(0), columns, spans)


def _tone(one: Interval) -> str:
    return "more" if one.is_more else "less" if one.is_less else "unsure"


def _signed(number: float) -> str:
    sign = "+" if number > 0 else "−" if number < 0 else ""
    return f"{sign}{i18n.format_number(abs(number))}"
