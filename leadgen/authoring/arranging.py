"""Arranging the steps of a draft: put one in, move it, double it, take it out; pure, over the JSON of a definition.

A place is where a step may stand: in the list of the branch `branch` on its `side` (both empty: the main line), before
the step that is number `index` there. No key is ever given twice: a letter is sent once for each enrolment and key.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.nurture.definition import MOST_LEVELS, MOST_STEPS

SIDES = ("yes", "no")
KINDS = ("letter", "branch", "end")
Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step stands, or could."""

    branch: str = ""
    side: str = ""
    index: int = 0


def walk(steps: list[Data]) -> Iterator[Data]:
    """All steps, each branch before what it holds."""
    for step in steps:
        yield step
        for side in SIDES:
            yield from walk(step.get(side) or [])


def find(data: Mapping[str, Any], key: str) -> Data:
    """The step of that key. Raises NotFound."""
    found = next((step for step in walk(data.get("steps") or []) if step["key"] == key), None)
    if found is None:
        raise NotFound(key)
    return found


def replaced(data: Mapping[str, Any], key: str, values: Mapping[str, Any]) -> Data:
    """The draft with these values in that step; None takes a value out. Raises NotFound."""
    made = copy.deepcopy(dict(data))
    step = find(made, key)
    step.update(values)
    for name in [name for name, value in step.items() if value is None]:
        del step[name]
    return made


def inserted(data: Mapping[str, Any], place: Place, step: Data) -> Data:
    """The draft with one step more. Raises NotFound for a place that is none, Invalid where there are too many."""
    made = copy.deepcopy(dict(data))
    made.setdefault("steps", [])
    _check_room(made, place, step)
    line = _line(made, place)
    line.insert(min(place.index, len(line)), step)
    return made


def fresh(data: Mapping[str, Any], kind: str) -> Data:
    """A new step of a kind; its wait and words are still to be chosen. Raises NotFound."""
    if kind not in KINDS:
        raise NotFound(kind)
    step: Data = {"kind": kind, "key": _free_key(kind, data)}
    if kind == "letter":
        step |= {"wait": {"seconds": 86_400}, "variants": [{"key": "a", "weight": 1, "texts": {}}]}
    elif kind == "branch":
        step |= {"when": {"all": []}, "yes": [], "no": []}
    return step


def removed(data: Mapping[str, Any], key: str) -> Data:
    """The draft without that step and what it holds. Raises NotFound."""
    made = copy.deepcopy(dict(data))
    place = place_of(made, key)
    del _line(made, place)[place.index]
    return made


def duplicated(data: Mapping[str, Any], key: str) -> tuple[Data, str]:
    """The draft with a twin of that step behind it, and the twin's key. Raises NotFound, Invalid."""
    place = place_of(data, key)
    twin = copy.deepcopy(find(data, key))
    for step in walk([twin]):
        step["key"] = _free_key(step["kind"], data)
        step.pop("experiment", None)
    return inserted(data, Place(place.branch, place.side, place.index + 1), twin), str(twin["key"])


def moved(data: Mapping[str, Any], key: str, by: int) -> Data:
    """The draft with that step one place further down (1) or up (-1); at the edge it stays. Raises NotFound.

    Places are counted as they are read, those within branches included: so a step gets everywhere by two buttons.
    """
    here = place_of(data, key)
    step = copy.deepcopy(find(data, key))
    rest = removed(data, key)
    spots = [place for place in places(rest) if _depth(rest, place) + _height(step) <= MOST_LEVELS]
    target = spots.index(here) + by
    if not 0 <= target < len(spots):
        return copy.deepcopy(dict(data))
    return inserted(rest, spots[target], step)


def places(data: Mapping[str, Any]) -> list[Place]:
    """Every place of a draft in the order in which it is read."""
    return list(_places(data.get("steps") or [], "", ""))


def place_of(data: Mapping[str, Any], key: str) -> Place:
    """Where a step stands. Raises NotFound."""
    for place in places(data):
        line = _line(data, place)
        if place.index < len(line) and line[place.index]["key"] == key:
            return place
    raise NotFound(key)


def _places(line: list[Data], branch: str, side: str) -> Iterator[Place]:
    for index, step in enumerate(line):
        yield Place(branch, side, index)
        if step["kind"] == "branch":
            for inside in SIDES:
                yield from _places(step.get(inside) or [], step["key"], inside)
    yield Place(branch, side, len(line))


def _line(data: Mapping[str, Any], place: Place) -> list[Data]:
    """The list in which a place is. Raises NotFound."""
    if not place.branch:
        found: list[Data] = data.get("steps", [])
        return found
    branch = find(data, place.branch)
    if branch["kind"] != "branch" or place.side not in SIDES:
        raise NotFound(place.branch)
    line: list[Data] = branch.setdefault(place.side, [])
    return line


def _check_room(data: Mapping[str, Any], place: Place, step: Data) -> None:
    if sum(1 for _one in walk(data["steps"])) + sum(1 for _one in walk([step])) > MOST_STEPS:
        raise Invalid(_("Keep to %(limit)d steps at most.") % {"limit": MOST_STEPS}, "steps")
    if _depth(data, place) + _height(step) > MOST_LEVELS:
        raise Invalid(_("Put at most %(limit)d branches into each other.") % {"limit": MOST_LEVELS}, "steps")


def _depth(data: Mapping[str, Any], place: Place) -> int:
    """How many branches a place stands in."""
    depth = 0
    while place.branch:
        place = place_of(data, place.branch)
        depth += 1
    return depth


def _height(step: Data) -> int:
    """How many branches deep a step is, itself included."""
    if step["kind"] != "branch":
        return 0
    return 1 + max((_height(one) for side in SIDES for one in step.get(side) or []), default=0)


def _free_key(kind: str, data: Mapping[str, Any]) -> str:
    """A key that this draft does not have and no earlier version can have had."""
    taken = {step["key"] for step in walk(list(data.get("steps") or []))}
    while (key := f"{kind}-{secrets.token_hex(4)}") in taken:
        pass
    return key
