"""What the page “Sending” shows: lanes, streams, troubles and plans of some brands. Only SELECT, and nothing unbounded.

Where a table may hold a million mails, rows are compared as wholes or asked for in the order of an index: a planner
that knows one large stream believes that any way of reading finds matching rows at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.mail import groups, pacing, rescue, tallies
from leadgen.mail.models import WarmUp
from leadgen.mail.speed import Speeds

# Counting stops here for each stream and group of recipients; the page says “more than”.
COUNTED = 2_000
PAGE = 20
# How many rows with an error are looked through for one page of them.
_LOOKED_THROUGH = 5_000
_BEYOND = 2**62

_CAMPAIGNS = text("SELECT id FROM campaign WHERE brand_id = ANY(:brands)")

_WAITING = text("""
SELECT s.lane, g.name AS domain_group, sum(due.number)::int AS number, max(due.number) >= :counted AS is_more,
       min(due.oldest) AS oldest
FROM stream s CROSS JOIN unnest(CAST(:groups AS text[])) AS g (name)
CROSS JOIN LATERAL (
    SELECT count(*) AS number, min(due_at) AS oldest FROM (
        SELECT due_at, id FROM message m
        WHERE m.lane = s.lane AND m.stream_id = s.id AND m.domain_group = g.name AND m.status = 'scheduled'
          AND m.due_at <= :now
        ORDER BY m.due_at, m.id LIMIT :counted) AS first
) AS due
WHERE s.brand_id = ANY(:brands) AND due.number > 0
GROUP BY s.lane, g.name
UNION ALL
SELECT l.lane, '', count(*) FILTER (WHERE first.brand_id = ANY(:brands))::int, count(*) >= :counted,
       min(first.due_at) FILTER (WHERE first.brand_id = ANY(:brands))
FROM unnest(ARRAY['confirmation', 'service']) AS l (lane) CROSS JOIN LATERAL (
    SELECT due_at, brand_id FROM message m
    WHERE m.lane = l.lane AND m.stream_id = 0 AND m.domain_group = '' AND m.status = 'scheduled' AND m.due_at <= :now
    ORDER BY m.due_at, m.id LIMIT :counted) AS first
GROUP BY l.lane
""")
_STOPS = text('SELECT lane, at, "by" FROM lane_stop')

_STREAMS = text("""
SELECT s.id, s.name, s.lane, s.state, s.reason, s.changed_at, s.changed_by, s.tally, s.tally_at, s.campaign_id,
       k.name AS campaign, k.status AS campaign_status, lower(split_part(b.sender_email, '@', 2)) AS domain,
       q.id AS sequence_id
FROM stream s JOIN campaign k ON k.id = s.campaign_id JOIN brand b ON b.id = s.brand_id
LEFT JOIN sequence q ON q.stream_id = s.id
WHERE s.brand_id = ANY(:brands) AND q.archived_at IS NULL
ORDER BY s.state = 'stopped' DESC, s.lane = 'bulk' AND jsonb_exists_any(s.tally, CAST(:moving AS text[])) DESC,
         s.id DESC
LIMIT :limit OFFSET :offset
""")

_TROUBLES = text("""
SELECT t.campaign_id, t.stream_id, t.status, split_part(t.reason, ':', 1) AS code, k.name AS campaign,
       coalesce(s.name, '') AS stream, count(*)::int AS number, count(*) >= :counted AS is_more,
       array_agg(DISTINCT t.letter) AS letters, max(t.reason) AS example, min(t.lease_until) AS settled_at
FROM campaign k CROSS JOIN unnest(ARRAY['failed', 'uncertain']) AS w (status) CROSS JOIN LATERAL (
    SELECT campaign_id, stream_id, status, reason, letter, lease_until FROM message
    WHERE (campaign_id, status) >= (k.id, w.status) AND (campaign_id, status) <= (k.id, w.status)
    ORDER BY campaign_id, status LIMIT :counted) AS t
