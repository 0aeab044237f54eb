"""The scheduler: each strike once, however many run, and again after Redis forgot everything."""

from __future__ import annotations

import time

import redis

from leadgen import schedule
from leadgen.core import queue
from leadgen.core.queue import QueueName
from leadgen.schedule import SCHEDULE, Strike

STRIKE = Strike(10, "leadgen.entries.jobs.fold_points", QueueName.EVENTS)


def _waiting(redis_client: redis.Redis) -> int:
    """How many jobs of that strike wait; a bell that an earlier test rang may come late and is none of ours."""
    return [job.func_name for job in queue.queue(QueueName.EVENTS, redis_client).jobs].count(STRIKE.job)


def test_each_strike_comes_when_it_is_due(app: object, redis_client: redis.Redis) -> None:
    next_at = {STRIKE: 0.0}

    assert schedule.strike_due(next_at, 100.0) == [STRIKE]
    assert schedule.strike_due(next_at, 109.9) == []
    assert schedule.strike_due(next_at, 110.0) == [STRIKE]
    assert _waiting(redis_client) == 1


def test_m3_after_a_flush_everything_is_rung_again(app: object, redis_client: redis.Redis) -> None:
    next_at = {STRIKE: 0.0}
    schedule.strike_due(next_at, 100.0)
    redis_client.flushdb()

    schedule.strike_due(next_at, 110.0)

    assert _waiting(redis_client) == 1


def test_f24_of_two_schedulers_one_leads_and_a_frozen_one_finds_the_lock_taken(
    app: object, redis_client: redis.Redis
) -> None:
    first, second = (redis_client.lock("leadgen:scheduler", timeout=60) for _ in range(2))

    assert schedule._leads(first)
    assert not schedule._leads(second)
    assert schedule._leads(first)

    redis_client.pexpire("leadgen:scheduler", 1)  # the leader is frozen past the life of its lock
    while redis_client.exists("leadgen:scheduler"):
        time.sleep(0.001)
    assert schedule._leads(second)
    assert not schedule._leads(first)


def test_every_bell_is_rung_by_the_clock_too() -> None:
    assert set(queue.Bell) <= {strike.job for strike in SCHEDULE if strike.seconds <= 10}
