"""Redis is only the doorbell (rule 5): refused, swallowed, slow, emptied or full, nothing is lost and nobody waits."""

from __future__ import annotations

import json
import time

import pytest

from tests.faults.scene import Scene

PEOPLE = 30
# Nobody waits for Redis, whose client by itself hung for 15 seconds. The service level (95 % within 0.5 s) is printed.
LONGEST = 8.0


def _enter(scene: Scene) -> None:
    emails = scene.enter(PEOPLE)
    times = sorted(scene.seconds)
    scene.say(f"entries answered: median {times[len(times) // 2]:.3f} s, 95 % {times[int(len(times) * 0.95)]:.3f} s")
    assert times[-1] < LONGEST
    assert scene.value("SELECT count(*) FROM entry") == len(emails)


def test_f6_redis_refuses(scene: Scene) -> None:
    scene.form()
    scene.provider.wire("redis", "refuse")
    _enter(scene)
    ready = scene.ask("GET", "/readyz")
    assert ready.status == 200
    assert json.loads(ready.body)["redis"] == "away"
    scene.provider.wire("redis", "pass")
    scene.finish()
    assert len(scene.provider.mails()) == PEOPLE


@pytest.mark.parametrize(("mode", "delay"), [("hole", 0.0), ("pass", 0.8)], ids=["silent", "slow"])
def test_f7_redis_is_silent_or_slow(scene: Scene, mode: str, delay: float) -> None:
    scene.form()
    scene.provider.wire("redis", mode, delay)
    _enter(scene)
    scene.provider.wire("redis", "pass")
    scene.finish()
    assert len(scene.provider.mails()) == PEOPLE


def test_f8_redis_forgets_everything_while_mails_are_due(scene: Scene) -> None:
    scene.provider.plan(always="slow:0.1")
    scene.want(confirmations=300, letters=300)
    scene.pump()
    scene.pause(scene.chance.uniform(0.0, 1.0))
    scene.redis().flushall()
    scene.provider.plan()
    began = time.monotonic()
    scene.settle(is_ringing=False)  # the scheduler finds the work in the tables
    scene.say(f"all handed over {time.monotonic() - began:.1f} s after Redis forgot")
    scene.audit()
    assert scene.number("status = 'accepted'") == 600
    scene.stack.renew()


def test_f9_redis_has_no_memory_left(scene: Scene) -> None:
    scene.form()
    client = scene.redis()
    client.config_set("maxmemory", 1)
    try:
        _enter(scene)
    finally:
        client.config_set("maxmemory", 0)
    scene.finish()
    assert len(scene.provider.mails()) == PEOPLE
    scene.stack.renew()
