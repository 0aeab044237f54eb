"""Jobs of the analytics room: each looks for work, does it and changes nothing but what is kept for a while."""

from __future__ import annotations

from leadgen.analytics import headcounts


def recount() -> None:
    """Count large contests beforehand."""
    headcounts.recount()
