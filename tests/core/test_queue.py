"""The doorbell: many rings are one job, a taken job can be rung again, and nobody waits for a dead Redis."""

from __future__ import annotations

import dataclasses
import statistics
import time

import pytest
import redis
from rq.serializers import JSONSerializer
from sqlalchemy import text

from leadgen.core import queue
from leadgen.core import settings as current
from leadgen.core.db import db
from leadgen.core.queue import BELL_QUEUES, Bell, QueueName
from leadgen.core.settings import Settings

JOB = "leadgen.entries.jobs.fold_points"


def waiting(client: redis.Redis, name: QueueName) -> list[str]:
    return [job.func_name for job in queue.queue(name, client).jobs]


def test_many_rings_are_one_job_until_somebody_takes_it_up(app: object, redis_client: redis.Redis) -> None:
    for _ in range(3):
        queue.enqueue(JOB, name=QueueName.EVENTS)
    assert waiting(redis_client, QueueName.EVENTS) == [JOB]

    redis_client.delete(queue.rung_key(JOB))  # what the worker does when it takes the job up
    queue.enqueue(JOB, name=QueueName.EVENTS)
    assert waiting(redis_client, QueueName.EVENTS) == [JOB, JOB]


def test_jobs_are_json_never_pickle(app: object, redis_client: redis.Redis) -> None:
    queue.enqueue(JOB, name=QueueName.EVENTS)

    [job] = queue.queue(QueueName.EVENTS, redis_client).jobs
    assert job.serializer is JSONSerializer
    assert redis_client.hget(job.key, "data").lstrip()[:1] != b"\x80"


def eventually(client: redis.Redis, name: QueueName, *, seconds: float = 30.0) -> list[str]:
    until = time.monotonic() + seconds
    while not (found := waiting(client, name)) and time.monotonic() < until:
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("bell", Bell)
def test_each_bell_reaches_its_queue(app: object, redis_client: redis.Redis, bell: Bell) -> None:
    queue.ring(bell)

    assert bell.value in eventually(redis_client, BELL_QUEUES[bell])


def test_m4_ringing_never_waits_for_redis(app: object, settings: Settings) -> None:
    current.use(dataclasses.replace(settings, redis_url="redis://127.0.0.1:1/0"))
    try:
        seconds = []
        for _ in range(100):
            started = time.perf_counter()
            queue.ring(Bell.MAIL)
            seconds.append(time.perf_counter() - started)
        assert statistics.median(seconds) < 0.001  # whoever takes the processor meanwhile delays few of them
    finally:
        current.use(settings)


def test_the_bell_rings_after_the_outer_commit_only(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[Bell] = []
    monkeypatch.setattr(queue, "ring", rung.append)

    with db.session.begin_nested():
        db.session.execute(text("SELECT 1"))
        queue.ring_after_commit(db.session(), Bell.MAIL)
    assert rung == []
    db.session.rollback()
    db.session.commit()
    assert rung == []

    queue.ring_after_commit(db.session(), Bell.FACTS)
    db.session.execute(text("SELECT 1"))
    db.session.commit()
    assert rung == [Bell.FACTS]


def test_a_job_is_offered_after_the_outer_commit_only(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    offered: list[tuple[object, ...]] = []
    monkeypatch.setattr(queue, "offer", lambda *call: offered.append(call))

    with db.session.begin_nested():
        db.session.execute(text("SELECT 1"))
        queue.offer_after_commit(db.session(), "some.job", 7)
    assert offered == []
    db.session.rollback()
    db.session.commit()
    assert offered == []

    for _ in range(2):
        queue.offer_after_commit(db.session(), "some.job", 7)
    db.session.execute(text("SELECT 1"))
    db.session.commit()
    assert offered == [("some.job", 7)]


def test_what_a_job_rang_is_passed_on_before_its_process_ends(
    app: object, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forked job takes the bell's thread along when it ends; the worker passes on what is left."""
    monkeypatch.setattr(queue, "_doorbell", silent := queue._Doorbell())
    silent._rung.append(Bell.MAIL)  # rung, and the thread never came to it
    queue.ring_out()
    assert redis_client.llen("rq:queue:mail") == 1
    queue.ring_out()
    assert redis_client.llen("rq:queue:mail") == 1
