"""Rate limits shared by all web processes; counted in Redis, in this process while Redis is away."""

from __future__ import annotations

import ipaddress
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
NEWCOMER_DEEDS = 5
_MOST_NEWCOMERS = 50_000
_broken_until = 0.0
_newcomers: dict[tuple[str, tuple[str, ...], int], int] = {}
_memory = FixedWindowRateLimiter(MemoryStorage())
_parsed = lru_cache(maxsize=64)(parse)


def allow_newcomer(limit: str, *who: str) -> bool:
    """Like `allow`, for paths that nearly everybody takes once: the first few deeds of `who` are counted here alone.

    Asking Redis for each form was a quarter of an entry. Each web process lets NEWCOMER_DEEDS pass unseen by the
    others, so that a limit of 60 is 60 + 5 for each process at most.
    """
    item: RateLimitItem = _parsed(limit)
    window = int(time.monotonic()) // item.get_expiry()
    key = (limit, who, window)
    seen = _newcomers[key] = _newcomers.get(key, 0) + 1
    if len(_newcomers) > _MOST_NEWCOMERS:
        _newcomers.clear()
    return seen <= NEWCOMER_DEEDS or allow(limit, *who)


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


def network(address: str) -> str:
    """What limits count instead of an address: itself, or the /64 of an IPv6 one, which a single household owns."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


@lru_cache(maxsize=4)
def _shared(url: str) -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(RedisStorage(url, socket_timeout=0.3, socket_connect_timeout=0.3))
