"""Jobs of the contacts room: the sealing of evidence. Both may run twice and beside each other."""

from __future__ import annotations

import time

from leadgen.contacts import evidence
from leadgen.core.db import db

# Shorter than the pause until the next ring, so that a backlog (an upgrade, a restore) leaves workers to others.
_WORK_SECONDS = 5.0
_NIGHTLY_SECONDS = 90.0


def seal() -> None:
    """Seal the acts of the last seconds, or five seconds' worth of a backlog."""
    _seal(None, _WORK_SECONDS)


def seal_all() -> None:
    """Look at all acts, for those that were committed long after their neighbours."""
    _seal(0, _NIGHTLY_SECONDS)


def _seal(after: int | None, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        after = evidence.seal(after=after)
        db.session.commit()
        if after is None:
            return
