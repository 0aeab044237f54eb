"""One thread that waits for many sockets and timers: the heart of the simulator and of the benchmark's doubles."""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import time
from collections.abc import Callable

Callback = Callable[[], None]
_LONGEST_NAP = 0.5  # seconds; bounds how late `is_over` is asked


class Loop:
    """Calls back when a socket can be read or a moment has come. Not safe to use from two threads."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callback]] = []
        self._numbers = itertools.count()

    def watch(self, wire: socket.socket, readable: Callback) -> None:
        """Call `readable` whenever there is something to read, until `forget`."""
        self._selector.register(wire, selectors.EVENT_READ, readable)

    def forget(self, wire: socket.socket) -> None:
        """Watch this socket no longer; call it before closing."""
        self._selector.unregister(wire)

    def later(self, seconds: float, callback: Callback) -> None:
        """Call once, so many seconds from now."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), callback))

    def run(self, is_over: Callable[[], bool]) -> None:
        """Work until `is_over` says so."""
        while not is_over():
            self.turn()

    def turn(self) -> None:
        """Wait for the next event or timer, at most half a second, and call back what is due."""
        nap = _LONGEST_NAP
        if self._timers:
            nap = min(nap, max(0.0, self._timers[0][0] - time.monotonic()))
        for key, _ in self._selector.select(nap):
            key.data()
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()

    def close(self) -> None:
        """Let go of the selector."""
        self._selector.close()
