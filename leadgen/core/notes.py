"""Short notes that all processes read for a while, such as “do not call the provider for 20 seconds”.

Kept in Redis; while Redis is away a note is known to the process that wrote it alone.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import lru_cache

import redis

from leadgen.core import queue, settings

log = logging.getLogger(__name__)
_SECONDS_WITHOUT_REDIS = 5.0
_MOST_IN_MEMORY = 1_000  # while Redis is there, this memory is only a fall-back
_broken_until = 0.0
_memory: dict[str, tuple[float, str]] = {}


@dataclass(frozen=True, slots=True)
class Note:
    """What it says, and for how many seconds it still holds."""

    text: str
    seconds: float


def leave(name: str, text: str, seconds: float) -> None:
    """Let everybody read `text` under this name for `seconds`."""
    global _broken_until  # noqa: PLW0603 - the breaker belongs to the process
    _memory.pop(name, None)
    _memory[name] = (time.monotonic() + seconds, text)
    for oldest in list(_memory)[: len(_memory) - _MOST_IN_MEMORY] if len(_memory) > _MOST_IN_MEMORY else ():
        _memory.pop(oldest, None)
    try:
        _client(settings.get().redis_url).set(_key(name), text, px=max(1, round(seconds * 1000)))
    except redis.RedisError as error:
        log.warning("a note stays in this process: %s", error)
        _broken_until = time.monotonic() + _SECONDS_WITHOUT_REDIS


def read(name: str) -> Note | None:
    """The note that holds now, or None."""
    global _broken_until  # noqa: PLW0603 - as above
    if time.monotonic() >= _broken_until:
        try:
            return _shared(name)
        except redis.RedisError as error:
            log.warning("notes are read in this process alone for a while: %s", error)
            _broken_until = time.monotonic() + _SECONDS_WITHOUT_REDIS
    until, text = _memory.get(name, (0.0, ""))
    left = until - time.monotonic()
    return Note(text, left) if left > 0 else None


def claim(name: str, seconds: float) -> bool:
    """Leave an empty note unless there is one; True for the one who left it. Without Redis, one in each process."""
    global _broken_until  # noqa: PLW0603 - as above
    if time.monotonic() >= _broken_until:
        try:
            client = _client(settings.get().redis_url)
            return bool(client.set(_key(name), "-", px=max(1, round(seconds * 1000)), nx=True))
        except redis.RedisError as error:
            log.warning("a claim counts in this process alone: %s", error)
            _broken_until = time.monotonic() + _SECONDS_WITHOUT_REDIS
    if _memory.get(name, (0.0, ""))[0] > time.monotonic():
        return False
    _memory[name] = (time.monotonic() + seconds, "-")
    return True


def drop(name: str) -> None:
    """Take a note away before its time."""
    _memory.pop(name, None)
    try:
        _client(settings.get().redis_url).delete(_key(name))
    except redis.RedisError as error:
        log.warning("a note stays until its time is over: %s", error)


def forget() -> None:
    """Forget this process's own notes and trust Redis again (tests)."""
    global _broken_until  # noqa: PLW0603 - as above
    _memory.clear()
    _broken_until = 0.0


def _shared(name: str) -> Note | None:
    client = _client(settings.get().redis_url)
    text, left = client.get(_key(name)), client.pttl(_key(name))
    return Note(text.decode(), left / 1000) if isinstance(text, bytes) and isinstance(left, int) and left > 0 else None


def _key(name: str) -> str:
    return f"leadgen:note:{name}"


@lru_cache(maxsize=4)
def _client(_url: str) -> redis.Redis:
    return queue.connection()
