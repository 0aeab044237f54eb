"""Jobs of the visits room: each looks for work, does it and commits; each may run twice."""

from __future__ import annotations

from leadgen.visits import upkeep


def purge() -> None:
    """Forget visits that are too old."""
    upkeep.purge()
