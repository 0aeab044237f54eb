"""What people typed, made fit to be shown to other people."""

from __future__ import annotations

import re

LONGEST_NAME = 40
# Spammers write their message into the name field and let the product mail it.
_NOT_IN_NAMES = re.compile(r"[/.:@\\<>{}\[\]|\d\x00-\x1f\u202a-\u202e\u2066-\u2069]|https?", re.IGNORECASE)


def shown_name(name: str) -> str:
    """The first name if it can be shown to a stranger, else nothing: at most 40 letters, no address in it."""
    tidy = " ".join(name.split())
    return "" if len(tidy) > LONGEST_NAME or _NOT_IN_NAMES.search(tidy) else tidy


def one_line(words: str, longest: int = 500) -> str:
    """The words on one line, control characters gone, cut to `longest` characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:longest]


def like_pattern(words: str) -> str:
    """A pattern for ILIKE (escape character backslash) that finds the words as they are typed."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
