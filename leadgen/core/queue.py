"""The doorbell: rows in PostgreSQL are the work, RQ only wakes somebody who looks for it.

Nothing that is rung carries data, so a lost Redis loses no work: the scheduler rings every bell again soon. Ringing is
done by a thread of its own, at most ten times a second for each bell, so no page ever waits for Redis.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from contextlib import suppress
from enum import StrEnum

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry as ClientRetry
from rq import Queue, Retry
from rq.serializers import JSONSerializer
from rq.timeouts import BaseTimeoutException
from sqlalchemy import event
from sqlalchemy.orm import Session

from leadgen.core import settings

log = logging.getLogger(__name__)


class QueueName(StrEnum):
    """The queues, most urgent first; every worker listens to all of them in this order."""

    URGENT = "urgent"
    EVENTS = "events"
    MAIL = "mail"
    SLOW = "slow"


class Bell(StrEnum):
    """Jobs that look for work of their kind in the database; the value is the job's dotted name."""

    CONFIRMATIONS = "leadgen.mail.jobs.pump_confirmations"
    MAIL = "leadgen.mail.jobs.pump_mail"
    FACTS = "leadgen.reactions.drain"
    POINTS = "leadgen.entries.jobs.fold_points"
    REFERRALS = "leadgen.entries.jobs.settle_referrals"
    REWARDS = "leadgen.rewards.jobs.award"
    LOOKS = "leadgen.fraud.jobs.look"
    RECEIPTS = "leadgen.mail.jobs.apply_receipts"
    NURTURE = "leadgen.nurture.jobs.plan"
    BROADCASTS = "leadgen.broadcasts.jobs.expand"
    SCORES = "leadgen.scores.jobs.score"


BELL_QUEUES = {
    Bell.CONFIRMATIONS: QueueName.URGENT,
    Bell.POINTS: QueueName.EVENTS,
    Bell.REFERRALS: QueueName.EVENTS,
    Bell.REWARDS: QueueName.EVENTS,
    Bell.FACTS: QueueName.EVENTS,
    Bell.LOOKS: QueueName.EVENTS,
    Bell.RECEIPTS: QueueName.EVENTS,
    Bell.NURTURE: QueueName.EVENTS,
    Bell.SCORES: QueueName.SLOW,
    Bell.MAIL: QueueName.MAIL,
    # Beside the pump, in turns: above it nothing would leave until a million rows are written, below it none would be.
    Bell.BROADCASTS: QueueName.MAIL,
}
JOB_SECONDS = 120
# Raised in a job whose time is over, wherever it is. An Exception like any other: whoever catches all must let it pass.
TimeLimit = BaseTimeoutException
RUNG_SECONDS = 10
FAILURE_SECONDS = 7 * 24 * 3600
_RING_INTERVAL = 0.1
_REDIS_SECONDS = 0.3


def connection(*, seconds: float | None = _REDIS_SECONDS) -> redis.Redis:
    """A client that gives up after `seconds` (by itself redis-py hung for 15 s); None waits for ever."""
    return redis.from_url(
        settings.get().redis_url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds or 5,
        retry=ClientRetry(NoBackoff(), 0) if seconds else None,
    )


def queue(name: QueueName, client: redis.Redis) -> Queue:
    """The RQ queue of that name. JSON, never pickle: who can write to Redis must not be able to run code here."""
    return Queue(name.value, connection=client, serializer=JSONSerializer, default_timeout=JOB_SECONDS)


def waiting() -> dict[QueueName, tuple[int, float]] | None:
    """For each queue how many jobs wait and for how many seconds the first of them has; None when Redis is away."""
    client = connection()
    try:
        return {name: _waiting(queue(name, client)) for name in QueueName}
    except redis.RedisError:
        return None


