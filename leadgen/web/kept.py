"""Parts of pages that are the same for everybody: `{% kept "prizes" %} … {% endkept %}`, rendered once and kept.

Once for each version of the campaign, language, stage and question. Such a part may speak of nothing else: a name of
the page that could be somebody's own is refused when the template is compiled, so that no visitor ever reads another's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup

from leadgen.core import i18n

# What a kept part may differ by, and as what it stands in the key.
_DIFFERS_BY = {"card": ("id", "version"), "stage": ("value",), "question": ("id",)}
# Macros, and words that depend on the campaign and the language only. Not all of Jinja's globals: `request` is one.
_SAME_FOR_ALL = frozenset(
    {"parts", "forms", "texts", "field_of", "_", "gettext", "ngettext", "asset", "has_picture", "locale", "base_url"}
)
_MOST = 1_024
_parts: dict[tuple[Any, ...], Markup] = {}


class Kept(Extension):
    """The tag."""

    tags = {"kept"}  # noqa: RUF012 - how Jinja asks for it

    def parse(self, parser: Parser) -> nodes.Node:
        """Compile one tag. Raises TemplateSyntaxError when its body speaks of what is not the same for everybody."""
        line = next(parser.stream).lineno
        name = parser.parse_expression()
        body = parser.parse_statements(("name:endkept",), drop_needle=True)
        used = _used(body, parser)
        key = [nodes.Getattr(nodes.Name(one, "load"), part, "load") for one in used for part in _DIFFERS_BY[one]]
        call = self.call_method("keep", [nodes.Const(parser.name), name, nodes.List(key)])
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def keep(self, template: str, name: str, key: list[Any], caller: Callable[[], Markup]) -> Markup:
        """The part as it was rendered before, or now."""
        full = (template, name, i18n.locale(), *key)
        found = _parts.get(full)
        if found is None:
            if len(_parts) >= _MOST:
                _parts.clear()
            found = _parts[full] = Markup(caller())  # noqa: S704 - rendered with everything in it escaped
        return found


def forget() -> None:
    """Render every part anew (tests)."""
    _parts.clear()


def _names(node: nodes.Node) -> list[nodes.Name]:
    return [*([node] if isinstance(node, nodes.Name) else []), *node.find_all(nodes.Name)]


def _used(body: list[nodes.Node], parser: Parser) -> list[str]:
    """What the part differs by. Raises TemplateSyntaxError for a name that may be somebody's own."""
    names = [name for node in body for name in _names(node)]
    own = {name.name for name in names if name.ctx == "store"}
    asked = {name.name for name in names if name.ctx == "load"} - own - _SAME_FOR_ALL
    for name in sorted(asked - set(_DIFFERS_BY)):
        raise TemplateSyntaxError(f"a kept part may not speak of “{name}”", body[0].lineno, parser.name)
    return [name for name in _DIFFERS_BY if name in asked]
