"""How many pieces of a tier are left, exactly; who waits on its reserve list; and the alarm when it runs low."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text

from leadgen.campaigns.models import Campaign, Milestone
from leadgen.core.db import db
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName

# Pieces are given out by one transaction at a time, so that the last one has one owner.
LOCK = 7_215_045
LOW_PERCENT = 20
_SOLD_OUT_SECONDS = 5.0

# A piece is taken from the moment it is earned until it is refused, taken back or expired. In a tier of codes the free
# ones must also be enough for everybody who has a piece and no code yet. A tier without any limit is not counted.
_LEFT = text("""
SELECT id, least(stock - taken, free - waiting) AS left, least(stock::bigint, loaded) AS total, reserve
FROM (
    SELECT m.id, m.stock,
           CASE WHEN m.stock IS NOT NULL THEN (
               SELECT count(*) FROM award
               WHERE milestone_id = m.id AND state IN ('earned', 'approved', 'delivered', 'review')) END AS taken,
           CASE WHEN m.delivery = 'code' THEN (
               SELECT count(*) FROM award WHERE milestone_id = m.id AND state IN ('earned', 'approved')) END AS waiting,
           CASE WHEN m.delivery = 'code' THEN (
               SELECT count(*) FROM coupon WHERE milestone_id = m.id AND status = 'free') END AS free,
           CASE WHEN m.delivery = 'code' THEN (
               SELECT count(*) FROM coupon WHERE milestone_id = m.id AND status <> 'void') END AS loaded,
           (SELECT count(*) FROM award WHERE milestone_id = m.id AND state = 'reserve') AS reserve
    FROM milestone m WHERE m.id = ANY(:milestones)
) AS counted
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
