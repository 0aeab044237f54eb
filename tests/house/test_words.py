"""Every module says what it is, every exception from a rule says why, and nothing is left to be done later."""

import ast
import re

from tests.house.source import modules, place, tracked, tree

_SENTENCE = re.compile(r"^[A-Z`“].*[.!?]$|^[A-Z`“].*[.!?:] ")
_LATER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
_EXCUSE = re.compile(r"#\s*noqa(?P<rest>.*)$")


def test_every_module_says_in_one_sentence_what_it_is() -> None:
    silent = []
    for path in modules():
        first = (ast.get_docstring(tree(path)) or "").split("\n")[0]
        if not _SENTENCE.match(first):
            silent.append(f"{place(path)}: {first!r}")
    assert silent == []


def test_every_lint_exception_has_its_reason() -> None:
    """`# noqa: CODE - reason`; a bare one hides what the next reader must know."""
    bare = []
    for path in tracked(".py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = _EXCUSE.search(line)
            if found and "tests/house" not in place(path) and not re.match(r": [A-Z0-9, ]+ - \S", found["rest"]):
                bare.append(place(path, number))
    assert bare == []


def test_nothing_is_left_for_later() -> None:
    """What is not done is not claimed; what will be done stands in the tracker."""
    suffixes = (".py", ".html", ".txt", ".css", ".js", ".md", ".toml", ".sh", ".yaml", ".po")
    left = [
        place(path, number)
        for path in tracked(*suffixes)
        if path.name not in {"test_words.py", "uv.txt"} and not path.name.startswith("requirements")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if _LATER.search(line)
    ]
    assert left == []
