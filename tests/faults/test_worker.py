"""One child serves many rings, and a worker that is asked to end does so at once."""

from __future__ import annotations

import time

import redis

from bench.stack import Stack
from tests.faults import noting

RINGS = 30


def test_one_child_serves_many_rings(stack: Stack) -> None:
    with redis.from_url(stack.valkey.url) as client:
        client.delete(noting.PIDS)
        for _ in range(RINGS):
            stack.ring("tests.faults.noting.note")
        _wait_for(client, RINGS)
        children = set(client.lrange(noting.PIDS, 0, -1))
    assert len(children) <= RINGS / 3


def test_a_worker_that_is_asked_to_end_finishes_its_job_and_takes_no_other(stack: Stack) -> None:
    with redis.from_url(stack.valkey.url) as client:
        client.delete(noting.PIDS)
        stack.ring("tests.faults.noting.note")
        _wait_for(client, 1)
    worker = stack.parts["worker 1"]
    began = time.monotonic()
    stack.stop("worker 1", grace=8)
    assert worker.returncode == 0
    assert time.monotonic() - began < 8
    stack.start_worker(1)


def _wait_for(client: redis.Redis, number: int) -> None:
    deadline = time.monotonic() + 60
    while client.llen(noting.PIDS) < number:
        assert time.monotonic() < deadline
        time.sleep(0.02)
