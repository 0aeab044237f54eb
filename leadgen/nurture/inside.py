"""What happens to people who are in a sequence: the goal, an exit, the event that was waited for, and leaving for good.

These are pushed as facts are told; whoever is quicker than the facts is judged again when a letter leaves
(nurture.judging). Messages are locked before enrolments, as the sender does it.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.nurture import happenings, hours, planning, versions
from leadgen.nurture.definition import GOAL_DAYS, Definition, Until
from leadgen.nurture.models import EnrolmentStatus, MoveReason

_CANCEL_OF_CONTACTS = text("""
UPDATE message m SET status = 'cancelled', reason = gone.reason
FROM unnest(CAST(:contacts AS bigint[]), CAST(:reasons AS text[]), CAST(:bounds AS bigint[]))
     AS gone (contact_id, reason, fact_id)
WHERE m.contact_id = gone.contact_id AND m.status = 'scheduled' AND m.lane = 'nurture'
  AND NOT EXISTS (SELECT FROM enrolment n WHERE n.id = m.enrolment_id AND n.fact_id > gone.fact_id)
""")
_EXIT_CONTACTS = text("""
WITH exited AS (
    UPDATE enrolment n SET status = 'exited', exit_reason = gone.reason, ended_at = :now
    FROM unnest(CAST(:contacts AS bigint[]), CAST(:reasons AS text[]), CAST(:bounds AS bigint[]))
         AS gone (contact_id, reason, fact_id)
    WHERE n.contact_id = gone.contact_id AND n.status = 'active'
      AND (gone.fact_id IS NULL OR n.fact_id IS NULL OR n.fact_id < gone.fact_id)
    RETURNING n.*
)
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
SELECT :exited, :now, brand_id, campaign_id, contact_id, entry_id,
       jsonb_build_object('sequence', sequence_id, 'reason', exit_reason)
FROM exited
""")
_CANCEL_OF_ENROLMENTS = text("""
UPDATE message m SET status = 'cancelled', reason = gone.reason
FROM (SELECT o.id, g.reason FROM message o
      JOIN unnest(CAST(:ids AS bigint[]), CAST(:contacts AS bigint[]), CAST(:reasons AS text[]))
           AS g (enrolment_id, contact_id, reason) ON g.contact_id = o.contact_id AND g.enrolment_id = o.enrolment_id
      WHERE o.status = 'scheduled' AND o.lane = 'nurture' ORDER BY o.id FOR NO KEY UPDATE OF o) AS gone
WHERE m.id = gone.id AND m.status = 'scheduled'
""")
# Locked in the order of their ids, so that two who end the same ones wait for each other and do not meet.
_EXIT_ENROLMENTS = text("""
WITH exited AS (
    UPDATE enrolment n SET status = 'exited', exit_reason = gone.reason, ended_at = :now
    FROM (SELECT o.id, g.reason FROM enrolment o
          JOIN unnest(CAST(:ids AS bigint[]), CAST(:reasons AS text[])) AS g (id, reason) ON g.id = o.id
          ORDER BY o.id FOR NO KEY UPDATE OF o) AS gone
    WHERE n.id = gone.id AND n.status = 'active'
    RETURNING n.*
)
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
SELECT :exited, :now, brand_id, campaign_id, contact_id, entry_id,
       jsonb_build_object('sequence', sequence_id, 'reason', exit_reason)
FROM exited
""")
_GOALS = text("""
WITH reached AS (
    UPDATE enrolment n SET goal_at = g.at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:moments AS timestamptz[])) AS g (id, at)
    WHERE n.id = g.id AND n.goal_at IS NULL
    RETURNING n.id, n.step_key
)
INSERT INTO enrolment_move (enrolment_id, at, step_key, reason) SELECT id, :now, step_key, :reason FROM reached
""")
_WENT_ON = text("""
WITH gone_on AS (
    UPDATE enrolment n SET next_run_at = g.at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:keys AS text[]), CAST(:moments AS timestamptz[])) AS g (id, step_key, at)
    WHERE n.id = g.id AND n.status = 'active' AND n.step_key = g.step_key
      AND NOT EXISTS (SELECT FROM enrolment_move v WHERE v.enrolment_id = n.id AND v.step_key = n.step_key
                      AND v.reason = :reason AND v.at >= n.anchor_at)
    RETURNING n.id, n.step_key
)
INSERT INTO enrolment_move (enrolment_id, at, step_key, reason) SELECT id, :now, step_key, :reason FROM gone_on
""")
# Of everybody whom the facts are about: who is on the way, and whose goal may still be counted.
_CONCERNED = text("""
SELECT n.id, n.sequence_id, n.version, n.status, n.step_key, n.anchor_at, n.entry_id, n.contact_id, n.campaign_id,
       n.fact_id, n.enrolled_at, n.goal_at, c.timezone, c.answers, k.timezone AS campaign_zone
