"""The dear counts behind the page “Virality”, kept for all processes: by generation and week, sharing, pairs, the best.

What is kept holds numbers and ids alone; whose they are is read when the page is shown. It can be thrown away at any
moment: the next look counts anew.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from leadgen.analytics.crowds import CONDITIONS, OPENINGS, Crowd, midnight
from leadgen.campaigns.models import CampaignStatus
from leadgen.core import clock, notes
from leadgen.core.db import db

# Counted in one pass over the entries, by generation and week.
PLAIN = (
    Crowd.ENTRIES,
    Crowd.CONFIRMED,
    Crowd.CLEAR,
    Crowd.REFERRED,
    Crowd.REFERRED_CONFIRMED,
    Crowd.REFERRED_CLEAR,
    Crowd.COUNTED,
    Crowd.HELD,
)
MOST_INFLUENCERS = 20
DEAR_SECONDS = 0.3
LEAST_SECONDS = 3.0
# A contest of this size is counted beforehand, so that nobody waits: every five minutes while something happens.
LARGE = 50_000
FRESH_SECONDS = 300
FRESH_SECONDS_AT_REST = 6 * 3600
_BUSY = (CampaignStatus.LIVE, CampaignStatus.PAUSED, CampaignStatus.CLOSING)
_EACH = ", ".join(f"count(*) FILTER (WHERE {CONDITIONS[crowd]}) AS {crowd}" for crowd in PLAIN)
_SUMS = ", ".join(f"sum({crowd})::bigint AS {crowd}" for crowd in PLAIN)
# Weeks begin at a quarter of an hour in every zone, and finding the week of a moment is dear: once for each quarter.
_COUNTS = f"""
SELECT depth, timezone(:zone, date_trunc('week', quarter, :zone))::date::text AS week, {_SUMS} FROM (
    SELECT e.depth, date_bin('15 minutes', e.created_at, TIMESTAMPTZ '2000-01-01 00:00Z') AS quarter, {_EACH}
    FROM entry e WHERE e.campaign_id = :campaign GROUP BY 1, 2
) AS counted GROUP BY 1, 2
"""  # noqa: S608 - only conditions of our own
_QUALITY = f"""
SELECT count(*) AS quality FROM entry e WHERE e.campaign_id = :campaign AND {CONDITIONS[Crowd.QUALITY]}
"""  # noqa: S608 - only conditions of our own
_SHARED = ", ".join(
    f"count(*) FILTER (WHERE {condition}) AS people_{name}, "
    f"coalesce(sum(visits) FILTER (WHERE {condition}), 0)::bigint AS visits_{name}"
    for name, condition in OPENINGS.items()
)
_SHARING = f"""
SELECT {_SHARED} FROM (
    SELECT entry_id, count(*) AS visits FROM visit WHERE campaign_id = :campaign AND kind = 'human' GROUP BY 1
) AS opened FULL JOIN (
    SELECT DISTINCT d.entry_id FROM action a JOIN deed d ON d.action_id = a.id
    WHERE a.campaign_id = :campaign AND a.kind = 'share' AND d.state = 'done'
) AS shared USING (entry_id)
JOIN entry e ON e.id = entry_id AND e.campaign_id = :campaign
"""  # noqa: S608 - only conditions of our own
_BEST = f"""
SELECT e.referrer_id AS id, count(*) AS direct, count(*) OVER () AS referrers,
       count(*) FILTER (WHERE {CONDITIONS[Crowd.CONFIRMED]}) AS confirmed,
       count(*) FILTER (WHERE {CONDITIONS[Crowd.CLEAR]}) AS clear,
       count(*) FILTER (WHERE {CONDITIONS[Crowd.COUNTED]}) AS counted,
       count(*) FILTER (WHERE {CONDITIONS[Crowd.HELD]}) AS held
FROM entry e WHERE e.campaign_id = :campaign AND e.referrer_id IS NOT NULL
GROUP BY 1 ORDER BY confirmed DESC, direct DESC, id LIMIT :most
"""  # noqa: S608 - only conditions of our own
_BELOW = f"""
SELECT best.id, (SELECT count(*) FROM entry s WHERE s.ref2_id = best.id) AS second,
       (SELECT count(*) FROM entry t WHERE t.ref3_id = best.id) AS third,
       (SELECT count(*) FROM entry e WHERE e.referrer_id = best.id AND {CONDITIONS[Crowd.QUALITY]}) AS quality
