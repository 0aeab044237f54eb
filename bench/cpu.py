"""CPU time of process trees, in seconds, from the kernel's scheduler: what a request costs, whoever does the work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def used(roots: Iterable[int]) -> float:
    """CPU seconds used so far by these processes, their living descendants, and every child that they outlived."""
    return sum(_of_process(pid) for pid in family(roots))


def family(roots: Iterable[int]) -> set[int]:
    """The processes and all their living descendants."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    open_ = list(roots)
    while open_:
        pid = open_.pop()
        if pid not in found:
            found.add(pid)
            open_ += children.get(pid, [])
    return found


def _of_process(pid: int) -> float:
    own = 0
    try:
        for task in os.scandir(f"/proc/{pid}/task"):
            own += int(Path(task.path, "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    fields = _stat(pid)
    reaped = (int(fields[13]) + int(fields[14])) * _TICK if fields else 0.0
    return own / 1e9 + reaped


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name: state, parent, …, children's user and system time at 13 and 14."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
