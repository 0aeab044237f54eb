"""What each hot path costs the servers: CPU milliseconds per request and per mail, beside a floor in the same round."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from bench import campaign, cpu, people
from bench.double import Double
from bench.figures import Rounds, report, say
from bench.people import Spent
from bench.stack import Stack, granian, wait_for_http
from leadgen.embedded.processes import free_port
from leadgen.simulator import pages
from leadgen.simulator.client import Answer
from leadgen.simulator.loop import Loop

_AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
_TABLES = ("contact", "entry", "consent", "message", "fact", "ledger", "ledger_pending")
_BULK = 5000  # nurture mails in a round
_OTHER_JOBS = ("leadgen.entries.jobs.fold_points", "leadgen.reactions.drain")


class Hands:
    """The process that does single jobs when told to."""

    def __init__(self, stack: Stack) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.hands"],
            env=stack.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def start(self, line: str) -> None:
        """Tell it to do this; do not wait."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def do(self, line: str, loop: Loop | None = None) -> None:
        """One job, to its end; `loop` is turned meanwhile, for jobs that call the provider's double."""
        self.start(line)
        while not self.is_done():
            if loop is None:
                time.sleep(0.005)
            else:
                loop.turn()

    def end(self) -> None:
        """No more jobs."""
        self.process.kill()
        self.process.wait()

    def is_done(self) -> bool:
        """Whether it has done what it was told."""
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        said = self.process.stdout.readline()
        if not said and self.process.poll() is not None:
            raise RuntimeError("the process that does the jobs has ended")
        return bool(said)


class Bench:
    """One run: servers, floors, the provider's double, and what the rounds measured."""

    def __init__(self, stack: Stack, double: Double, slug: str, number: int) -> None:
        self.stack = stack
        self.double = double
        self.number = number
        self.rounds = Rounds()
        self.slug = slug
        self.floor_port = free_port()
        stack.start("floors", granian("bench.floors:app", self.floor_port, 2))
        wait_for_http(self.floor_port, "/empty", lambda: True)
        self.hands = Hands(stack)
        with stack.connect() as connection:
            row = connection.execute("SELECT id, brand_id FROM campaign WHERE slug = %s", [self.slug]).fetchone()
        assert row is not None
        self.campaign_id, self.brand_id = row

    def round(self, number: int) -> None:
        """Every hot path once, each beside its floor."""
        emails = [f"round{number}.person{index}@mail.example" for index in range(self.number)]
        landing = self.web("landing", [self.get(f"/c/{self.slug}") for _ in emails], 200)
        self.floor("empty", [self.get("/empty", self.floor_port) for _ in emails])
        time.sleep(1.0)  # a form sent back within a second is taken for a script's
        before = self.counts()
        entered = self.web("enter", self.entries(landing.answers, emails), 303)
        ours, before = self.added(before), self.counts()
        floor_entries = [self.post("/enter", self.floor_fields(f"floor.{email}"), self.floor_port) for email in emails]
        written = self.floor("floor enter", floor_entries)
        same_rows("enter", ours, self.added(before))
        self.web("waiting", [self.get(_location(answer)) for answer in entered.answers], 200)
        self.jobs("confirmation mail", "leadgen.mail.jobs.pump_confirmations", self.number)
        self.confirm(emails, written)

    def confirm(self, emails: Sequence[str], written: Spent) -> None:
        """The second half of a round: from the confirmation mail on."""
        links = [self.double.link_of(email, "/confirm/") for email in emails]
        views = self.web("confirm view", [self.get(link) for link in links], 200)
        before = self.counts()
        confirmed = self.web(
            "confirm", [_confirmation(self, *pair) for pair in zip(views.answers, links, strict=True)], 303
        )
        ours, before = self.added(before), self.counts()
        ids = [_location(answer)[1:] for answer in written.answers]
        self.floor("floor confirm", [self.post("/confirm", [("entry", number)], self.floor_port) for number in ids])
        same_rows("confirm", ours, self.added(before))
        for job in (*_OTHER_JOBS, "leadgen.mail.jobs.pump_mail"):
            self.do(job)
        self.web("person", [self.get(_location(answer)) for answer in confirmed.answers], 200)

    def web(self, name: str, wires: Sequence[bytes], expected: int) -> Spent:
        """Send to the product; CPU of web and PostgreSQL counts."""
        spent = people.send(self.stack.port, wires, pids=self.stack.pids("web", "postgres"), name=name)
        _check(name, spent.answers, expected)
        self.rounds.add(name, spent.ms)
        return spent

    def floor(self, name: str, wires: Sequence[bytes]) -> Spent:
        """Send to the floors."""
        spent = people.send(self.floor_port, wires, pids=self.stack.pids("floors", "postgres"), name=name)
        _check(name, spent.answers, 200 if name == "empty" else 303)
        self.rounds.add(name, spent.ms)
        return spent

    def do(self, line: str) -> None:
        """One job, to its end; the provider's double answers meanwhile."""
        self.hands.do(line, self.double.loop)

    def jobs(self, name: str, job: str, mails: int) -> None:
        """Run a pump until it has sent so many mails; CPU of its process, PostgreSQL and Valkey per mail."""
        roots = [self.hands.process.pid, *self.stack.pids("postgres", "valkey")]
        before, taken = cpu.used(roots), self.double.mails
        for _ in range(50):
            self.do(job)
            if self.double.mails - taken >= mails:
                break
        else:
            raise RuntimeError(f"{job} sent {self.double.mails - taken} of {mails} mails")
        self.rounds.add(name, (cpu.used(roots) - before) * 1000 / mails)

    def bulk(self, number: int, mails: int, slow: int) -> None:
        """A blast of nurture mails, and the usual way to send a few of them."""
        first, last = campaign.want_bulk(self.stack, f"bulk{number}", mails)
        self.jobs("bulk mail", "leadgen.mail.jobs.pump_mail", mails)
        roots = [self.hands.process.pid, *self.stack.pids("postgres", "valkey")]
        before = cpu.used(roots)
        self.do(f"floor {first} {min(first + slow - 1, last)}")
        self.rounds.add("floor mail", (cpu.used(roots) - before) * 1000 / slow)

    def counts(self) -> dict[str, int]:
        """Rows of the tables that the hot paths write."""
        with self.stack.connect() as connection:
            rows = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in _TABLES}
        return {name: int(str(row[0])) for name, row in rows.items() if row}

    def added(self, before: dict[str, int]) -> dict[str, int]:
        """How many rows each table has more than before."""
        return {name: count - before[name] for name, count in self.counts().items()}

    def get(self, path: str, port: int = 0) -> bytes:
        """A GET as a phone's browser sends it."""
        return self._head("GET", path, port) + b"\r\n"

    def post(self, path: str, fields: list[tuple[str, str]], port: int = 0) -> bytes:
        """A form as a phone's browser sends it."""
        body = pages.encode(fields)
        kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        return self._head("POST", path, port) + kind.encode() + body

    def entries(self, shown: Sequence[Answer], emails: Sequence[str]) -> list[bytes]:
        """Filled-in forms of these landing pages."""
        wires = []
        for answer, email in zip(shown, emails, strict=True):
            form = pages.form_with(answer.body, "email")
            assert form is not None
            fields = [*form.hidden().items(), ("email", email), ("first_name", "Camille")]
            fields += [("consent_rules", "y"), ("consent_marketing", "y")]
            wires.append(self.post(form.action or f"/c/{self.slug}", fields))
        return wires

    def floor_fields(self, email: str) -> list[tuple[str, str]]:
        """The same for the floor, which knows nothing by itself."""
        ids = [("campaign", str(self.campaign_id)), ("brand", str(self.brand_id))]
        return [*ids, ("email", email), ("first_name", "Camille")]

    def _head(self, method: str, path: str, port: int) -> bytes:
        host = f"Host: 127.0.0.1:{port or self.stack.port}\r\nUser-Agent: {_AGENT}\r\n"
        return f"{method} {path} HTTP/1.1\r\n{host}Accept: text/html\r\nAccept-Language: en-GB,en;q=0.9\r\n".encode()


