"""Plays the model campaign against a running stack as fast as the stack allows, and says what it cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from bench import cpu
from bench.double import Double
from bench.stack import Stack
from leadgen.simulator import people
from leadgen.simulator.client import Crowd, Target, source_of
from leadgen.simulator.life import Outcome, Stage, live
from leadgen.simulator.loop import Loop

AT_ONCE = 500  # people inside the campaign; most of them are reading the form or waiting for their mail
_FORM_SECONDS = 1.05  # a form sent back within a second is taken for a script's
_SETTLED_EVERY = 0.25
_UNSETTLED = """
SELECT (SELECT count(*) FROM message WHERE status IN ('scheduled', 'sending') AND due_at <= now())
     + (SELECT count(*) FROM ledger_pending) + (SELECT count(*) FROM fact WHERE announced_at IS NULL)
     + (SELECT count(*) FROM enrolment WHERE status = 'active' AND next_run_at <= now())
     + (SELECT count(*) FROM provider_event WHERE applied_at IS NULL)
"""
_WANT_BULK = """
WITH people AS (
    SELECT e.*, row_number() OVER (ORDER BY e.id) - 1 AS place, count(*) OVER () AS crowd
    FROM entry e JOIN contact c ON c.id = e.contact_id
    WHERE e.status = 'confirmed' AND c.marketing_at IS NOT NULL AND c.email NOT LIKE 'floor.%%'
), wanted AS (
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, step_id, locale,
                         context, due_at, expires_at, created_at)
    SELECT %(tag)s || ':' || number, brand_id, campaign_id, contact_id, id, 'nurture', 'marketing', 'sequence',
           (SELECT min(id) FROM step), locale, jsonb_build_object('entry', id, 'access_version', 1, 'code', code),
           now() - interval '1 second', now() + interval '1 day', now()
    FROM generate_series(0, %(mails)s - 1) AS number JOIN people ON place = number %% crowd
    RETURNING id
) SELECT min(id), max(id) FROM wanted
"""
PARTS = {"web": ("web",), "postgres": ("postgres",), "valkey": ("valkey",)}


@dataclass
class Played:
    """One play: how many leads a second, and CPU milliseconds per lead of each part."""

    people: int
    entering_seconds: float  # until the last person left
    seconds: float  # until everything was settled
    cpu_ms: dict[str, float]
    generator_ms: float
    outcome: Outcome
    milliseconds: dict[str, tuple[float, float]] = field(default_factory=dict)  # median and 99 % by request

    @property
    def leads_per_second(self) -> float:
        """Until everything was settled."""
        return self.people / self.seconds

    @property
    def servers_ms(self) -> float:
        """CPU of all servers for one lead."""
        return sum(self.cpu_ms.values())


def play(
    stack: Stack,
    double: Double,
    *,
    slug: str,
    number: int,
    seed: int,
    progress: Callable[[int], None] = lambda _done: None,
    with_events: bool = True,
) -> Played:
    """Let `number` people play; returns when they are through, their mails are out and nothing is left to do."""
    loop = double.loop
    crowd = Crowd(loop, Target("127.0.0.1", stack.port), double)
    stage = Stage(crowd.target.authority, slug, Outcome(), pace=0.0, form_seconds=_FORM_SECONDS)
    cast = people.cast(seed, number)
    before, own = _spent(stack), time.process_time()
    began = time.monotonic()
    is_over = False

    def let_in() -> None:
        while len(crowd.lines) < AT_ONCE and (person := next(cast, None)):
            crowd.start(live(person, stage), source_of(seed * 7919 + person.number))

    def have_left() -> bool:
        let_in()
        progress(crowd.tally.finished)
        return crowd.tally.finished >= number

    if with_events:
        provider = Crowd(loop, crowd.target, double)
        provider.start(double.webhooks(crowd.target.authority, lambda: is_over), "127.0.0.1")
    loop.run(have_left)
    entering = time.monotonic() - began
    settle(loop, stack, double)
    seconds = time.monotonic() - began
    after = _spent(stack)
    is_over = True
    spent = {name: (after[name] - before[name]) * 1000 / number for name in after}
    generator = (time.process_time() - own) * 1000 / number
    return Played(number, entering, seconds, spent, generator, stage.outcome, _times(crowd))


def settle(loop: Loop, stack: Stack, double: Double, *, seconds: float = 600.0) -> None:
    """Turn the loop until no work is left in the tables. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    due = 0.0
    with psycopg.connect(stack.postgres.url, autocommit=True) as connection:
        while True:
            loop.turn()
            if time.monotonic() < due:
                continue
            row = connection.execute(_UNSETTLED).fetchone()
            if row == (0,) and not double.events:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{row} things are still undone after {seconds:g} s")
            due = time.monotonic() + _SETTLED_EVERY


def use_bench_settings(stack: Stack, slug: str) -> None:
    """Nurture mails follow at once, and in a time zone where it is day: the play shall not wait."""
    hour = time.gmtime().tm_hour
    zone = f"Etc/GMT{hour - 12:+d}"  # in these names the sign is turned round: here it is noon
    with stack.connect() as connection:
        connection.execute("UPDATE step SET delay_seconds = 0")
        connection.execute("UPDATE campaign SET timezone = %s, version = version + 1 WHERE slug = %s", [zone, slug])
        connection.execute("UPDATE brand SET timezone = %s", [zone])


def live_slug(stack: Stack) -> str:
    """The slug of the seeded live campaign."""
    with stack.connect() as connection:
        row = connection.execute("SELECT slug FROM campaign WHERE status = 'live' ORDER BY id LIMIT 1").fetchone()
    if row is None:
        raise RuntimeError("the seed made no live campaign")
    return str(row[0])


def want_bulk(stack: Stack, tag: str, mails: int) -> tuple[int, int]:
    """Put so many nurture mails to confirmed people into the outbox; the first and last id."""
    with stack.connect() as connection:
        row = connection.execute(_WANT_BULK, {"tag": tag, "mails": mails}).fetchone()
    if row is None or row[0] is None:
        raise RuntimeError("nobody is there to be written to")
    return int(str(row[0])), int(str(row[1]))


def settings(double: Double) -> dict[str, str]:
    """The product's settings: production's, with the double as provider."""
    own = {"SENDGRID_API_BASE": double.url, "SENDGRID_WEBHOOK_PUBLIC_KEY": double.public_key}
    return {"LEADGEN_ENV": "production", "MAIL_PROVIDER": "sendgrid", "SENDGRID_API_KEY": "SG.bench", **own}


def _spent(stack: Stack) -> dict[str, float]:
    workers = [name for name in stack.parts if name.startswith(("worker", "scheduler"))]
    groups = {**PARTS, "workers": tuple(workers)}
    return {group: cpu.used(stack.pids(*names)) for group, names in groups.items()}


def _times(crowd: Crowd) -> dict[str, tuple[float, float]]:
    found = {}
    for name, times in crowd.tally.seconds.items():
        times.sort()
        found[name] = (times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000)
    return found
