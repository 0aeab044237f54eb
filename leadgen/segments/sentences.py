"""A segment in plain words, in the reader's language: “People who agreed to marketing, and who brought 2 friends”."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from leadgen.core import i18n, logic
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.core.logic import Condition, Kind, Op
from leadgen.segments.catalogue import Asked, Catalogue, Moment, Spec


def sentence(catalogue: Catalogue, condition: Condition) -> str:
    """The whole segment as one sentence without its full stop."""
    if condition == {"all": []}:
        return _("Everybody")
    if condition == {"any": []}:
        return _("Nobody")
    return _("People %(clauses)s") % {"clauses": clause(catalogue, condition)}


def clause(catalogue: Catalogue, condition: Condition) -> str:
    """A condition as relative clauses; groups within groups stand in brackets.

    Nothing is raised for what was kept before its form was checked, or whose field is of another kind by now.
    """
    try:
        logic.check_shape(condition)
    except Invalid:
        return _unreadable()
    return _clause(catalogue, condition)


def _unreadable() -> str:
    return _("who fulfil a condition that cannot be read")


def _clause(catalogue: Catalogue, condition: Condition, *, is_inside: bool = False) -> str:
    if "not" in condition:
        return _negated(catalogue, condition["not"])
    if "all" in condition or "any" in condition:
        return _joined(catalogue, condition, is_inside=is_inside)
    asked = catalogue.asked.get(condition["field"])
    if asked is None:
        return _("whose “%(field)s” is asked for, which is there no more") % {"field": condition["field"]}
    try:
        logic.check_comparison(condition, asked.kind)
    except Invalid:
        return _unreadable()
    return _compared(asked, Op(condition["op"]), condition.get("value"))


def _negated(catalogue: Catalogue, inner: Condition) -> str:
    """Something known is the opposite of something lacking; all else is put in brackets."""
    asked = catalogue.asked.get(inner.get("field", ""))
    if asked and inner["op"] == Op.EMPTY:
        return _having(asked.spec)
    return _("who are not among those %(clauses)s") % {"clauses": _clause(catalogue, inner, is_inside=True)}


def _joined(catalogue: Catalogue, group: Condition, *, is_inside: bool) -> str:
    parts = group["all"] if "all" in group else group["any"]
    joint = _("%(first)s, and %(second)s") if "all" in group else _("%(first)s, or %(second)s")
    said = [_clause(catalogue, part, is_inside=len(parts) > 1) for part in parts]
    if not said:
        return _("who are anybody") if "all" in group else _("who are nobody")
    told = said[0]
    for one in said[1:]:
        told = joint % {"first": told, "second": one}
    return f"({told})" if is_inside and len(said) > 1 else told


def _compared(asked: Asked, op: Op, value: Any) -> str:
    spec = asked.spec
    if op is Op.EMPTY:
        return _lacking(spec)
    if asked.kind is Kind.FLAG:
        return _flag(spec, is_yes=value is (op is Op.EQ))
    is_number = asked.kind is Kind.NUMBER and not isinstance(spec, Moment)
    return _filled(spec, _what(asked, op, value), value if is_number else 2)


def _what(asked: Asked, op: Op, value: Any) -> str:
    """What a field is compared with, as its saying wants it."""
    spec, is_answer = asked.spec, asked.spec.key.startswith("answer.")
    if isinstance(spec, Moment):
        return _day(op, value) if asked.kind is Kind.DATE else _ago(op, int(value))
    if asked.kind in {Kind.NUMBER, Kind.DATE}:
        told = _amount(op, value) if asked.kind is Kind.NUMBER else _day(op, value)
        return _("is %(value)s") % {"value": told} if is_answer else told
    told = _values(spec, value)
    return told if asked.kind is Kind.MANY and not is_answer else _phrase(asked.kind, op) % {"value": told}


def _filled(spec: Spec, what: str, number: float = 2) -> str:
    return spec.says(number) % {"what": what}


def _phrase(kind: Kind, op: Op) -> str:
    if kind is Kind.MANY:
        return _("includes %(value)s")
    words = {Op.NE: _("is not %(value)s"), Op.CONTAINS: _("contains %(value)s")}
    return words.get(op, _("is %(value)s"))


def _lacking(spec: Spec) -> str:
    return spec.lacking() if spec.lacking else _filled(spec, _("is not known"))


def _having(spec: Spec) -> str:
    return spec.having() if spec.having else _filled(spec, _("is known"))


def _flag(spec: Spec, *, is_yes: bool) -> str:
    said = spec.having if is_yes else spec.lacking
    if said and not spec.key.startswith("answer."):
        return said()
    return _filled(spec, _("is yes") if is_yes else _("is no"))


def _values(spec: Spec, value: Any) -> str:
    """“French or Dutch”; names that people gave stand in quotation marks."""
    options = spec.options()
    words = [_shown(options, one) for one in (value if isinstance(value, list) else [value])]
    told = words[0]
    for word in words[1:]:
        told = _("%(first)s or %(second)s") % {"first": told, "second": word}
    return told


def _shown(options: Mapping[str, str], value: Any) -> str:
    return str(options[value]) if value in options else _("“%(words)s”") % {"words": value}


def _amount(op: Op, value: float) -> str:
    words: dict[Op, Callable[[], str]] = {
        Op.EQ: lambda: _("exactly %(number)s"),
        Op.NE: lambda: _("not exactly %(number)s"),
        Op.GT: lambda: _("more than %(number)s"),
        Op.GTE: lambda: _("at least %(number)s"),
        Op.LT: lambda: _("fewer than %(number)s"),
        Op.LTE: lambda: _("at most %(number)s"),
    }
    return words[op]() % {"number": i18n.format_number(value)}


def _day(op: Op, value: str) -> str:
    words: dict[Op, Callable[[], str]] = {
        Op.EQ: lambda: _("on %(day)s"),
        Op.NE: lambda: _("on another day than %(day)s"),
        Op.GT: lambda: _("after %(day)s"),
        Op.GTE: lambda: _("on or after %(day)s"),
        Op.LT: lambda: _("before %(day)s"),
        Op.LTE: lambda: _("on or before %(day)s"),
    }
    return words[op]() % {"day": i18n.format_date(date.fromisoformat(value))}


def _ago(op: Op, days: int) -> str:
    words: dict[Op, Callable[[], str]] = {
        Op.EQ: lambda: ngettext("exactly %(num)s day ago", "exactly %(num)s days ago", days),
        Op.NE: lambda: ngettext("not exactly %(num)s day ago", "not exactly %(num)s days ago", days),
        Op.GT: lambda: ngettext("more than %(num)s day ago", "more than %(num)s days ago", days),
        Op.GTE: lambda: ngettext("at least %(num)s day ago", "at least %(num)s days ago", days),
        Op.LT: lambda: ngettext("less than %(num)s day ago", "less than %(num)s days ago", days),
        Op.LTE: lambda: ngettext("within the last %(num)s day", "within the last %(num)s days", days),
    }
    return words[op]() % {"num": i18n.format_number(days)}
