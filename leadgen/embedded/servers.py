"""What the two embedded servers have in common: one child process, one port, one log, and data that stay."""

import abc
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leadgen.embedded.processes import CannotStart, die_with_parent, free_port

_START_TIMEOUT = 60.0  # seconds; a crash recovery takes its time
_ATTEMPTS = 4
_LOG_LIMIT = 1_000_000  # bytes
FOREIGN = "The folder {folder} belongs to somebody else: run as its owner, or remove it to start with empty data."


class Server(abc.ABC):
    """A server as our own child on loopback. It dies with us, keeps its port over a restart and its data over a run."""

    name: str
    stop_signal: signal.Signals

    def __init__(self, home: Path) -> None:
        """`home` is the folder that holds everything of this server."""
        self.home = home
        self.log = home.parent / f"{home.name}.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abc.abstractmethod
    def url(self) -> str:
        """Where the product reaches this server, password included."""

    @abc.abstractmethod
    def prepare(self) -> None:
        """Make everything that must exist before the process starts. Raises CannotStart."""

    @abc.abstractmethod
    def command(self) -> Sequence[str]:
        """The command line."""

    @abc.abstractmethod
    def answers(self) -> bool:
        """Whether the server takes our questions."""

    def configuration(self) -> bytes:
        """What the server reads from its standard input."""
        return b""

    def identity(self) -> Mapping[str, Any]:
        """As whom the process runs, as arguments of Popen."""
        return {}

    def start(self) -> None:
        """Start and wait until the server answers. Raises CannotStart with its last words."""
        self.prepare()
        for attempt in range(1, _ATTEMPTS + 1):
            # The free port may be gone when the server binds, and leftovers of a killed server need a moment.
            self.port = free_port()
            self.spawn()
            if self._came_up():
                return
            time.sleep(0.2 * attempt)
        raise CannotStart(f"{self.name} ended while starting. Its last words, from {self.log}: {self._last_words()}")

    def spawn(self) -> None:
        """Start the process on the known port and return at once."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.unlink()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(self.stop_signal),  # noqa: PLW1509 - no threads run here
                **self.identity(),
            )
        assert self.process.stdin is not None
        with self.process.stdin as stdin:
            stdin.write(self.configuration())

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self, *, grace: float = 10.0) -> None:
        """End the process: politely, and after `grace` seconds by force."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _came_up(self) -> bool:
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline:
            if not self.is_running():
                return False
            if self.answers():
                return True
            time.sleep(0.01)
        self.stop()
        return False

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " / ".join(lines[-3:]) or "none"


def make_private(folder: Path) -> None:
    """Create a folder that only its owner reads; raises CannotStart when the place is not ours."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except PermissionError as error:
        raise CannotStart(FOREIGN.format(folder=folder)) from error


def write_private(path: Path, text: str) -> None:
    """Write a file that only we may read, complete or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def kept_secret(path: Path) -> str:
    """The secret in this private file, made up at the first call."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(48))
    return path.read_text().strip()
