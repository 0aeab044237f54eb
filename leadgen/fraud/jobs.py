"""Jobs of the fraud room: each may run twice and beside itself."""

from __future__ import annotations

import logging
import time

from leadgen.core import notes, queue
from leadgen.core.db import db
from leadgen.core.queue import Bell, QueueName
from leadgen.fraud import looks, service, sightings

log = logging.getLogger(__name__)
LOOK_AT = "leadgen.fraud.jobs.look_at"
_LONGEST = 150.0  # seconds after which a look of a worker that was killed is taken up by another
_SHORT = 0.1
_REST = 4.0  # so many times as long as it took a contest is left alone: looking costs a fifth of one worker at most
_AFTER_FAILURE = 60.0


def look() -> None:
    """Have each contest in which somebody wants a look served by a job of its own; those that rest wait."""
    wide = set(looks.waiting_long())
    for campaign_id in looks.waiting():
        if notes.read(_name(campaign_id)) is None:
            # A large contest takes minutes as a whole: what is small and soon done shall not stand behind it.
            queue.offer(LOOK_AT, campaign_id, name=QueueName.SLOW if campaign_id in wide else QueueName.EVENTS)


def look_at(campaign_id: int) -> None:
    """Serve one contest, unless somebody does or it rests: one that took long is left alone for a while, to gather."""
    if not notes.claim(_name(campaign_id), _LONGEST):
        return
    is_all, rest, begun = True, _AFTER_FAILURE, time.monotonic()
    try:
        is_all = looks.serve(campaign_id)
        took = time.monotonic() - begun
        rest = 0.001 if took < _SHORT else took * _REST
    except queue.TimeLimit:
        db.session().invalidate()  # perhaps in the middle of a statement: nobody can use its connection any more
        raise
    except Exception:
        db.session.rollback()
        log.exception("a look at campaign %d failed", campaign_id)
    finally:
        notes.leave(_name(campaign_id), "-", rest)
    if not is_all:
        queue.ring(Bell.LOOKS)


def rescore() -> None:
    """Have each open contest looked at as a whole."""
    looks.want_whole(service.open_contests())
    db.session.commit()


def age() -> None:
    """Blank and end what was kept long enough."""
    sightings.age()


def _name(campaign_id: int) -> str:
    return f"fraud.look:{campaign_id}"
