"""While 500 people play the whole campaign, everything that can be killed is; afterwards everything is there, once."""

from __future__ import annotations

import random
import signal
import sys
import threading
from collections.abc import Callable

import redis

from bench import campaign
from bench.audit import audit
from bench.double import Double
from tests.faults.scene import FaultyStack

PEOPLE = 500
# What 15 minutes and a sweep would do, in seconds: a mail without an answer counts as unknown, then goes again or not.
_HURRY = """
UPDATE message SET lease_until = clock_timestamp() - interval '1 second'
WHERE (status = 'sending' AND lease_until < clock_timestamp() + interval '115 seconds')
   OR (status = 'uncertain' AND lease_until < clock_timestamp() + interval '14 minutes 52 seconds')
"""


def test_killing_workers_flushing_redis_and_restarting_postgres_loses_and_doubles_nothing(
    stack: FaultyStack, double: Double, slug: str
) -> None:
    """Rule 5: the database is the record; what dies or forgets around it loses nothing."""
    seed = random.randrange(10**6)
    sys.stdout.write(f"seed {seed}\n")  # shown when the test fails
    chance = random.Random(seed)
    # Each fault strikes once, after so many people are through.
    faults: list[tuple[int, Callable[[FaultyStack], None]]] = sorted(
        ((chance.randint(30, 400), fault) for fault in (_kill_workers, _flush_redis, _restart_postgres, _kill_a_horse)),
        key=lambda pair: pair[0],
    )
    struck: list[str] = []

    def progress(done: int) -> None:
        while faults and done >= faults[0][0]:
            _, fault = faults.pop(0)
            fault(stack)
            struck.append(fault.__name__)

    calm_down = _hurry(stack, double)
    double.latency = 0.02
    played = campaign.play(stack, double, slug=slug, number=PEOPLE, seed=seed, at_once=150, progress=progress)
    calm_down()
    double.latency = 0.0
    with stack.connect() as connection:
        findings = audit(
            connection,
            entered=played.outcome.entered_emails,
            confirmed=played.outcome.confirmed_emails,
            taken=double.by_id,
            # What the provider may or may not have taken is parked for people to see, unless it is a confirmation.
            ignore=["mails that failed"],
        )
        failed = connection.execute("SELECT letter, reason FROM message WHERE status = 'failed'").fetchall()
    assert len(struck) == 4
    assert findings.wrong == {}
    assert findings.counts["told entered"] == PEOPLE
    assert all(letter != "confirm" and reason == "no_answer" for letter, reason in failed)
    assert played.outcome.refused == {}


def _kill_workers(stack: FaultyStack) -> None:
    for number in (1, 2):
        stack.kill(f"worker {number}")
        stack.start_worker(number)


def _kill_a_horse(stack: FaultyStack) -> None:
    """The process in which a job runs, alone, as the system does when memory is short."""
    stack.kill_work_horses("worker 1")


def _flush_redis(stack: FaultyStack) -> None:
    with redis.from_url(stack.valkey.url) as client:
        client.flushall()


def _restart_postgres(stack: FaultyStack) -> None:
    stack.stop_postgres(signal.SIGQUIT)
    stack.start_postgres()


def _hurry(stack: FaultyStack, double: Double) -> Callable[[], None]:
    """From now on leases end in seconds and ended parts start again, until what is answered is called."""
    is_over = threading.Event()

    def once() -> None:
        if is_over.is_set():
            return
        with stack.connect() as connection:
            changed = connection.execute(_HURRY).rowcount
        stack.revive()  # RQ's worker ends when its records vanish under it
        if changed:
            stack.ring("leadgen.mail.jobs.sweep")
        double.loop.later(1.0, once)

    double.loop.later(5.0, once)
    return is_over.set
