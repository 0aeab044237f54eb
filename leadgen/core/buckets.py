"""Token buckets in Redis, shared by all processes: so many deeds a second, whoever does them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache

import redis
from redis.commands.core import Script

from leadgen.core import queue, settings

log = logging.getLogger(__name__)

# Each bucket holds at most one second's worth; refilled by Redis's own clock. Takes the same number from all of them:
# what the emptiest gives, or with `forced` all that is asked for, into debt.
_TAKE = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1000000
local wanted, forced = tonumber(ARGV[1]), ARGV[2] == '1'
local left, granted = {}, wanted
for i, key in ipairs(KEYS) do
    local rate = tonumber(ARGV[2 + i])
    local kept = redis.call('HMGET', key, 'tokens', 'at')
    local tokens = tonumber(kept[1]) or rate
    left[i] = math.min(rate, tokens + (at - (tonumber(kept[2]) or at)) * rate)
    granted = math.min(granted, math.floor(left[i]))
end
if forced then granted = wanted else granted = math.max(granted, 0) end
for i, key in ipairs(KEYS) do
    redis.call('HSET', key, 'tokens', tostring(left[i] - granted), 'at', tostring(at))
    redis.call('EXPIRE', key, 3600)
end
return granted
"""


def take(rates: Mapping[str, int], wanted: int, *, is_forced: bool = False) -> int:
    """Take up to `wanted` out of all these buckets (name → deeds a second) and say how many were to be had.

    A forced call takes all it wants and leaves a debt. While Redis is away only forced calls get anything.
    """
    if not rates or not wanted:
        return wanted
    keys = [f"leadgen:pace:{name}" for name in rates]
    try:
        taken = _script(settings.get().redis_url)(keys=keys, args=[wanted, int(is_forced), *rates.values()])
    except redis.RedisError as error:
        log.warning("the pace cannot be read: %s", error)
        return wanted if is_forced else 0
    return int(taken)


def give(rates: Mapping[str, int], unused: int) -> None:
    """Put back what was taken and not used."""
    take(rates, -unused, is_forced=True)


@lru_cache(maxsize=4)
def _script(_url: str) -> Script:
    return queue.connection().register_script(_TAKE)
