"""Jobs of the campaigns room: what the clock does to campaigns."""

from __future__ import annotations

from leadgen.campaigns import publishing
from leadgen.core.db import db


def move_on() -> int:
    """Open and close the contests whose time has come (job, once a minute, safe to run twice)."""
    moved = publishing.move_all_on()
    db.session.commit()
    return moved
