"""What is wrong with a form before it is published: each fault as a sentence that names the field or the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from leadgen.core import i18n, logic
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Condition
from leadgen.forms import satisfying
from leadgen.forms.definition import (
    END,
    KNOWN,
    WITH_OPTIONS,
    AskAt,
    Definition,
    Field,
    FieldType,
    Page,
    Sensitivity,
)

_ALWAYS: Condition = {"all": []}


class Fault(StrEnum):
    """The kinds of faults."""

    UNREACHABLE = "unreachable"
    LOOP = "loop"
    CONTRADICTION = "contradiction"
    MISSING = "missing"  # a translation, or a choice
    REFERENCE = "reference"  # to what is not there, or comes later
    CARE = "care"  # a field of a special category that is asked for carelessly


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault; `key` is the field at fault, empty where it is the page `page`."""

    fault: Fault
    page: str
    key: str
    sentence: str


def findings(definition: Definition, known: Mapping[str, logic.Field]) -> list[Finding]:
    """Everything that keeps the form from being published, in the current language.

    `known` are the names of what may be known of a person beyond this form, without their prefix.
    """
    return [
        *_conditions(definition, known),
        *_jumps(definition, known),
        *_unreachable(definition),
        *_missing_words(definition),
        *_careless(definition),
    ]


def available(
    definition: Definition, known: Mapping[str, logic.Field], key: str, page_id: str
) -> dict[str, logic.Field]:
    """What a condition of this field may ask for: fields before it, hidden ones, and what is known beyond the form.

    Without a key: what a jump of the page may ask for. A field asked later may look at every other one.
    """
    names = {KNOWN + name: of for name, of in known.items()}
    asking = definition.field(key)
    if asking is not None and asking.ask_at is AskAt.LATER:
        return names | {one.key: one.as_logic() for one in definition.fields if _is_askable(one) and one.key != key}
    names |= {one.key: one.as_logic() for one in definition.fields if one.type is FieldType.HIDDEN}
    for page in definition.pages:
        for one in page.fields:
            if one.key == key:
                return names
            if _is_askable(one) and one.ask_at is AskAt.AFTER_CONFIRM:
                names[one.key] = one.as_logic()
        if page.id == page_id:
            return names
    return names


def _is_askable(one: Field) -> bool:
    return one.type is not FieldType.STATEMENT


def _conditions(definition: Definition, known: Mapping[str, logic.Field]) -> Iterator[Finding]:
    for page in definition.pages:
        for one in page.fields:
            names = available(definition, known, one.key, page.id)
            words = {"field": one.label(i18n.locale())}
            for condition in one.conditions:
                yield from _judged(
                    definition, condition, names, Finding(Fault.REFERENCE, page.id, one.key, words["field"])
                )
            if one.show is not None and not satisfying.can_hold(one.show, names):
                sentence = _("“%(field)s” is never shown: its conditions exclude each other.") % words
                yield Finding(Fault.CONTRADICTION, page.id, one.key, sentence)
            if one.require is not None and not satisfying.can_hold(one.require, names):
                sentence = _("“%(field)s” is never required: its conditions exclude each other.") % words
                yield Finding(Fault.CONTRADICTION, page.id, one.key, sentence)


def _judged(
    definition: Definition, condition: Condition, names: Mapping[str, logic.Field], at: Finding
) -> Iterator[Finding]:
    """What is wrong with one condition of the place `at`, whose sentence is the name of that place."""
    for asked in sorted(logic.fields_of(condition) - names.keys()):
        words = {"field": at.sentence, "other": asked}
        if definition.field(asked) is None:
            sentence = _("“%(field)s” depends on “%(other)s”, which is not there any more.")
        else:
            sentence = _("“%(field)s” depends on “%(other)s”, which is asked only afterwards.")
        yield Finding(Fault.REFERENCE, at.page, at.key, sentence % words)
    if logic.fields_of(condition) <= names.keys():
        try:
            logic.checked(condition, names)
        except Invalid as error:
            words = {"field": at.sentence, "fault": str(error)}
            yield Finding(Fault.REFERENCE, at.page, at.key, _("A condition of “%(field)s”: %(fault)s") % words)


