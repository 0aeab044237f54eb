"""A call that ends: whoever answers one byte every few seconds never meets a time-out of the socket."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

CALL_SECONDS = 15.0
_T = TypeVar("_T")


class Silence(Exception):
    """The call was under way for CALL_SECONDS without an answer; nobody knows what became of it."""


def within(call: Callable[[], _T], seconds: float | None = None) -> _T:
    """What `call` returns or raises. Raises Silence after `seconds`; the call goes on in its thread and is ignored."""
    answers: list[_T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was made
            errors.append(error)

    thread = threading.Thread(target=run, name="provider-call", daemon=True)
    thread.start()
    thread.join(CALL_SECONDS if seconds is None else seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise Silence
    return answers[0]