FROM enrolment n
JOIN contact c ON c.id = n.contact_id
JOIN campaign k ON k.id = n.campaign_id
WHERE n.contact_id = ANY(:contacts) AND (n.status = 'active' OR (n.goal_at IS NULL AND n.enrolled_at > :earliest))
ORDER BY n.id
""")
_OWNERS = text("SELECT id, contact_id FROM entry WHERE id = ANY(:entries)")


def leave(facts: Many[Fact]) -> None:
    """End all sequences of these contacts with the reason, and cancel what was planned for them (reaction).

    Serves withdrawal of consent (unsubscribing included), bounce, complaint and erasure: whoever leaves once is not
    written to by any sequence of the brand again, unless they agree again: what that began goes on.
    """
    about = [fact for fact in facts if fact.contact_id]
    values = {"contacts": [fact.contact_id for fact in about], "reasons": [_reason(fact) for fact in about],
              "bounds": [fact.id if _may_be_taken_back(fact) else None for fact in about]}  # fmt: skip
    db.session.execute(_CANCEL_OF_CONTACTS, values)
    db.session.execute(_EXIT_CONTACTS, values | {"now": clock.now(), "exited": FactName.SEQUENCE_EXITED.value})
    queue.ring_after_commit(db.session(), Bell.FACTS)


def _reason(fact: Fact) -> str:
    if fact.name == FactName.CONTACT_ERASED:
        return "erased"
    return str(fact.data.get("reason") or "withdrawn")


def _may_be_taken_back(fact: Fact) -> bool:
    """Whether the person can agree again; a bounce, a complaint and an erasure also end what began after them."""
    return fact.name == FactName.CONSENT_WITHDRAWN or fact.data.get("reason") == "unsubscribe"


def exclude(facts: Many[Fact]) -> None:
    """End the sequences of the contests from which a check excluded somebody (reaction)."""
    out = [fact.entry_id for fact in facts if fact.data.get("after") == "excluded" and fact.entry_id]
    asked = text("SELECT id, contact_id FROM enrolment WHERE entry_id = ANY(:entries) AND contact_id = ANY(:contacts)")
    owners = db.session.execute(_OWNERS, {"entries": out}).all() if out else ()
    rows = db.session.execute(asked, {"entries": out, "contacts": [one.contact_id for one in owners]}).all()
    end([Ending(row.id, row.contact_id, "disqualified") for row in rows])


@dataclass(frozen=True, slots=True)
class Ending:
    """An enrolment that is over, and why."""

    enrolment_id: int
    contact_id: int
    reason: str


def end(endings: Many[Ending]) -> None:
    """End these enrolments where they are active, and cancel what waits of them; the first reason stays."""
    if not endings:
        return
    ids, reasons = [one.enrolment_id for one in endings], [one.reason for one in endings]
    values = {"ids": ids, "reasons": reasons}
    db.session.execute(_CANCEL_OF_ENROLMENTS, {**values, "contacts": [one.contact_id for one in endings]})
    finish(endings)


def finish(endings: Many[Ending]) -> None:
    """Like `end`, for whoever holds the messages already and says of each what becomes of it."""
    values = {"ids": [one.enrolment_id for one in endings], "reasons": [one.reason for one in endings]}
    db.session.execute(_EXIT_ENROLMENTS, {**values, "now": clock.now(), "exited": FactName.SEQUENCE_EXITED.value})
    queue.ring_after_commit(db.session(), Bell.FACTS)


def reach(goals: Many[tuple[int, datetime]]) -> None:
    """Write down when the goals of these enrolments were reached; the first time stays."""
    if goals:
        ids, moments = [one for one, _at in goals], [at for _one, at in goals]
        values = {"ids": ids, "moments": moments, "now": clock.now(), "reason": MoveReason.GOAL.value}
        db.session.execute(_GOALS, values)


def hear(facts: Many[Fact]) -> None:
    """Let goals, exits and waits of the people concerned hear of these facts (reaction)."""
    entries = [fact.entry_id for fact in facts if fact.entry_id]
    owners = {row.id: row.contact_id for row in db.session.execute(_OWNERS, {"entries": entries}).all()}
    contacts = {fact.contact_id or owners.get(fact.entry_id or 0) for fact in facts} - {None}
    earliest = clock.now() - timedelta(days=GOAL_DAYS.stop)
    rows = db.session.execute(_CONCERNED, {"contacts": list(contacts), "earliest": earliest}).all()
    read = versions.definitions([(row.sequence_id, row.version) for row in rows])
    told = [(row, read[row.sequence_id, row.version]) for row in rows if (row.sequence_id, row.version) in read]
    heard = happenings.Heard(facts)
    goals = {row.id: at for row, definition in told if (at := goal_at(row, definition, heard.of(row)))}
    over = [
        Ending(row.id, row.contact_id, "goal" if row.id in goals else "exit_event")
        for row, definition in told
        if row.id in goals or any(exits(row, definition, fact) for fact in heard.of(row))
    ]
    reach(list(goals.items()))
    end(over)
    gone = {ending.enrolment_id for ending in over}
    wake([one for one in told if one[0].id not in gone and _has_come(*one, heard.of(one[0]))])


def hear_again(people: Many[Any], definitions: Iterable[Definition]) -> None:
    """Let people whom a fact has just enrolled hear what came after it and was told before they were inside.

    Two workers tell facts at once, and some facts overtake others. They have `entry_id`, `contact_id`, `anchor_at`.
    """
    wanted = {one.on for definition in definitions for one in definition.happenings()}
    since = min((one.anchor_at for one in people), default=clock.now()) - timedelta(days=1)
    heard = happenings.in_journal(people, wanted, since)
    if later := {fact.id: fact for one in people for fact in heard.of(one) if fact.id > one.fact_id}:
        hear(list(later.values()))


def goal_at(row: Any, definition: Definition, facts: Many[Fact]) -> datetime | None:
    """When the first of these facts reached the goal of an enrolment within its days; None where none did."""
    goal = definition.goal
    if goal is None or row.goal_at is not None:
        return None
    until = row.enrolled_at + timedelta(days=goal.days)
    moments = [
        fact.at
        for fact in facts
        if fact.at <= until and happenings.is_later(row, fact) and happenings.is_it(goal.on, fact)
    ]
    return min(moments, default=None)


def exits(row: Any, definition: Definition, fact: Fact) -> bool:
    """Whether a fact ends an enrolment."""
    happening = (one.on for one in definition.exits if one.on is not None)
    return happenings.is_later(row, fact) and any(happenings.is_it(one, fact) for one in happening)


def _has_come(row: Any, definition: Definition, facts: Many[Fact]) -> bool:
    step = definition.step(row.step_key) if row.status == EnrolmentStatus.ACTIVE else None
    if step is None or step.wait.until is not Until.EVENT or step.wait.event is None:
        return False
    return happenings.has_come(row, step.wait.event, facts)


def wake(told: Many[tuple[Any, Definition]]) -> None:
    """Let these go on to what they wait for: at once, or at the hour and on the day that the step asks for."""
    keys = planning.country_keys({row.campaign_id for row, _definition in told})
    now = clock.now()
    found: list[tuple[int, str, datetime]] = []
    for row, definition in told:
        step = definition.step(row.step_key)
        if step is not None:
            country = planning.country_of(row, keys.get(row.campaign_id))
            zone = hours.zone_of(row.timezone, country, row.campaign_zone)
            found.append((row.id, step.key, hours.aligned(now, step.wait, zone, not_before=now)))
    if found:
        ids, step_keys, moments = (list(column) for column in zip(*found, strict=True))
        values = {"ids": ids, "keys": step_keys, "moments": moments}
        db.session.execute(_WENT_ON, {**values, "now": now, "reason": MoveReason.WENT_ON.value})
        queue.ring_after_commit(db.session(), Bell.NURTURE)
