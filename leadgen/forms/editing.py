"""Changing a draft: fields and pages put in, moved and taken out; each verb answers the new definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from leadgen.core import i18n, logic
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.forms.checking import checked
from leadgen.forms.definition import Definition, Field, Jump, Page
from leadgen.forms.lint import page_name

TITLE_LIMIT = 120


def put_field(definition: Definition, page_id: str, field: Field, *, before: str = "") -> Definition:
    """Put a field at the end of a page, or in the place of the one whose key is `before`.

    A field keeps its key. On another page than before it comes last. Raises Invalid, Conflict, NotFound (page).
    """
    kept = checked(field)
    page = definition.page(page_id)
    if page is None:
        raise NotFound
    if before and before != kept.key:
        raise Conflict(_("The key of a question stays as it is. Remove it and add another."))
    if not before and definition.field(kept.key) is not None:
        raise Invalid(_("Another question of this campaign has this key."), "key")
    home = definition.page_of(before) if before else None
    if home is not None and home.id == page_id:
        return _with(definition, home, fields=tuple(kept if one.key == before else one for one in home.fields))
    if home is not None:
        definition = _with(definition, home, fields=tuple(one for one in home.fields if one.key != before))
    target = definition.page(page_id) or page
    return _with(definition, target, fields=(*target.fields, kept))


def remove_field(definition: Definition, key: str) -> Definition:
    """Take a field out. Raises NotFound; Conflict naming what depends on it, which has to be changed first."""
    home = definition.page_of(key)
    if home is None:
        raise NotFound
    if dependent := dependents(definition, key):
        words = {"others": ", ".join(f"“{name}”" for name in dependent)}
        raise Conflict(_("%(others)s depends on this question. Change that first.") % words)
    return _with(definition, home, fields=tuple(one for one in home.fields if one.key != key))


def dependents(definition: Definition, key: str) -> list[str]:
    """The names of the fields and pages whose conditions ask for this field."""
    locale = i18n.locale()
    found = [
        one.label(locale)
        for one in definition.fields
        if one.key != key and any(key in logic.fields_of(condition) for condition in one.conditions)
    ]
    return found + [
        page_name(page, place)
        for place, page in enumerate(definition.pages)
        if any(key in logic.fields_of(jump.when) for jump in page.jumps)
    ]


def move_field(definition: Definition, key: str, by: int) -> Definition:
    """Move a field one place up (-1) or down (1), at the edge of its page into the next one. Raises NotFound."""
    home = definition.page_of(key)
    if home is None:
        raise NotFound
    fields = list(home.fields)
    place = next(place for place, one in enumerate(fields) if one.key == key)
    target = place + by
    if 0 <= target < len(fields):
        fields[place], fields[target] = fields[target], fields[place]
        return _with(definition, home, fields=tuple(fields))
    neighbour = definition.pages.index(home) + by
    if not 0 <= neighbour < len(definition.pages):
        return definition
    moved = fields.pop(place)
    other = definition.pages[neighbour]
    definition = _with(definition, home, fields=tuple(fields))
    return _with(definition, other, fields=(*other.fields, moved) if by < 0 else (moved, *other.fields))


def add_page(definition: Definition) -> Definition:
    """A new page at the end."""
    taken = {page.id for page in definition.pages}
    free = next(name for name in (f"p{number}" for number in range(1, len(taken) + 2)) if name not in taken)
    return Definition((*definition.pages, Page(free)))


def edit_page(
    definition: Definition, page_id: str, titles: Mapping[str, str], jumps: Sequence[tuple[Any, str]]
) -> Definition:
    """Replace title and jumps of a page; a jump is (condition, target). Raises NotFound, Invalid (title)."""
    page = definition.page(page_id)
    if page is None:
        raise NotFound
    if any(len(title.strip()) > TITLE_LIMIT for title in titles.values()):
        raise Invalid(_("Use at most %(most)d characters.") % {"most": TITLE_LIMIT}, "title")
    texts = {code: {"title": title.strip()} for code, title in titles.items()} if any(titles.values()) else {}
    return _with(definition, page, texts=texts, jumps=tuple(Jump(when, to) for when, to in jumps))


def remove_page(definition: Definition, page_id: str) -> Definition:
    """Take an empty page out. Raises NotFound; Conflict while it holds fields, is the only one, or is jumped to."""
    page = definition.page(page_id)
    if page is None:
        raise NotFound
    if page.fields or len(definition.pages) == 1:
        raise Conflict(_("Move the questions of this page first."))
    if any(jump.to == page_id for one in definition.pages for jump in one.jumps):
        raise Conflict(_("Another page jumps to this one. Change that first."))
    return Definition(tuple(one for one in definition.pages if one.id != page_id))


def _with(definition: Definition, page: Page, **values: Any) -> Definition:
    return Definition(tuple(replace(one, **values) if one.id == page.id else one for one in definition.pages))
