"""How often things happened in each of the last minutes, counted by all processes together in Redis.

For pages that show a speed, never for what must be right: while Redis is away nothing is counted and nothing waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import lru_cache

import redis

from leadgen.core import queue, settings

log = logging.getLogger(__name__)
KEPT_MINUTES = 61
_SECONDS_WITHOUT_REDIS = 5.0
_broken_until = 0.0


def note(name: str, counts: Mapping[str, int]) -> None:
    """Add these numbers (what → how many) to the present minute; one round trip, and never an error."""
    counts = {what: number for what, number in counts.items() if number}
    if not counts or time.monotonic() < _broken_until:
        return
    key = _key(name, _minute())
    try:
        with _client(settings.get().redis_url).pipeline(transaction=False) as pipe:
            for what, number in counts.items():
                pipe.hincrby(key, what, number)
            pipe.expire(key, (KEPT_MINUTES + 2) * 60)
            pipe.execute()
    except redis.RedisError as error:
        _rest(error)


def read(name: str, minutes: int = KEPT_MINUTES) -> list[dict[str, int]]:
    """What was counted in each of the last minutes, the present (unfinished) one first; empty without Redis."""
    if time.monotonic() < _broken_until:
        return []
    now = _minute()
    try:
        with _client(settings.get().redis_url).pipeline(transaction=False) as pipe:
            for ago in range(minutes):
                pipe.hgetall(_key(name, now - ago))
            found = pipe.execute()
    except redis.RedisError as error:
        _rest(error)
        return []
    return [{what.decode(): int(number) for what, number in minute.items()} for minute in found]


def seconds_into_minute() -> float:
    """How much of the present minute is over."""
    return time.time() % 60


def _rest(error: redis.RedisError) -> None:
    global _broken_until  # noqa: PLW0603 - the breaker belongs to the process
    log.warning("speeds are not counted for a while: %s", error)
    _broken_until = time.monotonic() + _SECONDS_WITHOUT_REDIS


def _minute() -> int:
    return int(time.time() // 60)  # the machine's own: a clock that is moved for a test must not tear a minute apart


def _key(name: str, minute: int) -> str:
    return f"leadgen:rate:{name}:{minute}"


@lru_cache(maxsize=4)
def _client(_url: str) -> redis.Redis:
    return queue.connection()
