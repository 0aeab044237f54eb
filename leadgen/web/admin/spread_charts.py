"""Geometry of the pictures of spreading: K by week as columns, and a person's tree as three columns of dots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from babel import dates

from leadgen.analytics.cohorts import Cohort
from leadgen.analytics.trees import Node, Tree
from leadgen.core import i18n
from leadgen.web.admin import words

# Drawn once for a desktop and once for a phone, so that words have the same size on both.
WIDTHS = (640, 320)
HEIGHT = 200
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 24, 26
_SHOWN_WEEKS = 26


@dataclass(frozen=True, slots=True)
class Column:
    """One week: where its column stands, its words, and whether it is old enough to be judged."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    value: str
    word: str
    is_ripe: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the grid with its word."""

    y: float
    word: str


@dataclass(frozen=True, slots=True)
class Weeks:
    """The whole chart."""

    width: int
    height: int
    left: int
    right: float
    bottom: float
    rows: tuple[Line, ...]
    columns: tuple[Column, ...]


def weeks(cohorts: Sequence[Cohort], width: int) -> Weeks:
    """K of each of the newest weeks; the scale ends at a half, at one, or at the next whole number."""
    shown = list(cohorts)[-_SHOWN_WEEKS if width > 400 else -8 :]
    highest = max((float(one.k) for one in shown if one.k is not None), default=0.0)
    top = 0.5 if highest <= 0.5 else float(ceil(highest))
    right, bottom = width - RIGHT, HEIGHT - BOTTOM
    slot = (right - LEFT) / max(1, len(shown))
    thick = min(40.0, slot * 0.7)
    stride = max(1, ceil(64 / slot)) if shown else 1
    columns = []
    for place, one in enumerate(shown):
        k = float(one.k) if one.k is not None else 0.0
        tall = (bottom - TOP) * k / top
        middle = LEFT + slot * (place + 0.5)
        columns.append(
            Column(
                x=round(middle - thick / 2, 1),
                y=round(bottom - tall, 1),
                width=round(thick, 1),
                height=round(tall, 1),
                middle=round(middle, 1),
                value=words.ratio(None if one.k is None else k) if slot >= 34 else "",
                word=_day(one.week) if place % stride == 0 else "",
                is_ripe=one.is_ripe,
            )
        )
    rows = tuple(Line(round(bottom - (bottom - TOP) * part, 1), words.ratio(top * part)) for part in (0, 0.5, 1))
    return Weeks(width, HEIGHT, LEFT, right, bottom, rows, tuple(columns))


def _day(day: date) -> str:
    return str(dates.format_skeleton("MMMd", day, locale="en_GB" if i18n.locale() == "en" else i18n.locale()))


# The picture of a tree: rows of so many units, so many friends of the root.
ROW = 26
MOST_DRAWN = 8
_LONGEST_WORD = 13


@dataclass(frozen=True, slots=True)
class Dot:
    """A person in the picture; `kind` is confirmed, waiting or flagged, which has a shape of its own."""

    x: float
    y: float
    kind: str
    word: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A line from a person to a friend."""

    path: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole tree: dots, lines between them, and where “+ 12” says that more are not drawn."""

    width: int
    height: int
    dots: tuple[Dot, ...]
    branches: tuple[Branch, ...]
    notes: tuple[Dot, ...]


def tree(found: Tree, width: int) -> Drawing:
    """The first friends of a page from left to right: friends and theirs with names, the third generation as dots."""
    columns = (10.0, width * 0.12, width * 0.47, width * 0.8)
    pen = _Pen(columns)
    heights = [pen.friend(friend) for friend in found.root.shown[:MOST_DRAWN]]
    middle = (heights[0] + heights[-1]) / 2 if heights else ROW / 2
    pen.branches[:0] = [_curve(columns[0], middle, columns[1], y) for y in heights]
    pen.dot(columns[0], middle, found.root, "")
    return Drawing(width, int(pen.y) + 4, tuple(pen.dots), tuple(pen.branches), tuple(pen.notes))


class _Pen:
    """Draws downwards, row by row."""

    def __init__(self, columns: tuple[float, ...]) -> None:
        self.columns = columns
        self.y = 4.0
        self.dots: list[Dot] = []
        self.branches: list[Branch] = []
        self.notes: list[Dot] = []

    def dot(self, x: float, y: float, node: Node, word: str) -> None:
        flagged = node.review != "clear"
        kind = "flagged" if flagged else "confirmed" if node.status == "confirmed" else "waiting"
        self.dots.append(Dot(round(x, 1), round(y, 1), kind, word))

    def friend(self, node: Node) -> float:
        """One friend of the root with their friends; says at which height it stands."""
        rows = [self._second(one) for one in node.shown] or [self._row()]
        middle = (rows[0] + rows[-1]) / 2
        self.branches += [_curve(self.columns[1], middle, self.columns[2], y) for y in rows if node.shown]
        self.dot(self.columns[1], middle, node, _short(node))
        if node.more:
            self.notes.append(Dot(self.columns[1] + 8, middle + 16, "", f"+ {i18n.format_number(node.more)}"))
        return middle

    def _second(self, node: Node) -> float:
        y = self._row()
        x = self.columns[3]
        if node.shown:
            self.branches.append(_curve(self.columns[2], y, x, y))
        self.dot(self.columns[2], y, node, _short(node))
        for place, one in enumerate(node.shown):
            self.dot(x + 13 * place, y, one, "")
        if node.more:
            note = f"+ {i18n.format_number(node.more)}"
            self.notes.append(Dot(round(x + 13 * len(node.shown), 1), round(y + 4, 1), "", note))
        return y

    def _row(self) -> float:
        self.y += ROW
        return self.y - ROW / 2


def _curve(x: float, y: float, to_x: float, to_y: float) -> Branch:
    bend = round((x + to_x) / 2, 1)
    return Branch(
        f"M{round(x, 1)},{round(y, 1)} C{bend},{round(y, 1)} {bend},{round(to_y, 1)} {round(to_x, 1)},{round(to_y, 1)}"
    )


def _short(node: Node) -> str:
    word = node.first_name or node.public_id
    return word if len(word) <= _LONGEST_WORD else word[: _LONGEST_WORD - 1] + "…"
