"""What changes from one version of a form to the next, for the dialog before publishing and the list of versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from leadgen.core import i18n
from leadgen.forms.definition import Definition, Field, Page


class Change(StrEnum):
    """What happened to a field, a page, or the order."""

    ADDED = "added"
    REMOVED = "removed"
    WORDS = "words"
    CHOICES = "choices"
    CONDITIONS = "conditions"
    NEEDED = "needed"
    POINTS = "points"
    LIMITS = "limits"
    ORDER = "order"
    JUMPS = "jumps"


@dataclass(frozen=True, slots=True)
class Difference:
    """One change; `name` is the field's or the page's, empty for the order."""

    change: Change
    name: str
    before: str = ""
    after: str = ""


def differences(old: Definition, new: Definition) -> list[Difference]:
    """Everything that differs, in the order of the new form, what is gone last."""
    return [*_fields(old, new), *_order(old, new), *_pages(old, new)]


def _fields(old: Definition, new: Definition) -> Iterator[Difference]:
    locale = i18n.locale()
    for one in new.fields:
        before = old.field(one.key)
        if before is None:
            yield Difference(Change.ADDED, one.label(locale))
        elif before != one:
            yield from _within(before, one, one.label(locale))
    for one in old.fields:
        if new.field(one.key) is None:
            yield Difference(Change.REMOVED, one.label(locale))


def _within(before: Field, after: Field, name: str) -> Iterator[Difference]:
    if before.texts != after.texts:
        yield Difference(Change.WORDS, name, before.label(i18n.locale()), after.label(i18n.locale()))
    if before.options != after.options:
        yield Difference(Change.CHOICES, name)
    if before.conditions != after.conditions:
        yield Difference(Change.CONDITIONS, name)
    if before.is_required is not after.is_required:
        yield Difference(Change.NEEDED, name)
    if before.points != after.points:
        yield Difference(Change.POINTS, name, str(before.points), str(after.points))
    others = (
        "type",
        "ask_at",
        "least",
        "most",
        "pattern",
        "country",
        "parameter",
        "sensitivity",
        "fresh_days",
        "weight",
    )
    if any(getattr(before, part) != getattr(after, part) for part in others):
        yield Difference(Change.LIMITS, name)


def _order(old: Definition, new: Definition) -> Iterator[Difference]:
    common = {one.key for one in old.fields} & {one.key for one in new.fields}
    if _places(old, common) != _places(new, common):
        yield Difference(Change.ORDER, "")


def _places(definition: Definition, keys: set[str]) -> list[list[str]]:
    pages = ([one.key for one in page.fields if one.key in keys] for page in definition.pages)
    return [page for page in pages if page]


def _pages(old: Definition, new: Definition) -> Iterator[Difference]:
    for page in new.pages:
        before = old.page(page.id) or Page(page.id)
        name = str(page.texts.get(i18n.locale(), {}).get("title") or page.id)
        if before.jumps != page.jumps:
            yield Difference(Change.JUMPS, name)
        if before.texts != page.texts:
            yield Difference(Change.WORDS, name)