def same_rows(what: str, ours: dict[str, int], floor: dict[str, int]) -> None:
    """A floor that writes other rows than we do is no floor."""
    if ours != floor:
        raise RuntimeError(f"{what}: the product wrote {ours}, the floor {floor}")


def _location(answer: Answer) -> str:
    return pages.path_of(answer.header(b"location"))


def _confirmation(bench: Bench, shown: Answer, link: str) -> bytes:
    form = pages.form_to(shown.body, "")
    assert form is not None
    return bench.post(form.action or link, list(form.hidden().items()))


def _check(name: str, answers: Sequence[Answer], expected: int) -> None:
    wrong = [answer for answer in answers if answer.status != expected]
    if wrong:
        raise RuntimeError(f"{name}: {len(wrong)} answers of {wrong[0].status}: {wrong[0].body[:2000]!r}")


def measure(stack: Stack, double: Double, slug: str, *, rounds: int, number: int) -> None:
    """CPU per request and per mail."""
    bench = Bench(stack, double, slug, number)
    say("warming up")
    campaign.make_bulk_people(stack, slug, _BULK)
    bench.round(0)
    bench.bulk(0, _BULK, 20)
    bench.rounds.values.clear()
    for turn in range(1, rounds + 1):
        say(f"round {turn} of {rounds}: hot paths")
        bench.round(turn)
        bench.bulk(turn, _BULK, 100)
    bench.hands.end()
    stack.stop("floors")
    for name, floor, goal in (
        ("landing", "empty", 1.5),
        ("enter", "floor enter", 3.0),
        ("waiting", "empty", None),
        ("confirm view", "empty", None),
        ("confirm", "floor confirm", 3.0),
        ("person", "empty", 5.0),
        ("confirmation mail", "floor mail", None),
        ("bulk mail", "floor mail", 0.02),
    ):
        report(bench.rounds, name, floor, goal)
