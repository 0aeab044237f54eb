"""Jobs of the nurture room: plan the letters that are due, and turn broadcasts into messages."""

from __future__ import annotations

import time

from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.nurture import expansion
from leadgen.nurture import service as nurture

SECONDS = 2.0


def plan() -> int:
    """Plan until nothing is due, or two seconds passed: then make room for others and ring again (job)."""
    until = time.monotonic() + SECONDS
    total = 0
    while claimed := nurture.plan_batch():
        db.session.commit()
        total += claimed
        if time.monotonic() > until:
            queue.ring(Bell.NURTURE)
            break
    db.session.commit()
    return total


def expand() -> None:
    """Start scheduled broadcasts, cancel, write messages and finish, for about two seconds (job).

    Cancelling comes first: somebody who pressed the button must not wait until another broadcast is written.
    """
    until = time.monotonic() + SECONDS
    expansion.start_due()
    db.session.commit()
    while expansion.cancel_chunk() or expansion.expand_chunk():
        db.session.commit()
        if time.monotonic() > until:
            queue.ring(Bell.BROADCASTS)
            break
    db.session.commit()
    expansion.finish()
    db.session.commit()
