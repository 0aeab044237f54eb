"""What people typed, made fit to be shown to other people."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

LONGEST_NAME = 40
# Spammers write their message into the name field and let the product mail it.
_NOT_IN_NAMES = re.compile(r"[/.:@\\<>{}\[\]|\d\x00-\x1f]|https?", re.IGNORECASE)
# Signs nobody sees that turn the direction of what follows, beyond the words of whoever typed them.
_DIRECTION_MARKS = re.compile(r"[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")

_ENDS_A_SENTENCE = ".!?…:\n"
_ARTICLES = frozenset({"A", "An", "One", "Two", "Three", "Four", "Un", "Une", "Des", "Deux", "Trois", "Quatre"})


def undirected(words: str) -> str:
    """The words without signs that turn the direction of what stands after them."""
    return _DIRECTION_MARKS.sub("", words)


def shown_name(name: str) -> str:
    """The first name if it can be shown to a stranger, else nothing: at most 40 letters, no address in it."""
    tidy = " ".join(undirected(name).split())
    return "" if len(tidy) > LONGEST_NAME or _NOT_IN_NAMES.search(tidy) else tidy


def one_line(words: str, longest: int = 500) -> str:
    """The words on one line, control characters and direction marks gone, cut to `longest` characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in undirected(words)).split())[:longest]


def address_parts(address: str) -> SplitResult:
    """A web address in its parts; all empty for what nobody can take apart, such as “http://[::1”."""
    try:
        parts = urlsplit(address)
        _ = parts.hostname, parts.port
    except ValueError:
        return urlsplit("")
    return parts


def within_sentence(words: str, before: str) -> str:
    """The words as they stand after `before`: “A week in Lisbon” loses its capital inside a sentence."""
    so_far = before.rstrip(" \u00a0\u202f")
    is_inside = bool(so_far) and so_far[-1] not in _ENDS_A_SENTENCE
    return words[:1].lower() + words[1:] if is_inside and words.split(" ", maxsplit=1)[0] in _ARTICLES else words


def like_pattern(words: str) -> str:
    """A pattern for ILIKE (escape character backslash) that finds the words as they are typed."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
