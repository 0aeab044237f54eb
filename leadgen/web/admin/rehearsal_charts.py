"""The picture of a rehearsal of many: how many letters would leave on which day, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from babel import dates

from leadgen.core import i18n

# Drawn once for a desktop and once for a phone, so that words have the same size on both.
WIDTHS = (640, 320)
HEIGHT = 200
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 24, 26
_MOST_COLUMNS = 120  # days; more are drawn together


@dataclass(frozen=True, slots=True)
class Column:
    """One day, or several: where its column stands, and its word."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    word: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the grid with its number."""

    y: float
    number: int


@dataclass(frozen=True, slots=True)
class Days:
    """The whole chart."""

    width: int
    height: int
    left: int
    right: float
    bottom: float
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]


def daily(days: Sequence[tuple[date, int]], width: int) -> Days:
    """Letters by day; days on which none leaves keep their room."""
    first, last = (days[0][0], days[-1][0]) if days else (date.min, date.min)
    span = (last - first).days + 1
    each = ceil(span / _MOST_COLUMNS)
    sums = [0] * ceil(span / each)
    for day, number in days:
        sums[(day - first).days // each] += number
    top = max(2, *sums)
    right, bottom = width - RIGHT, HEIGHT - BOTTOM
    slot = (right - LEFT) / len(sums)
    stride = max(1, ceil(64 / slot))
    columns = []
    for place, number in enumerate(sums):
        tall = (bottom - TOP) * number / top
        middle = LEFT + slot * (place + 0.5)
        thick = min(40.0, slot * 0.7)
        word = _day(first + timedelta(days=place * each)) if place % stride == 0 else ""
        x, y = round(middle - thick / 2, 1), round(bottom - tall, 1)
        columns.append(Column(x, y, round(thick, 1), round(tall, 1), round(middle, 1), word))
    rows = tuple(Row(round(bottom - (bottom - TOP) * part, 1), round(top * part)) for part in (0, 0.5, 1))
    return Days(width, HEIGHT, LEFT, right, bottom, rows, tuple(columns))


def _day(day: date) -> str:
    return str(dates.format_skeleton("MMMd", day, locale="en_GB" if i18n.locale() == "en" else i18n.locale()))
