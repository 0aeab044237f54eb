"""The marketer's list of entrants: search, pages, and a CSV that streams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import psycopg
from sqlalchemy import text

from leadgen.core import copying
from leadgen.core.db import db
from leadgen.core.text import like_pattern
from leadgen.entries.chances import draw_chances_in_sql
from leadgen.entries.models import EntryStatus

PAGE = 50

_SEARCH = """
SELECT e.id, e.contact_id, e.public_id, e.status, e.points + coalesce((SELECT sum(points) FROM ledger_pending p
       WHERE p.entry_id = e.id), 0) AS points, e.channel, e.created_at, e.confirmed_at, c.email, c.first_name,
       c.marketing_at IS NOT NULL AS is_subscribed, r.public_id AS referrer_public_id, rc.first_name AS referrer_name,
       (SELECT count(*) FROM entry f WHERE f.referrer_id = e.id AND f.status = 'confirmed') AS friends_counted
FROM entry e
JOIN contact c ON c.id = e.contact_id
LEFT JOIN entry r ON r.id = e.referrer_id
LEFT JOIN contact rc ON rc.id = r.contact_id
WHERE e.campaign_id = :campaign
  AND (:pattern = '' OR c.email ILIKE :pattern OR c.first_name ILIKE :pattern OR e.public_id = upper(:typed)
       OR e.code = upper(:typed))
  AND (:status = '' OR e.status = :status)
  AND (CAST(:before AS bigint) IS NULL OR e.id < :before)
ORDER BY e.id DESC LIMIT :limit
"""

_EXPORT = """
COPY (
    SELECT e.public_id, e.status, {email} AS email, {first_name} AS first_name, e.locale, e.created_at, e.confirmed_at,
           e.confirm_method, c.marketing_at, e.points + coalesce(p.points, 0) AS points,
           e.chances + coalesce(p.chances, 0) AS chances, {draw_chances} AS draw_chances,
           {channel} AS channel, e.depth, r.public_id AS referrer,
           {source} AS source, {answers} AS answers
    FROM entry e
    JOIN contact c ON c.id = e.contact_id
    LEFT JOIN entry r ON r.id = e.referrer_id
    JOIN campaign m ON m.id = e.campaign_id
    LEFT JOIN (SELECT entry_id, sum(points) AS points, sum(chances) AS chances,
                      sum(chances) FILTER (WHERE proof = 'declared') AS declared
               FROM ledger_pending GROUP BY entry_id) p ON p.entry_id = e.id
    WHERE e.campaign_id = %(campaign)s
    ORDER BY e.id DESC
) TO STDOUT (FORMAT csv, HEADER)
"""


@dataclass(frozen=True, slots=True)
class Entrant:
    """One line of the list; `id` is also the cursor of the next page."""

    id: int
    contact_id: int
    public_id: str
    status: EntryStatus
    email: str | None
    first_name: str
    points: int
    channel: str
    is_subscribed: bool
    referrer_public_id: str | None
    referrer_name: str | None
    friends_counted: int
    created_at: datetime
    confirmed_at: datetime | None


def search(
    campaign_id: int, *, typed: str = "", status: str = "", before_id: int | None = None, limit: int = PAGE
) -> list[Entrant]:
    """Entrants whose address, name, public id or code matches, newest first; `before_id` continues after a page."""
    tidy = typed.strip()
    rows = db.session.execute(
        text(_SEARCH),
        {
            "campaign": campaign_id,
            "typed": tidy,
            "pattern": like_pattern(tidy) if tidy else "",
            "status": status if status in set(EntryStatus) else "",
            "before": before_id,
            "limit": limit,
        },
    ).mappings()
    return [Entrant(**{**row, "status": EntryStatus(row["status"]), "points": int(row["points"])}) for row in rows]


def export_csv(campaign_id: int) -> Iterator[bytes]:
    """All entrants of a campaign as CSV, newest first, streamed by the database: memory stays flat at any size.

    On a connection of its own, which is closed when the reader goes away.
    """
    columns = {name: copying.safe(f"c.{name}") for name in ("email", "first_name")}
    columns |= {"channel": copying.safe("e.channel")}
    columns |= {
        "source": copying.safe("e.source::text"),
        "answers": copying.safe("c.answers::text"),
    }
    columns["draw_chances"] = draw_chances_in_sql(
        "(e.chances + coalesce(p.chances, 0))", "(e.declared_chances + coalesce(p.declared, 0))", "m.declared_cap"
    )
    return copied(_EXPORT.format(**columns), campaign_id)


def copied(statement: str, campaign_id: int) -> Iterator[bytes]:
    """What a COPY of our own gives for a campaign, block by block; `%(campaign)s` stands for its id."""
    parts = psycopg.sql.SQL(statement.replace("%(campaign)s", "{campaign}"))
    return copying.streamed(parts.format(campaign=psycopg.sql.Literal(campaign_id)))
