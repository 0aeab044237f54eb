"""What a page says once about the deed before it, with the way back where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import flash

_MOST_CHARACTERS = 2500  # notes travel in the session cookie, which holds 4 kB


def tell(text: str, *, undo: str = "", fields: Mapping[str, Any] | None = None) -> None:
    """Say that a deed is done. `undo` is the path that takes it back by POST, with `fields`.

    A way back that does not fit into the cookie is left out.
    """
    note: dict[str, Any] = {"text": text}
    if undo and len(str(fields)) <= _MOST_CHARACTERS:
        note |= {"undo": undo, "fields": dict(fields or {})}
    flash(cast(str, note))


def refuse(text: str) -> None:
    """Say why a deed was not done."""
    flash(cast(str, {"text": text, "tone": "danger"}))
