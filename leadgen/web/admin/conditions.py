"""Conditions as a form without a script: one list of comparisons, and whether all, any or none of them must be true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import FieldList, FormField

from leadgen.core import i18n, logic
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Condition, Kind, Op
from leadgen.forms.definition import KNOWN, Definition
from leadgen.web.admin import form_words
from leadgen.web.admin.forms import StudioForm, line, one_of

SPARE_ROWS = 2
_YES = frozenset({"yes", "oui", "true", "1"})
_NO = frozenset({"no", "non", "false", "0"})


class ComparisonForm(StudioForm):
    """One comparison; without a field it is left out."""

    field = line(longest=60)
    op = line(longest=20)
    value = line(longest=500)


class ConditionForm(StudioForm):
    """A condition; an empty mode means none."""

    mode = one_of("", "all", "any", "none")
    rows: Any = FieldList(FormField(ComparisonForm))


def as_data(condition: Condition | None, definition: Definition) -> dict[str, Any]:
    """A kept condition as the form shows it, with choices in words, and room for more."""
    if condition is None:
        return {"mode": "", "rows": [{}] * SPARE_ROWS}
    mode = next((word for word in ("all", "any") if word in condition), "none" if "not" in condition else "all")
    rows = [
        {"field": one["field"], "op": one["op"], "value": _told(one.get("value"), one["field"], definition)}
        for one in logic.comparisons(condition)
    ]
    return {"mode": mode, "rows": rows + [{}] * SPARE_ROWS}


def read(
    form: Any, definition: Definition, names: Mapping[str, logic.Field], before: Condition | None
) -> Condition | None:
    """The condition that was written, or None. Raises Invalid with a sentence.

    “Always” takes out the condition that was there `before`; where there was none, comparisons that were written are
    not thrown away: all of them must be true.
    """
    had_one = before is not None and bool(logic.fields_of(before))
    mode = form.mode.data or ("" if had_one else "all")
    rows = [row.form for row in form.rows if row.form.field.data]
    if not mode or not rows:
        return None
    parts = [_comparison(row.field.data, row.op.data or Op.EQ, row.value.data or "", definition, names) for row in rows]
    tree = {"not": {"any": parts}} if mode == "none" else {mode: parts}
    return logic.checked(tree, names)


def _comparison(
    name: str, op: str, raw: str, definition: Definition, names: Mapping[str, logic.Field]
) -> dict[str, Any]:
    known = names.get(name)
    found: dict[str, Any] = {"field": name, "op": op}
    if op == Op.EMPTY or known is None:
        return found
    if op == Op.IN:
        return found | {
            "value": [_value(part.strip(), name, known, definition) for part in raw.split(",") if part.strip()]
        }
    return found | {"value": _value(raw, name, known, definition)}


def _value(raw: str, name: str, known: logic.Field, definition: Definition) -> Any:
    """What was typed as a value of the field's kind; what it cannot be stays as it is, and is refused afterwards."""
    if known.kind is Kind.FLAG:
        word = raw.strip().lower()
        return True if word in _YES else False if word in _NO else raw
    if known.kind is Kind.NUMBER:
        try:
            number = float(raw.replace(",", ".").replace(" ", ""))
        except ValueError:
            return raw
        return int(number) if number.is_integer() else number
    labels = {label.casefold(): value for value, label in choices(name, definition, every=True)}
    return labels.get(raw.strip().casefold(), raw.strip())


def choices(name: str, definition: Definition, *, every: bool = False) -> list[tuple[str, str]]:
    """(id, label) of what a field can be; `every`: in every language."""
    one = definition.field(name.removeprefix(KNOWN))
    if one is None:
        return []
    codes = i18n.LOCALES if every else (i18n.locale(),)
    return [
        (str(option["id"]), str(option["texts"].get(code) or option["id"])) for option in one.options for code in codes
    ]


def _told(value: Any, name: str, definition: Definition) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_told(one, name, definition) for one in value)
    return dict(choices(name, definition)).get(str(value), "" if value is None else str(value))


def fields_to_ask(names: Mapping[str, logic.Field], definition: Definition) -> list[tuple[str, str]]:
    """(name, words) of what a condition may ask for: the form's own fields first, then what is known besides."""
    own = [(name, definition.field(name)) for name in names if not name.startswith(KNOWN)]
    told = [(name, one.label(i18n.locale()) if one else name) for name, one in own]
    own_keys = {one.key for one in definition.fields}
    known = sorted(name for name in names if name.startswith(KNOWN) and name.removeprefix(KNOWN) not in own_keys)
    return [("", "–"), *told, *((name, _("Known: %(key)s") % {"key": name.removeprefix(KNOWN)}) for name in known)]


def in_words(condition: Condition, definition: Definition) -> str:
    """A condition in a sentence, for lists."""
    comparisons = dict(form_words.ops())
    parts = []
    for one in logic.comparisons(condition):
        field = definition.field(one["field"])
        name = field.label(i18n.locale()) if field else one["field"]
        parts.append(f"“{name}” {comparisons[one['op']]} {_told(one.get('value'), one['field'], definition)}".strip())
    if "not" in condition:
        return _("none of: %(parts)s") % {"parts": ", ".join(parts)}
    return (_(" or ") if "any" in condition else _(" and ")).join(parts) or _("always")
