"""The builder's rows: a segment as somebody sees it on the page, read from its form and from its definition.

A segment is one or more sets of rows; a set asks for all of its rows, for any, or for none. A row is a field, a way to
compare it, and values. What the rows mean is a definition of core.logic, which alone is kept.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from leadgen.core import logic
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Condition, Kind
from leadgen.segments.catalogue import Catalogue, Moment, Spec

MOST_SETS = 8
MOST_ROWS = 12  # in a set
_PLACE = re.compile(r"set-(\d{1,3})-(?:match|row-(\d{1,3})-(?:field|way|value))")
# The ways to compare a moment: which of its two names, and how.
_MOMENTS = {
    "within": ("days", "lte"),
    "ago": ("days", "gt"),
    "since": ("on", "gte"),
    "before": ("on", "lt"),
    "on": ("on", "eq"),
}
_DAYS = frozenset({"within", "ago"})
VALUELESS = frozenset({"yes", "no", "lacking", "known"})


@dataclass(slots=True)
class Row:
    """One line: nothing is chosen yet where `field` is empty."""

    field: str = ""
    way: str = ""
    values: list[str] = dataclasses.field(default_factory=list)


@dataclass(slots=True)
class RowSet:
    """Rows that belong together; `match` is all, any or none."""

    match: str = "all"
    rows: list[Row] = dataclasses.field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """What stands in the builder; `match` says whether all sets must hold, or any."""

    match: str = "all"
    sets: list[RowSet] = dataclasses.field(default_factory=lambda: [RowSet(rows=[Row()])])

    def act(self, deed: str) -> None:
        """What a button asks for: `row:0`, `drop:0:1`, `set`, `unset:0`; anything else changes nothing."""
        name, *places = deed.split(":")
        numbers = [int(place) for place in places if place.isdecimal() and len(place) < 4]
        one = self.sets[numbers[0]] if numbers and numbers[0] < len(self.sets) else None
        if name == "set" and len(self.sets) < MOST_SETS:
            self.sets.append(RowSet(rows=[Row()]))
        elif name == "row" and one and len(one.rows) < MOST_ROWS:
            one.rows.append(Row())
        elif name == "drop" and one and len(numbers) == 2 and numbers[1] < len(one.rows):
            del one.rows[numbers[1]]
        elif name == "unset" and one and len(self.sets) > 1:
            self.sets.remove(one)

    def definition(self, catalogue: Catalogue) -> dict[str, Any]:
        """What the rows mean; rows without a field and sets without rows say nothing."""
        said = [_tree(one, catalogue) for one in self.sets]
        return {self.match: [tree for tree in said if next(iter(tree.values()))]}


def ways(spec: Spec) -> list[tuple[str, str]]:
    """How a field can be compared: words of ours and of the reader."""
    found = _moment_ways() if isinstance(spec, Moment) else _ways()[spec.kind]
    if spec.may_lack:
        is_deed = isinstance(spec, Moment) and spec.lacking
        found += [
            ("lacking", _("never") if is_deed else _("is not known")),
            ("known", _("ever") if is_deed else _("is known")),
        ]
    return found


def widget(spec: Spec, way: str) -> str:
    """What a value is chosen with."""
    if way in VALUELESS:
        return ""
    if isinstance(spec, Moment):
        return "days" if way in _DAYS else "date"
    if spec.options():
        return "one" if way == "ne" else "some"
    return {Kind.NUMBER: "number", Kind.DATE: "date"}.get(spec.kind, "text")


def sent(form: MultiDict[str, str], catalogue: Catalogue) -> Draft:
    """What the form says, in the order of its numbers, as far as it can be read."""
    places: dict[int, set[int]] = {}
    for name in form:
        if found := _PLACE.fullmatch(name):
            places.setdefault(int(found[1]), set()).update([int(found[2])] if found[2] else [])
    sets = [
        RowSet(
            _one_of(form.get(f"set-{number}-match"), ("all", "any", "none")),
            [_row(form, f"set-{number}-row-{place}", catalogue) for place in sorted(rows)[:MOST_ROWS]],
        )
        for number, rows in sorted(places.items())[:MOST_SETS]
    ]
    return Draft(_one_of(form.get("match"), ("all", "any")), sets or [RowSet(rows=[Row()])])


def of(definition: Condition, catalogue: Catalogue) -> Draft | None:
    """The rows that mean a definition; None for one that was not made of rows, or whose fields are gone."""
    match = next(iter(definition), "")
    if match not in {"all", "any"}:
        return None
    try:
        logic.check_shape(definition)
        return Draft(match, [_set(part, catalogue) for part in definition[match]])
    except (_NotRowsError, Invalid):
        return None


class _NotRowsError(Exception):
    """A condition that no row says."""


def _row(form: MultiDict[str, str], place: str, catalogue: Catalogue) -> Row:
    spec = catalogue.specs.get(form.get(f"{place}-field", ""))
    if spec is None:
        return Row()
    known = [way for way, _word in ways(spec)]
    way = _one_of(form.get(f"{place}-way"), tuple(known))
    values = [value.strip() for value in form.getlist(f"{place}-value")] if widget(spec, way) else []
    options = spec.options()
    return Row(spec.key, way, [one for one in values if not options or one in options])


def _one_of(given: str | None, words: tuple[str, ...]) -> str:
    return given if given in words else words[0]


def _tree(one: RowSet, catalogue: Catalogue) -> dict[str, Any]:
    leaves = [_leaf(row, catalogue.specs[row.field]) for row in one.rows if row.field]
    if one.match == "none":
        return {"all": [leaf.get("not", {"not": leaf}) for leaf in leaves]}
    return {one.match: leaves}


def _leaf(row: Row, spec: Spec) -> dict[str, Any]:
    name = f"{spec.key}.days" if isinstance(spec, Moment) else spec.key
    if row.way == "lacking":
        return {"field": name, "op": "empty"}
    if row.way == "known":
        return {"not": {"field": name, "op": "empty"}}
    if row.way in {"yes", "no"}:
        return {"field": name, "op": "eq", "value": row.way == "yes"}
    op = row.way
    if isinstance(spec, Moment):
        suffix, op = _MOMENTS[row.way]
        name = f"{spec.key}.{suffix}"
    if op == "in":
        return {"field": name, "op": op, "value": row.values}
    value = row.values[0] if row.values else ""
    is_number = name.endswith(".days") if isinstance(spec, Moment) else spec.kind is Kind.NUMBER
    return {"field": name, "op": op, "value": _number(value) if is_number else value}


def _number(typed: str) -> int | float | str:
    """A number as people write it; what is none stays as it was typed, and is refused with its field."""
    text = "".join(typed.split()).replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        return typed
    return int(number) if number.is_integer() else number


def _set(part: Condition, catalogue: Catalogue) -> RowSet:
    """A set of rows. None of them is meant where something else than an absence is denied."""
    match = next(iter(part), "")
    leaves = part.get(match) if match in {"all", "any"} else [part]
    if not isinstance(leaves, list):
        raise _NotRowsError
    is_none = match == "all" and any("not" in leaf and leaf["not"].get("op") != "empty" for leaf in leaves)
    if is_none:
        leaves = [leaf.get("not", {"not": leaf}) for leaf in leaves]
    return RowSet(
        "none" if is_none else match if match == "any" else "all", [_row_of(one, catalogue) for one in leaves]
    )


def _row_of(leaf: Condition, catalogue: Catalogue) -> Row:
    inner = leaf.get("not", leaf)
    asked = catalogue.asked.get(inner.get("field", ""))
    if asked is None or ("not" in leaf and inner["op"] != "empty"):
        raise _NotRowsError
    spec, op, value = asked.spec, inner["op"], inner.get("value")
    if op == "empty":
        return Row(spec.key, "known" if "not" in leaf else "lacking")
    if isinstance(spec, Moment):
        pair = (inner["field"].rpartition(".")[2], op)
        way = next((name for name, known in _MOMENTS.items() if known == pair), "")
    elif spec.kind is Kind.FLAG:
        way = "yes" if value is (op == "eq") else "no"
    else:
        way = "in" if spec.kind in {Kind.CHOICE, Kind.MANY} and op in {"eq", "contains"} else op
    if way not in {name for name, _word in ways(spec)}:
        raise _NotRowsError
    values = value if isinstance(value, list) else [value]
    return Row(spec.key, way, [] if way in VALUELESS else [str(one) for one in values])


def _moment_ways() -> list[tuple[str, str]]:
    return [
        ("within", _("within the last")),
        ("ago", _("more than")),
        ("since", _("on or after")),
        ("before", _("before")),
        ("on", _("on")),
    ]


def _ways() -> Mapping[Kind, list[tuple[str, str]]]:
    sizes = [("gte", _("is at least")), ("lte", _("is at most")), ("gt", _("is more than"))]
    sizes += [("lt", _("is less than")), ("eq", _("is exactly")), ("ne", _("is not"))]
    return {
        Kind.TEXT: [("eq", _("is")), ("ne", _("is not")), ("contains", _("contains"))],
        Kind.NUMBER: sizes,
        Kind.DATE: [("gte", _("on or after")), ("lt", _("before")), ("eq", _("on"))],
        Kind.FLAG: [("yes", _("Yes")), ("no", _("No"))],
        Kind.CHOICE: [("in", _("is one of")), ("ne", _("is not"))],
        Kind.MANY: [("in", _("is one of"))],
    }
