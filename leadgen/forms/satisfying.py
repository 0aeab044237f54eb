"""Whether a condition can hold at all: what lint calls a contradiction is one that no answer fulfils."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from leadgen.core import logic
from leadgen.core.logic import Condition, Kind

# Above so many alternatives nobody waits for the answer, and the condition passes: lint may miss, but never blames.
MOST_ALTERNATIVES = 2_000
_FEW = 8  # values of which all sets are tried
_ANY_DAY = "2000-01-01"
_OTHER = "\x00"  # a value that nothing compares with
Literal = tuple[Condition, bool]  # a comparison, and whether it has to hold


def can_hold(condition: Condition, fields: Mapping[str, logic.Field]) -> bool:
    """Whether some answers fulfil a condition; fields that are unknown here may have any value."""
    alternatives = _alternatives(condition, is_wanted=True)
    tried = list(itertools.islice(alternatives, MOST_ALTERNATIVES + 1))
    if len(tried) > MOST_ALTERNATIVES:
        return True
    return any(_is_possible(literals, fields) for literals in tried)


def _alternatives(condition: Condition, *, is_wanted: bool) -> Iterator[tuple[Literal, ...]]:
    """The condition as alternatives, each a list of comparisons that have to hold (or not) at the same time."""
    if "field" in condition:
        yield ((condition, is_wanted),)
    elif "not" in condition:
        yield from _alternatives(condition["not"], is_wanted=not is_wanted)
    else:
        parts = condition["all"] if "all" in condition else condition["any"]
        if ("all" in condition) is is_wanted:
            yield from _together([lambda part=part: _alternatives(part, is_wanted=is_wanted) for part in parts])
        else:
            for part in parts:
                yield from _alternatives(part, is_wanted=is_wanted)


def _together(parts: list[Any]) -> Iterator[tuple[Literal, ...]]:
    """Every choice of one alternative of each part; nothing is made before it is asked for."""
    if not parts:
        yield ()
        return
    for first in parts[0]():
        for rest in _together(parts[1:]):
            yield first + rest


def _is_possible(literals: tuple[Literal, ...], fields: Mapping[str, logic.Field]) -> bool:
    names = {literal["field"] for literal, _wanted in literals}
    return all(_has_value([one for one in literals if one[0]["field"] == name], fields.get(name)) for name in names)


def _has_value(literals: list[Literal], field: logic.Field | None) -> bool:
    """Whether one field can have a value that fulfils all of these, tried with every value that could matter."""
    if field is None:
        return True
    return any(
        all(logic.holds(condition, {condition["field"]: value}) is wanted for condition, wanted in literals)
        for value in _candidates([condition for condition, _wanted in literals], field)
    )


def _candidates(conditions: list[Condition], field: logic.Field) -> Iterator[Any]:
    """No answer, each value compared with, and one on either side of it."""
    yield None
    values = [value for one in conditions if "value" in one for value in _each(one["value"])]
    if field.kind is Kind.FLAG:
        yield from (True, False)
    elif field.kind is Kind.NUMBER:
        numbers = sorted({value for value in values if isinstance(value, (int, float))})
        yield 0  # where only “is empty” is asked, nothing is compared with
        yield from numbers
        yield from (value + step for value in numbers for step in (-0.5, 0.5))
        yield from ((low + high) / 2 for low, high in itertools.pairwise(numbers))
    elif field.kind is Kind.DATE:
        yield _ANY_DAY
        yield from values
        yield from _days_around([str(value) for value in values])
    elif field.kind is Kind.CHOICE:
        yield from field.options or [*values, _OTHER]
    elif field.kind is Kind.MANY:
        yield from _lists(values, field)
    else:
        yield from values
        yield from (" ".join(map(str, words)) for words in _sets(values))
        yield _OTHER


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _lists(values: list[Any], field: logic.Field) -> Iterator[list[Any]]:
    """The sets of what is compared with, each alone and with another value."""
    others = [value for value in field.options if value not in values][:1] if field.options else [_OTHER]
    for chosen in _sets(values):
        yield [*chosen]
        yield [*chosen, *others]


def _sets(values: list[Any]) -> Iterator[tuple[Any, ...]]:
    """All sets of these values; of many values the small ones and the whole."""
    named = list(dict.fromkeys(values))
    sizes = range(len(named) + 1) if len(named) <= _FEW else (0, 1, 2, len(named))
    for size in sizes:
        yield from itertools.combinations(named, size)


def _days_around(days: list[str]) -> Iterator[str]:
    """The day before and the day after each."""
    for day in days:
        for step in (-1, 1):
            with contextlib.suppress(ValueError, OverflowError):
                yield (date.fromisoformat(day) + timedelta(days=step)).isoformat()
