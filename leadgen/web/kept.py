"""Parts of pages that are the same for everybody: `{% kept "prizes" %} … {% endkept %}`, rendered once and kept.

Once for each version of the campaign, language and stage. Such a part may speak of nothing else: a name of
the page that could be somebody's own is refused when the template is compiled, so that no visitor ever reads another's.

What is somebody's own is handed in by name and filled into its places each time: `{% kept "hello", name=first_name %}`
keeps the words around `{{ name }}`. Such a name may stand in the part as it is and nowhere else, neither in a condition
nor under a filter: those would be decided once for everybody.

What decides is named behind `by`: `{% kept "tier", missing=words by tier=one.tier, look=one.look %}`. The part
may do with it what it likes, and is kept for each value. Only closed values are kept: what is counted or chosen from a
list of ours (numbers, booleans, enumerations, pieces of the card, and what is made of these alone). As soon as such a
value holds a word or a moment, which may be a person's, the part is rendered anew and kept for nobody.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, cast

from jinja2 import meta, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup, escape

from leadgen.campaigns.cards import ActionCard, MilestoneCard
from leadgen.core import i18n

# What a kept part may differ by, and as what it stands in the key.
_DIFFERS_BY = {"card": ("id", "version"), "stage": ("value",)}
# Macros, and words that depend on the campaign and the language only. Not all of Jinja's globals: `request` is one.
_SAME_FOR_ALL = frozenset(
    {
        "parts",
        "forms",
        "texts",
        "way_words",
        "_",
        "gettext",
        "ngettext",
        "asset",
        "has_picture",
        "picture_of",
        "locale",
        "base_url",
        "worth",
    }
)
# Words that are not the card but come from it.
_FROM_CARD = frozenset({"texts", "worth"})
_MOST = 4_096
# Pieces of the card: they are known by their number in it.
_PIECES = (ActionCard, MilestoneCard)
# Marks of the places that are filled in each time; random, so that nobody can type one.
_MARK = secrets.token_hex(12)
_MARKS = re.compile(f"{_MARK}-([0-9]+);")
_parts: dict[tuple[Any, ...], list[str | int]] = {}


class Kept(Extension):
    """The tag."""

    tags = {"kept"}  # noqa: RUF012 - how Jinja asks for it

    def parse(self, parser: Parser) -> nodes.Node:
        """Compile one tag. Raises TemplateSyntaxError when its body speaks of what is not the same for everybody."""
        line = next(parser.stream).lineno
        name = parser.parse_expression()
        own = _named(parser) if parser.stream.skip_if("comma") else {}
        chosen = _named(parser) if parser.stream.skip_if("name:by") else {}
        body = parser.parse_statements(("name:endkept",), drop_needle=True)
        used = _used(body, own, chosen, parser)
        differs = [nodes.Getattr(nodes.Name(one, "load"), part, "load") for one in used for part in _DIFFERS_BY[one]]
        key = [nodes.Const(parser.name), name, *differs]
        places: list[nodes.Expr] = [nodes.Name(one, "param") for one in (*own, *chosen)]
        given: list[nodes.Expr] = [nodes.List(list(part)) for part in (key, own.values(), chosen.values())]
        call = self.call_method("keep", given)
        return nodes.CallBlock(call, places, [], body).set_lineno(line)

    def keep(self, key: list[Any], own: list[Any], chosen: list[Any], caller: Callable[..., Markup]) -> Markup:
        """The part as it was rendered before, or now, with what is somebody's own in its places."""
        try:
            full = (i18n.locale(), *key, *map(_closed, chosen))
        except _Open:
            return caller(*map(escape, own), *chosen)
        found = _parts.get(full)
        if found is None:
            if len(_parts) >= _MOST:
                _parts.clear()
            marks = (Markup(f"{_MARK}-{place};") for place in range(len(own)))  # noqa: S704 - hexadecimal digits
            found = _parts[full] = _cut(caller(*marks, *chosen))
        filled = [escape(value) for value in own]
        whole = "".join([part if isinstance(part, str) else filled[part] for part in found])
        return Markup(whole)  # noqa: S704 - rendered with everything in it escaped


class _Open(Exception):
    """A value that may be somebody's own."""


def _closed(value: Any) -> Hashable:
    """What a value is known by in the key: equal for equal ones. Raises _Open for what may be somebody's own."""
    if value is None or value == "" or isinstance(value, (int, Enum)):
        return type(value), value
    if isinstance(value, _PIECES):
        return type(value), value.id
    if isinstance(value, tuple | list):
        return type(value), *map(_closed, value)
    if isinstance(value, frozenset) and not value:
        return frozenset
    if is_dataclass(value) and not isinstance(value, type):
        return type(value), *[_closed(getattr(value, name)) for name in _fields(type(value))]
    raise _Open


@lru_cache(maxsize=64)
def _fields(kind: type[Any]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


def _named(parser: Parser) -> dict[str, nodes.Expr]:
    """What stands there as `name=expression`, at least one."""
    found: dict[str, nodes.Expr] = {}
    while not found or parser.stream.skip_if("comma"):
        name = parser.stream.expect("name").value
        parser.stream.expect("assign")
        found[name] = parser.parse_expression()
    return found


def forget() -> None:
    """Render every part anew (tests)."""
    _parts.clear()


def _names(node: nodes.Node) -> list[nodes.Name]:
    return [*([node] if isinstance(node, nodes.Name) else []), *node.find_all(nodes.Name)]


def _cut(rendered: str) -> list[str | int]:
    """The fixed words, and between them the numbers of the places."""
    cut = _MARKS.split(rendered)
    return [int(part) if index % 2 else part for index, part in enumerate(cut)]


def _used(
    body: list[nodes.Node], filled: dict[str, nodes.Expr], chosen: dict[str, nodes.Expr], parser: Parser
) -> list[str]:
    """What the part differs by. Raises TemplateSyntaxError for a name that may be somebody's own."""
    for node in body:
        if found_one := next(node.find_all(nodes.Include), node if isinstance(node, nodes.Include) else None):
            raise TemplateSyntaxError("a kept part may not include what sees everything", found_one.lineno, parser.name)
    names = [name for node in body for name in _names(node)]
    asked = _asked(body, parser) - _SAME_FOR_ALL - {*filled, *chosen}
    for name in sorted(asked - set(_DIFFERS_BY)):
        raise TemplateSyntaxError(f"a kept part may not speak of “{name}”", body[0].lineno, parser.name)
    said = [part for node in body for part in _said(node)]
    for found in names:
        if found.name in filled and not any(found is part for part in said):
            raise TemplateSyntaxError(f"“{found.name}” may only be said as it is", found.lineno, parser.name)
    if chosen or _FROM_CARD & {name.name for name in names}:
        asked.add("card")  # pieces of it are known by their number in it
    return [name for name in _DIFFERS_BY if name in asked]


def _asked(body: list[nodes.Node], parser: Parser) -> set[str]:
    """What the part reads of the page. Jinja says so itself: a name that is set here may be read before, or beside."""
    alone = nodes.Template(body, lineno=1).set_environment(parser.environment)
    found = meta.find_undeclared_variables(cast(nodes.Template, alone))
    # What Jinja takes for declared: its globals, and the page itself.
    everywhere = {"self", *parser.environment.globals}
    return found | {name.name for node in body for name in _names(node) if name.name in everywhere}


def _said(node: nodes.Node) -> list[nodes.Node]:
    """What is written out as it is."""
    outputs = [*([node] if isinstance(node, nodes.Output) else []), *node.find_all(nodes.Output)]
    return [part for output in outputs for part in output.nodes]
