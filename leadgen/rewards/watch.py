"""Whom to look at again: reactions to what points do not tell, and the nightly comparison of awards with the ground."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import text

from leadgen.core.db import db
from leadgen.entries import moves
from leadgen.journal.models import Fact

log = logging.getLogger(__name__)
_BATCH = 50_000

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
CROSS JOIN LATERAL (SELECT CASE m.metric WHEN 'friends' THEN e.friends_counted WHEN 'points' THEN e.points
                                ELSE (e.status = 'confirmed')::int END AS reached) AS now
WHERE (CAST(:campaigns AS bigint[]) IS NULL OR m.campaign_id = ANY(:campaigns)) AND CASE
    WHEN a.id IS NULL THEN e.status = 'confirmed' AND e.review = 'clear' AND now.reached >= m.threshold
    WHEN a.state IN ('earned', 'reserve', 'approved') THEN e.status <> 'confirmed' OR now.reached < a.threshold
    WHEN a.reason = 'below' THEN e.status = 'confirmed' AND e.review = 'clear' AND now.reached >= a.threshold
    ELSE false END
LIMIT :batch
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
    moves.note(_unequal(sorted({fact.campaign_id for fact in facts if fact.campaign_id})))


def audit() -> list[int]:
    """People whose awards do not fit what they have reached; they are looked at again. None is what must come back.

    A tier that gives way to a higher one, and a friend who is being checked, leave some that are right as they are.
    """
    found = _unequal(None)
    if found:
        log.warning("awards of %d entries are compared anew, such as %s", len(found), found[:20])
        moves.note(found)
    db.session.commit()
    return found


def _unequal(campaign_ids: list[int] | None) -> list[int]:
    return sorted(db.session.scalars(_UNEQUAL, {"campaigns": campaign_ids, "batch": _BATCH}))
