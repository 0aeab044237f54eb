"""Jobs of the rewards room: each looks for work, does it and commits; each may run twice."""

from __future__ import annotations

import time

from leadgen.core.db import db, retried
from leadgen.entries import moves
from leadgen.rewards import addresses, milestones, staging, stock, upkeep, watch

_BATCH = 200
_SECONDS = 20.0


def award() -> None:
    """Look at everybody whose points moved; what fails is there again at the next ring."""
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        if not retried(_award_batch):
            return


def _award_batch() -> bool:
    entry_ids = moves.take(_BATCH)
    milestones.evaluate(entry_ids)
    db.session.commit()
    return bool(entry_ids)


def audit() -> None:
    """Compare every award with what its owner has reached, and the kept stock with what is counted; mend both."""
    watch.audit()
    stock.audit()
    db.session.commit()


def keep_time() -> None:
    """Remind of claims that end soon, end those that are over, let reserve lists move on; drop what serves no more."""
    upkeep.remind()
    upkeep.expire()
    upkeep.pass_on()
    staging.clear()
    addresses.clear()
