"""The editor of scoring rules: rows as somebody sees them, read from a form and from a definition.

What a row asks for is one choice that names the question and the answer together, so that no script is needed to offer
the right answers; where a number or a word belongs to it, that stands beside. A condition that the rows cannot draw
stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Condition, Kind
from leadgen.scores import rules as documents
from leadgen.scores import words
from leadgen.scores.asked import ANSWERED, Asked
from leadgen.scores.rules import Deed

KINDS = ("fit", "out", "deeds")
COLUMNS = {"fit": ("key", "what", "value", "points"), "out": ("key", "what", "value", "reason"),
           "deeds": ("key", "what", "contest", "points", "most", "day")}  # fmt: skip
SETTINGS = ("half_life", "silence.days", "silence.points", "silence.most")
_PLACE = re.compile(r"(fit|out|deeds)-(\d{1,3})-(key|what|value|points|reason|contest|most|day)")
_MOST_ROWS = 60
_KEPT = "kept"

Row = dict[str, str]
Build = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a row can ask for; `needs` is the kind of the value that stands beside it, if any does."""

    code: str
    group: str
    word: str
    build: Build
    needs: Kind | None = None


@dataclass(slots=True)
class Page:
    """All that the editor holds, as text; `conditions` are those of the definition, by the key of their rule."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    settings: dict[str, str] = field(default_factory=dict)
    bands: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    conditions: dict[str, Condition] = field(default_factory=dict)

    def act(self, deed: str) -> None:
        """What a button asks for: `add:fit`, `drop:deeds:2`; anything else changes nothing."""
        name, _colon, rest = deed.partition(":")
        kind, _colon, place = rest.partition(":")
        if kind not in KINDS:
            return
        if name == "add" and len(self.rows[kind]) < _MOST_ROWS:
            self.rows[kind].append(dict.fromkeys(COLUMNS[kind], ""))
        elif name == "drop" and place.isdecimal() and int(place) < len(self.rows[kind]):
            del self.rows[kind][int(place)]


def choices(known: Mapping[str, Asked]) -> dict[str, Choice]:
    """Everything that rules about answers can ask for, by code, in the order of the questions."""
    found = [
        Choice("answered:gte", _("Number of answers"), _("At least … answers"), _one(ANSWERED, "gte"), Kind.NUMBER)
    ]
    for name, asked in known.items():
        if name != ANSWERED:
            found += _of_question(name, asked)
    return {one.code: one for one in found}


def _of_question(name: str, asked: Asked) -> list[Choice]:
    group = asked.word
    contains = "contains" if asked.kind is Kind.MANY else "eq"
    found = [
        Choice(f"{name}:is:{option}", group, f"{group}: {word}", _fixed(name, contains, option))
        for option, word in asked.options.items()
        if asked.kind in {Kind.CHOICE, Kind.MANY}
    ]
    if asked.kind is Kind.FLAG:
        for code, value, word in (("yes", True, _("yes")), ("no", False, _("no"))):
            found.append(Choice(f"{name}:{code}", group, f"{group}: {word}", _fixed(name, "eq", value)))
    if asked.kind in {Kind.NUMBER, Kind.DATE}:
        least, most = (_("from … on"), _("until …")) if asked.kind is Kind.DATE else (_("at least …"), _("at most …"))
        for op, word in (("gte", least), ("lte", most)):
            found.append(Choice(f"{name}:{op}", group, f"{group}: {word}", _one(name, op), asked.kind))
    if asked.kind is Kind.TEXT:
        found.append(
            Choice(f"{name}:contains", group, f"{group}: " + _("contains …"), _one(name, "contains"), Kind.TEXT)
        )
    answered: Build = lambda _value: {"not": {"field": name, "op": "empty"}}  # noqa: E731 - one of a row of builders
    found.append(Choice(f"{name}:known", group, f"{group}: " + _("answered, whatever it is"), answered))
    lacking: Build = lambda _value: {"field": name, "op": "empty"}  # noqa: E731 - as above
    found.append(Choice(f"{name}:lacking", group, f"{group}: " + _("not answered"), lacking))
    return found


def _fixed(name: str, op: str, value: Any) -> Build:
    return lambda _value: {"field": name, "op": op, "value": value}


def _one(name: str, op: str) -> Build:
    return lambda value: {"field": name, "op": op, "value": value}


def deeds(known: Mapping[str, Asked], actions: Mapping[str, str]) -> dict[str, str]:
    """What rules about deeds can ask for: `question.answered`, `question.answered:travel`."""
    found: dict[str, str] = {}
    for one in Deed:
        found[one.value] = words.deed(one)
        if one is Deed.ANSWERED:
            found |= {
                f"{one.value}:{q.key}": f"{words.deed(one)}: {q.word}" for q in known.values() if q.name != ANSWERED
            }
        if one is Deed.ACTION:
            found |= {f"{one.value}:{key}": f"{words.deed(one)}: {word}" for key, word in actions.items()}
    return found


def of(definition: Mapping[str, Any], known: Mapping[str, Asked]) -> Page:
    """The page of a definition."""
    page = Page(conditions=_conditions(definition))
    offered = choices(known)
    for kind in ("fit", "out"):
        for one in definition[kind]:
            code, value = _code(one["when"], offered)
            row = {"key": one["key"], "what": code or _KEPT, "value": value}
            page.rows[kind].append(row | {name: str(one[name]) for name in COLUMNS[kind] if name not in row})
    for one in definition["deeds"]:
        what = f"{one['deed']}:{one['detail']}" if one["detail"] else one["deed"]
        limits = {name: str(one[name] or "") for name in ("contest", "most", "day")}
        page.rows["deeds"].append({"key": one["key"], "what": what, "points": str(one["points"])} | limits)
    page.settings = {"half_life": str(definition["half_life"])}
    page.settings |= {f"silence.{name}": str(value) for name, value in definition["silence"].items()}
    for name in ("fit_bands", "engagement_bands"):
        page.bands[name] = {one["key"]: {edge: str(one[edge]) for edge in _EDGES} for one in definition[name]}
    return page


_EDGES = ("enter", "leave", "label")


def _code(when: Condition, offered: Mapping[str, Choice]) -> tuple[str, str]:
    value = when.get("value")
    for code, choice in offered.items():
        if choice.build(value) == when:
            return code, "" if choice.needs is None else str(value)
    return "", ""


def _conditions(definition: Mapping[str, Any]) -> dict[str, Condition]:
    return {one["key"]: one["when"] for kind in ("fit", "out") for one in definition[kind]}


def sent(form: MultiDict[str, str], definition: Mapping[str, Any]) -> Page:
    """The page as a browser sends it; `definition` is the one that it was drawn from."""
    page = Page(conditions=_conditions(definition))
    found: dict[tuple[str, int], Row] = {}
    for name, value in form.items():
        if place := _PLACE.fullmatch(name):
            row = found.setdefault((place[1], int(place[2])), dict.fromkeys(COLUMNS[place[1]], ""))
            row[place[3]] = value.replace("\x00", "").strip()[:200]
    for (kind, _number), row in sorted(found.items()):
        page.rows[kind].append(row)
    page.settings = {name: form.get(name, "").strip()[:20] for name in SETTINGS}
    for name, keys in (("fit_bands", documents.FIT_KEYS), ("engagement_bands", documents.ENGAGEMENT_KEYS)):
        page.bands[name] = {
            key: {edge: form.get(f"{name}-{key}-{edge}", "").replace("\x00", "").strip()[:40] for edge in _EDGES}
            for key in keys
        }
    return page


def definition(page: Page, known: Mapping[str, Asked]) -> dict[str, Any]:
    """What the page says, unchecked but for what was not chosen; rows without anything are dropped from the page.

    Raises Invalid with the field.
    """
    for kind in KINDS:
        page.rows[kind] = [row for row in page.rows[kind] if any(row[name] for name in row if name != "key")]
    _name_new(page)
    offered = choices(known)
    found: dict[str, Any] = {
        kind: [_rule(page, kind, place, row, offered) for place, row in enumerate(page.rows[kind])] for kind in KINDS
    }
    found["half_life"] = _whole(page.settings["half_life"])
    found["silence"] = {name: _whole(page.settings[f"silence.{name}"]) for name in ("days", "points", "most")}
    for name, bands in page.bands.items():
        found[name] = [
            {"key": key, "enter": _whole(one["enter"]), "leave": _whole(one["leave"]), "label": one["label"]}
            for key, one in bands.items()
        ]
    return found


def _name_new(page: Page) -> None:
    """Rows keep the names that their rules have; new ones get the next number."""
    rows = [row for kind in KINDS for row in page.rows[kind]]
    taken = {row["key"] for row in rows}
    number = 1
    for row in rows:
        while not row["key"]:
            if (key := f"r{number}") not in taken:
                row["key"] = key
                taken.add(key)
            number += 1


def _rule(page: Page, kind: str, place: int, row: Row, offered: Mapping[str, Choice]) -> dict[str, Any]:
    if not row["what"]:
        raise Invalid(_("Choose what counts."), f"{kind}.{place}.what")
    if kind == "deeds":
        deed, _colon, detail = row["what"].partition(":")
        said = {"key": row["key"], "deed": deed, "detail": detail, "contest": _whole(row["contest"] or "0")}
        return said | {name: _whole(row[name] or "0") for name in ("points", "most", "day")}
    found: dict[str, Any] = {"key": row["key"], "when": _when(page, f"{kind}.{place}", row, offered)}
    return found | ({"reason": row["reason"]} if kind == "out" else {"points": _whole(row["points"])})


def _when(page: Page, at: str, row: Row, offered: Mapping[str, Choice]) -> Condition:
    if row["what"] == _KEPT and row["key"] in page.conditions:
        return page.conditions[row["key"]]
    choice = offered.get(row["what"])
    if choice is None:
        raise Invalid(_("Choose what counts."), f"{at}.what")
    if choice.needs is not None and not row["value"]:
        raise Invalid(_("Write the number or the words that are meant."), f"{at}.value")
    return choice.build(_number(row["value"]) if choice.needs is Kind.NUMBER else row["value"])


def _number(typed: str) -> int | float | str:
    plain = typed.replace(",", ".").replace("\u202f", "").replace(" ", "")
    if re.fullmatch(r"-?\d{1,12}", plain):
        return int(plain)
    return float(plain) if re.fullmatch(r"-?\d{1,12}\.\d{1,6}", plain) else typed


def _whole(typed: str) -> int | str:
    return int(typed) if re.fullmatch(r"[-+]?\d{1,9}", typed) else typed
