"""Conditions as data: what they may say, whether they hold, and which fields they ask for.

A condition is a tree of `{"all": [...]}`, `{"any": [...]}`, `{"not": ...}` and comparisons
`{"field": "budget", "op": "gte", "value": 500}`. Whoever keeps one has had it checked; the same tree is judged here, by
its twin in `web/static/logic.js` (both pass the vectors of `tests/vectors/logic.json`), or turned into SQL.

A value is a text, a number, true or false, an ISO date, or a list of option ids. What nobody knows (absent, null, an
empty text or list) fulfils `empty` and `ne` and no other comparison. Kinds are never converted: "5" is not 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeGuard

from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _

Condition = Mapping[str, Any]
MOST_LEVELS = 3  # groups within groups (F13)
MOST_COMPARISONS = 50
LONGEST_VALUE = 200
_MOST_VALUES = 100
_DEEPEST = 40  # places of a condition within each other that can be kept
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Op(StrEnum):
    """How a value is compared."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    CONTAINS = "contains"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EMPTY = "empty"


class Kind(StrEnum):
    """What a field's values are; a choice is one of its options, `many` a list of them."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    FLAG = "flag"
    CHOICE = "choice"
    MANY = "many"


_ORDERED = frozenset({Op.EQ, Op.NE, Op.GT, Op.GTE, Op.LT, Op.LTE, Op.EMPTY})
OPS: Mapping[Kind, frozenset[Op]] = {
    Kind.TEXT: frozenset({Op.EQ, Op.NE, Op.IN, Op.CONTAINS, Op.EMPTY}),
    Kind.NUMBER: _ORDERED,
    Kind.DATE: _ORDERED,
    Kind.FLAG: frozenset({Op.EQ, Op.NE, Op.EMPTY}),
    Kind.CHOICE: frozenset({Op.EQ, Op.NE, Op.IN, Op.EMPTY}),
    Kind.MANY: frozenset({Op.CONTAINS, Op.IN, Op.EMPTY}),
}


@dataclass(frozen=True, slots=True)
class Field:
    """What a condition may ask for; `options` are the ids of a choice, none where any text will do."""

    kind: Kind
    options: frozenset[str] = frozenset()


def holds(condition: Condition, known: Mapping[str, Any]) -> bool:
    """Whether a checked condition is fulfilled by what is known; an empty group of `all` is, one of `any` is not."""
    if "all" in condition:
        return all(holds(part, known) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, known) for part in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], known)
    return _compares(Op(condition["op"]), known.get(condition["field"]), condition.get("value"))


def comparisons(condition: Condition) -> Iterator[Condition]:
    """The comparisons of a checked condition, from left to right."""
    for part in (*condition.get("all", ()), *condition.get("any", ())):
        yield from comparisons(part)
    if "not" in condition:
        yield from comparisons(condition["not"])
    if "field" in condition:
        yield condition


def fields_of(condition: Condition) -> frozenset[str]:
    """The names of all fields that a checked condition asks for."""
    return frozenset(part["field"] for part in comparisons(condition))


def check_shape(given: Any, place: str = "") -> None:
    """Whether this is a condition at all, whatever its fields are: then nothing that reads it stumbles.

    Raises Invalid with a sentence in the current language; its `field` is the way to the fault: all.1.op, counted from
    1, and empty for the condition itself.
    """

    def below(name: str | int) -> str:
        return f"{place}.{name}" if place else str(name)

    if place.count(".") > _DEEPEST:
        raise Invalid(_("Put at most %(limit)d groups into each other.") % {"limit": MOST_LEVELS}, place)
    match _word_of(given, place):
        case "field":
            name, sentence = _misshapen(given)
            if name:
                raise Invalid(sentence % {"field": given["field"]}, below(name))
        case "not":
            check_shape(given["not"], below("not"))
        case group:
            if not _is_list(given[group]):
                raise Invalid(_("A group is a list of conditions."), below(group))
            for number, part in enumerate(given[group], 1):
                check_shape(part, below(f"{group}.{number}"))


def _word_of(given: Any, place: str) -> str:
    """What kind of condition it is: all, any, not, or field for a comparison. Raises Invalid (`place`)."""
    if not isinstance(given, Mapping):
        raise Invalid(_("This is no condition."), place)
    found = [word for word in ("all", "any", "not", "field") if word in given]
    if len(found) != 1:
        raise Invalid(_("A condition is either a group or one comparison."), place)
    return found[0]


def _misshapen(given: Condition) -> tuple[str, str]:
    """The part of a comparison that has the wrong form, and why; nothing where all have the right one."""
    if not isinstance(given["field"], str):
        return "field", _("“%(field)s” is nothing that can be asked for here.")
    op, value = given.get("op"), given.get("value")
    if not isinstance(op, str) or op not in set(Op):
        return "op", _("“%(field)s” cannot be compared in this way.")
    if op == Op.EMPTY:
        return "", ""
    values = value if op == Op.IN else [value]
    if not _is_list(values) or not values:
        return "value", _("Choose at least one value for “%(field)s”.")
    if not all(isinstance(one, (str, bool)) or _is_number(one) for one in values):
        return "value", _("Choose a value that “%(field)s” can have.")
    return "", ""


def check_comparison(given: Condition, kind: Kind) -> None:
    """Whether a comparison can be made with a field of this kind, whatever its options. Raises Invalid."""
    _comparison(given, {given["field"]: Field(kind)})


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def checked(given: Any, fields: Mapping[str, Field]) -> dict[str, Any]:
    """The condition as it is kept, without what does not belong to it.

    Raises Invalid with a sentence in the current language; its `field` is the name that the faulty comparison asks
    for, or `condition` where the tree itself is at fault.
    """
    condition = _group(given, fields, MOST_LEVELS)
    if sum(1 for _part in comparisons(condition)) > MOST_COMPARISONS:
        raise Invalid(_("Keep to %(limit)d comparisons at most.") % {"limit": MOST_COMPARISONS}, "condition")
    return condition


def _group(given: Any, fields: Mapping[str, Field], levels: int) -> dict[str, Any]:
    word = _word_of(given, "condition")
    if word == "field":
        return _comparison(given, fields)
    if levels == 0:
        raise Invalid(_("Put at most %(limit)d groups into each other.") % {"limit": MOST_LEVELS}, "condition")
    if word == "not":
        return {"not": _group(given["not"], fields, levels - 1)}
    parts = given[word]
    if not _is_list(parts):
        raise Invalid(_("A group is a list of conditions."), "condition")
    return {word: [_group(part, fields, levels - 1) for part in parts]}


def _comparison(given: Condition, fields: Mapping[str, Field]) -> dict[str, Any]:
    name = given["field"]
    if not isinstance(name, str) or name not in fields:
        raise Invalid(_("“%(field)s” is nothing that can be asked for here.") % {"field": name}, "condition")
    field = fields[name]
    op = next((op for op in OPS[field.kind] if op == given.get("op")), None)
    if op is None:
        raise Invalid(_("“%(field)s” cannot be compared in this way.") % {"field": name}, name)
    if op is Op.EMPTY:
        return {"field": name, "op": op.value}
    value = given.get("value")
    if op is Op.IN:
        if not isinstance(value, Sequence) or isinstance(value, str) or not 0 < len(value) <= _MOST_VALUES:
            raise Invalid(_("Choose at least one value for “%(field)s”.") % {"field": name}, name)
        return {"field": name, "op": op.value, "value": [_value(one, field, name) for one in value]}
    return {"field": name, "op": op.value, "value": _value(value, field, name)}


def _value(value: Any, field: Field, name: str) -> Any:
    """One value to compare with. Raises Invalid (`name`)."""
    is_text = isinstance(value, str) and 0 < len(value) <= LONGEST_VALUE
    fits = {
        Kind.TEXT: is_text,
        Kind.NUMBER: _is_number(value),
        Kind.DATE: _is_date(value),
        Kind.FLAG: isinstance(value, bool),
        Kind.CHOICE: is_text and (not field.options or value in field.options),
        Kind.MANY: is_text and (not field.options or value in field.options),
    }
    if not fits[field.kind]:
        raise Invalid(_("Choose a value that “%(field)s” can have.") % {"field": name}, name)
    return value


def _compares(op: Op, known: Any, value: Any) -> bool:
    if known is None or known in ("", []):
        return op in {Op.EMPTY, Op.NE}
    match op:
        case Op.EMPTY:
            return False
        case Op.EQ | Op.NE:
            return _is_same(known, value) is (op is Op.EQ)
        case Op.IN:
            return any(_is_same(one, other) for one in _each(known) for other in value)
        case Op.CONTAINS:
            return _has(known, value)
    return _is_in_order(op, known, value)


def _has(known: Any, value: Any) -> bool:
    """A part of a text, whatever its capitals; an option of a list."""
    if isinstance(known, str):
        return isinstance(value, str) and value.lower() in known.lower()
    return any(_is_same(one, value) for one in _each(known))


def _is_in_order(op: Op, known: Any, value: Any) -> bool:
    if not (_is_number(known) and _is_number(value)) and not (_is_date(known) and _is_date(value)):
        return False
    return bool({Op.GT: known > value, Op.GTE: known >= value, Op.LT: known < value, Op.LTE: known <= value}[op])


def _each(known: Any) -> Sequence[Any]:
    return known if isinstance(known, list) else [known]


def _is_same(known: Any, value: Any) -> bool:
    """Equal and of one kind: in Python True equals 1, in a form it does not."""
    return isinstance(known, bool) is isinstance(value, bool) and bool(known == value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 10**15


def _is_date(value: Any) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
