"""How many pieces of a tier are left, exactly; who waits on its reserve list; and the alarm when it runs low."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text

from leadgen.campaigns.models import Campaign, Milestone
from leadgen.core.db import db
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName

log = logging.getLogger(__name__)
# Pieces are given out by one transaction at a time, so that the last one has one owner. Locks are taken in this order,
# or two deadlock: this one, then rows of awards and codes, then (their triggers do) rows of stock_count. Whoever moves
# one award or code only may leave this one out, and must not ask for it afterwards.
LOCK = 7_215_045
LOW_PERCENT = 20
_SOLD_OUT_SECONDS = 5.0

# A piece is taken from the moment it is earned until it is refused, taken back or expired. In a tier of codes the free
# ones must also be enough for everybody who has a piece and no code yet. Counting a vault of hundreds of thousands took
# a quarter of a second for each batch of people: the numbers are kept by triggers instead.
_LEFT = text("""
SELECT id, least(stock - taken, free - waiting) AS left, least(stock::bigint, loaded) AS total, reserve
FROM (
    SELECT m.id, m.stock, coalesce(c.taken, 0) AS taken, coalesce(c.reserve, 0) AS reserve,
           CASE WHEN m.delivery = 'code' THEN coalesce(c.waiting, 0) END AS waiting,
           CASE WHEN m.delivery = 'code' THEN coalesce(c.free, 0) END AS free,
           CASE WHEN m.delivery = 'code' THEN coalesce(c.loaded, 0) END AS loaded
    FROM milestone m LEFT JOIN stock_count c ON c.milestone_id = m.id WHERE m.id = ANY(:milestones)
) AS counted
""")
_FREE = text("SELECT milestone_id, free FROM stock_count WHERE milestone_id = ANY(:milestones)")
_AUDIT = text("""
SELECT n.* FROM (
    SELECT m.id AS milestone_id, coalesce(k.free, 0) AS free, coalesce(k.loaded, 0) AS loaded,
           coalesce(a.taken, 0) AS taken, coalesce(a.waiting, 0) AS waiting, coalesce(a.reserve, 0) AS reserve
    FROM milestone m
    LEFT JOIN (
        SELECT milestone_id, count(*) FILTER (WHERE status = 'free') AS free,
               count(*) FILTER (WHERE status <> 'void') AS loaded
        FROM coupon GROUP BY 1
    ) AS k ON k.milestone_id = m.id
    LEFT JOIN (
        SELECT milestone_id, count(*) FILTER (WHERE state IN ('earned', 'approved', 'delivered', 'review')) AS taken,
               count(*) FILTER (WHERE state IN ('earned', 'approved')) AS waiting,
               count(*) FILTER (WHERE state = 'reserve') AS reserve
        FROM award GROUP BY 1
    ) AS a ON a.milestone_id = m.id
) AS n LEFT JOIN stock_count c ON c.milestone_id = n.milestone_id
WHERE (coalesce(c.free, 0), coalesce(c.loaded, 0), coalesce(c.taken, 0), coalesce(c.waiting, 0), coalesce(c.reserve, 0))
   <> (n.free, n.loaded, n.taken, n.waiting, n.reserve)
ORDER BY n.milestone_id
""")
# Whoever moves one code without the lock has committed before its number is held, and is counted by the next statement;
# or waits for it, and adds to what is written here.
_HOLD = text("""
INSERT INTO stock_count (milestone_id) SELECT unnest(CAST(:milestones AS bigint[]))
ON CONFLICT (milestone_id) DO UPDATE SET milestone_id = excluded.milestone_id
""")
_MEND = text("""
UPDATE stock_count SET free = :free, loaded = :loaded, taken = :taken, waiting = :waiting, reserve = :reserve
WHERE milestone_id = :milestone_id
""")
_WAITED_FOR = text("""
SELECT id FROM milestone m
WHERE id = ANY(:milestones) AND EXISTS (SELECT 1 FROM award WHERE milestone_id = m.id AND state = 'reserve')
ORDER BY id
""")


@dataclass(frozen=True, slots=True)
class Stock:
    """`left` of `total` pieces, both None without limit; `reserve` people wait for one."""

    left: int | None
    total: int | None
    reserve: int

    @property
    def is_out(self) -> bool:
        """Whether the next who earns it must wait."""
        return self.left is not None and self.left <= 0

    @property
    def is_low(self) -> bool:
        """Whether a fifth or less is left."""
        return self.left is not None and self.left * 100 <= (self.total or 0) * LOW_PERCENT


def lock() -> None:
    """Be the only one who gives out pieces until the running transaction ends."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def of(milestone_ids: Collection[int]) -> dict[int, Stock]:
    """The stock of these tiers as the running transaction sees it."""
    db.session.flush()
    rows = db.session.execute(_LEFT, {"milestones": list(milestone_ids)})
    return {row.id: Stock(_not_negative(row.left), row.total, row.reserve) for row in rows}


