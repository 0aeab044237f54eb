"""What a segment may say: conditions of its brand's fields, none of which exclude each other.

A definition that nobody can ever fulfil is refused with a sentence that names the field and says why.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from leadgen.core import logic
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Condition, Kind, Op
from leadgen.segments import sentences
from leadgen.segments.catalogue import Asked, Catalogue, Moment

LONGEST_AGO = 36_500  # days
_YEARS = ("1900", "2999")
# So many combinations of alternatives are looked at; more are believed.
_MOST_WAYS = 500
_OPPOSITES = {Op.GT: Op.LTE, Op.GTE: Op.LT, Op.LT: Op.GTE, Op.LTE: Op.GT, Op.EQ: Op.NE, Op.NE: Op.EQ}


def checked(catalogue: Catalogue, given: Any) -> dict[str, Any]:
    """The definition as it is kept. Raises Invalid, its `field` the field at fault or `condition`."""
    try:
        condition = logic.checked(given, catalogue.fields())
    except Invalid as error:
        spec = catalogue.asked[error.field].spec if error.field in catalogue.asked else None
        told = str(error).replace(error.field, spec.word()) if spec else str(error)
        raise Invalid(told, spec.key if spec else error.field) from None
    for part in logic.comparisons(condition):
        check_value(catalogue.asked[part["field"]], part)
    if culprits := contradiction(catalogue, condition):
        told = " · ".join(dict.fromkeys(sentences.clause(catalogue, part) for part in culprits))
        spec = catalogue.asked[next(logic.comparisons(culprits[0]))["field"]].spec
        raise Invalid(
            _("“%(field)s”: nobody can be both at once: %(clauses)s.") % {"field": spec.word(), "clauses": told},
            spec.key,
        )
    return condition


def check_value(asked: Asked, part: Condition) -> None:
    """Whether a comparison can be made with its field, whatever options that has. Raises Invalid."""
    logic.check_comparison(part, asked.kind)
    values = part.get("value", "")
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, str) and ("\x00" in value or not _is_text(value)):
            raise Invalid(_("“%(field)s” holds a sign that is no text.") % {"field": asked.spec.word()}, asked.spec.key)
    if not isinstance(asked.spec, Moment) or part["op"] == Op.EMPTY:
        return
    if asked.kind is Kind.DATE and not _YEARS[0] <= part["value"][:4] <= _YEARS[1]:
        raise Invalid(_("“%(field)s”: choose a day of our times.") % {"field": asked.spec.word()}, asked.spec.key)
    if asked.kind is Kind.NUMBER and not (isinstance(part["value"], int) and 0 <= part["value"] <= LONGEST_AGO):
        sentence = _("“%(field)s”: write a whole number of days, %(limit)d at most.")
        raise Invalid(sentence % {"field": asked.spec.word(), "limit": LONGEST_AGO}, asked.spec.key)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def contradiction(catalogue: Catalogue, condition: Condition) -> list[Condition]:
    """The comparisons of one field that can never hold together; none where somebody may fulfil the condition.

    It is found when each way to fulfil the condition fails at a field by itself.
    """
    ways = list(itertools.islice(_ways(condition), _MOST_WAYS + 1))
    if not ways or len(ways) > _MOST_WAYS:
        return []
    found = [_culprits(catalogue, way) for way in ways]
    return found[0] if all(found) else []


def _ways(condition: Condition, *, is_not: bool = False) -> Iterator[list[Condition]]:
    """Each set of comparisons (some within `not`) that together fulfil the condition."""
    if "not" in condition:
        yield from _ways(condition["not"], is_not=not is_not)
        return
    parts = condition.get("all", condition.get("any"))
    if parts is None:
        yield [{"not": condition} if is_not else condition]
    elif ("all" in condition) is not is_not:
        each = [list(itertools.islice(_ways(part, is_not=is_not), _MOST_WAYS + 1)) for part in parts]
        yield from (list(itertools.chain(*chosen)) for chosen in itertools.product(*each))
    else:
        for part in parts:
            yield from _ways(part, is_not=is_not)


def _culprits(catalogue: Catalogue, way: Sequence[Condition]) -> list[Condition]:
    """The comparisons of the first field that stand in each other's way."""
    by_field: dict[str, list[Condition]] = defaultdict(list)
    for part in way:
        by_field[catalogue.asked[next(logic.comparisons(part))["field"]].spec.key].append(part)
    return next((parts for key, parts in by_field.items() if not _may_hold(catalogue, key, parts)), [])


