"""One table: when the clock strikes, which job. One scheduler leads, the others wait for its lock to fall."""

from __future__ import annotations

from rq.cron import CronScheduler

from leadgen.core import queue
from leadgen.core.queue import BELL_QUEUES, Bell, QueueName

# Seconds between two calls, the job's dotted name, and the queue it goes to.
SCHEDULE: tuple[tuple[int, str, QueueName], ...] = (
    *((10, bell.value, BELL_QUEUES[bell]) for bell in Bell),
    (30, "leadgen.mail.jobs.sweep", QueueName.MAIL),
    (60, "leadgen.campaigns.jobs.move_on", QueueName.EVENTS),
    (300, "leadgen.entries.jobs.remind", QueueName.SLOW),
    (3600, "leadgen.entries.jobs.purge", QueueName.SLOW),
    (86400, "leadgen.entries.jobs.audit_points", QueueName.SLOW),
)
LEADER_SECONDS = 15


class LeaderCron(CronScheduler):
    """RQ's scheduler, led: it has no election of its own, so two of them would enqueue everything twice."""

    def start(self) -> None:
        """Wait to become the leader, then keep the schedule until stopped."""
        self.lock = self.connection.lock("leadgen:scheduler", timeout=LEADER_SECONDS, sleep=0.5)
        with self.lock:
            super().start()

    def heartbeat(self) -> None:
        """Stay the leader; a scheduler that was frozen and lost the lock ends here and is started anew."""
        self.lock.reacquire()
        super().heartbeat()

    def calculate_sleep_interval(self) -> float:
        """Never sleep past a third of the lock's life."""
        return min(super().calculate_sleep_interval(), LEADER_SECONDS / 3)


def run() -> None:
    """Be the scheduler, or the one that takes over, until the process is told to end."""
    cron = LeaderCron(connection=queue.connection(seconds=None), logging_level="WARNING")
    for seconds, job, name in SCHEDULE:
        cron.register(job, name.value, interval=seconds)
    cron.start()