def free_codes(milestone_ids: Collection[int]) -> dict[int, int]:
    """How many free codes each of these tiers has, from the kept numbers: however large a vault is, none is counted."""
    kept = {row.milestone_id: row.free for row in db.session.execute(_FREE, {"milestones": list(milestone_ids)})}
    return {milestone_id: kept.get(milestone_id, 0) for milestone_id in milestone_ids}


def audit() -> list[int]:
    """Tiers whose kept numbers differed from what is counted anew, and do so no more; none is what must come back."""
    wrong = [row.milestone_id for row in db.session.execute(_AUDIT)]
    if wrong:
        log.error("the stock of tiers %s was not what is counted; what is counted was written", wrong)
        lock()
        db.session.execute(_HOLD, {"milestones": wrong})
        for row in db.session.execute(_AUDIT).mappings().all():
            if row["milestone_id"] in wrong:  # others may be wrong by now; they are not held
                db.session.execute(_MEND, dict(row))
    return wrong


def _not_negative(left: int | None) -> int | None:
    """A stock that was lowered below what is given out is simply out."""
    return None if left is None else max(0, left)


class Places:
    """The pieces that one transaction, which holds the lock, gives out and takes back.

    A tier is counted when its first piece moves, and not before: most looks at people move none.
    """

    def __init__(self, milestones: Collection[Milestone]) -> None:
        self._campaigns = {milestone.id: milestone.campaign_id for milestone in milestones}
        self._before: dict[int, Stock] = {}
        self._left: dict[int, int | None] = {}

    def take(self, milestone_id: int) -> bool:
        """Take a piece; False when none is left. To be asked before the award changes."""
        left = self._now(milestone_id)
        if left is not None:
            if left <= 0:
                return False
            self._left[milestone_id] = left - 1
        return True

    def give_back(self, milestone_id: int) -> None:
        """A piece is free again. To be said before the award changes."""
        left = self._now(milestone_id)
        if left is not None:
            self._left[milestone_id] = left + 1

    def _now(self, milestone_id: int) -> int | None:
        if milestone_id not in self._before:
            self._before[milestone_id] = before = of([milestone_id])[milestone_id]
            self._left[milestone_id] = before.left
        return self._left[milestone_id]

    def waiting(self) -> list[int]:
        """The tiers whose reserve list can move on."""
        db.session.flush()
        found = db.session.scalars(_WAITED_FOR, {"milestones": list(self._campaigns)})
        return [key for key in list(found) if self._now(key) != 0]

    def tell(self) -> None:
        """Record the alarm for each tier that reached a fifth, or nothing, in this transaction."""
        for key, before in self._before.items():
            now = Stock(self._left[key], before.total, before.reserve)
            if (now.is_out and not before.is_out) or (now.is_low and not before.is_low):
                campaign = db.session.get_one(Campaign, self._campaigns[key])
                ids = {"brand_id": campaign.brand_id, "campaign_id": campaign.id}
                journal.record(FactName.STOCK_LOWERED, **ids, milestone=key, left=now.left)


_sold_out: dict[int, tuple[float, frozenset[int]]] = {}


def sold_out(campaign_id: int, milestone_ids: Collection[int]) -> frozenset[int]:
    """The tiers of a campaign of which nothing is left, at most a few seconds old in each process.

    `milestone_ids` are all tiers of the campaign, whoever looks: the answer serves everybody.
    """
    moment = time.monotonic()
    found = _sold_out.get(campaign_id)
    if found is None or moment - found[0] >= _SOLD_OUT_SECONDS:
        found = (moment, frozenset(key for key, now in of(milestone_ids).items() if now.is_out))
        _sold_out[campaign_id] = found
    return found[1]


def forget() -> None:
    """Count every stock anew (tests)."""
    _sold_out.clear()
