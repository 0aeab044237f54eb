"""The jobs of the nurture room: plan what is due, and look for whom the clock begins a sequence."""

from __future__ import annotations

import time

from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.nurture import looking, planning, retiming

SECONDS = 2.0


def plan() -> int:
    """Plan until nothing is due, or two seconds passed: then make room for others and ring again (job)."""
    until = time.monotonic() + SECONDS
    total = 0
    while claimed := planning.plan_batch():
        db.session.commit()
        total += claimed
        if time.monotonic() > until:
            queue.ring(Bell.NURTURE)
            break
    db.session.commit()
    return total


def look() -> int:
    """Begin what the clock begins (job)."""
    return looking.look()


def retime(campaign_id: int) -> int:
    """Find new dates after the end of a contest was moved (job)."""
    return retiming.retime(campaign_id)
