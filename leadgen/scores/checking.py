"""What rules must be to be kept: whole numbers within bounds, conditions that can be asked, bands in order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from leadgen.core import logic
from leadgen.core import text as words
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.scores import asked
from leadgen.scores.rules import ENGAGEMENT_KEYS, FIT_KEYS, Deed

MOST_RULES = 40  # of each kind
LONGEST = 120
_KEY = re.compile(r"[A-Za-z0-9_]{1,40}")
_BOUNDS = {
    "points": (-100, 100),
    "most": (0, 1000),
    "day": (0, 1000),
    "half_life": (14, 30),
    "silence.days": (1, 365),
    "silence.points": (0, 100),
    "silence.most": (0, 100),
    "enter": (0, 100),
    "leave": (0, 100),
}


def checked(brand_id: int, given: Any) -> dict[str, Any]:
    """The definition as it is kept. Raises Invalid; its field says where: `fit.0.points`, `half_life` and the like."""
    known = asked.plain(asked.fields(brand_id))
    found: dict[str, Any] = {name: [] for name in ("fit", "out", "deeds")}
    for name, rules in found.items():
        if len(given[name]) > MOST_RULES:
            raise Invalid(_("Keep to %(limit)d rules at most.") % {"limit": MOST_RULES}, name)
        for place, one in enumerate(given[name]):
            at = f"{name}.{place}"
            rules.append(_RULES[name](one, at, known))
    keys = [one["key"] for rules in found.values() for one in rules]
    if len(set(keys)) < len(keys):
        raise Invalid(_("Two rules have one key."), "fit")
    found["half_life"] = _number(given["half_life"], "half_life")
    found["silence"] = {name: _number(given["silence"][name], f"silence.{name}") for name in ("days", "points", "most")}
    for name, band_keys in (("fit_bands", FIT_KEYS), ("engagement_bands", ENGAGEMENT_KEYS)):
        found[name] = _bands(given[name], band_keys, name)
    return found


def _fit(one: Mapping[str, Any], at: str, known: Mapping[str, logic.Field]) -> dict[str, Any]:
    points = _number(one["points"], f"{at}.points")
    return {"key": _key(one, at), "when": _condition(one["when"], at, known), "points": points}


def _out(one: Mapping[str, Any], at: str, known: Mapping[str, logic.Field]) -> dict[str, Any]:
    reason = words.one_line(str(one["reason"]), LONGEST)
    if not reason:
        raise Invalid(_("Say why such people do not fit."), f"{at}.reason")
    return {"key": _key(one, at), "when": _condition(one["when"], at, known), "reason": reason}


def _deed(one: Mapping[str, Any], at: str, _known: Mapping[str, logic.Field]) -> dict[str, Any]:
    if one["deed"] not in set(Deed):
        raise Invalid(_("Choose what counts."), f"{at}.what")
    found = {"key": _key(one, at), "deed": one["deed"], "detail": str(one["detail"])[:LONGEST]}
    if not isinstance(one["contest"], int):
        raise Invalid(_("Choose one of the contests."), f"{at}.contest")
    found["contest"] = one["contest"]
    return found | {name: _number(one[name], f"{at}.{name}") for name in ("points", "most", "day")}


_RULES = {"fit": _fit, "out": _out, "deeds": _deed}


def _condition(given: Any, at: str, known: Mapping[str, logic.Field]) -> dict[str, Any]:
    try:
        return logic.checked(given, known)
    except Invalid as error:
        raise Invalid(str(error), f"{at}.what") from error


def _key(one: Mapping[str, Any], at: str) -> str:
    key = str(one["key"])
    if not _KEY.fullmatch(key):
        raise Invalid(_("A rule needs a key."), at)
    return key


def _number(value: Any, at: str) -> int:
    name = at if at in _BOUNDS else at.rpartition(".")[2]
    least, most = _BOUNDS[name]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(_("Write a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}, at)
    if name == "points" and value == 0:
        raise Invalid(_("A rule without points says nothing: write another number, or remove it."), at)
    return value


def _bands(given: Sequence[Mapping[str, Any]], keys: Sequence[str], name: str) -> list[dict[str, Any]]:
    """From the best to the lowest, each entered below the one before and left no earlier than it is entered."""
    by_key = {one["key"]: one for one in given}
    found: list[dict[str, Any]] = []
    for key in keys:
        one, is_lowest, at = by_key[key], key == keys[-1], f"{name}.{key}"
        enter, leave = (0 if is_lowest else _number(one[edge], f"{at}.{edge}") for edge in ("enter", "leave"))
        if leave > enter:
            raise Invalid(_("A band is left at the number at which it is entered, or below."), f"{at}.leave")
        if found and not is_lowest and (enter >= found[-1]["enter"] or leave > found[-1]["leave"]):
            raise Invalid(_("Each band begins below the one above it."), f"{at}.enter")
        found.append({"key": key, "enter": enter, "leave": leave, "label": words.one_line(one["label"], 40)})
    return found
