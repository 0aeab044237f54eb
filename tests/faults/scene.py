"""Where faults strike: the product between wires that can be cut, people who enter, mails that wait, the audit."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import redis
from psycopg.errors import DeadlockDetected, LockNotAvailable

from bench import people as crowds
from bench.double import Double
from bench.stack import Stack
from leadgen.mail import audit as mail_audit
from leadgen.mail.audit import Told
from leadgen.simulator import pages
from leadgen.simulator.client import Answer, Ask, Crowd, Life, Pause, Target, source_of
from tests.doubles.strangers import Strangers

PATIENCE = float(
    os.environ.get("FAULT_PATIENCE", "120")
)  # seconds after a fault within which every mail is handed over or visibly failed
# How old a lease, or an unknown outcome, has to be before the test lets its two, or fifteen, minutes be over.
_LEASED, _UNKNOWN = 6.0, 2.0
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
_UNDONE = """
SELECT (SELECT count(*) FROM message m WHERE status = 'scheduled' AND due_at <= %(now)s + interval '60 seconds'
            AND NOT EXISTS (SELECT FROM stream s WHERE s.id = m.stream_id AND s.state <> 'open'))
     + (SELECT count(*) FROM message WHERE status IN ('sending', 'uncertain'))
     + (SELECT count(*) FROM provider_event WHERE applied_at IS NULL)
"""
_AGE = f"""
UPDATE message SET lease_until = clock_timestamp() - interval '1 second'
WHERE (status = 'sending' AND lease_until < clock_timestamp() + interval '{120 - _LEASED} seconds')
   OR (status = 'uncertain' AND lease_until < clock_timestamp() + interval '{900 - _UNKNOWN} seconds')
"""
_CLEAN = """
SET session_replication_role = replica; SET lock_timeout = '3s';
TRUNCATE contact, suppression, fact, ledger_pending, provider_event, message_move CASCADE;
DELETE FROM points_bucket; UPDATE stream SET state = 'open', reason = ''; RESET session_replication_role
"""
_PEOPLE = """
WITH people AS (
    INSERT INTO contact (brand_id, mailbox_key, email, address_hash, first_name, locale, email_verified_at,
                         marketing_at, created_at)
    SELECT k.brand_id, p.email, p.email, p.hash, 'Camille', k.default_locale,
           CASE WHEN %(confirmed)s THEN %(before)s::timestamptz END,
           CASE WHEN %(confirmed)s THEN %(before)s::timestamptz END, %(before)s
    FROM unnest(%(emails)s::text[], %(hashes)s::bytea[]) AS p (email, hash), campaign k WHERE k.slug = %(slug)s
    RETURNING id
), agreed AS (
    INSERT INTO consent (brand_id, contact_id, campaign_id, purpose, action, at, channel)
    SELECT k.brand_id, people.id, k.id, 'marketing', 'confirmed', %(before)s, 'button_post'
    FROM people, campaign k WHERE k.slug = %(slug)s AND %(confirmed)s
), joined AS (
    INSERT INTO entry (public_id, code, brand_id, campaign_id, contact_id, status, locale, rules_version,
                       is_marketing_wanted, code_expires_at, last_mail_at, expires_at, confirmed_at, reached_at,
                       created_at)
    SELECT %(tag)s || people.id, upper(%(tag)s) || people.id, k.brand_id, k.id, people.id,
           CASE WHEN %(confirmed)s THEN 'confirmed' ELSE 'pending' END, k.default_locale, 1, true, %(now)s,
           %(before)s, %(now)s + interval '7 days', CASE WHEN %(confirmed)s THEN %(before)s::timestamptz END,
           CASE WHEN %(confirmed)s THEN %(before)s::timestamptz END, %(before)s
    FROM people, campaign k WHERE k.slug = %(slug)s
    RETURNING *
), greeted AS (
    -- Who is confirmed already is as if imported: the confirmation was wanted and found nothing to confirm.
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, locale, context,
                         status, reason, due_at, expires_at, created_at)
    SELECT 'doi:' || id || ':1:1', brand_id, campaign_id, contact_id, id, 'confirmation', 'confirmation', 'confirm',
           locale, jsonb_build_object('entry', id, 'generation', 1, 'code_number', 1),
           CASE WHEN %(confirmed)s THEN 'skipped' ELSE 'scheduled' END,
           CASE WHEN %(confirmed)s THEN 'not_pending' ELSE '' END, %(now)s, %(now)s + interval '1 day', %(before)s
    FROM joined
)
INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, stream_id, domain_group, purpose,
                     letter, step_id, locale, context, due_at, expires_at, created_at)
