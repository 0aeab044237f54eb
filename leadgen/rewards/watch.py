"""Whom to look at again: reactions to what points do not tell, and the nightly comparison of awards with the ground."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from sqlalchemy import text

from leadgen.core.db import db
from leadgen.entries import moves
from leadgen.journal.models import Fact

log = logging.getLogger(__name__)
_BATCH = 50_000  # people noted at once

# Only where there is something to earn: everybody named, all entries of the people named, and who brought them.
_CONCERNED = text("""
WITH named AS (
    SELECT id, referrer_id FROM entry WHERE id = ANY(:entries)
    UNION SELECT id, referrer_id FROM entry WHERE contact_id = ANY(:contacts)
)
SELECT e.id FROM entry e
WHERE e.id IN (SELECT id FROM named UNION SELECT referrer_id FROM named)
  AND EXISTS (SELECT 1 FROM milestone m WHERE m.campaign_id = e.campaign_id)
""")

# Who has reached a tier and has no award of it, and whose award does not fit what they have reached.
_UNEQUAL = text("""
SELECT DISTINCT e.id FROM milestone m JOIN entry e ON e.campaign_id = m.campaign_id
LEFT JOIN award a ON a.entry_id = e.id AND a.milestone_id = m.id
CROSS JOIN LATERAL (SELECT CASE m.metric WHEN 'friends' THEN e.friends_counted WHEN 'points' THEN e.rank_points
                                ELSE (e.status = 'confirmed')::int END AS reached) AS now
WHERE e.id > :after AND (CAST(:campaigns AS bigint[]) IS NULL OR m.campaign_id = ANY(:campaigns)) AND CASE
    WHEN a.id IS NULL THEN e.status = 'confirmed' AND e.review = 'clear' AND now.reached >= m.threshold
    WHEN a.state IN ('earned', 'reserve', 'approved') THEN e.status <> 'confirmed' OR now.reached < a.threshold
    WHEN a.reason = 'below' THEN e.status = 'confirmed' AND e.review = 'clear' AND now.reached >= a.threshold
    ELSE false END
ORDER BY e.id LIMIT :batch
""")

# A version of the rules in which the rewards differ from those before; or in which nothing differs, since the rules do
# not tell everything about a reward.
_TIERS_CHANGED = text("""
SELECT DISTINCT now.campaign_id
FROM unnest(CAST(:campaigns AS bigint[]), CAST(:numbers AS int[])) AS told (campaign_id, number)
JOIN rules_version now ON now.campaign_id = told.campaign_id AND now.number = told.number
LEFT JOIN rules_version past ON past.campaign_id = now.campaign_id AND past.number = now.number - 1
WHERE now.snapshot -> 'rewards' IS DISTINCT FROM past.snapshot -> 'rewards' OR now.snapshot = past.snapshot
""")


def look_again(facts: Sequence[Fact]) -> None:
    """Somebody was held, cleared, erased, or a friend of theirs was: look at what they have earned (reaction)."""
    values = {
        "entries": [fact.entry_id for fact in facts if fact.entry_id],
        "contacts": [fact.contact_id for fact in facts if fact.contact_id and not fact.entry_id],
    }
    moves.note(list(db.session.scalars(_CONCERNED, values)))


def look_at_campaigns(facts: Sequence[Fact]) -> None:
    """What can be earned has changed: look at everybody who may have reached it already (reaction)."""
    told = [(fact.campaign_id, fact.data["rules"]) for fact in facts if fact.campaign_id and fact.data.get("rules")]
    values = {"campaigns": [campaign for campaign, _ in told], "numbers": [number for _, number in told]}
    changed = sorted(db.session.scalars(_TIERS_CHANGED, values))
    for found in _unequal(changed) if changed else ():
        moves.note(found)


def audit() -> list[int]:
    """People whose awards do not fit what they have reached; they are looked at again. None is what must come back.

    A tier that gives way to a higher one, and a friend who is being checked, leave some that are right as they are.
    """
    everybody = []
    for found in _unequal(None):
        moves.note(found)
        db.session.commit()
        everybody += found
    if everybody:
        log.warning("awards of %d entries are compared anew, such as %s", len(everybody), everybody[:20])
    return everybody


def _unequal(campaign_ids: list[int] | None) -> Iterator[list[int]]:
    """Page by page, so that nobody is left out however many they are."""
    after = 0
    while found := list(db.session.scalars(_UNEQUAL, {"campaigns": campaign_ids, "after": after, "batch": _BATCH})):
        yield found
        after = found[-1]
