"""Pausing a sequence, what piled up meanwhile, and how it goes on: send, skip or spread; with or without the time."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import text

from leadgen.authoring import describing, drafts
from leadgen.authoring.moving import BATCH, Group, Journey, calendar_of, country_key_of
from leadgen.core import clock as clocks
from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell
from leadgen.journal.vocabulary import FactName
from leadgen.mail import streams
from leadgen.mail.models import StreamState
from leadgen.nurture import sequences as nurture
from leadgen.nurture import versions, walking
from leadgen.nurture.definition import Definition, Letter, Until
from leadgen.nurture.models import EnrolmentStatus, Sequence
from leadgen.nurture.walking import Place

MOST_SPREAD_DAYS = 30

_VERSIONS = text("SELECT DISTINCT version FROM enrolment WHERE sequence_id = :sequence AND status = 'active'")
# A date before the contest's end stands still while the others move with a frozen clock.
_LATE = """
late AS MATERIALIZED (
    SELECT 'mail' AS kind, m.id, m.contact_id, s.key AS step_key, m.due_at AS since
    FROM message m JOIN step s ON s.id = m.step_id
    WHERE m.lane = 'nurture' AND m.stream_id = :stream AND m.status = 'scheduled'
      AND m.due_at <= greatest(CAST(:until AS timestamptz), m.created_at)
    UNION ALL
    SELECT 'person', n.id, n.contact_id, n.step_key, n.next_run_at FROM enrolment n
    LEFT JOIN unnest(CAST(:fixed_versions AS int[]), CAST(:fixed_keys AS text[])) AS f (version, step_key)
      ON f.version = n.version AND f.step_key = n.step_key
    WHERE n.sequence_id = :sequence AND n.status = 'active'
      AND n.next_run_at <= CASE WHEN f.version IS NULL THEN greatest(CAST(:until AS timestamptz), n.anchor_at)
                                ELSE :now END
)
"""
_OVERDUE = text(f"""
WITH {_LATE}
SELECT step_key, grouping(step_key) AS is_total, count(DISTINCT contact_id) AS people, min(since) AS since
FROM late GROUP BY GROUPING SETS ((step_key), ()) ORDER BY since, step_key
""")  # noqa: S608 - put together from constants of the module
# Messages before enrolments, as the sender does it, whichever the database would take first.
_HOLD_LATE_MAILS = text("""
SELECT FROM message
WHERE lane = 'nurture' AND stream_id = :stream AND status = 'scheduled' AND due_at <= :until
ORDER BY id FOR UPDATE
""")
# Each person has one place, whatever waits for them. Windows, and no join: nobody can guess how many these are.
_PUT_OFF = text(f"""
WITH {_LATE}, firsts AS (
    SELECT *, min(since) OVER (PARTITION BY contact_id) AS first FROM late
), ranked AS (
    SELECT *, dense_rank() OVER (ORDER BY first, contact_id) - 1 AS place FROM firsts
), placed AS MATERIALIZED (
    SELECT *, CAST(:now AS timestamptz) + CAST(:spread AS interval) * place / (max(place) OVER () + 1) AS at FROM ranked
), mails AS (
    UPDATE message m SET due_at = p.at, expires_at = p.at + (m.expires_at - m.due_at)
    FROM placed p WHERE m.id = p.id AND p.kind = 'mail'
    RETURNING m.id, m.due_at
), told AS (
    INSERT INTO message_move (message_id, at, reason, until) SELECT id, :now, 'sequence_paused', due_at FROM mails
), people AS (
    UPDATE enrolment n SET next_run_at = p.at FROM placed p WHERE n.id = p.id AND p.kind = 'person'
    RETURNING n.id, n.step_key, p.since
)
INSERT INTO enrolment_move (enrolment_id, at, step_key, reason, detail)
SELECT id, :now, step_key, 'retimed', jsonb_build_object('why', 'pause', 'before', since) FROM people
""")  # noqa: S608 - put together from constants of the module
_SKIP_MAILS = text("""
UPDATE message SET status = 'skipped', reason = 'sequence_paused'
WHERE lane = 'nurture' AND stream_id = :stream AND status = 'scheduled' AND due_at <= :now
""")
# What began during the pause moves by what it was in it, or newcomers would wait for a pause that they never saw.
_SHIFT_MAILS = text("""
UPDATE message SET due_at = due_at + (:now - greatest(:since, created_at)),
    expires_at = expires_at + (:now - greatest(:since, created_at))