SELECT 'seq:' || id, brand_id, campaign_id, contact_id, id, 'nurture', (SELECT min(stream_id) FROM sequence), 'other',
       'marketing', 'sequence', (SELECT min(id) FROM step), locale,
       jsonb_build_object('entry', id, 'access_version', 1, 'code', code), %(now)s, %(now)s + interval '1 day', %(now)s
FROM joined WHERE %(confirmed)s
"""
_tags = itertools.count(1)
_sources = itertools.count(900_000)


class FaultyStack(Stack):
    """The product, reaching Redis and its mail provider through wires that can be cut."""

    def __init__(self, strangers: Callable[[FaultyStack], Strangers], settings: dict[str, str]) -> None:
        super().__init__(settings, tuned=False)
        self.is_worn = False  # whether a case has struck it
        self.strangers = strangers(self)
        self._settings = settings | {"SENDGRID_API_BASE": f"http://127.0.0.1:{self.strangers.ports['provider']}"}

    @property
    def environment(self) -> dict[str, str]:
        """The product's own, with Redis behind the wire."""
        self.strangers.lead("redis", self.valkey.port)
        behind = self.valkey.url.replace(f":{self.valkey.port}/", f":{self.strangers.ports['redis']}/")
        return super().environment | {"REDIS_URL": behind}

    def end(self) -> None:
        """End the product, then the strangers."""
        super().end()
        self.strangers.close()

    def clean(self) -> None:
        """No person is left, and nothing that concerns one; the workers may be looking at them meanwhile."""
        for _attempt in range(20):
            try:
                with self.connect() as connection:
                    connection.execute(_CLEAN)
            except (DeadlockDetected, LockNotAvailable):
                continue
            return
        raise RuntimeError("the tables cannot be cleaned")

    def is_ready(self) -> bool:
        """Whether Redis knows the workers that live: one that still starts hears no signal and no bell."""
        with redis.from_url(self.valkey.url) as client:
            known = {client.hget(name, "pid") for name in client.smembers("rq:workers")}
        return {str(self.parts[f"worker {number}"].pid).encode() for number in (1, 2)} <= known

    def renew(self) -> None:
        """New workers and a new scheduler: of the old ones some may be about to end of what a case did to them."""
        for name in ("worker 1", "worker 2", "scheduler"):
            if name in self.parts:
                self.stop(name)
        with redis.from_url(self.valkey.url) as client:
            client.flushall()
        self.start_workers()

    def stop_postgres(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: orderly and at once; SIGQUIT: no checkpoint, every connection broken, recovery from the log."""
        process = self.postgres.process
        assert process is not None
        process.send_signal(number)
        process.wait()

    def start_postgres(self) -> None:
        """Start it again on its port and data."""
        self.postgres.spawn()
        while not self.postgres.answers():
            time.sleep(0.05)


class Scene:
    """One case: a clean house at the start, `settle` and `audit` at the end."""

    def __init__(self, stack: FaultyStack, double: Double, slug: str, chance: random.Random) -> None:
        self.stack = stack
        self.provider = stack.strangers
        self.slug = slug
        self.chance = chance
        self.loop = double.loop
        self.journal: list[Told] = []
        self.seconds: list[float] = []  # that entries took to be answered
        self.tag = f"t{next(_tags)}x"
        self._form: tuple[float, str, list[tuple[str, str]]] | None = None

    def clean(self) -> None:
        """Forget the cases before this one; the campaign and its letters stay."""
        self.provider.forget()
        for name in ("redis", "provider"):
            self.provider.wire(name, "pass")
        self.stack.revive()
        self.stack.clean()
        client = self.redis()
        for key in client.scan_iter("leadgen:[npr]*"):  # notes, paces, rings; not the scheduler's lock
            client.delete(key)
        if not self.stack.is_ready():  # a worker that outlived a FLUSHALL is not in RQ's list any more
            self.stack.renew()
        self.wait(self.stack.is_ready, "both workers are ready")

    def redis(self) -> redis.Redis:
        """The real server, past the wire."""
        return redis.from_url(self.stack.valkey.url)

    def now(self) -> dt.datetime:
        """The product's time."""
        return self.stack.clock.now()

    # -- what happens --------------------------------------------------------------------------------------------------

    def want(self, *, confirmations: int = 0, letters: int = 0) -> None:
        """So many confirmations, and letters of a sequence, due now."""
        for number, is_confirmed in ((confirmations, False), (letters, True)):
            word = "letter" if is_confirmed else "confirm"
            emails = [f"{self.tag}{word}{n}@mail.example" for n in range(number)]
            with self.stack.connect() as connection:
                key = connection.execute("SELECT address_key FROM installation").fetchone()
                assert key is not None
                hashes = [hmac.digest(bytes(key[0]), email.encode(), hashlib.sha256) for email in emails]  # type: ignore[arg-type]
                values = {"emails": emails, "hashes": hashes, "slug": self.slug, "confirmed": is_confirmed}
                values |= {"tag": self.tag, "now": self.now(), "before": self.now() - dt.timedelta(minutes=1)}
                connection.execute(_PEOPLE, values)

    def pump(self) -> None:
        """Wake both workers."""
        for _ in range(2):
            self.stack.ring("leadgen.mail.jobs.pump_mail")

    def enter(self, number: int, *, meanwhile: Sequence[tuple[float, Callable[[], None]]] = ()) -> list[str]:
        """So many people enter, eight at a time, and insist until they are told that they are in.

        `meanwhile` happens so many seconds after the first form is sent. Answers their addresses.
        """
        form = self.form()
        emails = [f"{self.tag}{next(_tags)}@mail.example" for _ in range(number)]
        crowd = Crowd(self.loop, Target("127.0.0.1", self.stack.port), crowds.NoPostbox())
        waiting = iter(emails)
        for seconds, deed in meanwhile:
            self.loop.later(seconds, deed)

        def visit() -> Life:
            for email in waiting:
                wire = self.wire("POST", form[0], self.filled(form[1], email))
                began = time.monotonic()
                answer = yield Ask("enter", wire)
                self.seconds.append(time.monotonic() - began)
                while answer.status != 303:
                    assert answer.status in {0, 500, 502, 503}, (answer.status, answer.body[:300])
                    yield Pause(0.3)
                    answer = yield Ask("enter", wire)
                self.journal.append(Told("entered", email, self.now()))

        for _ in range(min(8, number)):
            crowd.start(visit(), source_of(next(_sources)))
        self.wait(lambda: not crowd.lines, "the people are in")
        return emails

    def ask(self, method: str, path: str, fields: Sequence[tuple[str, str]] = ()) -> Answer:
        """One request of one person; status 0 when nobody answers."""
        crowd = Crowd(self.loop, Target("127.0.0.1", self.stack.port), crowds.NoPostbox())
        answers: list[Answer] = []

        def visit() -> Life:
            answers.append((yield Ask("ask", self.wire(method, path, fields))))

        crowd.start(visit(), source_of(next(_sources)))
        self.loop.run(lambda: not crowd.lines)
        return answers[0]

    def form(self) -> tuple[str, list[tuple[str, str]]]:
        """Where the landing page's form goes and what it sends by itself; more than a second old."""
        if self._form is None:
            answer = self.ask("GET", f"/c/{self.slug}")
            found = pages.form_with(answer.body, "email")
            assert found is not None, answer.status
            self._form = (time.monotonic(), found.action or f"/c/{self.slug}", list(found.hidden().items()))
            self.loop.later(1.2, lambda: None)
            self.loop.run(lambda: self._form is not None and time.monotonic() > self._form[0] + 1.1)
        return self._form[1:]

    def filled(self, hidden: list[tuple[str, str]], email: str) -> list[tuple[str, str]]:
        """The form as a person fills it in."""
        boxes = [("first_name", "Jane"), ("consent_rules", "1"), ("consent_marketing", "1")]
        return [*hidden, ("email", email), *boxes]

    def wire(self, method: str, path: str, fields: Sequence[tuple[str, str]] = ()) -> bytes:
        """The bytes of a request."""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.stack.port}\r\nUser-Agent: {_AGENT}\r\n"
        if method == "GET":
            return f"{head}\r\n".encode()
        body = pages.encode(list(fields))
        kind = "Content-Type: application/x-www-form-urlencoded\r\n"
        return f"{head}{kind}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def tell(self, events: Sequence[dict[str, Any]], *, forged: bool = False) -> int:
        """The provider posts events."""
        return self.provider.post(self.stack.base_url, events, int(self.now().timestamp()), forged=forged)

    @staticmethod
    def say(words: str) -> None:
        """A figure for the reader of a long run (`-s`), or of a failure."""
        sys.stdout.write(f"{words}\n")

    # -- what came of it -----------------------------------------------------------------------------------------------

    def wait(self, is_over: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Turn the loop, and start again what ended by itself, until it is so."""
        deadline = time.monotonic() + seconds
        while not is_over():
            assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}; {self.state()}"
            self.stack.revive()
            self.loop.later(0.05, lambda: None)
            self.loop.turn()

    def state(self) -> str:
        """How mails, notes and processes stand, for the reader of a failure."""
        with self.stack.connect() as connection:
            mails = connection.execute("SELECT lane, status, reason, count(*) FROM message GROUP BY 1, 2, 3").fetchall()
        notes = {key: self.redis().get(key) for key in self.redis().scan_iter("leadgen:note:*")}
        logs = {name: self.stack.log(name)[-600:] for name in self.stack.parts}
        return f"{mails}, {notes}, {self.provider.calls()[-5:]}, {logs}"

    def pause(self, seconds: float) -> None:
        """Let so much time pass."""
        until = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() >= until, "time passes")

    def number(self, condition: str) -> int:
        """How many messages are like this."""
        return self.value(f"SELECT count(*) FROM message WHERE {condition}")

    def value(self, statement: str) -> int:
        """The one number that a statement gives."""
        with self.stack.connect() as connection:
            row = connection.execute(statement).fetchone()
        assert row is not None
        return int(str(row[0]))

    def settle(self, *, is_ringing: bool = True) -> None:
        """Until nothing is due, on its way, or unknown; the minutes that leases take are shortened to seconds.

        `is_ringing=False` leaves it to the product's own scheduler to wake the workers.
        """
        due = 0.0

        def is_settled() -> bool:
            nonlocal due
            if time.monotonic() < due:
                return False
            due = time.monotonic() + 0.5
            with self.stack.connect() as connection:
                row = connection.execute(_UNDONE, {"now": self.now()}).fetchone()
                aged = connection.execute(_AGE).rowcount
            if row == (0,):
                return True
            if is_ringing:
                for job in (*(["sweep"] if aged else []), "pump_mail", "apply_receipts"):
                    self.stack.ring(f"leadgen.mail.jobs.{job}")
            return False

        self.wait(is_settled, "everything is settled")

    def lose_leases(self) -> None:
        """Nobody who held a lease lives: let the two minutes be over."""
        with self.stack.connect() as connection:
            connection.execute("UPDATE message SET lease_until = clock_timestamp() WHERE status = 'sending'")

    def audit(self) -> mail_audit.Report:
        """Nothing is broken; the report."""
        with self.stack.connect() as connection:
            report = mail_audit.audit(connection, log=mail_audit.read_log(self.provider.path), journal=self.journal)
        assert report.wrong == {}
        assert report.unknown == 0
        return report

    def finish(self) -> None:
        """What must hold after each case."""
        self.settle()
        self.audit()


def seed() -> int:
    """The seed of this run: FAULT_SEED, else a new one; shown when the test fails."""
    chosen = int(os.environ.get("FAULT_SEED") or random.randrange(10**6))
    sys.stdout.write(f"seed={chosen}, replay with FAULT_SEED={chosen}\n")
    return chosen
