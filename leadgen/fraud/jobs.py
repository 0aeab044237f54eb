"""Jobs of the fraud room: each may run twice and beside itself."""

from __future__ import annotations

from leadgen.core import queue
from leadgen.core.db import db
from leadgen.fraud import service, sightings


def rescore() -> None:
    """Have each open contest looked at as a whole, one job for each."""
    for campaign_id in service.open_contests():
        queue.offer("leadgen.fraud.jobs.rescore_one", campaign_id)


def rescore_one(campaign_id: int) -> None:
    """Look at one contest as a whole, and let the bands act on whom it changed."""
    service.rescore(campaign_id)
    db.session.commit()
    settle(campaign_id)


def settle(campaign_id: int) -> None:
    """Let the bands act for a minute, and go on in a job of its own when that was not enough."""
    if not service.settle_bands(campaign_id):
        queue.offer("leadgen.fraud.jobs.settle", campaign_id)


def age() -> None:
    """Blank and end what was kept long enough."""
    sightings.age()
