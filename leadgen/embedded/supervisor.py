"""Starts the parts of the product as children of one process, starts again what dies, and ends them all."""

import contextlib
import gc
import http.client
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import click

from leadgen.embedded.processes import Guard, adopt_orphans, detach, die_with_parent, members, signal_sessions
from leadgen.embedded.servers import Server

GRACE = 3.5  # seconds that a part gets to end by itself; all must be over in five
_FIRST_DELAY = 0.5  # seconds before a part that died starts again; doubles with each death
_LONGEST_DELAY = 30.0
_CALM = 60.0  # seconds after which a part counts as healthy and its delay starts anew
_PATIENCE = 60.0  # seconds after which we say that the web does not answer
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class _Child:
    """A part or a server: how it starts, whether it lives, and when it may start again."""

    name: str
    start: Callable[[], None]
    delay: float = _FIRST_DELAY
    started_at: float = 0.0
    due_at: float | None = None

    def revive(self, now: float, how: str) -> None:
        """Called when the child is found dead: wait with growing patience, then start it."""
        if self.due_at is None:
            if now - self.started_at > _CALM:
                self.delay = _FIRST_DELAY
            self.due_at = now + self.delay
            click.echo(f"{self.name} ended ({how}); it starts again in {self.delay:g} s", err=True)
            self.delay = min(self.delay * 2, _LONGEST_DELAY)
        elif now >= self.due_at:
            self.due_at, self.started_at = None, now
            self.start()


class Supervisor:
    """Keeps parts and servers alive until a signal comes; see `run`."""

    def __init__(self, parts: Mapping[str, Callable[[], None]], servers: Sequence[Server], guard: Guard) -> None:
        """`servers` run already; the parts start with `keep`."""
        self._parts = parts
        self._servers = servers
        self._guard = guard
        self._pids: dict[str, int] = {}
        self._ends: dict[str, str] = {}
        self._sessions: set[int] = set()
        now = time.monotonic()
        self._children = [_Child(name, partial(self._fork, name), started_at=now) for name in parts]
        self._server_children = [
            _Child(server.name, partial(self._respawn, server), started_at=now) for server in servers
        ]

    def keep(self, wake: int, *, port: int, ready: str) -> None:
        """Start the parts and keep everything alive until a byte arrives on `wake` because of a signal."""
        adopt_orphans()
        gc.freeze()  # what is imported now is shared by all children, and stays shared
        for name in self._parts:
            self._fork(name)
        waiting_since: float | None = time.monotonic()
        while not _stop_wanted(wake, 0.1 if waiting_since else 0.5):
            self._reap()
            self._revive()
            if waiting_since is not None:
                waiting_since = _announce(port, ready, waiting_since)

    def end(self, wake: int) -> None:
        """End all parts: TERM, and KILL after `GRACE` seconds or at a second Ctrl-C."""
        for pid in self._pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        asked_at = time.monotonic()
        while self._pids and time.monotonic() < asked_at + GRACE:
            # One Ctrl-C may reach us twice, from the terminal and from make; within a second it counts as one.
            if _stop_wanted(wake, 0.05) and time.monotonic() > asked_at + 1:
                break
            self._reap()
        signal_sessions(self._sessions, signal.SIGKILL)
        while members(self._sessions):
            self._reap()
            time.sleep(0.01)
        self._reap()

    def _fork(self, name: str) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _live(self._parts[name], self._guard, parent)
        self._guard.watch(pid)
        self._pids[name] = pid
        self._sessions.add(pid)

    def _respawn(self, server: Server) -> None:
        server.spawn()
        if server.process is not None:
            self._guard.watch(server.process.pid)

    def _reap(self) -> None:
        """Collect who ended, orphans of our parts included; what is left of a dead part's session is killed."""
        for server in self._servers:
            server.is_running()  # collects its own process, before the loop below would
        for pid, how in _ended():
            for name in [name for name, known in self._pids.items() if known == pid]:
                del self._pids[name]
                self._ends[name] = how
                signal_sessions({pid}, signal.SIGKILL)
                self._sessions.discard(pid)

    def _revive(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.name not in self._pids:
                child.revive(now, self._ends.get(child.name, "it never started"))
        for child, server in zip(self._server_children, self._servers, strict=True):
            if not server.is_running():
                child.revive(now, f"see {server.log}")


def _ended() -> Iterator[tuple[int, str]]:
    """Every child that ended, and how."""
    with contextlib.suppress(ChildProcessError):
        while (end := os.waitpid(-1, os.WNOHANG))[0]:
            code = os.waitstatus_to_exitcode(end[1])
            yield end[0], f"exit {code}" if code >= 0 else signal.Signals(-code).name


def _live(call: Callable[[], None], guard: Guard, parent: int) -> None:
    """The whole life of a part; never returns."""
    status = 1
    try:
        detach()
        die_with_parent(signal.SIGTERM)
        guard.watch(os.getpid())
        guard.let_go()
        for number in (*_SIGNALS, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        if os.getppid() == parent:  # it may have died before the line above asked to be told
            call()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - a forked child must never run on into its parent's code
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _stop_wanted(wake: int, seconds: float) -> bool:
    """Sleep until a signal comes, at most so long; whether the signal was one that ends us."""
    if not select.select([wake], [], [], seconds)[0]:
        return False
    return any(number in _SIGNALS for number in os.read(wake, 64))


def _announce(port: int, ready: str, since: float) -> float | None:
    """Say once that the web answers, or each minute that it does not. Returns since when we wait; None: it answers."""
    if _is_healthy(port):
        click.echo(ready)
        return None
    now = time.monotonic()
    if now - since > _PATIENCE:
        click.echo(
            f"The web has not answered on port {port} for {_PATIENCE:g} s; what stands above may say why.", err=True
        )
        return now
    return since


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=0.5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def signals_as_bytes() -> Iterator[int]:
    """Within: the signals that end us arrive as bytes on the file descriptor, and as nothing else."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # A hang-up that somebody chose to ignore (nohup) stays ignored.
    heard = [number for number in (*_SIGNALS, signal.SIGCHLD) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda *_: None) for number in heard}
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


def run(
    parts: Mapping[str, Callable[[], None]], *, servers: Sequence[Server], guard: Guard, port: int, ready: str
) -> None:
    """Run the parts until SIGINT or SIGTERM, then end them in under 5 seconds.

    Each part is forked from this process, so what is imported here is imported once. A part that ends is started again,
    after 0.5 seconds at first and 30 at most; so is a server. `ready` is printed when /healthz answers on `port`.
    """
    supervisor = Supervisor(parts, servers, guard)
    with signals_as_bytes() as wake:
        try:
            supervisor.keep(wake, port=port, ready=ready)
            click.echo("stopping")
        finally:
            supervisor.end(wake)
