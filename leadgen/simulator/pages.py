"""Reads what a simulated person needs from a page: its forms and the links to parts of the site."""

from __future__ import annotations

import html
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote_plus

_TAG = re.compile(r"<(input|select|textarea|option)\b([^>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_CHOICES = {"radio", "checkbox"}
_UNTOUCHED = {"submit", "button", "image", "reset", "file"}


@dataclass
class Control:
    """One field of a form; `values` are its choices, or its given value."""

    name: str
    kind: str
    values: list[str]
    attributes: dict[str, str]


@dataclass
class Form:
    """A form as it stands in the page."""

    action: str
    controls: list[Control]

    def hidden(self) -> dict[str, str]:
        """The fields that a browser sends without the person seeing them."""
        return {c.name: c.values[0] if c.values else "" for c in self.controls if c.kind == "hidden"}


def form_to(body: bytes, part: str) -> Form | None:
    """The first form that is sent to this part of the site (“/confirm/”), or to its own page when `part` is empty."""
    return next((_form(text) for text in _forms(body) if part in _action(text) and (part or not _action(text))), None)


def form_with(body: bytes, name: str) -> Form | None:
    """The first form with a field of this name."""
    return next((_form(text) for text in _forms(body) if f'name="{name}"' in text), None)


def _forms(body: bytes) -> Iterator[str]:
    """The source of each form; only the wanted one is taken apart: thousands of pages are read in a second."""
    start = body.find(b"<form")
    while start >= 0:
        end = body.find(b"</form>", start)
        yield body[start : end if end >= 0 else len(body)].decode()
        start = body.find(b"<form", start + 5)


def _action(text: str) -> str:
    return _attributes(text[5 : text.find(">")]).get("action", "")


def _form(text: str) -> Form:
    return Form(_action(text), _controls(text[text.find(">") :]))


def path_of(url: str) -> str:
    """The path and query of an address of the site, without a fragment: what a browser asks for."""
    url = url.partition("#")[0]
    rest = url.partition("://")[2]
    return rest[rest.find("/") :] if "/" in rest else url


def encode(fields: list[tuple[str, str]]) -> bytes:
    """Fields as a browser sends a form."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields).encode()


def fill(form: Form, chance: random.Random) -> list[tuple[str, str]]:
    """Answers to the questions of a form, each by its type, plus what the form sends by itself."""
    filled: list[tuple[str, str]] = list(form.hidden().items())
    for control in form.controls:
        if control.kind in _UNTOUCHED or control.kind == "hidden" or not control.name:
            continue
        filled += [(control.name, value) for value in _answers(control, chance)]
    return filled


def _answers(control: Control, chance: random.Random) -> list[str]:
    choices = [value for value in control.values if value]
    if control.kind == "checkbox" and choices:
        return sorted(chance.sample(choices, chance.randint(1, min(2, len(choices)))))
    if control.kind in {"radio", "select"} and choices:
        return [chance.choice(choices)]
    if control.kind in {"number", "range"} or control.attributes.get("inputmode") in {"decimal", "numeric"}:
        low, high = int(control.attributes.get("min") or 1), int(control.attributes.get("max") or 9)
        return [str(chance.randint(low, max(low, min(high, low + 8))))]
    if control.kind == "date":
        first = date.fromisoformat(control.attributes.get("min") or "2027-03-01")
        return [str(first + timedelta(days=chance.randint(0, 90)))]
    return [chance.choice(("Lisbonne", "Lisbon", "Oslo", "Kyoto", "La Réunion"))]


def _controls(text: str) -> list[Control]:
    controls: dict[str, Control] = {}
    last_select: Control | None = None
    for tag, raw in _TAG.findall(text):
        attributes = _attributes(raw)
        kind = tag.lower() if tag.lower() != "input" else attributes.get("type", "text").lower()
        if kind == "option":
            if last_select is not None:
                last_select.values.append(attributes.get("value", ""))
            continue
        name = attributes.get("name", "")
        given = [attributes["value"]] if "value" in attributes else ["on"] if kind in _CHOICES else []
        if kind in _CHOICES and name in controls:
            controls[name].values += given
            continue
        control = Control(name, kind, given, attributes)
        controls[name] = control
        last_select = control if kind == "select" else last_select
    return list(controls.values())


def _attributes(raw: str) -> dict[str, str]:
    return {
        name.lower(): html.unescape(double or single or bare) for name, double, single, bare in _ATTRIBUTE.findall(raw)
    }
