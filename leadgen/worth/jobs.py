"""Jobs of the worth room: working everybody's value out, for one brand or for all. Both may run twice."""

from __future__ import annotations

from leadgen.worth import refreshing


def work_out(brand_id: int) -> None:
    """After the brand's prices changed."""
    refreshing.work_out(brand_id)


def work_out_all() -> None:
    """Every night."""
    refreshing.work_out_all()
