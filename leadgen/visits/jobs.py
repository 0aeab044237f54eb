"""Jobs of the visits room: each looks for work, does it and commits; each may run twice."""

from __future__ import annotations

from leadgen.core.db import db
from leadgen.visits import upkeep


def pay() -> None:
    """Give the points for visits by people."""
    upkeep.pay()
    db.session.commit()


def purge() -> None:
    """Forget visits that are too old."""
    upkeep.purge()
