"""Jobs of the scores room: each may run twice and beside itself."""

from __future__ import annotations

from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.scores import rounds

_WORK_SECONDS = 40.0  # a worker is given back to the others after this long


def score() -> None:
    """Score those who wait, and go on with rounds."""
    if not rounds.serve(_WORK_SECONDS):
        queue.ring(Bell.SCORES)


def want_clickers() -> None:
    """Have people scored who clicked in a letter."""
    rounds.want_clickers()
    db.session.commit()


def look_at_all() -> None:
    """Begin the nightly round."""
    rounds.begin_all()