@dataclass(slots=True)
class _Demands:
    """What some comparisons of one field demand of its value, gathered one by one."""

    is_known: bool = False
    is_empty: bool = False
    is_impossible: bool = False


def _may_hold(catalogue: Catalogue, key: str, parts: Sequence[Condition]) -> bool:
    spec = catalogue.specs[key]
    demands = _Demands(is_known=not spec.may_lack)
    for part in parts:
        is_not = "not" in part
        comparison = part["not"] if is_not else part
        op = Op(comparison["op"])
        if op is Op.EMPTY:
            demands.is_known |= is_not
            demands.is_empty |= not is_not
        elif (op is Op.NE) is is_not:
            demands.is_known = True
    if demands.is_known and demands.is_empty:
        return False
    return demands.is_empty or _has_value(catalogue, parts, is_known=demands.is_known)


def _has_value(catalogue: Catalogue, parts: Sequence[Condition], *, is_known: bool) -> bool:
    """Whether one value fulfils all of them; of a moment its day and its age are looked at apart."""
    if not is_known:
        return True  # whoever lacks the value fulfils what only excludes
    by_name: dict[str, list[tuple[Op, Any, bool]]] = defaultdict(list)
    for part in parts:
        is_not = "not" in part
        comparison = part["not"] if is_not else part
        by_name[comparison["field"]].append((Op(comparison["op"]), comparison.get("value"), is_not))
    return all(_fits(catalogue.asked[name], asked) for name, asked in by_name.items())


def _fits(asked: Asked, wanted: Sequence[tuple[Op, Any, bool]]) -> bool:
    compared = [one for one in wanted if one[0] is not Op.EMPTY]
    if asked.kind is Kind.MANY:
        return _list_fits(compared)
    if asked.kind in {Kind.NUMBER, Kind.DATE}:
        is_from_zero = asked.kind is Kind.NUMBER and (asked.spec.is_counted or isinstance(asked.spec, Moment))
        return _span_fits(compared, lowest=0 if is_from_zero else None)
    return _word_fits(asked, compared)


def _list_fits(wanted: Sequence[tuple[Op, Any, bool]]) -> bool:
    """No option that must be there is one that must not."""
    out = {one for _op, value, is_not in wanted if is_not for one in _each(value)}
    return all(set(_each(value)) - out for _op, value, is_not in wanted if not is_not)


def _word_fits(asked: Asked, wanted: Sequence[tuple[Op, Any, bool]]) -> bool:
    """A word that is one of the wanted, none of the others, and holds the wanted parts."""
    allowed: set[Any] | None = {True, False} if asked.kind is Kind.FLAG else set(asked.options) or None
    out: set[Any] = set()
    parts: list[str] = []
    for op, value, is_not in wanted:
        if op is Op.CONTAINS:
            parts += [] if is_not else [str(value).lower()]
        elif (op is Op.NE) is not is_not:
            out |= set(_each(value))
        else:
            allowed = set(_each(value)) if allowed is None else allowed & set(_each(value))
    if allowed is None:
        return True
    return any(all(part in str(one).lower() for part in parts) for one in allowed - out)


def _span_fits(wanted: Sequence[tuple[Op, Any, bool]], lowest: int | None) -> bool:
    """A number or a day between the highest lower and the lowest upper bound."""
    bounds = [(op if not is_not else _OPPOSITES[op], value) for op, value, is_not in wanted]
    if lowest is not None:
        bounds.append((Op.GTE, lowest))
    lower = [(value, op is Op.GT) for op, value in bounds if op in {Op.GT, Op.GTE, Op.EQ}]
    upper = [(value, op is Op.LT) for op, value in bounds if op in {Op.LT, Op.LTE, Op.EQ}]
    if not lower or not upper:
        return True
    low, is_above = max(lower)
    high = min(value for value, _is_strict in upper)
    is_below = any(value == high and is_strict for value, is_strict in upper)
    if low != high:
        return bool(low < high)
    return not is_above and not is_below and (Op.NE, low) not in bounds


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
