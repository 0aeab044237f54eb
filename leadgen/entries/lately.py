"""What was read a moment ago, kept in this process: a second at least, longer when reading it took long."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
LEAST_SECONDS = 1.0
# Reading anew takes at most a fiftieth of a process's time, however large a contest grows.
TIMES_ITS_COST = 50.0
_MOST = 1_000
_all: list[Lately[Any]] = []


class Lately(Generic[T]):
    """Values by key, each with the moment until which it is fresh."""

    def __init__(self, least: float = LEAST_SECONDS) -> None:
        self._least = least
        self._found: dict[Hashable, tuple[float, T]] = {}
        _all.append(self)

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """The value that is kept, or the one that `read` gives now."""
        moment = time.monotonic()
        found = self._found.get(key)
        if found is None or moment >= found[0]:
            value = read()
            now = time.monotonic()
            if len(self._found) >= _MOST:
                self._found.clear()
            found = self._found[key] = (now + max(self._least, TIMES_ITS_COST * (now - moment)), value)
        return found[1]

    def forget(self) -> None:
        """Read everything anew."""
        self._found.clear()


def forget() -> None:
    """Read everything of every kind anew (tests)."""
    for each in _all:
        each.forget()
