"""The vital signs of the product: what waits, for how long, and which server is away; cheap enough to ask often."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg

from leadgen.core import clock, hot, queue
from leadgen.entries import auditing
from leadgen.mail import delivery, groups, pauses, receipts

# Counting stops here: “more than that” is as good as the number, and a million rows would take long.
COUNTED = 10_000
LOT_COUNTED = 2_000

_READ = f"""
WITH lot AS (
    -- What leaves at once and on its own is one lot; the others have one for each stream that flows and group of
    -- recipients. Each is asked for in the order of its index: a look costs the same at a million rows.
    SELECT name AS lane, 0 AS stream, '' AS domain_group FROM unnest(ARRAY['confirmation', 'service']) AS urgent (name)
    UNION ALL
    SELECT s.lane, s.id, g.name FROM stream s CROSS JOIN unnest(%(groups)s::text[]) AS g (name) WHERE s.state = 'open'
), due AS (
    SELECT lane.name, sum(counted.number) AS number, min(counted.oldest) AS oldest
    FROM unnest(ARRAY['confirmation', 'service', 'nurture', 'bulk']) AS lane (name)
    LEFT JOIN lot ON lot.lane = lane.name
    LEFT JOIN LATERAL (
        SELECT count(*) AS number, min(due_at) AS oldest FROM (
            SELECT due_at, id FROM message
            WHERE lane = lot.lane AND stream_id = lot.stream AND domain_group = lot.domain_group
              AND status = 'scheduled' AND due_at <= %(now)s::timestamptz
            ORDER BY due_at, id LIMIT {LOT_COUNTED}) AS first
    ) AS counted ON true
    GROUP BY lane.name
)
SELECT
    (SELECT jsonb_object_agg(name, coalesce(number, 0)) FROM due) AS due_messages,
    (SELECT jsonb_object_agg(name, coalesce(greatest(0, extract(epoch FROM %(now)s::timestamptz - oldest)), 0))
     FROM due) AS oldest_by_lane,
    (SELECT count(*) FROM message WHERE status = 'sending') AS sending,
    (SELECT count(*) FROM (SELECT 1 FROM message WHERE status = 'uncertain' LIMIT {COUNTED}) AS counted) AS uncertain,
    (SELECT count(*) FROM stream WHERE state = 'stopped') AS stopped,
    (SELECT count(*) FROM (SELECT 1 FROM provider_event WHERE applied_at IS NULL AND due_at < %(poison_at)s
                           LIMIT {COUNTED}) AS counted) AS events,
    (SELECT count(*) FROM (SELECT 1 FROM provider_event WHERE applied_at IS NULL AND due_at >= %(poison_at)s
                           LIMIT {COUNTED}) AS counted) AS poison,
    (SELECT count(*) FROM (SELECT 1 FROM fact WHERE announced_at IS NULL LIMIT {COUNTED}) AS counted) AS facts
"""  # noqa: S608 - the only values put in by Python are constants of this module


@dataclass(frozen=True, slots=True)
class Vitals:
    """One reading. Ages in seconds; `mail_pause` says why the mail provider is left in peace, empty when it is not.

    `is_mail_refused`: no mail leaves until somebody changes a setting.
    """

    has_database: bool = False
    has_redis: bool = False
    mail_pause: str = ""
    is_mail_refused: bool = False
    events_waiting: int = 0
    events_poisonous: int = 0
    facts_waiting: int = 0
    due_messages: dict[str, float] = field(default_factory=dict)
    oldest_by_lane: dict[str, float] = field(default_factory=dict)
    open_messages: dict[str, float] = field(default_factory=dict)
    streams_stopped: int = 0  # by breakers: somebody has to look
    points_wrong: int = 0  # what the last nightly audit found
    jobs_by_queue: dict[str, float] = field(default_factory=dict)
    oldest_job_seconds: float = 0.0

    @property
    def oldest_message_seconds(self) -> float:
        """For how long the message that is due longest has waited."""
        return max(self.oldest_by_lane.values(), default=0.0)


def take() -> Vitals:
    """Read the signs now. Never raises: what is away is said in the reading."""
    jobs = queue.waiting()
    try:
        row = hot.one(_READ, {"now": clock.now(), "poison_at": receipts.POISON_AT, "groups": list(groups.ALL)})
    except psycopg.Error:
        row = None
    pause, notice = delivery.pause(), pauses.operator_notice()
    return Vitals(
        has_database=row is not None,
        has_redis=jobs is not None,
        mail_pause=notice.code if notice else pause.text if pause else "",
        is_mail_refused=notice is not None,
        events_waiting=row["events"] if row else 0,
        events_poisonous=row["poison"] if row else 0,
        facts_waiting=row["facts"] if row else 0,
        due_messages=row["due_messages"] if row else {},
        oldest_by_lane={lane: round(float(age), 1) for lane, age in row["oldest_by_lane"].items()} if row else {},
        open_messages={name: row[name] for name in ("sending", "uncertain")} if row else {},
        streams_stopped=row["stopped"] if row else 0,
        jobs_by_queue={name.value: count for name, (count, _age) in (jobs or {}).items()},
        points_wrong=auditing.differences(),
        oldest_job_seconds=round(max((age for _count, age in (jobs or {}).values()), default=0.0), 1),
    )
