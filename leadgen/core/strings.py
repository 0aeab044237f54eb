"""The visible words of the product, collected from its source, and which of them a language still lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from leadgen.core import i18n

ROOT = Path(__file__).resolve().parents[2]
_METHODS = [("leadgen/**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")]
# The last one hands its sentence on to gettext, once for each language.
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "in_each_language": None,
}
_JINJA = {"**": {"extensions": "jinja2.ext.i18n", "silent": "false", "newstyle_gettext": "true"}}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One visible text: the English source, its plural if it has one, and where it stands first."""

    text: str
    plural: str | None
    place: str


def collected() -> list[Sentence]:
    """Every sentence that goes through gettext in Python and templates, once each, in the order of the files."""
    found: dict[str, Sentence] = {}
    for folder in ("leadgen", "templates"):
        for path, line, message, _comments, _context in _extracted(folder):
            text, plural = (message, None) if isinstance(message, str) else (message[0], message[1])
            found.setdefault(text, Sentence(text, plural, f"{path}:{line}"))
    return list(found.values())


def _extracted(folder: str) -> Iterator[tuple[str, int, str | tuple[str, ...], list[str], str | None]]:
    methods = [(pattern.removeprefix(f"{folder}/"), how) for pattern, how in _METHODS if pattern.startswith(folder)]
    options = {pattern: _JINJA["**"] for pattern, how in methods if how == "jinja2"}
    for path, line, message, comments, context in extract_from_dir(ROOT / folder, methods, options, _KEYWORDS):
        yield f"{folder}/{path}", line, message, comments, context


def untranslated(locale: str) -> list[Sentence]:
    """The sentences that no catalogue of the language translates (empty and fuzzy translations do not count)."""
    known = set()
    for path in sorted((i18n.TRANSLATIONS / locale).glob("*.po")):
        with path.open("rb") as source:
            catalogue = read_po(source, locale=locale)
        for message in catalogue:
            strings = [message.string] if isinstance(message.string, str) else list(message.string or [""])
            if message.id and not message.fuzzy and all(strings):
                known.add(message.id if isinstance(message.id, str) else message.id[0])
    return [sentence for sentence in collected() if sentence.text not in known]
