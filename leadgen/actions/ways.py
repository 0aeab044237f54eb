"""What the person's page shows of actions: one statement, and where the person stands with each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leadgen.actions import deeds, rules
from leadgen.actions.rules import Way
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import clock, hot
from leadgen.entries.chances import draw_chances
from leadgen.entries.models import Review

_READ = """
SELECT e.review, e.chances + coalesce(p.chances, 0) AS chances,
       e.declared_chances + coalesce(p.declared, 0) AS declared,
       coalesce((SELECT jsonb_agg(d ORDER BY d.id) FROM deed d WHERE d.entry_id = e.id), '[]') AS deeds,
       (SELECT paused_until FROM code_tries t WHERE t.entry_id = e.id AND t.paused_until > %(now)s) AS codes_from
FROM entry e LEFT JOIN LATERAL (
    SELECT sum(chances) AS chances, sum(chances) FILTER (WHERE proof = 'declared') AS declared
    FROM ledger_pending WHERE entry_id = e.id
) AS p ON true
WHERE e.id = %(entry)s
"""


@dataclass(frozen=True, slots=True)
class Ways:
    """Everything the page says about earning points. `counted` is what the draw counts of `chances`."""

    ways: tuple[Way, ...]
    chances: int
    declared: int
    counted: int
    is_clear: bool
    codes_from: datetime | None  # secret codes are taken again from then on

    @property
    def is_capped(self) -> bool:
        """Whether declared chances are beyond their share."""
        return self.counted < self.chances


def of(entry_id: int, card: CampaignCard) -> Ways:
    """Where the person stands with the actions of their campaign; somebody unknown has done nothing (samples)."""
    now = clock.now()
    row = hot.one(_READ, {"entry": entry_id, "now": now})
    found = row["deeds"] if row else []
    chances, declared = (int(row["chances"]), int(row["declared"])) if row else (card.entry_points, 0)
    return Ways(
        ways=tuple(rules.ways(card.actions, map(deeds.done, found), now, card.timezone)),
        chances=chances,
        declared=declared,
        counted=draw_chances(chances, declared, card.declared_cap),
        is_clear=row is None or row["review"] == Review.CLEAR,
        codes_from=row["codes_from"] if row else None,
    )