def _waiting(chosen: Queue) -> tuple[int, float]:
    first = next(iter(chosen.get_jobs(0, 1)), None)
    # RQ stamps jobs by the machine's clock, not by ours.
    age = time.time() - first.enqueued_at.timestamp() if first is not None and first.enqueued_at else 0.0
    return chosen.count, max(0.0, age)


def enqueue(job: str, *args: str | int, name: QueueName = QueueName.SLOW, client: redis.Redis | None = None) -> None:
    """Put one job by dotted name, unless the same call was put in the last RUNG_SECONDS and nobody took it up yet.

    Not RQ's `unique`: that refuses as long as the job's key lives, so one that runs would hide the ring for what came
    after its last look, and one that failed or was killed would silence the bell.
    """
    client = client or connection()
    if client.set(rung_key(job, *args), 1, nx=True, ex=RUNG_SECONDS):
        retry = Retry(max=2, interval=[5, 60])
        queue(name, client).enqueue(job, *args, retry=retry, result_ttl=0, failure_ttl=FAILURE_SECONDS)


def offer(job: str, *args: str | int, name: QueueName = QueueName.SLOW, client: redis.Redis | None = None) -> bool:
    """Like `enqueue`, for what may as well not happen: False while Redis is away."""
    try:
        enqueue(job, *args, name=name, client=client)
    except redis.RedisError as error:
        log.warning("%s does not run while Redis is away: %s", job, error)
        return False
    return True


def rung_key(job: str, *args: str | int) -> str:
    """The Redis key that says “this call waits already”; whoever takes the job up deletes it first."""
    return ":".join(["leadgen:rung", job, *map(str, args)])


class _Doorbell:
    """A thread that turns many rings into few jobs, and survives a Redis that is away."""

    def __init__(self) -> None:
        self._pid = 0
        # Many threads ring and one listens, without a lock: a fork could inherit a locked one.
        self._rung: deque[Bell] = deque()
        self._wake = threading.Event()
        self._start = threading.Lock()

    def ring(self, bell: Bell) -> None:
        self._rung.append(bell)
        if self._pid != os.getpid():  # a fork inherits the object, but not the thread
            with self._start:
                if self._pid != os.getpid():
                    self._wake = threading.Event()
                    threading.Thread(target=self._run, name="doorbell", daemon=True).start()
                    self._pid = os.getpid()
        self._wake.set()

    def _run(self) -> None:
        client = connection()
        while True:
            self._wake.wait()
            self._wake.clear()
            self.pass_on(client)
            time.sleep(_RING_INTERVAL)

    def pass_on(self, client: redis.Redis) -> None:
        wanted = set()
        with suppress(IndexError):  # the thread and the end of a job may both be at it
            while True:
                wanted.add(self._rung.popleft())
        for bell in wanted:
            offer(bell.value, name=BELL_QUEUES[bell], client=client)


_doorbell = _Doorbell()


def ring(bell: Bell) -> None:
    """Wake a worker for this kind of work, soon and at most once per 100 ms. Call it after the commit. Never blocks."""
    _doorbell.ring(bell)


def ring_out() -> None:
    """Pass on at once what this process rang: one that ends with its job would take its bell's thread along."""
    _doorbell.pass_on(connection())


def ring_after_commit(session: Session, bell: Bell) -> None:
    """Ring once the session's outermost transaction is committed; forget it on rollback."""
    session.info.setdefault("calls", {})[ring, bell] = None


def offer_after_commit(session: Session, job: str, *args: str | int) -> None:
    """Like `offer`, once the session's outermost transaction is committed, so that the job sees what was written."""
    session.info.setdefault("calls", {})[offer, job, *args] = None


@event.listens_for(Session, "after_commit")
def _ring_bells(session: Session) -> None:
    # The event also fires when a savepoint is released: wait for the outer commit.
    if not session.in_nested_transaction():
        for call, *args in session.info.pop("calls", ()):
            call(*args)


@event.listens_for(Session, "after_rollback")
def _forget_bells(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop("calls", None)
