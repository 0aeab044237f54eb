"""The whole product on free ports: PostgreSQL, Valkey, web, workers and scheduler, for whoever measures or tests."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

import psycopg
import redis
from rq import Queue
from rq.serializers import JSONSerializer

from leadgen.embedded.postgres import Postgres
from leadgen.embedded.processes import Guard, die_with_parent, free_port, members, signal_sessions
from leadgen.embedded.valkey import Valkey

ROOT = Path(__file__).resolve().parents[1]
# What an operator would set on a machine of this size; every commit is flushed to the disk.
_PRODUCTION = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min", "max_connections": "200"}
_PATIENCE = 60.0  # seconds until the web must answer


class TunedPostgres(Postgres):
    """PostgreSQL with production's settings in place of development's."""

    def command(self) -> Sequence[str]:
        """Later options win over earlier ones."""
        return [
            *super().command(),
            *(word for name, value in _PRODUCTION.items() for word in ("-c", f"{name}={value}")),
        ]


class Clock:
    """Moves the clock of all processes of a stack; begins at noon, since nobody gets marketing mails at night."""

    def __init__(self, path: Path) -> None:
        self.path = path
        paris = dt.datetime.now(ZoneInfo("Europe/Paris"))
        self.seconds = (paris.replace(hour=12, minute=0) - paris).total_seconds()
        self.forward(0)

    def now(self) -> dt.datetime:
        """What the product takes for the present moment."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.seconds)

    def forward(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self.seconds += seconds
        draft = self.path.with_suffix(".draft")
        draft.write_text(str(self.seconds))
        draft.replace(self.path)


class Stack:
    """Started by `with`; ended, with all its processes and data, when the block is left or this process dies."""

    def __init__(
        self, settings: Mapping[str, str], *, workers: int = 2, scheduler: bool = True, tuned: bool = True
    ) -> None:
        """`settings` are the product's environment besides addresses and key."""
        self.folder = Path(tempfile.mkdtemp(prefix="leadgen-stack-"))
        self.folder.chmod(0o755)
        self.postgres = (TunedPostgres if tuned else Postgres)(self.folder / "postgres")
        self.valkey = Valkey(self.folder / "valkey", durable=True)
        self.port = free_port()
        self._settings = settings
        self._workers = workers
        self._has_scheduler = scheduler
        self._guard = Guard(grace=1.0, afterwards=self._remove)
        self.clock = Clock(self.folder / "clock")
        self.parts: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, Sequence[str]] = {}

    @property
    def base_url(self) -> str:
        """Where people reach the product."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the product is started with."""
        own = {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.valkey.url, "SECRET_KEY": self._key}
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **inherited,
            **own,
            "BASE_URL": self.base_url,
            "PORT": str(self.port),
            **self._places(),
            **self._settings,
        }

    _key = secrets.token_urlsafe(48)

    def _places(self) -> dict[str, str]:
        return {"CLOCK_FILE": str(self.clock.path), "MAIL_DIR": str(self.folder / "mail")}

    def __enter__(self) -> Self:
        """Start servers, make tables, seed, start web, workers and scheduler, wait until the web answers."""
        try:
            for server in (self.postgres, self.valkey):
                server.start()
                assert server.process is not None
                self._guard.watch(server.process.pid)
            for words in (["db", "upgrade"], ["seed"]):
                self.flask(*words)
            self.start_web()
            for number in range(1, self._workers + 1):
                self.start_worker(number)
            if self._has_scheduler:
                self.start_scheduler()
            self._wait_for_workers(self._workers)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything."""
        self.end()

    def start_web(self) -> None:
        """Start granian on our port and wait for it."""
        self.start("web", granian("wsgi:app", self.port, 2))
        wait_for_http(self.port, "/healthz", lambda: self.parts["web"].poll() is None)

    def start_workers(self) -> None:
        """Start two workers and the scheduler, unless they run."""
        if "scheduler" not in self.parts:
            for number in (1, 2):
                self.start_worker(number)
            self.start_scheduler()
            self._wait_for_workers(2)

    def start_worker(self, number: int) -> None:
        """Start worker `number` (again)."""
        self.start(f"worker {number}", self._flask("worker"))

    def _wait_for_workers(self, number: int) -> None:
        """A worker is there when RQ knows it: what it needs to start shall not count as work."""
        deadline = time.monotonic() + _PATIENCE
        with redis.from_url(self.valkey.url) as client:
            while int(client.scard("rq:workers")) < number:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the workers do not start: {self.log('worker 1')}")
                time.sleep(0.05)

    def start_scheduler(self) -> None:
        """Start the scheduler."""
        self.start("scheduler", self._flask("scheduler"))

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a process of our own session with the product's environment; its words go to a log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no threads run here
            )
        self._guard.watch(process.pid)
        self.parts[name] = process
        self._commands[name] = command
        return process

    def revive(self) -> None:
        """Start again what has ended by itself, as the supervisor and systemd do."""
        for name in [name for name, process in self.parts.items() if process.poll() is not None]:
            self.start(name, self._commands[name])

    def kill(self, name: str) -> None:
        """SIGKILL to a part and everything that it forked, at once."""
        process = self.parts.pop(name)
        signal_sessions({process.pid}, signal.SIGKILL)
        process.wait()

    def kill_work_horses(self, name: str) -> None:
        """SIGKILL to what a worker forked, not to the worker."""
        worker = self.parts[name].pid
        for pid in members({worker}):
            if pid != worker:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def stop(self, name: str, *, grace: float = 10.0) -> None:
        """Ask a part to end."""
        process = self.parts.pop(name)
        process.terminate()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            signal_sessions({process.pid}, signal.SIGKILL)
            process.wait()

    def pids(self, *names: str) -> list[int]:
        """The roots of these parts; “postgres” and “valkey” are the servers."""
        servers = {"postgres": self.postgres.process, "valkey": self.valkey.process}
        found = [servers.get(name) or self.parts[name] for name in names]
        return [process.pid for process in found]

    def flask(self, *words: str) -> str:
        """Run `flask --app wsgi …` to its end; its output."""
        done = subprocess.run(
            self._flask(*words), cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"flask {' '.join(words)} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def ring(self, job: str) -> None:
        """Put a job on the most urgent queue, as the scheduler would do some seconds later."""
        with redis.from_url(self.valkey.url) as client:
            Queue("urgent", connection=client, serializer=JSONSerializer).enqueue(job, result_ttl=0)

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the onlooker's own, autocommitting."""
        return psycopg.connect(self.postgres.url, autocommit=True)

    def log(self, name: str) -> str:
        """The last words of a part."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def end(self) -> None:
        """End all processes and remove the data."""
        sessions = {process.pid for process in self.parts.values()}
        signal_sessions(sessions, signal.SIGTERM)
        deadline = time.monotonic() + 3
        while members(sessions) and time.monotonic() < deadline:
            for process in self.parts.values():
                process.poll()
            time.sleep(0.02)
        signal_sessions(sessions, signal.SIGKILL)
        for process in self.parts.values():
            process.wait()
        for server in (self.valkey, self.postgres):
            server.stop()
        self._guard.dismiss()
        self._remove()

    def _remove(self) -> None:
        home = self.folder / "postgres"
        if home.is_symlink():
            shutil.rmtree(home.resolve(), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _flask(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "flask", "--app", "wsgi", *words]


def granian(app: str, port: int, workers: int) -> list[str]:
    """The command of the web server, as production runs it."""
    options = {"--interface": "wsgi", "--host": "127.0.0.1", "--port": port, "--workers": workers}
    options |= {"--blocking-threads": 1, "--log-level": "warning"}
    program = str(Path(sys.executable).with_name("granian"))
    return [program, *(str(word) for pair in options.items() for word in pair), app]


def wait_for_http(port: int, path: str, is_alive: object) -> None:
    """Wait until this path answers 200."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
        if callable(is_alive) and not is_alive():
            break
    raise RuntimeError(f"nothing answers on port {port}")
