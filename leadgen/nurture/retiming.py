"""New dates for people who wait for something before a contest's end, when that end was moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.journal.models import Fact
from leadgen.nurture import hours, planning, versions
from leadgen.nurture.definition import Definition, Until
from leadgen.nurture.hours import Calendar
from leadgen.nurture.models import MoveReason

BATCH = 2000
JOB = "leadgen.nurture.jobs.retime"
_VERSIONS = text("""
SELECT v.sequence_id, v.number FROM sequence_version v JOIN sequence s ON s.id = v.sequence_id WHERE s.campaign_id = :id
""")
_INSIDE = text("""
SELECT n.id, n.sequence_id, n.version, n.step_key, n.anchor_at, n.next_run_at, n.campaign_id, c.timezone, c.answers,
       k.timezone AS campaign_zone, k.ends_at
FROM unnest(CAST(:sequences AS bigint[]), CAST(:versions AS int[]), CAST(:keys AS text[]))
     AS f (sequence_id, version, step_key)
JOIN enrolment n ON n.sequence_id = f.sequence_id AND n.version = f.version AND n.step_key = f.step_key
JOIN contact c ON c.id = n.contact_id JOIN campaign k ON k.id = n.campaign_id
WHERE n.status = 'active' AND n.id > :after
ORDER BY n.id LIMIT :limit
""")
_RETIME = text("""
WITH moved AS (
    UPDATE enrolment n SET next_run_at = g.at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:keys AS text[]), CAST(:moments AS timestamptz[])) AS g (id, step_key, at)
    WHERE n.id = g.id AND n.status = 'active' AND n.step_key = g.step_key
    RETURNING n.id, n.step_key
)
INSERT INTO enrolment_move (enrolment_id, at, step_key, reason, detail)
SELECT id, :now, step_key, :reason, jsonb_build_object('why', CAST(:why AS text)) FROM moved
""")


def hear(facts: Sequence[Fact]) -> None:
    """Have the dates of these contests' people looked at again (reaction)."""
    for campaign_id in sorted({fact.campaign_id for fact in facts if fact.campaign_id}):
        queue.offer_after_commit(db.session(), JOB, campaign_id)


def retime(campaign_id: int) -> int:
    """Work out anew what is so long before the contest's end; answers how many dates moved.

    Commits after each batch.
    """
    waits = _waits_for_the_end(campaign_id)
    if not waits:
        return 0
    sequences, numbers, keys = (list(column) for column in zip(*waits, strict=True))
    asked: dict[str, Any] = {"sequences": sequences, "versions": numbers, "keys": keys, "limit": BATCH, "after": 0}
    moved = 0
    while rows := db.session.execute(_INSIDE, asked).all():
        asked["after"] = rows[-1].id
        moved += _retime(rows)
        db.session.commit()
    return moved


def _waits_for_the_end(campaign_id: int) -> list[tuple[int, int, str]]:
    """Sequence, version and key of each step whose date hangs on the end of this contest."""
    known = [(row.sequence_id, row.number) for row in db.session.execute(_VERSIONS, {"id": campaign_id})]
    return [
        (*version, step.key)
        for version, definition in versions.definitions(known).items()
        for step in definition.walk()
        if step.wait.until is Until.BEFORE_END
    ]


def _retime(rows: Sequence[Any]) -> int:
    read = versions.definitions([(row.sequence_id, row.version) for row in rows])
    keys = planning.country_keys({row.campaign_id for row in rows})
    found = []
    for row in rows:
        at = _due(row, read.get((row.sequence_id, row.version)), keys.get(row.campaign_id))
        if at is not None and at != row.next_run_at:
            found.append((row.id, row.step_key, at))
    if found:
        ids, step_keys, moments = (list(column) for column in zip(*found, strict=True))
        values = {"ids": ids, "keys": step_keys, "moments": moments, "now": clock.now()}
        db.session.execute(_RETIME, {**values, "reason": MoveReason.RETIMED.value, "why": "contest_end"})
    return len(found)


def _due(row: Any, definition: Definition | None, country_key: str | None) -> Any:
    step = definition.step(row.step_key) if definition else None
    if step is None or step.wait.until is not Until.BEFORE_END:
        return None
    zone = hours.zone_of(row.timezone, planning.country_of(row, country_key), row.campaign_zone)
    return hours.due(step.wait, row.anchor_at, Calendar(zone, row.ends_at))
