"""YAML that people wrote, read with care: every value knows its line, nothing is repeated, tagged or guessed.

Only true, false, null and numbers are more than text, so that `on`, `yes`, `10:00` and `2026-05-01` mean what they say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import yaml

from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _

LARGEST = 500_000  # characters
_MOST_LEVELS = 60
_TAG = "tag:yaml.org,2002:"
RESOLVERS = (
    (f"{_TAG}bool", re.compile(r"true|false"), "tf"),
    (f"{_TAG}null", re.compile(r"null|~|"), ["n", "~", ""]),
    (f"{_TAG}int", re.compile(r"-?(?:0|[1-9][0-9]{0,17})"), "-0123456789"),
    (f"{_TAG}float", re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?"), "-0123456789"),
)
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Value = TypeVar("Value")
Word = TypeVar("Word", bound=StrEnum)


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader with our own idea of what is more than text."""

    yaml_implicit_resolvers: Mapping[str, Any] = {}


def resolve_plainly(kind: Any) -> None:
    """Teach a loader or dumper which words are more than text, and no others."""
    kind.yaml_implicit_resolvers = {}
    for tag, pattern, first in RESOLVERS:
        whole = re.compile(rf"^(?:{pattern.pattern})$")
        kind.add_implicit_resolver(tag, whole, list(first))


resolve_plainly(_Loader)


def read(text: str) -> Node:
    """The one document in a text. Raises Invalid with the line of what cannot be read."""
    if len(text) > LARGEST:
        raise Invalid(_("This is longer than %(limit)d characters.") % {"limit": LARGEST}, "yaml")
    try:
        _refuse_tricks(text)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        sentence = _("Line %(line)d cannot be read: look at its indentation, its colons and its quotation marks.")
        raise Invalid(sentence % {"line": line}, "yaml") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Invalid(_("This is no text that can be read as YAML."), "yaml") from None
    if root is None:
        raise Invalid(_("This is empty."), "yaml")
    return Node(root, "")


def _refuse_tricks(text: str) -> None:
    """No anchors and aliases (a few lines of them can mean a billion), no tags, no depth without end."""
    levels = 0
    for event in yaml.parse(text, Loader=_Loader):
        is_tagged = getattr(event, "tag", None) not in {None, "!"}
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or is_tagged:
            sentence = _(
                "Line %(line)d: “&”, “*” and “!” at the beginning of a value are not read here; use quotation marks."
            )
            raise Invalid(sentence % {"line": _line(event)}, "yaml")
        levels += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if levels > _MOST_LEVELS:
            sentence = _("Line %(line)d: too many levels inside each other.")
            raise Invalid(sentence % {"line": _line(event)}, "yaml")


def _line(of: yaml.Event | yaml.Node) -> int:
    return of.start_mark.line + 1 if of.start_mark else 1


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place: `path` leads to it from the top, such as steps.2.wait."""

    raw: yaml.Node
    path: str

    def fail(self, sentence: str, below: str = "") -> Invalid:
        """The error for this place; `below` names a part of it."""
        path = ".".join(part for part in (self.path, below) if part)
        words = {"line": _line(self.raw), "field": path, "what": sentence}
        told = _("Line %(line)d, %(field)s: %(what)s") if path else _("Line %(line)d: %(what)s")
        return Invalid(told % words, path or "yaml")

    @property
    def is_scalar(self) -> bool:
        """Whether it is one word or number."""
        return isinstance(self.raw, yaml.ScalarNode)

    def parts(self, *, known: frozenset[str] | None = None, needed: tuple[str, ...] = ()) -> dict[str, Node]:
        """The values of a mapping by name. Raises Invalid for a name that is unknown, missing or there twice."""
        if not isinstance(self.raw, yaml.MappingNode):
            raise self.fail(_("names with values are needed here, such as “wait: 3 d”."))
        found: dict[str, Node] = {}
        for key, value in self.raw.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            place = Node(key, ".".join(part for part in (self.path, str(name)) if part))
            if not name or name in found:
                raise place.fail(_("this name stands here twice.") if name else _("a name is one word."))
            if known is not None and name not in known:
                words = {"names": ", ".join(sorted(known))}
                raise place.fail(_("this name is not known here; known are: %(names)s.") % words)
            found[name] = Node(value, place.path)
        for name in needed:
            if name not in found:
                raise self.fail(_("this is missing."), name)
        return found

    def items(self) -> Iterator[Node]:
        """The values of a list; their paths are numbered from 1."""
        if not isinstance(self.raw, yaml.SequenceNode):
            raise self.fail(_("a list is needed here: lines that begin with “- ”."))
        for number, one in enumerate(self.raw.value, 1):
            yield Node(one, f"{self.path}.{number}")

    def at(self, path: str) -> Node:
        """The part of it that a path such as all.1.op leads to, as far as there is one."""
        name, _dot, rest = path.partition(".")
        found: Node | None = None
        if isinstance(self.raw, yaml.MappingNode):
            found = self.parts().get(name)
        elif isinstance(self.raw, yaml.SequenceNode):
            found = next((one for one in self.items() if one.path == f"{self.path}.{name}"), None)
        return found.at(rest) if found else self

    def text(self) -> str:
        """A text, or what was typed of a number."""
        if not self.is_scalar or self.raw.tag == f"{_TAG}null":
            raise self.fail(_("a text is needed here."))
        return str(self.raw.value)

    def number(self) -> int:
        """A whole number."""
        if not self.is_scalar or self.raw.tag != f"{_TAG}int":
            raise self.fail(_("a whole number is needed here."))
        return int(self.raw.value)

    def flag(self) -> bool:
        """True or false."""
        if not self.is_scalar or self.raw.tag != f"{_TAG}bool":
            raise self.fail(_("true or false is needed here."))
        return bool(self.raw.value == "true")

    def word(self, words: type[Word]) -> Word:
        """One of the words of an enum."""
        typed = self.text()
        if typed not in set(words):
            told = _("“%(word)s” is none of these: %(words)s.")
            raise self.fail(told % {"word": typed[:50], "words": ", ".join(words)})
        return words(typed)

    def matched(self, pattern: re.Pattern[str], sentence: str) -> re.Match[str]:
        """A text of a certain form. Raises Invalid with the sentence."""
        found = pattern.fullmatch(self.text().strip())
        if found is None:
            raise self.fail(sentence)
        return found

    def each(self, of: Callable[[Node], Value]) -> tuple[Value, ...]:
        """What `of` makes of each value of a list."""
        return tuple(of(one) for one in self.items())

    def data(self) -> Any:
        """The value as JSON has it."""
        if isinstance(self.raw, yaml.MappingNode):
            return {name: part.data() for name, part in self.parts().items()}
        if isinstance(self.raw, yaml.SequenceNode):
            return [one.data() for one in self.items()]
        kinds: dict[str, Callable[[], Any]] = {
            f"{_TAG}null": lambda: None,
            f"{_TAG}bool": self.flag,
            f"{_TAG}int": self.number,
            f"{_TAG}float": self._float,
        }
        return kinds.get(self.raw.tag, self.text)()

    def _float(self) -> float:
        found = float(self.raw.value)
        if not math.isfinite(found):
            raise self.fail(_("this number is too large."))
        return found
