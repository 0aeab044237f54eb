"""The French catalogues: complete, without contradictions, with their placeholders and their typography."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from leadgen.core.i18n import TRANSLATIONS
from tests import strings

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
# A plain space where French wants one that does not break, or a typewriter's apostrophe between letters.
TYPOGRAPHY = re.compile(r" [;:!?»]|« (?=\S)|(?<=\w)'(?=\w)")
CATALOGUES = sorted((TRANSLATIONS / "fr").glob("*.po"))


def _entries(path: Path) -> Iterator[tuple[str, str]]:
    with path.open("rb") as file:
        for message in read_po(file, locale="fr"):
            if message.id:
                sources = [message.id] if isinstance(message.id, str) else list(message.id)
                translations = [message.string] if isinstance(message.string, str) else list(message.string or [])
                yield from zip(sources, translations, strict=True)


def test_nothing_is_untranslated() -> None:
    assert strings.missing("fr") == []


def test_nothing_is_translated_that_is_not_written_any_more() -> None:
    assert strings.translated("fr") - set(strings.written()) == set()


def test_catalogues_do_not_contradict_each_other() -> None:
    """They are merged when read: of two translations one would win by the name of its file."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in CATALOGUES:
        for source, translation in _entries(path):
            found[source].add(translation)

    assert {source: words for source, words in found.items() if len(words) > 1} == {}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.name)
def test_placeholders_are_the_same_in_both_languages(path: Path) -> None:
    def names(words: str) -> list[str]:
        return sorted(match.group() for match in PLACEHOLDER.finditer(words))

    assert [source for source, words in _entries(path) if words and names(words) != names(source)] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.name)
def test_french_needs_no_elision_before_a_brands_name(path: Path) -> None:
    assert not re.findall(r"\b(?:de|que|jusque|lorsque) %\(brand\)s", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.name)
def test_french_has_its_typography(path: Path) -> None:
    assert [words for _, words in _entries(path) if TYPOGRAPHY.search(words)] == []
