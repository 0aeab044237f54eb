"""One table: when the clock strikes, which job. Several schedulers may run; the one that holds the lock rings.

Not RQ's own cron: it pickles its jobs, has no election (two of them enqueue everything twice) and ends when Redis does.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import time
from types import FrameType
from typing import NamedTuple, NoReturn

from redis.exceptions import LockError, RedisError
from redis.lock import Lock

from leadgen.core import queue
from leadgen.core.queue import BELL_QUEUES, Bell, QueueName

log = logging.getLogger(__name__)


class Strike(NamedTuple):
    """A job that is put on its queue every so many seconds; a call that still waits or runs is not doubled."""

    seconds: int
    job: str
    queue: QueueName


SCHEDULE: tuple[Strike, ...] = (
    *(Strike(10, bell.value, BELL_QUEUES[bell]) for bell in Bell),
    Strike(10, "leadgen.contacts.jobs.seal", QueueName.SLOW),
    Strike(10, "leadgen.mail.jobs.count_streams", QueueName.EVENTS),  # behind a blast in MAIL it would never come
    Strike(10, "leadgen.visits.jobs.pay", QueueName.EVENTS),
    Strike(30, "leadgen.mail.jobs.sweep", QueueName.MAIL),
    Strike(60, "leadgen.campaigns.jobs.move_on", QueueName.EVENTS),
    Strike(60, "leadgen.entries.jobs.settle_referrals", QueueName.EVENTS),
    Strike(60, "leadgen.analytics.jobs.recount", QueueName.SLOW),
    Strike(300, "leadgen.entries.jobs.remind", QueueName.SLOW),
    Strike(600, "leadgen.mail.jobs.fold_clicks", QueueName.SLOW),
    Strike(600, "leadgen.scores.jobs.want_clickers", QueueName.SLOW),
    Strike(600, "leadgen.outcomes.jobs.guard", QueueName.SLOW),
    Strike(3600, "leadgen.entries.jobs.purge", QueueName.SLOW),
    Strike(3600, "leadgen.nurture.jobs.look", QueueName.SLOW),
    Strike(86400, "leadgen.entries.jobs.audit_points", QueueName.SLOW),
    Strike(86400, "leadgen.actions.jobs.audit_deeds", QueueName.SLOW),
    Strike(86400, "leadgen.fraud.jobs.rescore", QueueName.SLOW),
    Strike(86400, "leadgen.fraud.jobs.age", QueueName.SLOW),
    Strike(86400, "leadgen.gallery.jobs.audit_votes", QueueName.SLOW),
    Strike(300, "leadgen.rewards.jobs.keep_time", QueueName.SLOW),
    Strike(86400, "leadgen.rewards.jobs.audit", QueueName.SLOW),
    Strike(86400, "leadgen.visits.jobs.purge", QueueName.SLOW),
    Strike(86400, "leadgen.contacts.jobs.seal_all", QueueName.SLOW),
    Strike(86400, "leadgen.mail.jobs.pull_suppressions", QueueName.SLOW),
    Strike(86400, "leadgen.mail.jobs.check_senders", QueueName.SLOW),
    Strike(86400, "leadgen.scores.jobs.look_at_all", QueueName.SLOW),
    Strike(86400, "leadgen.worth.jobs.work_out_all", QueueName.SLOW),  # before the segments that ask for it
    Strike(86400, "leadgen.segments.jobs.measure", QueueName.SLOW),
)
LEADER_SECONDS = 15
_TICK_SECONDS = 1.0
_REDIS_SECONDS = 3.0


def run() -> None:
    """Be the scheduler, or the one that takes over within LEADER_SECONDS, until the process is told to end."""
    client = queue.connection(seconds=_REDIS_SECONDS)
    lock = client.lock("leadgen:scheduler", timeout=LEADER_SECONDS)
    next_at = dict.fromkeys(SCHEDULE, 0.0)
    signal.signal(signal.SIGTERM, _end)
    try:
        while True:
            try:
                if _leads(lock):
                    strike_due(next_at, time.monotonic())
            except RedisError as error:
                log.warning("the scheduler waits for Redis: %s", error)
            time.sleep(_TICK_SECONDS)
    finally:
        with contextlib.suppress(RedisError):
            lock.release()  # the next one need not wait for the lock to fall


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def strike_due(next_at: dict[Strike, float], moment: float) -> list[Strike]:
    """Enqueue what is due at `moment` (seconds of a steady clock) and say what that was."""
    due = [strike for strike, at in next_at.items() if at <= moment]
    for strike in due:
        queue.enqueue(strike.job, name=strike.queue)
        next_at[strike] = moment + strike.seconds
    return due


def _leads(lock: Lock) -> bool:
    """Keep the lock, or try to get it. One that was frozen past the lock's life finds it taken and rings nothing."""
    if lock.local.token is not None:
        try:
            lock.reacquire()
        except LockError:
            lock.local.token = None
        else:
            return True
    return bool(lock.acquire(blocking=False))
