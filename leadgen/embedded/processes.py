"""Processes that never outlive us: death with the parent, sessions that are ended whole, a guard for the worst case."""

import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_SET_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
_prctl: Callable[..., int] | None = getattr(ctypes.CDLL(None), "prctl", None)


class CannotStart(Exception):
    """The reason why something cannot start, as one sentence that says what to do."""


# Below those that systems hand to clients, Linux from 32768 on: a server that comes back finds its port free.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A loopback port that nobody listens on at this moment and that no client gets by chance afterwards."""
    while is_taken(port := secrets.choice(_PORTS)):
        continue
    return port


def is_taken(port: int) -> bool:
    """Whether somebody already listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def die_with_parent(number: signal.Signals) -> None:
    """Ask the kernel (Linux) to send this process `number` when its parent ends, however the parent ends."""
    if _prctl is not None:
        _prctl(_SET_DEATH_SIGNAL, int(number))


def adopt_orphans() -> None:
    """Ask the kernel (Linux) to hand orphaned descendants to this process, so that it can reap them."""
    if _prctl is not None:
        _prctl(_SET_SUBREAPER, 1)


def is_alive(pid: int) -> bool:
    """Whether the process exists and is not just an entry that waits to be reaped."""
    return any(pid == other for other, _ in _living())


def program_of(pid: int) -> str:
    """The name of the program that the process runs; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    return subprocess.run(
        ["ps", "-p", str(pid), "-o", "comm="], check=False, capture_output=True, text=True
    ).stdout.strip()


def members(sessions: Collection[int]) -> list[int]:
    """The living processes of these sessions. A work-horse leaves its parent's process group, but never its session."""
    return [pid for pid, session in _living() if session in sessions]


def signal_sessions(sessions: Collection[int], number: signal.Signals) -> None:
    """Send `number` to every process of these sessions."""
    for pid in members(sessions):
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def end_sessions(sessions: Collection[int], *, grace: float) -> None:
    """Ask every process of these sessions to end, wait up to `grace` seconds, then kill what is left."""
    signal_sessions(sessions, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while members(sessions):
        if time.monotonic() > deadline:
            signal_sessions(sessions, signal.SIGKILL)
            return
        time.sleep(0.05)


def _living() -> Iterable[tuple[int, int]]:
    """(pid, session) of every process that runs."""
    if not Path("/proc/self/stat").exists():
        yield from _living_by_ps()
        return
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name in parentheses may itself hold spaces and parentheses: read what follows the last one.
            state, _parent, _group, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if state not in "ZX":
            yield int(entry.name), int(session)


def _living_by_ps() -> Iterable[tuple[int, int]]:
    listing = subprocess.run(["ps", "-A", "-o", "pid=,stat="], check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        pid, state = line.split()[:2]
        try:
            session = os.getsid(int(pid))
        except OSError:
            continue
        if not state.startswith("Z"):
            yield int(pid), session


class Guard:
    """A small process that ends the sessions it was told of when ours dies without a word, even by SIGKILL.

    The death signal of the kernel reaches children only; work-horses and web workers are grandchildren. The guard
    notices our death because the pipe that it reads closes.
    """

    def __init__(self, *, grace: float = 4.0, afterwards: Callable[[], None] = lambda: None) -> None:
        """Fork the guard; `afterwards` is what it does last when we died (removing files that name us, say)."""
        reader, self._pipe = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._pipe)
            _stand_guard(reader, grace, afterwards)
        os.close(reader)

    def watch(self, session: int) -> None:
        """End this session too, should we die."""
        with contextlib.suppress(BrokenPipeError):  # somebody killed the guard; the kernel's death signal remains
            os.write(self._pipe, b"%d\n" % session)

    def let_go(self) -> None:
        """In a child: drop the pipe, which must be held by the one process that is guarded."""
        os.close(self._pipe)

    def dismiss(self) -> None:
        """All is ended in good order: the guard leaves without touching anything."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, b"done\n")
        os.close(self._pipe)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _stand_guard(reader: int, grace: float, afterwards: Callable[[], None]) -> None:
    """The guard's whole life; never returns."""
    status = 0
    try:
        detach()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        with os.fdopen(reader) as pipe:
            words = pipe.read().split()
        if "done" not in words:
            end_sessions({int(word) for word in words}, grace=grace)
            afterwards()
    except BaseException:  # noqa: BLE001 - a forked child must never run on into its parent's code
        status = 1
    finally:
        os._exit(status)


def detach() -> None:
    """Give this process a session of its own and nothing of the terminal but its two outputs."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.flush()
