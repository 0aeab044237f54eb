"""A job that notes in which process it ran."""

import os

from leadgen.core import queue

PIDS = "suite:pids"


def note() -> None:
    """Write down the process's number."""
    queue.connection().rpush(PIDS, os.getpid())
