"""The order in which a worker looks at its queues."""

from __future__ import annotations

import signal

import redis
from flask import Flask
from rq.serializers import JSONSerializer

from leadgen.core import queue
from leadgen.core.queue import QueueName
from leadgen.worker import AppWorker


def test_a_blast_that_rings_for_itself_does_not_starve_the_slow_queue(app: Flask, redis_client: redis.Redis) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    queues = [queue.queue(name, redis_client) for name in QueueName]
    worker = AppWorker(app, queues, connection=redis_client, serializer=JSONSerializer)
    signal.signal(signal.SIGUSR1, before)
    orders = []
    for _child in range(8):
        worker.reorder_queues(queues[2])
        orders.append([each.name for each in worker._ordered_queues])
    assert orders.count(["urgent", "events", "slow", "mail"]) == 2
    assert orders.count(["urgent", "events", "mail", "slow"]) == 6