LEFT JOIN stream s ON s.id = t.stream_id
WHERE k.brand_id = ANY(:brands)
GROUP BY t.campaign_id, t.stream_id, t.status, code, k.name, s.name
ORDER BY number DESC, t.campaign_id, t.stream_id, code
LIMIT :limit
""")

_ROWS = """
SELECT t.*, c.email FROM (
    SELECT id, campaign_id, stream_id, status, reason, letter, step_id, locale, purpose, entry_id, contact_id,
           coalesce(sent_at, due_at) AS at, lease_until, attempts
    FROM message WHERE {order} LIMIT :through
) AS t JOIN contact c ON c.id = t.contact_id
WHERE t.campaign_id = :campaign AND t.stream_id = :stream AND split_part(t.reason, ':', 1) = :code
ORDER BY t.id DESC LIMIT :limit
"""
_ROWS_OF_STREAM = text(
    _ROWS.format(
        order="""(stream_id, status, id) > (:stream, :status, 0)
          AND (stream_id, status, id) < (:stream, :status, :before) AND stream_id > 0
        ORDER BY stream_id DESC, status DESC, id DESC"""
    )
)
_ROWS_OF_NONE = text(
    _ROWS.format(
        order="""(status, id) > (:status, 0) AND (status, id) < (:status, :before)
          AND status IN ('failed', 'uncertain') ORDER BY status DESC, id DESC"""
    )
)

_DOMAINS = text("""
SELECT DISTINCT lower(split_part(sender_email, '@', 2)) FROM brand WHERE id = ANY(:brands) AND sender_email LIKE '%@%'
ORDER BY 1
""")
_SENT_TODAY = text("SELECT domain, mails FROM sending_day WHERE day = :day AND domain = ANY(:domains)")


@dataclass(frozen=True, slots=True)
class LaneNow:
    """One lane at this moment."""

    lane: Lane
    waiting: int = 0
    is_more: bool = False
    oldest_seconds: float = 0.0
    last_hour: int = 0
    per_minute: float = 0.0
    stopped_by: str = ""
    stopped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GroupNow:
    """The recipients of one mailbox provider."""

    name: str
    waiting: int
    is_more: bool
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class PlanNow:
    """A sending domain and how it warms up; `plan` None: it has none, or the plan is over."""

    domain: str
    plan: WarmUp | None
    cap: int | None
    sent_today: int


def campaign_ids(brand_ids: Collection[int]) -> frozenset[int]:
    """The campaigns of these brands."""
    return frozenset(db.session.scalars(_CAMPAIGNS, {"brands": list(brand_ids)}))


def lanes(brand_ids: Collection[int], speeds: Speeds) -> tuple[list[LaneNow], list[GroupNow]]:
    """What waits in each lane, and for whose mailboxes; both only of these brands."""
    now = clock.now()
    rows = _rows(_WAITING, brands=list(brand_ids), groups=list(groups.ALL), now=now, counted=COUNTED)
    stops = {row["lane"]: row for row in _rows(_STOPS)}
    found = []
    for lane in Lane:
        mine = [row for row in rows if row["lane"] == lane]
        stop = stops.get(lane)
        found.append(
            LaneNow(
                lane=lane,
                waiting=sum(row["number"] for row in mine),
                is_more=any(row["is_more"] for row in mine),
                oldest_seconds=_age(mine, now),
                last_hour=speeds.hour_by_lane[lane],
                per_minute=speeds.minute_by_lane.get(lane, 0.0),
                stopped_by=stop["by"] if stop else "",
                stopped_at=stop["at"] if stop else None,
            )
        )
    return found, _groups(rows, now)


def streams(brand_ids: Collection[int], page: int = 1) -> tuple[list[Mapping[str, Any]], bool]:
    """One page of streams, those that need a look first; and whether there are more."""
    values = {"brands": list(brand_ids), "moving": list(tallies.MOVING), "limit": PAGE + 1, "offset": PAGE * (page - 1)}
    rows = _rows(_STREAMS, **values)
    return list(rows[:PAGE]), len(rows) > PAGE


def troubles(brand_ids: Collection[int], limit: int = 50) -> list[Mapping[str, Any]]:
    """Failed and uncertain mails by campaign, stream and reason, most first; each counted up to COUNTED."""
    return list(_rows(_TROUBLES, brands=list(brand_ids), counted=COUNTED, limit=limit))


def trouble_rows(
    campaign_id: int, stream_id: int, status: str, code: str, before: int | None = None
) -> tuple[list[Mapping[str, Any]], int | None]:
    """The mails behind one line of `troubles`, newest first; and the id before which the next page begins."""
    values = {"campaign": campaign_id, "stream": stream_id, "status": status, "code": code, "limit": PAGE + 1}
    statement = _ROWS_OF_STREAM if stream_id else _ROWS_OF_NONE
    rows = _rows(statement, **values, before=before or _BEYOND, through=_LOOKED_THROUGH)
    return list(rows[:PAGE]), rows[PAGE - 1]["id"] if len(rows) > PAGE else None


def is_lost(row: Mapping[str, Any]) -> bool:
    """Whether the provider's answer to this mail was lost, so that sending it again may send it twice."""
    return row["status"] == "uncertain" or row["code" if "code" in row else "reason"] in rescue.LOST


def plans(brand_ids: Collection[int]) -> list[PlanNow]:
    """Each domain that these brands send from, with its plan."""
    today = clock.now().date()
    domains = list(db.session.scalars(_DOMAINS, {"brands": list(brand_ids)}))
    sent = {row["domain"]: row["mails"] for row in _rows(_SENT_TODAY, day=today, domains=domains)}
    found = pacing.limits().plans
    return [PlanNow(name, found.get(name), _cap(found.get(name), today), sent.get(name, 0)) for name in domains]


def _cap(plan: WarmUp | None, today: date) -> int | None:
    return pacing.daily_cap(plan, today) if plan else None


def _groups(rows: Sequence[Any], now: datetime) -> list[GroupNow]:
    found = []
    for name in groups.ALL:
        mine = [row for row in rows if row["domain_group"] == name]
        waiting, is_more = sum(row["number"] for row in mine), any(row["is_more"] for row in mine)
        if name:  # the urgent lanes wait for no group
            found.append(GroupNow(name, waiting, is_more, _age(mine, now)))
    return found


def _age(rows: Sequence[Any], now: datetime) -> float:
    oldest = min((row["oldest"] for row in rows if row["oldest"]), default=now)
    return max(0.0, (now - oldest).total_seconds())


def _rows(statement: Any, **values: Any) -> Sequence[Any]:
    return db.session.execute(statement, values).mappings().all()
