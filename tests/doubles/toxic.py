"""A wire between two processes that can be cut, swallowed or slowed while both run."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

_CHUNK = 1 << 16


class Toxic:
    """Forwards a port of its own to `upstream`, as long as its mode is `pass`.

    `refuse` closes the door and all open connections; `hole` takes what comes and lets nothing through, either way;
    `delay` seconds pass before each chunk goes on.
    """

    def __init__(self) -> None:
        self.upstream = 0
        self.mode = "pass"
        self.delay = 0.0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._listen()

    def set(self, mode: str, delay: float = 0.0) -> None:
        """Change the mode. Connections that had something swallowed do not come back to life."""
        before, self.mode, self.delay = self.mode, mode, delay
        if mode == "refuse" and before != "refuse":
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        if mode == "refuse" or before == "hole":
            self._cut()
        if before == "refuse" and mode != "refuse":
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            self._listen()

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with self._lock:
            self._open.add(near)
        while self.mode == "hole":
            time.sleep(0.05)
        try:
            far = socket.create_connection(("127.0.0.1", self.upstream))
        except OSError:
            self._hang_up(near)
            return
        for wire in (near, far):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(far)
        threading.Thread(target=self._pump, args=(near, far), daemon=True).start()
        self._pump(far, near)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                if self.delay:
                    time.sleep(self.delay)
                if self.mode == "pass":
                    target.sendall(chunk)
        self._hang_up(source)
        self._hang_up(target)

    def _hang_up(self, wire: socket.socket) -> None:
        with self._lock:
            self._open.discard(wire)
        with suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)
        wire.close()

    def _cut(self) -> None:
        with self._lock:
            wires = list(self._open)
        for wire in wires:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
