"""Who sees which fields: the way through a form by what is answered and known. The server's word is what counts.

A pure function of (definition, answers, known); its twin in the browser is `web/static/form.js`, and both pass the
vectors of `tests/vectors/forms.json`. Answers are typed already, and fit the definition (`values.fitting`).

An answer counts only where its field is reached and shown: whoever takes back an answer takes back all that it opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadgen.core import logic
from leadgen.forms.definition import END, KNOWN, AskAt, Definition, Field, FieldType, Page


@dataclass(frozen=True, slots=True)
class Stop:
    """One page on the way: the fields that are shown there, and which of them must be answered."""

    page: Page
    fields: tuple[Field, ...]
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class Path:
    """The way through the form, and the answers that count on it."""

    stops: tuple[Stop, ...]
    values: dict[str, Any]

    @property
    def reached(self) -> frozenset[str]:
        """The keys of all fields that are shown on the way."""
        return frozenset(field.key for stop in self.stops for field in stop.fields)

    def stop(self, page_id: str) -> Stop | None:
        """This page, when it is on the way."""
        return next((stop for stop in self.stops if stop.page.id == page_id), None)

    def after(self, page_id: str) -> Stop | None:
        """The page that follows; None at the end."""
        ids = [stop.page.id for stop in self.stops]
        place = ids.index(page_id) + 1 if page_id in ids else len(ids)
        return self.stops[place] if place < len(ids) else None

    def missing(self) -> Stop | None:
        """The first page with a required field that has no answer."""
        return next((stop for stop in self.stops if stop.required - self.values.keys()), None)


def walk(definition: Definition, answers: Mapping[str, Any], known: Mapping[str, Any]) -> Path:
    """The way that these answers lead. `known` is what is known of a verified person beyond this form."""
    scope = {KNOWN + name: value for name, value in known.items()}
    values = {one.key: answers[one.key] for one in definition.fields if _is_hidden(one) and one.key in answers}
    scope |= values
    stops: list[Stop] = []
    place = 0
    while place < len(definition.pages):
        page = definition.pages[place]
        shown = _shown(page, answers, scope, values)
        if shown:
            stops.append(Stop(page, shown, frozenset(one.key for one in shown if _is_required(one, scope))))
        place = _following(definition, place, scope)
    return Path(tuple(stops), values)


def _shown(page: Page, answers: Mapping[str, Any], scope: dict[str, Any], values: dict[str, Any]) -> tuple[Field, ...]:
    """The fields of a page that are shown; each sees the answers of those before it."""
    shown = []
    for one in page.fields:
        if one.ask_at is not AskAt.AFTER_CONFIRM or _is_hidden(one):
            continue
        if one.show is None or logic.holds(one.show, scope):
            shown.append(one)
            if answers.get(one.key) is not None:
                scope[one.key] = values[one.key] = answers[one.key]
    return tuple(shown)


def _is_hidden(one: Field) -> bool:
    return one.type is FieldType.HIDDEN


def _is_required(one: Field, scope: Mapping[str, Any]) -> bool:
    """Consent is never required, and words cannot be answered."""
    return one.has_answer and (one.is_required or (one.require is not None and logic.holds(one.require, scope)))


def _following(definition: Definition, place: int, scope: Mapping[str, Any]) -> int:
    """Where the first jump that holds leads; only forward, so that every way has an end."""
    for jump in definition.pages[place].jumps:
        if logic.holds(jump.when, scope):
            if jump.to == END:
                return len(definition.pages)
            ids = [page.id for page in definition.pages]
            target = ids.index(jump.to) if jump.to in ids else place
            return max(target, place + 1)
    return place + 1
