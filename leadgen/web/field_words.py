"""How fields of a form are shown: their choices in words, countries, and kept answers as a browser sends them."""

from __future__ import annotations

import contextlib
from datetime import date
from functools import lru_cache
from typing import Any

from babel import Locale

from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.forms import projecting
from leadgen.forms.definition import Field, FieldType


def choices_of(field: Field, default_locale: str) -> list[tuple[str, str, str]]:
    """(value, label, picture) of what can be chosen; the label in the current language, else the campaign's own."""
    if field.type is FieldType.YES_NO:
        return [("yes", _("Yes"), ""), ("no", _("No"), "")]
    if field.bounds:
        least, most = field.bounds
        return [(str(number), str(number), "") for number in range(least, most + 1)]
    return [
        (
            str(one["id"]),
            one["texts"].get(i18n.locale()) or one["texts"].get(default_locale, ""),
            one.get("picture", ""),
        )
        for one in projecting.options_of(field)
    ]


def countries() -> tuple[tuple[str, str], ...]:
    """(code, name) of all countries in the current language, in its alphabet's order."""
    return _countries(i18n.locale())


@lru_cache(maxsize=8)
def _countries(code: str) -> tuple[tuple[str, str], ...]:
    names = Locale.parse(code).territories
    found = [(key, str(name)) for key, name in names.items() if len(key) == 2 and key.isalpha() and key not in _NONE]
    return tuple(sorted(found, key=lambda pair: pair[1].translate(_PLAIN)))


_NONE = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})  # groups and placeholders among the codes
_PLAIN = str.maketrans("ÅÉÎÔ", "AEIO")


def typed(field: Field, value: Any) -> list[str]:
    """A kept value as the browser would send it."""
    if value is None:
        return []
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, list):
        if field.type is FieldType.RANKING:
            return [f"{place}:{item}" for place, item in enumerate(value, 1)]
        return [str(item) for item in value]
    return [str(value)]


def told(field: Field, value: Any, default_locale: str) -> str:
    """A kept value in words, as the person chose or wrote it."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if field.type is FieldType.DATE and isinstance(value, str):
        with contextlib.suppress(ValueError):
            return i18n.format_date(date.fromisoformat(value))
    if field.type is FieldType.COUNTRY:
        return dict(countries()).get(str(value), str(value))
    if isinstance(value, int | float):
        return i18n.format_number(value)
    labels = {name: label for name, label, _picture in choices_of(field, default_locale)}
    chosen = [labels.get(str(one), str(one)) for one in (value if isinstance(value, list) else [value])]
    if field.type is FieldType.RANKING:
        chosen = [f"{place}. {label}" for place, label in enumerate(chosen, 1)]
    return ", ".join(chosen)
