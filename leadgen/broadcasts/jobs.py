"""The job of broadcasts: turn them into messages."""

from __future__ import annotations

import time

from leadgen.broadcasts import expansion
from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.queue import Bell

SECONDS = 2.0


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