WHERE lane = 'nurture' AND stream_id = :stream AND status = 'scheduled'
""")
_SHIFT_PEOPLE = text("""
WITH moved AS (
    UPDATE enrolment n SET anchor_at = anchor_at + (:now - greatest(:since, anchor_at)),
        next_run_at = next_run_at + (:now - greatest(:since, anchor_at))
    WHERE n.sequence_id = :sequence AND n.status = 'active' AND NOT EXISTS (
        SELECT FROM unnest(CAST(:fixed_versions AS int[]), CAST(:fixed_keys AS text[])) AS f (version, step_key)
        WHERE f.version = n.version AND f.step_key = n.step_key)
    RETURNING n.id, n.step_key
)
INSERT INTO enrolment_move (enrolment_id, at, step_key, reason, detail)
SELECT id, :now, step_key, 'retimed', CAST(:detail AS jsonb) FROM moved
""")
_RETIME = text("""
UPDATE enrolment n SET next_run_at = g.due
FROM unnest(CAST(:ids AS bigint[]), CAST(:dues AS timestamptz[])) AS g (id, due) WHERE n.id = g.id
""")
_LATE_PEOPLE = text("""
WITH late AS MATERIALIZED (
    SELECT id, version, step_key, anchor_at, next_run_at, contact_id, campaign_id FROM enrolment
    WHERE sequence_id = :sequence AND status = 'active' AND next_run_at <= :now AND id > :after
    ORDER BY id LIMIT :batch FOR NO KEY UPDATE
)
SELECT n.*, c.timezone, coalesce(c.answers->>:country_key, '') AS country, k.timezone AS campaign_zone, k.ends_at
FROM late n JOIN contact c ON c.id = n.contact_id JOIN campaign k ON k.id = n.campaign_id ORDER BY n.id
""")
_GO_ON = text("""
WITH moved AS (
    UPDATE enrolment n SET step_key = g.step_key, anchor_at = g.anchor, next_run_at = g.due, status = g.status,
        ended_at = CASE WHEN g.status = 'finished' THEN CAST(:now AS timestamptz) END
    FROM unnest(CAST(:ids AS bigint[]), CAST(:step_keys AS text[]), CAST(:anchors AS timestamptz[]),
                CAST(:dues AS timestamptz[]), CAST(:statuses AS text[])) AS g (id, step_key, anchor, due, status)
    WHERE n.id = g.id
    RETURNING n.*
), story AS (
    INSERT INTO enrolment_move (enrolment_id, at, step_key, reason, detail)
    SELECT v.id, :now, v.step_key, 'skipped', CAST(:detail AS jsonb)
    FROM unnest(CAST(:skipped_ids AS bigint[]), CAST(:skipped_keys AS text[])) AS v (id, step_key)
)
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
SELECT :fact, :now, brand_id, campaign_id, contact_id, entry_id, jsonb_build_object('sequence', sequence_id)
FROM moved WHERE status = 'finished'
""")


class How(StrEnum):
    """What becomes of letters whose time passed during the pause."""

    SEND = "send"  # they leave now; how late they may be counts from now
    SKIP = "skip"  # they never leave; people go on to their next step
    SPREAD = "spread"  # they leave evenly over some days


class Clock(StrEnum):
    """What the pause was for the people inside."""

    KEEP = "keep"  # time went on
    FREEZE = "freeze"  # time stood still: every date moves by what the pause took of it; the contest's end does not


@dataclass(frozen=True, slots=True)
class OverdueStep:
    """One step whose time passed for some people, the earliest at `since`."""

    step_key: str
    name: str
    people: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Overdue:
    """What is overdue; `people` are counted once each."""

    people: int = 0
    steps: list[OverdueStep] = field(default_factory=list)
    since: datetime | None = None  # the earliest of all
    paused_at: datetime | None = None


def pause(sequence: Sequence, by: str) -> None:
    """Let no letter of this sequence leave from now on; nobody is lost, and people still come in.

    Raises Conflict when it is not published, or archived. Pausing twice is the same as once.
    """
    drafts.locked(sequence)
    if sequence.version is None or sequence.archived_at is not None:
        raise Conflict(_("Only a sequence that is published can be paused."))
    if sequence.paused_at is None:
        sequence.paused_at = clocks.now()
        streams.pause(sequence.stream_id, by)
        drafts.note(sequence, FactName.SEQUENCE_PAUSED, by)


def overdue(sequence: Sequence, clock: Clock = Clock.KEEP) -> Overdue:
    """How many people wait for something whose time has passed, of which step, since when, if it went on now."""
    return _Pause.of(sequence, clock).overdue()


def resume(sequence: Sequence, how: How, *, spread_days: int = 0, clock: Clock = Clock.KEEP, by: str) -> Overdue:
    """Let the sequence go on, and answer what was overdue; mail.gates still leaves 48 h between letters to a person.

    One that came out of the archive is switched on as well. Raises Conflict when it is not paused, or archived; Invalid
    (`spread_days`) when spreading takes no or too many days, and (`steps`) when it may not be switched on.
    """
    drafts.locked(sequence)
    nurture.refuse_archived(sequence)
    if sequence.paused_at is None and streams.get(sequence.stream_id).state is StreamState.OPEN:
        raise Conflict(_("This sequence is not paused."))
    if how == How.SPREAD and not 1 <= spread_days <= MOST_SPREAD_DAYS:
        raise Invalid(_("Choose from 1 to %(limit)d days.") % {"limit": MOST_SPREAD_DAYS}, "spread_days")
    pause = _Pause.of(sequence, clock)
    if not sequence.is_active:
        nurture.switch_on(sequence)
    found = pause.overdue()
    if clock == Clock.FREEZE:
        pause.shift()
    if how == How.SKIP:
        pause.skip()
    else:
        pause.put_off(timedelta(days=spread_days if how == How.SPREAD else 0))
    sequence.paused_at = None
    streams.resume(sequence.stream_id, by)
    drafts.note(sequence, FactName.SEQUENCE_RESUMED, by, how=str(how), clock=str(clock), people=found.people)
    queue.ring_after_commit(db.session(), Bell.NURTURE)
    return found


@dataclass(slots=True)
class _Pause:
    """A pause that ends at `now`; `length` is how long time stood still in it."""

    sequence: Sequence
    now: datetime
    length: timedelta
    definitions: Mapping[int, Definition]

    @classmethod
    def of(cls, sequence: Sequence, clock: Clock) -> _Pause:
        now = clocks.now()
        since = sequence.paused_at or streams.get(sequence.stream_id).changed_at or now
        numbers = db.session.scalars(_VERSIONS, {"sequence": sequence.id}).all()
        read = versions.definitions([(sequence.id, number) for number in {*numbers, sequence.version or 0}])
        definitions = {number: definition for (_sequence, number), definition in read.items()}
        return cls(sequence, now, now - since if clock == Clock.FREEZE else timedelta(0), definitions)

    def values(self, *, until: datetime | None = None, **values: Any) -> dict[str, Any]:
        fixed = [
            (number, step.key)
            for number, definition in self.definitions.items()
            for step in definition.walk()
            if step.wait.until is Until.BEFORE_END
        ]
        shared = {"sequence": self.sequence.id, "stream": self.sequence.stream_id, "now": self.now}
        shared |= {"fixed_versions": [one for one, _key in fixed], "fixed_keys": [key for _one, key in fixed]}
        return {**shared, "until": until or self.now, **values}

    def overdue(self) -> Overdue:
        rows = db.session.execute(_OVERDUE, self.values(until=self.now - self.length)).all()
        names: dict[str, str] = {}
        for _number, definition in sorted(self.definitions.items()):
            names |= describing.names(definition)
        steps = [
            OverdueStep(row.step_key, names.get(row.step_key, row.step_key), row.people, row.since)
            for row in rows
            if not row.is_total and row.people
        ]
        total = next(row for row in rows if row.is_total)
        return Overdue(total.people, steps, total.since, self.sequence.paused_at)

    def shift(self) -> None:
        """Move every date by what the pause took of it; hours and days on the wall are found again from there."""
        since = self.now - self.length
        db.session.execute(_SHIFT_MAILS, {"now": self.now, "since": since, "stream": self.sequence.stream_id})
        values = self.values(since=since, detail=json.dumps({"why": "pause"}))
        del values["until"], values["stream"]
        db.session.execute(_SHIFT_PEOPLE, values)
        for number, definition in self.definitions.items():
            for step in definition.walk():
                if step.wait.until is not Until.BEFORE_END and (step.wait.at or step.wait.weekdays):
                    self._find_hours(number, definition, step.key)

    def _find_hours(self, number: int, definition: Definition, key: str) -> None:
        journey = Journey(sequence=self.sequence, definition=definition, now=self.now)
        group = Group(EnrolmentStatus.ACTIVE, number, key, "", 0, key, is_timed=True)
        people = journey.people(group)
        while batch := list(itertools.islice(people, BATCH)):
            values = {"ids": [one.id for one in batch], "dues": [one.due for one in batch]}
            db.session.execute(_RETIME, values)

    def put_off(self, spread: timedelta) -> None:
        """Give everybody who is overdue a new date: now, or one after the other, who waited longest first."""
        values = self.values(spread=spread)
        db.session.execute(_HOLD_LATE_MAILS, {"stream": values["stream"], "until": values["until"]})
        db.session.execute(_PUT_OFF, values)

    def skip(self) -> None:
        """Pass over the letters that are overdue: people go on as if they had been sent in time."""
        db.session.execute(_SKIP_MAILS, {"stream": self.sequence.stream_id, "now": self.now})
        asked: dict[str, Any] = {"sequence": self.sequence.id, "now": self.now, "batch": BATCH, "after": 0}
        asked["country_key"] = country_key_of(self.sequence)
        while rows := db.session.execute(_LATE_PEOPLE, asked).all():
            asked["after"] = rows[-1].id
            written: dict[str, list[Any]] = defaultdict(list)
            for row in rows:
                if row.version in self.definitions:
                    self._pass_over(row, written)
            if written["ids"]:
                detail = json.dumps({"why": "pause"})
                values = {"now": self.now, "detail": detail, "fact": FactName.SEQUENCE_FINISHED.value}
                db.session.execute(_GO_ON, {**values, **written})
        queue.ring_after_commit(db.session(), Bell.FACTS)

    def _pass_over(self, row: Any, written: dict[str, list[Any]]) -> None:
        """To the first step that is no letter or whose time is still to come."""
        definition, calendar = self.definitions[row.version], calendar_of(row)
        place: Place | None = Place(row.step_key, row.anchor_at, row.next_run_at)
        skipped: list[str] = []
        while place is not None and place.run_at <= self.now and isinstance(definition.step(place.step_key), Letter):
            skipped.append(place.step_key)
            place = walking.waiting_for(definition.after(place.step_key), place.run_at, calendar)
        if skipped:
            last = place or Place(skipped[-1], row.anchor_at, row.next_run_at)
            written["ids"].append(row.id)
            written["step_keys"].append(last.step_key)
            written["anchors"].append(last.anchor_at)
            written["dues"].append(last.run_at)
            written["statuses"].append(EnrolmentStatus.ACTIVE.value if place else EnrolmentStatus.FINISHED.value)
            written["skipped_ids"] += [row.id] * len(skipped)
            written["skipped_keys"] += skipped
