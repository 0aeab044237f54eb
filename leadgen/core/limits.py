"""Rate limits shared by all web processes; counted in Redis, in this process while Redis is away."""

from __future__ import annotations

import logging
import time
from functools import lru_cache

import redis
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

from leadgen.core import settings

log = logging.getLogger(__name__)
_SECONDS_WITHOUT_REDIS = 5.0
_broken_until = 0.0
_memory = FixedWindowRateLimiter(MemoryStorage())
_parsed = lru_cache(maxsize=64)(parse)


def allow(limit: str, *who: str) -> bool:
    """Count one deed of `who` against `limit` (“20 per 10 minutes”) and say whether it is still within it.

    A limit protects the product; it must not become the reason why nobody can enter. When Redis does not answer
    within 0.3 s the count goes on in this process alone, and Redis is left in peace for five seconds.
    """
    global _broken_until  # noqa: PLW0603 - the breaker belongs to the process
    item: RateLimitItem = _parsed(limit)
    if time.monotonic() >= _broken_until:
        try:
            return _shared(settings.get().redis_url).hit(item, *who)
        except redis.RedisError as error:
            log.warning("limits are counted in this process for a while: %s", error)
            _broken_until = time.monotonic() + _SECONDS_WITHOUT_REDIS
    return _memory.hit(item, *who)


@lru_cache(maxsize=4)
def _shared(url: str) -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(RedisStorage(url, socket_timeout=0.3, socket_connect_timeout=0.3))
