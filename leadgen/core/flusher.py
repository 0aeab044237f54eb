"""Writes what a process gathers in memory about once a second, in a thread of its own."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)
SECONDS = 1.0


class Flusher:
    """Calls `write` about once a second from the first `wake` on; a fork starts a thread of its own."""

    def __init__(self, name: str, write: Callable[[], None]) -> None:
        """`name` is that of the thread; `write` keeps what it could not write."""
        self._name = name
        self._write = write
        self._lock = threading.Lock()
        self._pid = 0  # a fork inherits the number, but not the thread

    def wake(self) -> None:
        """Make sure that this process writes; cheap, to be called each time something was gathered."""
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    self._pid = os.getpid()
                    threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(SECONDS)
            try:
                self._write()
            except Exception:  # one strange second must not end all later ones
                log.exception("%s could not be written", self._name)
