"""The only source of the time of day; aware UTC. Outside production it can be moved, so that nobody has to wait."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

_shift_file: Path | None = None
_shift_seen: tuple[int, timedelta] = (0, timedelta(0))


def use_shift_file(path: str | None) -> None:
    """Let the seconds written in `path` be added to every reading of the clock; None switches that off.

    One file moves all processes at once, which is how a test or `flask clock` plays three days in a second.
    """
    global _shift_file, _shift_seen  # noqa: PLW0603 - the clock is one for the process, like the wall clock
    _shift_file = Path(path) if path else None
    _shift_seen = (0, timedelta(0))


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC) + _shift() if _shift_file else datetime.now(UTC)


def today(zone: str) -> date:
    """The day on the calendar of this time zone."""
    return now().astimezone(ZoneInfo(zone)).date()


def move(shift: timedelta | None) -> timedelta:
    """Move the clock of all processes forward by `shift`, or back to the real time with None.

    Answers how far ahead of the real time it is now. Raises RuntimeError where no file is used (production).
    """
    if _shift_file is None:
        raise RuntimeError("this clock cannot be moved: CLOCK_FILE is not set")
    total = _shift() + shift if shift is not None else timedelta(0)
    draft = _shift_file.with_suffix(".draft")
    draft.write_text(str(total.total_seconds()))
    draft.replace(_shift_file)
    return total


def _shift() -> timedelta:
    global _shift_seen  # noqa: PLW0603 - remembers the file's last content
    assert _shift_file is not None
    try:
        changed = os.stat(_shift_file).st_mtime_ns  # noqa: PTH116 - asked several times a request; Path's is twice as dear
    except FileNotFoundError:
        return timedelta(0)
    if changed != _shift_seen[0]:
        _shift_seen = (changed, timedelta(seconds=float(_shift_file.read_text().strip() or 0)))
    return _shift_seen[1]
