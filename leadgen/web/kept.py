"""Parts of pages that are the same for everybody: `{% kept "prizes" %} … {% endkept %}`, rendered once and kept.

Once for each version of the campaign, language, stage and question. Such a part may speak of nothing else: a name of
the page that could be somebody's own is refused when the template is compiled, so that no visitor ever reads another's.

What is somebody's own is handed in by name and filled into its places each time: `{% kept "hello", name=first_name %}`
keeps the words around `{{ name }}`. Such a name may stand in the part as it is and nowhere else, neither in a condition
nor under a filter: those would be decided once for everybody.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup, escape

from leadgen.core import i18n

# What a kept part may differ by, and as what it stands in the key.
_DIFFERS_BY = {"card": ("id", "version"), "stage": ("value",), "question": ("id",)}
# Macros, and words that depend on the campaign and the language only. Not all of Jinja's globals: `request` is one.
_SAME_FOR_ALL = frozenset(
    {
        "parts",
        "forms",
        "texts",
        "field_of",
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
_FROM_CARD = frozenset({"texts", "field_of", "worth"})
_MOST = 1_024
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
        own: dict[str, nodes.Expr] = {}
        while parser.stream.skip_if("comma"):
            filled = parser.stream.expect("name").value
            parser.stream.expect("assign")
            own[filled] = parser.parse_expression()
        body = parser.parse_statements(("name:endkept",), drop_needle=True)
        used = _used(body, own, parser)
        key = [nodes.Getattr(nodes.Name(one, "load"), part, "load") for one in used for part in _DIFFERS_BY[one]]
        values = [nodes.Const(parser.name), name, nodes.List(key), nodes.List(list(own.values()))]
        places: list[nodes.Expr] = [nodes.Name(filled, "param") for filled in own]
        return nodes.CallBlock(self.call_method("keep", values), places, [], body).set_lineno(line)

    def keep(self, template: str, name: str, key: list[Any], own: list[Any], caller: Callable[..., Markup]) -> Markup:
        """The part as it was rendered before, or now, with what is somebody's own in its places."""
        full = (template, name, i18n.locale(), *key)
        found = _parts.get(full)
        if found is None:
            if len(_parts) >= _MOST:
                _parts.clear()
            marks = (Markup(f"{_MARK}-{place};") for place in range(len(own)))  # noqa: S704 - hexadecimal digits
            found = _parts[full] = _cut(caller(*marks))
        filled = [escape(value) for value in own]
        whole = "".join([part if isinstance(part, str) else filled[part] for part in found])
        return Markup(whole)  # noqa: S704 - rendered with everything in it escaped


def forget() -> None:
    """Render every part anew (tests)."""
    _parts.clear()


def _names(node: nodes.Node) -> list[nodes.Name]:
    return [*([node] if isinstance(node, nodes.Name) else []), *node.find_all(nodes.Name)]


def _cut(rendered: str) -> list[str | int]:
    """The fixed words, and between them the numbers of the places."""
    cut = _MARKS.split(rendered)
    return [int(part) if index % 2 else part for index, part in enumerate(cut)]


def _used(body: list[nodes.Node], filled: dict[str, nodes.Expr], parser: Parser) -> list[str]:
    """What the part differs by. Raises TemplateSyntaxError for a name that may be somebody's own."""
    names = [name for node in body for name in _names(node)]
    own = {name.name for name in names if name.ctx == "store"}
    asked = {name.name for name in names if name.ctx == "load"} - own - _SAME_FOR_ALL - set(filled)
    for name in sorted(asked - set(_DIFFERS_BY)):
        raise TemplateSyntaxError(f"a kept part may not speak of “{name}”", body[0].lineno, parser.name)
    said = [part for node in body for part in _said(node)]
    for found in names:
        if found.name in filled and not any(found is part for part in said):
            raise TemplateSyntaxError(f"“{found.name}” may only be said as it is", found.lineno, parser.name)
    if _FROM_CARD & {name.name for name in names}:
        asked.add("card")
    return [name for name in _DIFFERS_BY if name in asked]


def _said(node: nodes.Node) -> list[nodes.Node]:
    """What is written out as it is."""
    outputs = [*([node] if isinstance(node, nodes.Output) else []), *node.find_all(nodes.Output)]
    return [part for output in outputs for part in output.nodes]