FROM unnest(CAST(:ids AS bigint[])) AS best (id)
"""  # noqa: S608 - only conditions of our own
# A line for each week in which referrers entered (by its place among `mondays`), and one without for all pairs.
_PAIRS = f"""
SELECT week, friends, friends_confirmed, cycle, quarters FROM (
    SELECT width_bucket(r.created_at, CAST(:mondays AS timestamptz[])) AS week, count(*) AS friends,
           count(*) FILTER (WHERE {CONDITIONS[Crowd.CONFIRMED]}) AS friends_confirmed,
           count(*) FILTER (WHERE {CONDITIONS[Crowd.CYCLE]}) AS cycle,
           percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY extract(epoch FROM e.confirmed_at
               - r.confirmed_at)) FILTER (WHERE {CONDITIONS[Crowd.CYCLE]}) AS quarters
    FROM entry e JOIN entry r ON r.id = e.referrer_id
    WHERE e.campaign_id = :campaign GROUP BY GROUPING SETS ((1), ())
) AS found
"""  # noqa: S608 - only conditions of our own
_LARGE = """
SELECT c.id, c.timezone, c.status FROM campaign c
JOIN (SELECT campaign_id FROM points_bucket GROUP BY 1 HAVING sum(entrants) >= :large) AS l ON l.campaign_id = c.id
WHERE c.status <> 'archived'
"""


def of(campaign_id: int, zone: str) -> dict[str, Any]:
    """The counts of a campaign, in six statements; what took more than 0.3 seconds is kept for ten times as long.

    Keys: `at` (ISO, when it was counted), `is_kept`, `cells`, `quality`, `shared`, `best`, `pairs`.
    """
    kept = notes.read(_name(campaign_id, zone))
    if kept is not None:
        return {**json.loads(kept.text), "is_kept": True}
    begun = time.monotonic()
    counted = _count(campaign_id, zone)
    cost = time.monotonic() - begun
    if cost > DEAR_SECONDS:
        notes.leave(_name(campaign_id, zone), json.dumps(counted), max(LEAST_SECONDS, 10 * cost))
    return {**counted, "is_kept": False}


def recount() -> int:
    """Count large contests beforehand when what is kept of them grew old; how many that were. Safe to run twice."""
    counted = 0
    for row in _rows(_LARGE, large=LARGE):
        fresh = FRESH_SECONDS if row["status"] in _BUSY else FRESH_SECONDS_AT_REST
        kept = notes.read(_name(row["id"], row["timezone"]))
        if kept is not None and kept.seconds > 2 * fresh:
            continue
        found = json.dumps(_count(row["id"], row["timezone"]))
        notes.leave(_name(row["id"], row["timezone"]), found, 3 * fresh)
        counted += 1
    return counted


def forget(campaign_id: int, zone: str) -> None:
    """Count anew at the next look."""
    notes.drop(_name(campaign_id, zone))


def _count(campaign_id: int, zone: str) -> dict[str, Any]:
    cells = _rows(_COUNTS, campaign=campaign_id, zone=zone)
    weeks = sorted({cell["week"] for cell in cells})
    return {
        "at": clock.now().isoformat(),
        "cells": cells,
        "quality": _rows(_QUALITY, campaign=campaign_id)[0]["quality"],
        "shared": _rows(_SHARING, campaign=campaign_id)[0],
        "best": _best(campaign_id),
        "pairs": _pairs(campaign_id, zone, weeks),
    }


def _best(campaign_id: int) -> list[dict[str, Any]]:
    best = _rows(_BEST, campaign=campaign_id, most=MOST_INFLUENCERS)
    below = {row["id"]: row for row in _rows(_BELOW, ids=[row["id"] for row in best])} if best else {}
    return [{**row, **below[row["id"]]} for row in best]


def _pairs(campaign_id: int, zone: str, weeks: Sequence[str]) -> list[dict[str, Any]]:
    """Pairs by the referrer's week: the place among ordered Mondays is found much faster than the week itself."""
    mondays = [midnight(date.fromisoformat(week), zone) for week in weeks]
    found = _rows(_PAIRS, campaign=campaign_id, mondays=mondays or [clock.now() - timedelta(days=1)])
    return [{**row, "week": None if row["week"] is None else weeks[row["week"] - 1]} for row in found]


def _name(campaign_id: int, zone: str) -> str:
    return f"spread:{campaign_id}:{zone}"


def _rows(statement: str, **values: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in db.session.execute(text(statement), values).mappings()]
