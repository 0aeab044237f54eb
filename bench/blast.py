"""A blast to a large base: writing its messages, draining them, memory, and confirmations that come between."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from bench import campaign, cpu
from bench.double import Double
from bench.figures import say, show
from bench.hot import Hands
from bench.stack import Stack
from leadgen.simulator import people
from leadgen.simulator.client import Crowd, Target, source_of
from leadgen.simulator.life import Outcome, Stage, live

_EXPAND = "leadgen.broadcasts.jobs.expand"
_PUMP = "leadgen.mail.jobs.pump_mail"
_SMALL = 10_000  # mails in the shorter queue
_DRAINED = 100_000
_FLOOR = 100
_LATENCY = 0.2  # seconds until the provider answers
_ALONE_SECONDS = 15.0
_COMERS, _COMERS_PER_SECOND, _PATIENCE = 160, 4.0, 15.0
_SCHEDULED = "SELECT count(*), coalesce(max(id), 0) FROM message WHERE lane = 'bulk' AND status = 'scheduled'"


class Blast:
    """One broadcast to `base` people."""

    def __init__(self, stack: Stack, double: Double, slug: str, base: int) -> None:
        self.stack = stack
        self.double = double
        self.slug = slug
        self.base = base
        double.events, double.latency, double.is_keeping_addresses = None, 0.0, False
        say(f"making {base:,} confirmed people")
        campaign.make_bulk_people(stack, slug, base, name="blast")
        with stack.connect() as connection:
            connection.execute("ANALYZE")
        stack.clock.forward(86400.0)
        self.hands = Hands(stack)

    def measure(self) -> None:
        """All figures, in the order in which a campaign would meet them."""
        self.expand()
        self.hands.do(_PUMP, self.double.loop)  # warm: templates, plans, connections
        long = self.memory(10_000)
        self.drain(min(_DRAINED, self.base // 2))
        self.beside_confirmations()
        self.keep_only(_SMALL)
        short = self.memory(_SMALL)
        show(
            figure="memory of the process that drains",
            unit="MiB at most",
            value=long,
            queued=self.base,
            with_10000_queued=short,
            goal="within 20 MiB of each other",
            met=abs(long - short) <= 20.0,
        )
        self.hands.end()

    def expand(self) -> None:
        """From the press of the button to a row for everybody."""
        say("writing the messages of a broadcast")
        self.hands.do(f"broadcast {self.slug}")
        roots = [self.hands.process.pid, *self.stack.pids("postgres", "valkey")]
        spent, began = cpu.used(roots), time.monotonic()
        while self.wanted() < self.base:
            self.hands.do(_EXPAND)
        seconds = time.monotonic() - began
        goal = 60.0 * self.base / 1e6
        show(
            figure="expanding a broadcast",
            unit="s",
            value=seconds,
            messages=self.base,
            cpu_seconds=cpu.used(roots) - spent,
            goal=goal,
            met=seconds <= goal,
        )

    def drain(self, mails: int) -> None:
        """The price of a mail of a large blast, beside one RQ job and one API call for each."""
        say(f"draining {mails:,} messages")
        queued, last = self.scheduled()
        roots = [self.hands.process.pid, *self.stack.pids("postgres", "valkey")]
        spent, taken, began = cpu.used(roots), self.double.mails, time.monotonic()
        while self.double.mails - taken < mails:
            self.hands.do(_PUMP, self.double.loop)
        drained, seconds = self.double.mails - taken, time.monotonic() - began
        value = (cpu.used(roots) - spent) * 1000 / drained
        spent = cpu.used(roots)
        self.hands.do(f"floor {last - _FLOOR + 1} {last}", self.double.loop)
        floor = (cpu.used(roots) - spent) * 1000 / _FLOOR
        show(
            figure="blast mail",
            unit="CPU-ms of the servers",
            value=value,
            mails=drained,
            queued=queued,
            mails_per_second_one_process=drained / seconds,
            floor=floor,
            floor_is="one RQ SimpleWorker job and one API call for each mail",
            ratio=value / floor,
            goal=0.02,
            met=value / floor <= 0.02,
        )

    def beside_confirmations(self) -> None:
        """Two workers and a slow provider: first the blast alone, then with people who enter meanwhile."""
        say("two workers, a provider that answers after 200 ms")
        self.double.latency = _LATENCY
        self.stack.start_workers()
        alone = self.rate(_ALONE_SECONDS)
        show(
            figure="blast, two workers, provider answers after 200 ms",
            unit="mails/s",
            value=alone,
            queued=self.scheduled()[0],
            goal=2000,
            met=alone >= 2000,
        )
        queued = self.scheduled()[0]
        seconds = self.confirmations()
        slow = sorted(seconds)[int(len(seconds) * 0.95)]
        show(
            figure="a fresh confirmation while a blast is drained",
            unit="s from the form to the provider, 95 %",
            value=slow,
            median=statistics.median(seconds),
            slowest=max(seconds),
            confirmations=len(seconds),
            due_bulk_mails=queued,
            goal=5.0,
            met=slow < 5.0,
        )
        for name in ("worker 1", "worker 2", "scheduler"):
            self.stack.stop(name)
        self.double.latency = 0.0

    def rate(self, seconds: float) -> float:
        """Mails a second that the provider takes."""
        taken, began = self.double.mails, time.monotonic()
        self.double.loop.run(lambda: self.double.mails > taken)  # until the workers are awake
        taken, began = self.double.mails, time.monotonic()
        self.double.loop.run(lambda: time.monotonic() - began >= seconds)
        return (self.double.mails - taken) / (time.monotonic() - began)

    def confirmations(self) -> list[float]:
        """People enter one after the other; for each the seconds until the provider has their confirmation."""
        crowd = Crowd(self.double.loop, Target("127.0.0.1", self.stack.port), self.double)
        stage = Stage(crowd.target.authority, self.slug, Outcome(), pace=0.0, form_seconds=1.05)
        cast = list(people.cast(4_711, _COMERS))
        self.double.taken_at = {}
        began = time.monotonic()

        def is_over() -> bool:
            while cast and time.monotonic() >= began + (_COMERS - len(cast)) / _COMERS_PER_SECOND:
                crowd.start(live(cast.pop(0), stage), source_of(len(cast)))
            return time.monotonic() >= began + _COMERS / _COMERS_PER_SECOND + _PATIENCE

        self.double.loop.run(is_over)
        crowd.hang_up()
        with self.stack.connect() as connection:
            rows = connection.execute(
                "SELECT opaque_id::text, extract(epoch FROM created_at) FROM message WHERE letter = 'confirm'"
            ).fetchall()
        taken, shift = self.double.taken_at, self.stack.clock.seconds
        return [taken[reference] + shift - float(at) for reference, at in rows if reference in taken]

    def memory(self, mails: int) -> float:
        """MiB of the process at their highest while it sends so many mails."""
        taken, highest = self.double.mails, 0.0
        while self.double.mails - taken < mails and self.scheduled()[0]:
            self.hands.do(_PUMP, self.double.loop)
            status = Path(f"/proc/{self.hands.process.pid}/status").read_text()
            highest = max(highest, int(status.split("VmRSS:")[1].split()[0]) / 1024)
        return highest

    def keep_only(self, mails: int) -> None:
        """Take the rest of the blast out of the queue."""
        with self.stack.connect() as connection:
            connection.execute(
                "DELETE FROM message WHERE lane = 'bulk' AND status = 'scheduled' AND id NOT IN "
                "(SELECT id FROM message WHERE lane = 'bulk' AND status = 'scheduled' ORDER BY id LIMIT %s)",
                [mails],
            )

    def wanted(self) -> int:
        """How many messages the broadcast has."""
        with self.stack.connect() as connection:
            row = connection.execute("SELECT wanted FROM broadcast ORDER BY id DESC LIMIT 1").fetchone()
        return int(row[0]) if row else 0

    def scheduled(self) -> tuple[int, int]:
        """How many messages of the blast wait, and the last one's id."""
        with self.stack.connect() as connection:
            row = connection.execute(_SCHEDULED).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])
