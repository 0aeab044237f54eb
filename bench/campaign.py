"""Plays the model campaign against a running stack as fast as the stack allows, and says what it cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
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
SELECT (SELECT count(*) FROM message WHERE status IN ('scheduled', 'sending') AND due_at <= %(now)s)
     + (SELECT count(*) FROM ledger_pending) + (SELECT count(*) FROM fact WHERE announced_at IS NULL)
     + (SELECT count(*) FROM enrolment WHERE status = 'active' AND next_run_at <= %(now)s)
     + (SELECT count(*) FROM provider_event WHERE applied_at IS NULL)
"""
_BULK_PEOPLE = """
WITH people AS (
    INSERT INTO contact (brand_id, mailbox_key, email, address_hash, first_name, locale, email_verified_at,
                         marketing_at, created_at)
    SELECT c.brand_id, %(name)s || n || '@mail.example', %(name)s || n || '@mail.example',
           decode(md5(%(name)s || n), 'hex'),
           'Camille', c.default_locale, %(now)s, %(now)s, %(now)s
    FROM generate_series(1, %(number)s) AS n, campaign c WHERE c.slug = %(slug)s
    RETURNING id
)
INSERT INTO entry (public_id, code, brand_id, campaign_id, contact_id, status, locale, rules_version,
                   is_marketing_wanted, code_expires_at, last_mail_at, expires_at, confirmed_at, created_at)
SELECT 'bulk' || people.id, 'BULK' || people.id, c.brand_id, c.id, people.id, 'confirmed', c.default_locale, 1, true,
       %(now)s, %(now)s, %(now)s, %(now)s, %(now)s
FROM people, campaign c WHERE c.slug = %(slug)s
"""
_WANT_BULK = """
WITH wanted AS (
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, stream_id, domain_group, purpose,
                         letter, step_id, locale, context, due_at, expires_at, created_at)
    SELECT %(tag)s || ':' || id, brand_id, campaign_id, contact_id, id, 'nurture',
           (SELECT min(stream_id) FROM sequence), 'other', 'marketing', 'sequence',
           (SELECT min(id) FROM step), locale, jsonb_build_object('entry', id, 'access_version', 1, 'code', code),
           %(now)s - interval '1 second', %(now)s + interval '1 day', %(now)s
    FROM entry WHERE code LIKE 'BULK%%' ORDER BY id LIMIT %(mails)s
    RETURNING id
) SELECT min(id), max(id) FROM wanted
"""
_DAY = 86400.0
# The seeded sequence: ten minutes, two days, three days. A minute more each time, and whole days keep the hour.
LEAPS = (660.0, 2 * _DAY + 60, 3 * _DAY + 60)
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
    at_once: int = AT_ONCE,
    progress: Callable[[int], None] = lambda _done: None,
    nurture: Sequence[float] = (),
) -> Played:
    """Let `number` people play; returns when they are through, their mails are out and nothing is left to do.

    `nurture` are the leaps of the clock after which the letters of a sequence are due, in seconds.
    """
    loop = double.loop
    crowd = Crowd(loop, Target("127.0.0.1", stack.port), double)
    stage = Stage(crowd.target.authority, slug, Outcome(), pace=0.0, form_seconds=_FORM_SECONDS)
    cast = people.cast(seed, number)
    before, own = _spent(stack), time.process_time()
    began = time.monotonic()
    is_over = False

    def let_in() -> None:
        while len(crowd.lines) < at_once and (person := next(cast, None)):
            crowd.start(live(person, stage), source_of(seed * 7919 + person.number))

    def have_left() -> bool:
        let_in()
        progress(crowd.tally.finished)
        return crowd.tally.finished >= number

    double.now = lambda: stack.clock.now().timestamp()
    provider = Crowd(loop, crowd.target, double)
    provider.start(double.webhooks(crowd.target.authority, lambda: is_over), "127.0.0.1")
    loop.run(have_left)
    entering = time.monotonic() - began
    settle(loop, stack, double)
    for leap in nurture:
        stack.clock.forward(leap)
        stack.ring("leadgen.nurture.jobs.plan")
        settle(loop, stack, double)
    seconds = time.monotonic() - began
    after = _spent(stack)
    is_over = True
    loop.run(lambda: not provider.lines)
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
            row = connection.execute(_UNSETTLED, {"now": stack.clock.now()}).fetchone()
            if row == (0,) and not double.events:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{row} things are still undone after {seconds:g} s")
            due = time.monotonic() + _SETTLED_EVERY


def prepare(stack: Stack) -> str:
    """Let the seeded live campaign run for a year, and hold nobody who plays in it; its slug.

    Who plays is a program that fills forms in a second, and the review finds that: what is audited is what counts.
    """
    with stack.connect() as connection:
        row = connection.execute(
            "UPDATE campaign SET ends_at = ends_at + interval '1 year', fraud_preset = 'relaxed', "
            "version = version + 1 WHERE id = (SELECT min(id) FROM campaign WHERE status = 'live') RETURNING slug"
        ).fetchone()
    if row is None:
        raise RuntimeError("the seed made no live campaign")
    return str(row[0])


def make_bulk_people(stack: Stack, slug: str, number: int, name: str = "bulk") -> None:
    """Confirmed people who agreed to nurture mails, written straight into the tables."""
    with stack.connect() as connection:
        connection.execute(_BULK_PEOPLE, {"slug": slug, "number": number, "name": name, "now": stack.clock.now()})


def want_bulk(stack: Stack, tag: str, mails: int) -> tuple[int, int]:
    """Put a nurture mail to each of so many of these people into the outbox; the first and last id.

    Three days pass first: nobody gets two marketing mails in two days.
    """
    stack.clock.forward(3 * _DAY)
    with stack.connect() as connection:
        row = connection.execute(_WANT_BULK, {"tag": tag, "mails": mails, "now": stack.clock.now()}).fetchone()
    assert row is not None
    return int(str(row[0])), int(str(row[1]))


def settings(double: Double) -> dict[str, str]:
    """The product's settings with the double as provider; not “production” only because there no clock can be moved."""
    own = {"SENDGRID_API_BASE": double.url, "SENDGRID_WEBHOOK_PUBLIC_KEY": double.public_key}
    return {"LEADGEN_ENV": "development", "MAIL_PROVIDER": "sendgrid", "SENDGRID_API_KEY": "SG.bench", **own}


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
