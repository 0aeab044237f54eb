"""The job of outcomes: guard the tests that run."""

from __future__ import annotations

from leadgen.outcomes import guarding


def guard() -> int:
    """Take out wordings that drive people away; how many these were (job)."""
    return guarding.look_at_all()
