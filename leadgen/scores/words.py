"""What rules say in plain words, in the current language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.core.logic import Condition, Kind, Op
from leadgen.scores.asked import ANSWERED, Asked
from leadgen.scores.reckoning import Reactivity
from leadgen.scores.rules import Band, Deed, DeedRule

Fields = Mapping[str, Asked]


def condition(when: Condition, known: Fields) -> str:
    """A condition: “Travel month is May”."""
    for group, joint in (("all", _("and")), ("any", _("or"))):
        if group in when:
            return f" {joint} ".join(condition(part, known) for part in when[group]) or _("everybody")
    if "not" in when:
        part = when["not"]
        if part.get("op") == Op.EMPTY:
            return _("%(field)s: answered") % {"field": _word(part["field"], known)}
        return _("not: %(condition)s") % {"condition": condition(part, known)}
    return _comparison(when, known)


def _comparison(when: Condition, known: Fields) -> str:
    name, op = when["field"], Op(when["op"])
    if name == ANSWERED and op is Op.GTE:
        number = int(when["value"])
        return ngettext("At least %(number)d question answered", "At least %(number)d questions answered", number) % {
            "number": number
        }
    said = {"field": _word(name, known), "value": _value(when.get("value"), known.get(name))}
    return {
        Op.EQ: _("%(field)s: %(value)s"),
        Op.NE: _("%(field)s: not %(value)s"),
        Op.IN: _("%(field)s: %(value)s"),
        Op.CONTAINS: _("%(field)s: %(value)s"),
        Op.GT: _("%(field)s: more than %(value)s"),
        Op.GTE: _("%(field)s: at least %(value)s"),
        Op.LT: _("%(field)s: less than %(value)s"),
        Op.LTE: _("%(field)s: at most %(value)s"),
        Op.EMPTY: _("%(field)s: not answered"),
    }[op] % said


def _word(name: str, known: Fields) -> str:
    return known[name].word if name in known else name.removeprefix("answer.")


def _value(value: Any, field: Asked | None) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        return i18n.format_number(value)
    if isinstance(value, list):
        return ", ".join(_value(one, field) for one in value)
    if field is not None and field.kind in {Kind.CHOICE, Kind.MANY}:
        return field.options.get(value, value)
    return str(value)


def deed(kind: Deed) -> str:
    """What somebody did."""
    return {
        Deed.CONFIRMED: _("Entered a contest and confirmed"),
        Deed.ANSWERED: _("Answered a question"),
        Deed.FINISHED: _("Finished the form"),
        Deed.FRIEND: _("Brought a friend who counts"),
        Deed.ACTION: _("Did an action"),
        Deed.WORK: _("Handed in a work that is shown"),
        Deed.CLICKED: _("Clicked in a letter"),
        Deed.COMPLAINED: _("Reported a letter as spam"),
    }[kind]


def deed_rule(rule: DeedRule, known: Fields, names: Mapping[int | str, str]) -> str:
    """A deed with what it is narrowed to: “Answered a question (travel month), in “Summer””."""
    said = deed(rule.deed)
    if rule.detail:
        detail = (
            _word(f"answer.{rule.detail}", known) if rule.deed is Deed.ANSWERED else names.get(rule.detail, rule.detail)
        )
        said = _("%(deed)s (%(detail)s)") % {"deed": said, "detail": detail}
    if rule.contest:
        contest = names.get(rule.contest, str(rule.contest))
        said = _("%(deed)s, in “%(contest)s”") % {"deed": said, "contest": contest}
    return said


def band(one: Band) -> str:
    """Its key, with what staff call it."""
    return f"{one.key} · {one.label}" if one.label else one.key


def reactivity(word: Reactivity) -> str:
    """How an address answers to letters, in a word."""
    return {
        Reactivity.LIVELY: _("lively"),
        Reactivity.QUIET: _("quiet"),
        Reactivity.SILENT: _("silent"),
    }[word]


def why_not(reason: str) -> str:
    """Why somebody has no score."""
    return {
        "erased": _("Everything about this person was erased."),
        "unconfirmed": _("Nobody is scored before their address is confirmed."),
        "staff": _("This address is one of your own staff: colleagues are not scored."),
        "excluded": _("The review excluded this person from a contest: nothing of them counts."),
        "": _("The score is reckoned a few seconds after something happens; look again soon."),
    }[reason]
