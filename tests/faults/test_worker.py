"""One child serves many rings, and a worker that is asked to end does so at once."""

from __future__ import annotations

import time

import redis

from bench.stack import Stack
from tests.faults import noting

RINGS = 30


def test_one_child_serves_many_rings(quiet: Stack) -> None:
    with redis.from_url(quiet.valkey.url) as client:
        client.delete(noting.PIDS)
        for _ in range(RINGS):
            quiet.ring("tests.faults.noting.note")
        _wait_for(client, RINGS)
        children = set(client.lrange(noting.PIDS, 0, -1))
    assert len(children) <= RINGS / 3


def test_a_worker_that_is_asked_to_end_finishes_its_job_and_takes_no_other(quiet: Stack) -> None:
    with redis.from_url(quiet.valkey.url) as client:
        client.delete(noting.PIDS)
        quiet.ring("tests.faults.noting.note")
        _wait_for(client, 1)
    worker = quiet.parts["worker 1"]
    began = time.monotonic()
    quiet.stop("worker 1", grace=20)
    assert worker.returncode == 0
    assert time.monotonic() - began < 20
    quiet.start_worker(1)


def _wait_for(client: redis.Redis, number: int) -> None:
    deadline = time.monotonic() + 60
    while client.llen(noting.PIDS) < number:
        assert time.monotonic() < deadline
        time.sleep(0.02)
