"""Everything around `make run`: one run per folder, a free port, servers, their addresses for other terminals."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from leadgen.embedded import supervisor
from leadgen.embedded.postgres import Postgres
from leadgen.embedded.processes import CannotStart, Guard, die_with_parent, is_alive, is_taken
from leadgen.embedded.servers import FOREIGN, Server, kept_secret, write_private
from leadgen.embedded.valkey import Valkey

_ADDRESSES = "run.env"  # config.py reads it in development, so that `flask --app wsgi …` finds the running servers
_PREVIOUS_ENDING = 10.0  # seconds that the remains of a killed run may need


@dataclass(frozen=True)
class Run:
    """One run of the product in this folder: its servers answer, its parts start with `supervise`."""

    port: int
    servers: tuple[Server, ...]
    guard: Guard

    def supervise(self, parts: Mapping[str, Callable[[], None]], *, ready: str) -> None:
        """Run the parts until a signal comes. Close pooled connections first: a forked child must not share them."""
        supervisor.run(parts, servers=self.servers, guard=self.guard, port=self.port, ready=ready)


@contextlib.contextmanager
def running(folder: Path, *, port: int, settings: Mapping[str, str]) -> Iterator[Run]:
    """Start the servers that the environment does not name, put their URLs there, and end them afterwards.

    `settings` are what the product needs besides; what the environment names already wins, and a SECRET_KEY is made up
    and kept. All of it stands in `run.env` while we run, so that commands in another terminal find this product.
    `folder` keeps data, logs and passwords. Raises CannotStart with one sentence when another run holds the folder, the
    port is taken, or a server does not start.
    """
    _follow_make()
    with _end_by_exception(), _only_run(folder, port):
        if is_taken(port):
            raise CannotStart(
                f"Port {port} is in use by another program: choose another one with `make run PORT={port + 1}`."
            )
        addresses = folder / _ADDRESSES
        guard = Guard(afterwards=lambda: addresses.unlink(missing_ok=True))
        servers = _wanted(folder)
        try:
            _start(servers, guard)
            os.environ["PORT"] = str(port)
            own = {"PORT": str(port), "SECRET_KEY": kept_secret(folder / "secret.key"), **settings}
            for name, value in own.items():
                os.environ.setdefault(name, value)
            names = ("DATABASE_URL", "REDIS_URL", *own)
            write_private(addresses, "".join(f"{name}={os.environ[name]}\n" for name in names))
            yield Run(port, tuple(servers.values()), guard)
        finally:
            for server in servers.values():
                server.stop()
            addresses.unlink(missing_ok=True)
            guard.dismiss()


def _wanted(folder: Path) -> dict[str, Server]:
    servers: dict[str, Server] = {"DATABASE_URL": Postgres(folder / "postgres"), "REDIS_URL": Valkey(folder / "valkey")}
    return {setting: server for setting, server in servers.items() if not os.environ.get(setting)}


def _start(servers: Mapping[str, Server], guard: Guard) -> None:
    for setting, server in servers.items():
        server.start()
        if server.process is not None:
            guard.watch(server.process.pid)
        os.environ[setting] = server.url


def _follow_make() -> None:
    """When make started us, end with it: a killed make must not leave a product behind that nobody sees."""
    if "MAKELEVEL" in os.environ:
        die_with_parent(signal.SIGTERM)


@contextlib.contextmanager
def _end_by_exception() -> Iterator[None]:
    """SIGTERM while we still prepare unwinds like Ctrl-C, so that the servers are ended."""

    def leave(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _only_run(folder: Path, port: int) -> Iterator[None]:
    """Hold the folder. The kernel lets go when the last process of a run ends, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "run.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except PermissionError as error:
        raise CannotStart(FOREIGN.format(folder=folder)) from error
    with os.fdopen(lock, "r+") as file:
        _take(file.fileno(), folder)
        file.truncate(0)
        file.write(f"{os.getpid()} {port}")
        file.flush()
        yield
        file.truncate(0)


def _take(lock: int, folder: Path) -> None:
    deadline = time.monotonic() + _PREVIOUS_ENDING
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, port = _holder(folder)
            if is_alive(pid) or time.monotonic() > deadline:
                message = (
                    f"Leadgen already runs in this folder (process {pid}, http://127.0.0.1:{port}): stop it first."
                )
                raise CannotStart(message) from None
            time.sleep(0.1)  # the run was killed and its remains are being ended
        else:
            return


def _holder(folder: Path) -> tuple[int, int]:
    words = (folder / "run.lock").read_text().split()
    return (int(words[0]), int(words[1])) if len(words) == 2 else (0, 0)
