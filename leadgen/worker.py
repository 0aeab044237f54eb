"""The RQ worker: built once, forked for each job; a job whose machine was killed is taken up within seconds."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any

from flask import Flask
from rq import Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from leadgen.app import create_app, forget_connections
from leadgen.core import queue
from leadgen.core.queue import QueueName
from leadgen.mail import jobs as mail

_PR_SET_PDEATHSIG = 1
_HEARTBEAT_SECONDS = 15


class AppWorker(Worker):
    """RQ's worker, tuned: with its defaults a job whose machine died was still `started` after twelve minutes."""

    def __init__(self, app: Flask, *args: Any, **kwargs: Any) -> None:
        self.app = app
        kwargs |= {"worker_ttl": 20, "job_monitoring_interval": 5, "maintenance_interval": 5}
        super().__init__(*args, **kwargs)

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

    def perform_job(self, job: Job, *args: Any, **kwargs: Any) -> bool:
        """Let the bell be rung again before looking for work, so that what comes after the last look is not missed."""
        self.connection.delete(queue.rung_key(job.func_name or "", *job.args))
        try:
            return super().perform_job(job, *args, **kwargs)
        finally:
            queue.ring_out()


def run() -> None:
    """Work on all queues, most urgent first, until told to end."""
    app = create_app()
    mail.warm()
    client = queue.connection(seconds=None)
    queues = [queue.queue(name, client) for name in QueueName]
    AppWorker(app, queues, connection=client, serializer=JSONSerializer).work(
        logging_level="WARNING", with_scheduler=True
    )
