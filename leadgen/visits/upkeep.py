"""What is done about visits by and by: points for those by people, and old rows go while their sums stay."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, text, update

from leadgen.campaigns import cards
from leadgen.campaigns.models import Proof
from leadgen.core import clock, hot
from leadgen.core.db import db
from leadgen.entries import credits
from leadgen.entries.models import LedgerKind
from leadgen.visits.models import Visit
from leadgen.visits.noting import NETWORK_BYTES

KEPT_DAYS = 90
_BATCH = 5000
_PAID_AT_ONCE = 500
# Paid visits of one link from one network in a day. A school or an office may bring more people behind one address; a
# machine, whatever browsers it says it is, brings no more than these.
FROM_ONE_NETWORK = 10
_PAID = text("""
SELECT count(DISTINCT v.visitor) FROM visit v
JOIN ledger l ON l.idempotency_key = 'visit:' || v.entry_id || ':' || encode(v.visitor, 'hex')
WHERE v.entry_id = :entry AND v.kind = 'human' AND NOT v.is_unpaid
  AND v.visitor >= :network AND v.visitor <= :network || decode(repeat('ff', 24), 'hex')
""")
_PURGE = """
WITH gone AS (
    DELETE FROM visit WHERE at < %(before)s AND id IN (SELECT id FROM visit ORDER BY id LIMIT %(batch)s) RETURNING 1
)
SELECT count(*) AS number FROM gone
"""


def pay() -> int:
    """Give the points for human visits that are still to come, in the running transaction; answers how many came.

    Once for each visitor of a link in 24 hours, however often they return: a visitor's hash is the same for as long,
    and stands in the key. At most FROM_ONE_NETWORK of a link, network and day; the others stay visits by people and
    earn nothing. The lines are declared: what a visit is, only the visitor's browser says, so they never rank and are
    capped in the draw. The points are those that the campaign gives now. Up to 500 visits at a time.
    """
    waiting = select(Visit).where(Visit.is_unpaid).order_by(Visit.id).limit(_PAID_AT_ONCE)
    # Whoever pays beside this waits here, so that the bound is exact.
    found = list(db.session.scalars(waiting.with_for_update()))
    paid: dict[tuple[int, bytes], int] = {}
    given = 0
    for visit in found:
        group = visit.entry_id, visit.visitor[:NETWORK_BYTES]
        if group not in paid:
            paid[group] = _paid(*group)
        if paid[group] < FROM_ONE_NETWORK and _pay(visit):
            paid[group] += 1
            given += 1
    db.session.execute(update(Visit).where(Visit.id.in_([visit.id for visit in found])).values(is_unpaid=False))
    return given


def _paid(entry_id: int, network: bytes) -> int:
    return int(db.session.execute(_PAID, {"entry": entry_id, "network": network}).scalar_one())


def _pay(visit: Visit) -> bool:
    points = cards.by_id(visit.campaign_id).visit_points
    key = f"visit:{visit.entry_id}:{visit.visitor.hex()}"
    return bool(points) and credits.credit(
        visit.entry_id, kind=LedgerKind.VISIT, points=points, key=key, proof=Proof.DECLARED, at=visit.seen_at
    )


def purge() -> int:
    """Forget visits older than 90 days, the oldest first; what they add up to stays. Answers how many went."""
    total, before = 0, clock.now() - timedelta(days=KEPT_DAYS)
    while True:
        row = hot.one(_PURGE, {"before": before, "batch": _BATCH})
        number = row["number"] if row else 0
        total += number
        if number < _BATCH:
            return total