def _jumps(definition: Definition, known: Mapping[str, logic.Field]) -> Iterator[Finding]:
    ids = [page.id for page in definition.pages]
    for place, page in enumerate(definition.pages):
        names = available(definition, known, "", page.id)
        words = {"page": page_name(page, place)}
        for jump in page.jumps:
            yield from _judged(definition, jump.when, names, Finding(Fault.REFERENCE, page.id, "", words["page"]))
            if jump.to != END and jump.to not in ids:
                sentence = _("“%(page)s” jumps to a page that is not there any more.") % words
                yield Finding(Fault.REFERENCE, page.id, "", sentence)
            elif jump.to != END and ids.index(jump.to) <= place:
                sentence = _("“%(page)s” jumps back: people would go round in circles. Jump to a later page.") % words
                yield Finding(Fault.LOOP, page.id, "", sentence)
            if not satisfying.can_hold(jump.when, names):
                sentence = _("A jump of “%(page)s” is never taken: its conditions exclude each other.") % words
                yield Finding(Fault.CONTRADICTION, page.id, "", sentence)


def _unreachable(definition: Definition) -> Iterator[Finding]:
    ids = [page.id for page in definition.pages]
    reached = {0}
    for place, page in enumerate(definition.pages):
        if place not in reached:
            if any(one.ask_at is AskAt.AFTER_CONFIRM for one in page.fields):
                sentence = _("No way leads to “%(page)s”.") % {"page": page_name(page, place)}
                yield Finding(Fault.UNREACHABLE, page.id, "", sentence)
            continue
        for jump in page.jumps:
            if jump.to in ids:
                reached.add(ids.index(jump.to))
            if jump.when == _ALWAYS:
                break
        else:
            reached.add(place + 1)


def _missing_words(definition: Definition) -> Iterator[Finding]:
    for place, page in enumerate(definition.pages):
        titles = {code: page.texts.get(code, {}).get("title", "") for code in i18n.LOCALES}
        for code in i18n.LOCALES if any(titles.values()) else ():
            if not titles[code]:
                words = {"page": page_name(page, place), "language": language(code)}
                sentence = _("The title of “%(page)s” is missing in %(language)s.") % words
                yield Finding(Fault.MISSING, page.id, "", sentence)
        for one in page.fields:
            yield from _missing_in(page, one)


def _missing_in(page: Page, one: Field) -> Iterator[Finding]:
    words = {"field": one.label(i18n.locale())}
    if one.type in WITH_OPTIONS and len(one.options) < 2:
        sentence = _("“%(field)s” needs two choices at least.") % words
        yield Finding(Fault.MISSING, page.id, one.key, sentence)
    for code in i18n.LOCALES if one.type is not FieldType.HIDDEN else ():
        told = [one.texts.get(code, {}).get("label"), *(option["texts"].get(code) for option in one.options)]
        if not all(told):
            sentence = _("“%(field)s” is not complete in %(language)s.") % (words | {"language": language(code)})
            yield Finding(Fault.MISSING, page.id, one.key, sentence)


def _careless(definition: Definition) -> Iterator[Finding]:
    for page in definition.pages:
        for one in page.fields:
            if one.sensitivity is not Sensitivity.SPECIAL:
                continue
            words = {"field": one.label(i18n.locale())}
            if one.is_required or one.require is not None or one.points:
                sentence = _("“%(field)s” asks for data of a special category: it cannot be required or bring points.")
                yield Finding(Fault.CARE, page.id, one.key, sentence % words)
            if not all(one.texts.get(code, {}).get("help") for code in i18n.LOCALES):
                sentence = _("“%(field)s” asks for data of a special category: say under it why, in each language.")
                yield Finding(Fault.CARE, page.id, one.key, sentence % words)


def page_name(page: Page, place: int) -> str:
    """The title of a page in the current language, else its number."""
    title = page.texts.get(i18n.locale(), {}).get("title")
    return str(title or _("Page %(number)d") % {"number": place + 1})


def language(code: str) -> str:
    """The name of a language, in the current language."""
    return {"en": _("English"), "fr": _("French")}[code]
