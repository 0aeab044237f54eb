"""Jobs of the fraud room: each may run twice and beside itself."""

from __future__ import annotations

import logging
import time

from leadgen.core import notes, queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.fraud import looks, service, sightings

log = logging.getLogger(__name__)
_LONGEST = 150.0  # seconds after which a look of a worker that was killed is taken up by another
_SHORT = 0.1
_REST = 4.0  # so many times as long as it took a contest is left alone: looking costs a fifth of one worker at most
_AFTER_FAILURE = 60.0


def look() -> None:
    """Serve the contests in which somebody wants a look; one that took long is left alone for a while, to gather."""
    for campaign_id in looks.waiting():
        if notes.claim(_name(campaign_id), _LONGEST):
            notes.leave(_name(campaign_id), "-", _serve(campaign_id))


def _serve(campaign_id: int) -> float:
    """Serve one contest; answers for how many seconds it is left alone. One that fails keeps no other waiting."""
    begun = time.monotonic()
    try:
        is_all = looks.serve(campaign_id)
    except Exception:
        db.session.rollback()
        log.exception("a look at campaign %d failed", campaign_id)
        return _AFTER_FAILURE
    took = time.monotonic() - begun
    if not is_all:
        queue.ring(Bell.LOOKS)
    return 0.001 if took < _SHORT else took * _REST


def rescore() -> None:
    """Have each open contest looked at as a whole."""
    looks.want_whole(service.open_contests())
    db.session.commit()


def age() -> None:
    """Blank and end what was kept long enough."""
    sightings.age()


def _name(campaign_id: int) -> str:
    return f"fraud.look:{campaign_id}"
