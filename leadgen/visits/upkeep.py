"""What is done about visits by and by: points for those by people, and old rows go while their sums stay."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from leadgen.campaigns import cards
from leadgen.core import clock, hot
from leadgen.core.db import db
from leadgen.entries import credits
from leadgen.entries.models import LedgerKind
from leadgen.visits.models import Visit

KEPT_DAYS = 90
_BATCH = 5000
_PAID_AT_ONCE = 500
_PURGE = """
WITH gone AS (
    DELETE FROM visit WHERE at < %(before)s AND id IN (SELECT id FROM visit ORDER BY id LIMIT %(batch)s) RETURNING 1
)
SELECT count(*) AS number FROM gone
"""


def pay() -> int:
    """Give the points for human visits that are still to come, in the running transaction; answers how many came.

    Once for each visitor of a link in 24 hours, however often they return: a visitor's hash is the same for as long,
    and stands in the key. The points are those that the campaign gives now. Up to 500 visits at a time.
    """
    waiting = select(Visit).where(Visit.is_unpaid).order_by(Visit.id).limit(_PAID_AT_ONCE)
    found = list(db.session.scalars(waiting.with_for_update(skip_locked=True)))
    given = 0
    for visit in found:
        points = cards.by_id(visit.campaign_id).visit_points
        key = f"visit:{visit.entry_id}:{visit.visitor.hex()}"
        given += bool(points) and credits.credit(
            visit.entry_id, kind=LedgerKind.VISIT, points=points, key=key, at=visit.seen_at
        )
    db.session.execute(update(Visit).where(Visit.id.in_([visit.id for visit in found])).values(is_unpaid=False))
    return given


def purge() -> int:
    """Forget visits older than 90 days, the oldest first; what they add up to stays. Answers how many went."""
    total, before = 0, clock.now() - timedelta(days=KEPT_DAYS)
    while True:
        row = hot.one(_PURGE, {"before": before, "batch": _BATCH})
        number = row["number"] if row else 0
        total += number
        if number < _BATCH:
            return total
