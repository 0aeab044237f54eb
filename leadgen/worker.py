"""The RQ worker: built once, forked for a few seconds of jobs; a job whose machine was killed is taken up soon."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import time
from types import FrameType
from typing import Any

from flask import Flask
from rq import Queue, Worker
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

from leadgen.app import create_app, forget_connections
from leadgen.core import queue as bells
from leadgen.core.queue import QueueName
from leadgen.mail import jobs as mail

log = logging.getLogger(__name__)
_PR_SET_PDEATHSIG = 1
_HEARTBEAT_SECONDS = 15
# A fork, its connections and its page faults cost 50-80 ms of processor, a look that finds nothing 1 ms: in a steady
# stream of rings the child serves all bells for a while. Less than the five seconds after which RQ looks after it.
_STAY_SECONDS = 2.5
_IDLE_SECONDS = 0.3
_SLOW_FIRST_EVERY = 4
_LOOK_SECONDS = 0.03


class AppWorker(Worker):
    """RQ's worker, tuned: with its defaults a job whose machine died was still `started` after twelve minutes."""

    def __init__(self, app: Flask, *args: Any, **kwargs: Any) -> None:
        self.app = app
        kwargs |= {"worker_ttl": 20, "job_monitoring_interval": 5, "maintenance_interval": 5}
        super().__init__(*args, **kwargs)
        self.is_leaving = False
        self._children = 0
        signal.signal(signal.SIGUSR1, self._leave)

    def reorder_queues(self, reference_queue: Queue) -> None:  # noqa: ARG002 - RQ's signature; asked after each child
        """Most urgent first; but a blast rings for itself for days, so every fourth child looks at SLOW before MAIL."""
        self._children += 1
        slow = [queue for queue in self.queues if queue.name == QueueName.SLOW]
        mail = [queue for queue in self.queues if queue.name == QueueName.MAIL]
        urgent = [queue for queue in self.queues if queue not in slow + mail]
        is_slow_first = self._children % _SLOW_FIRST_EVERY == 0
        self._ordered_queues = urgent + (slow + mail if is_slow_first else mail + slow)

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002 - RQ's signature
        """Seconds after which a job without a heartbeat counts as abandoned."""
        return _HEARTBEAT_SECONDS

    def main_work_horse(self, *args: Any, **kwargs: Any) -> None:
        """Run the job with the application's context, and never outlive the worker: two would do the same job."""
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        with self.app.app_context():
            forget_connections()
            super().main_work_horse(*args, **kwargs)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Do the job, and whatever is rung in the next moments: a child for each ring would cost more than its work."""
        is_well = self._perform_one(job, queue, execution)
        leaving_at = time.monotonic() + _STAY_SECONDS
        idle_at = time.monotonic() + _IDLE_SECONDS
        while time.monotonic() < min(leaving_at, idle_at) and not self.is_leaving:
            found = Queue.dequeue_any(
                self.queues, None, connection=self.connection, job_class=self.job_class, serializer=self.serializer
            )
            if found is None:
                time.sleep(_LOOK_SECONDS)
            else:
                self._perform_one(found[0], found[1], self.prepare_execution(found[0]))
                idle_at = time.monotonic() + _IDLE_SECONDS
        return is_well

    def handle_warm_shutdown_request(self) -> None:
        """Asked to end: the child finishes its job and takes no other."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGUSR1)

    def _leave(self, _number: int, _frame: FrameType | None) -> None:
        self.is_leaving = True

    def _perform_one(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Let the bell be rung again before looking for work, so that what comes after the last look is not missed."""
        self.connection.delete(bells.rung_key(job.func_name or "", *job.args))
        try:
            return super().perform_job(job, queue, execution)
        finally:
            bells.ring_out()


def run() -> None:
    """Work on all queues, most urgent first, until told to end."""
    app = create_app()
    mail.warm()
    while not _work(app):
        pass


def _work(app: Flask) -> bool:
    """Be a worker until told to end: True. False when Redis forgot a job that was being looked after."""
    client = bells.connection(seconds=None)
    queues = [bells.queue(name, client) for name in QueueName]
    worker = AppWorker(app, queues, connection=client, serializer=JSONSerializer)
    try:
        worker.work(logging_level="WARNING", with_scheduler=True)
    except (InvalidJobOperation, NoSuchJobError) as error:
        # RQ gives up when its notes on a job vanish (FLUSHALL, memory full); ours are in PostgreSQL.
        log.warning("Redis forgot a job, the worker begins anew: %s", error)
        return False
    return True
