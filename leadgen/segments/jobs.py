"""Jobs of the segments room: the nightly count of all segments, which may run twice."""

from __future__ import annotations

from leadgen.segments import service as segments


def measure() -> None:
    """Count how many people each segment in use holds today."""
    segments.measure_all()
