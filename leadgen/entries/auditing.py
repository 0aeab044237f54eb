"""The nightly audit: everything that the ledger's rules say, reckoned from scratch and compared with what is stored."""

from __future__ import annotations

import logging

from sqlalchemy import text

from leadgen.core import notes
from leadgen.core.db import db
from leadgen.entries import points

log = logging.getLogger(__name__)
NOTE = "points-audit"
_NOTE_SECONDS = 3 * 24 * 3600.0

# Each answers the ids of what is wrong: entries, and campaigns for the histogram.
CHECKS: dict[str, str] = {
    # A line stands, or does not, exactly as the state of its friend says (I06).
    "referral lines differ from their states": """
        WITH lines AS (
            SELECT l.source_entry_id AS friend, CASE WHEN l.kind = 'reversal' THEN r.kind ELSE l.kind END AS kind,
                   CASE WHEN l.kind = 'reversal' THEN -1 ELSE 1 END AS sign
            FROM ledger l LEFT JOIN ledger r ON r.id = l.reverses_id WHERE l.source_entry_id IS NOT NULL
        ), standing AS (
            SELECT friend, coalesce(sum(sign) FILTER (WHERE kind = 'referral'), 0) AS own,
                   coalesce(sum(sign) FILTER (WHERE kind IN ('indirect', 'quality')), 0) AS more
            FROM lines GROUP BY friend
        )
        SELECT f.id FROM entry f LEFT JOIN standing s ON s.friend = f.id
        WHERE f.referrer_id IS NOT NULL
          AND (coalesce(s.own, 0) <> (f.referral_state = 'counted')::int
               OR f.referral_state <> 'counted' AND coalesce(s.more, 0) <> 0)
        LIMIT 100
    """,
    "friends counted differ from the friends": """
        SELECT e.id FROM entry e
        LEFT JOIN (SELECT entry_id, sum(friends) AS friends FROM ledger_pending GROUP BY 1) p ON p.entry_id = e.id
        LEFT JOIN (SELECT referrer_id, count(*) AS friends FROM entry
                   WHERE referrer_id IS NOT NULL AND referral_state = 'counted' GROUP BY 1) f ON f.referrer_id = e.id
        WHERE e.friends_counted + coalesce(p.friends, 0) <> coalesce(f.friends, 0)
        LIMIT 100
    """,
    # The tie-break: when the last line that stands and counts for the rank was earned (I08, I33).
    "the time of the points differs from the lines": """
        SELECT e.id FROM entry e
        LEFT JOIN (
            SELECT l.entry_id, max(l.at) AS at FROM ledger l LEFT JOIN ledger r ON r.reverses_id = l.id
            WHERE l.points > 0 AND l.proof <> 'declared' AND l.kind <> 'reversal' AND r.id IS NULL GROUP BY 1
        ) AS last ON last.entry_id = e.id
        WHERE e.status = 'confirmed' AND e.reached_at IS DISTINCT FROM greatest(last.at, e.confirmed_at)
          AND NOT EXISTS (SELECT FROM ledger_pending p WHERE p.entry_id = e.id)
        LIMIT 100
    """,
    "the histogram differs from the people": """
        WITH people AS (
            SELECT e.campaign_id, e.rank_points AS points,
                   floor(extract(epoch FROM e.reached_at) / 3600)::int AS hour, count(*) AS entrants
            FROM entry e WHERE e.status = 'confirmed' AND e.review = 'clear'
              AND NOT EXISTS (SELECT FROM ledger_pending p WHERE p.entry_id = e.id AND p.kind = 'entry')
            GROUP BY 1, 2, 3
        )
        SELECT DISTINCT coalesce(p.campaign_id, b.campaign_id) AS id
        FROM people p FULL JOIN points_bucket b USING (campaign_id, points, hour)
        WHERE coalesce(p.entrants, 0) <> coalesce(b.entrants, 0)
        LIMIT 100
    """,
    "the tree of referrals is none": """
        SELECT f.id FROM entry f JOIN entry r ON r.id = f.referrer_id
        WHERE f.id IN (r.id, r.referrer_id, r.ref2_id) OR r.campaign_id <> f.campaign_id
           OR f.depth NOT BETWEEN 1 AND 50 OR f.ref2_id IS DISTINCT FROM r.referrer_id
           OR f.root_id IS DISTINCT FROM coalesce(r.root_id, r.id)
        LIMIT 100
    """,
}


def audit() -> dict[str, list[int]]:
    """What differs from the ledger, by its name: ids, at most 100 each; nothing is what must come back.

    A difference is an error in the log, and the number of them stands in the metrics until the next night.
    """
    found = {"totals differ from the ledger": points.audit()}
    for name, statement in CHECKS.items():
        found[name] = [int(wrong) for wrong in db.session.scalars(text(statement))]
    wrong = {name: ids for name, ids in found.items() if ids}
    for name, ids in wrong.items():
        log.error("%s: %s", name, ids)
    notes.leave(NOTE, str(sum(map(len, wrong.values()))), _NOTE_SECONDS)
    return wrong


def differences() -> int:
    """How many differences the last audit found; 0 when none has run lately."""
    note = notes.read(NOTE)
    return int(note.text) if note else 0
