"""Taking the people inside a sequence along to its next version: who goes where, when they are due, and who at once.

People are moved step by step of their own version, whichever that is: those who stayed in an old one once are taken
along too. Rows are read and written by the batch; a planner that holds some is waited for, and whoever it moved on in
the meantime is taken from where they are then.
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from leadgen.authoring import comparing
from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.journal.vocabulary import FactName
from leadgen.nurture import hours, planning, versions
from leadgen.nurture.definition import HOUR, Definition, End, Until, Wait
from leadgen.nurture.hours import Calendar
from leadgen.nurture.models import EnrolmentStatus, MoveReason, Sequence

BATCH = 20_000
_PASSES = 5  # so often those are looked for whom a planner moved on meanwhile
_NOBODY = datetime(9999, 1, 1, tzinfo=UTC)
# The step from which a version took somebody away who still waits for what came instead: it may come back.
_TAKEN_FROM = """
coalesce(CASE WHEN n.version = ANY(CAST(:lacking AS int[])) THEN (
    SELECT CASE WHEN v.detail->>'to' = n.step_key THEN v.detail->>'from' END FROM enrolment_move v
    WHERE v.enrolment_id = n.id AND v.reason = 'moved' ORDER BY v.id DESC LIMIT 1) END, '')
"""
# Who finished last of all times, and may still be written to.
_IS_BACK = """
n.status = 'finished' AND n.ended_at >= :finished_since
AND EXISTS (SELECT FROM contact p WHERE p.id = n.contact_id AND p.marketing_at IS NOT NULL AND p.erased_at IS NULL)
AND NOT EXISTS (SELECT FROM enrolment o WHERE o.sequence_id = n.sequence_id AND o.entry_id = n.entry_id AND o.id > n.id)
"""
_VERSIONS = text("SELECT DISTINCT version FROM enrolment WHERE sequence_id = :sequence")
_GROUPS = text(f"""
SELECT n.status, n.version, n.step_key, {_TAKEN_FROM} AS taken_from, count(*) AS people FROM enrolment n
WHERE n.sequence_id = :sequence AND n.version <> :number AND (n.status = 'active' AND :is_moving OR ({_IS_BACK}))
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
""")  # noqa: S608 - put together from constants of the module
_ANCHOR = "CASE n.status WHEN 'finished' THEN n.ended_at ELSE n.anchor_at END"
# What was waited for has come: the date that somebody has is not the wait's any more.
_HAS_COME = """
:is_event AND EXISTS (SELECT FROM enrolment_move v WHERE v.enrolment_id = n.id AND v.step_key = n.step_key
                      AND v.reason = 'went_on' AND v.at >= n.anchor_at)
"""
# Found before anything is joined: the database cannot guess how many they are, and would join them one by one.
_GROUP = f"""
SELECT n.id, n.contact_id, n.campaign_id, n.next_run_at, {_ANCHOR} AS anchor, {_HAS_COME} AS has_come FROM enrolment n
WHERE n.sequence_id = :sequence AND n.version = :version AND n.step_key = :step_key
  AND n.status = :status AND (n.status = 'active' OR {_IS_BACK}) AND {_TAKEN_FROM} = :taken_from
"""  # noqa: S608 - put together from constants of the module
_WHERE = """
g.*, c.timezone, coalesce(c.answers->>:country_key, '') AS country, k.timezone AS campaign_zone, k.ends_at
FROM inside g JOIN contact c ON c.id = g.contact_id JOIN campaign k ON k.id = g.campaign_id
"""
_HOLD = text(f"""
WITH inside AS MATERIALIZED ({_GROUP} AND n.id > :after ORDER BY n.id LIMIT :batch FOR NO KEY UPDATE OF n)
SELECT {_WHERE} ORDER BY g.id
""")
_ZONES = text(f"""
WITH inside AS MATERIALIZED ({_GROUP})
SELECT timezone, country, campaign_zone, ends_at, min(anchor) AS first, max(anchor) AS last
FROM (SELECT {_WHERE}) p GROUP BY 1, 2, 3, 4
""")  # noqa: S608 - put together from constants of the module
_COUNT = text(f"""
WITH inside AS MATERIALIZED ({_GROUP})
SELECT count(*) FROM (SELECT {_WHERE}) p
JOIN unnest(CAST(:zones AS text[]), CAST(:countries AS text[]), CAST(:latest AS timestamptz[]))
     AS z (timezone, country, latest) ON z.timezone = p.timezone AND z.country = p.country AND p.anchor <= z.latest
WHERE NOT p.has_come AND NOT (:is_active AND p.next_run_at <= :now)
""")  # noqa: S608 - put together from constants of the module
_STAY_THERE = text("""
UPDATE enrolment SET version = :number
WHERE sequence_id = :sequence AND status = 'active' AND version = :version AND step_key = ANY(:step_keys)
""")
_MOVE = text("""
WITH moved AS (
    UPDATE enrolment n SET version = :number, step_key = :target, next_run_at = g.due, anchor_at = g.anchor,
        status = 'active', ended_at = NULL
    FROM unnest(CAST(:ids AS bigint[]), CAST(:dues AS timestamptz[]), CAST(:anchors AS timestamptz[]),
                CAST(:befores AS timestamptz[])) AS g (id, due, anchor, before)
    WHERE n.id = g.id
    RETURNING n.id, n.next_run_at, g.before
)
INSERT INTO enrolment_move (enrolment_id, at, step_key, reason, detail)
SELECT id, :now, :target, CAST(:reason AS text), CAST(:detail AS jsonb) || jsonb_build_object('before', before)
FROM moved WHERE CAST(:reason AS text) = 'moved' OR before <> next_run_at
""")
_FINISH = text("""
WITH over AS (
    UPDATE enrolment SET version = :number, status = 'finished', ended_at = :now
    WHERE sequence_id = :sequence AND status = 'active' AND version = :version AND step_key = :step_key
    RETURNING *
), told AS (
    INSERT INTO enrolment_move (enrolment_id, at, step_key, reason, detail)
    SELECT id, :now, step_key, 'moved', CAST(:detail AS jsonb) FROM over
)
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
SELECT :fact, :now, brand_id, campaign_id, contact_id, entry_id, jsonb_build_object('sequence', sequence_id) FROM over
""")


def country_key_of(sequence: Sequence) -> str:
    """Under which key the answers of the people hold their country; empty where they are not asked."""
    return planning.country_keys([sequence.campaign_id]).get(sequence.campaign_id) or ""


def calendar_of(row: Any) -> Calendar:
    """What a person's waits are counted by, from their `timezone`, `country`, `campaign_zone` and `ends_at`."""
    return Calendar(hours.zone_of(row.timezone, row.country, row.campaign_zone), row.ends_at)


class Dates:
    """When a wait is over for many people: worked out once for all whose wait began in one hour of one zone.

    Between the ends of an hour nothing happens to the clocks where both ends lead to the same moment, or to moments
    that are as far from them; otherwise each date is worked out by itself.
    """

    def __init__(self, wait: Wait) -> None:
        """Nothing is known yet."""
        self.wait = wait
        self._known: dict[tuple[Calendar, int], tuple[datetime | None, timedelta | None]] = {}

    def due(self, anchor: datetime, calendar: Calendar) -> datetime | None:
        """As hours.due has it."""
        hour = int(anchor.timestamp() // HOUR)
        same = self._known.get((calendar, hour)) or self._learnt(hour, calendar)
        if same[1] is not None:
            return anchor.astimezone(UTC) + same[1]
        return same[0] or hours.due(self.wait, anchor, calendar)

    def _learnt(self, hour: int, calendar: Calendar) -> tuple[datetime | None, timedelta | None]:
        begins, ends = (datetime.fromtimestamp(one * HOUR, UTC) for one in (hour, hour + 1))
        first, last = (hours.due(self.wait, one, calendar) for one in (begins, ends))
        found: tuple[datetime | None, timedelta | None] = (None, None)
        if first is not None and last is not None:
            is_steady = first - begins == last - ends
            found = (first if first == last else None, first - begins if is_steady else None)
        self._known[calendar, hour] = found
        return found


@dataclass(frozen=True, slots=True)
class Group:
    """People who stand at one place, and where they go."""

    status: EnrolmentStatus  # active, or finished and coming back
    version: int
    step_key: str
    taken_from: str
    people: int
    target: str | None  # None: it is over for them
    is_timed: bool  # whether their date is reckoned anew


@dataclass(frozen=True, slots=True)
class Person:
    """One of a group: when they were due, since when they wait, and when the new version makes them due."""

    id: int
    before: datetime
    anchor: datetime
    due: datetime
    is_now: bool  # due as soon as the version is published, and not before


@dataclass(slots=True, kw_only=True)
class Journey:
    """From whatever versions to `definition`, at the moment `now`; reads only, until `take_along`."""

    sequence: Sequence
    definition: Definition
    now: datetime
    is_moving: bool = True  # or everybody inside stays in their version
    is_recomputed: bool = False  # a changed wait counts from when it began
    finished_since: datetime = _NOBODY  # who finished since then comes back for added steps
    spread: timedelta = timedelta(0)  # over so long those go who are due at once
    number: int = 0  # of the new version; 0 while there is none
    _known: dict[int, Definition] = field(default_factory=dict)
    _lacking: list[int] = field(default_factory=list)

    def groups(self) -> list[Group]:
        """Everybody who is not in the new version yet, by where they stand."""
        numbers = db.session.scalars(_VERSIONS, {"sequence": self.sequence.id}).all()
        read = versions.definitions([(self.sequence.id, number) for number in numbers])
        self._known = {number: definition for (_sequence, number), definition in read.items()}
        keys = {step.key for step in self.definition.walk()}
        self._lacking = [number for number, old in self._known.items() if keys - {step.key for step in old.walk()}]
        rows = db.session.execute(_GROUPS, self._values()).all()
        return [group for row in rows if row.version in self._known and (group := self._group(row)) is not None]

    def _values(self, **values: Any) -> dict[str, Any]:
        shared = {"sequence": self.sequence.id, "number": self.number, "lacking": self._lacking}
        return {**shared, "finished_since": self.finished_since, "is_moving": self.is_moving, **values}

    def _group(self, row: Any) -> Group | None:
        old, status = self._known[row.version], EnrolmentStatus(row.status)
        if status is EnrolmentStatus.FINISHED:
            # Who came to an end that was put there stays at it.
            is_ended = isinstance(old.step(row.step_key), End)
            target = None if is_ended else comparing.first_added(old, self.definition)
            if target is None:
                return None
            return Group(status, row.version, row.step_key, row.taken_from, row.people, target, is_timed=True)
        target = comparing.targets(old, self.definition).get(row.step_key)
        if row.taken_from and self._is_there_again(old, row.taken_from, target):
            target = row.taken_from
        is_timed = target is not None and (target != row.step_key or self._is_retimed(old, target))
        return Group(status, row.version, row.step_key, row.taken_from, row.people, target, is_timed)

    def _is_there_again(self, old: Definition, key: str, going: str | None) -> bool:
        """Whether a step that was taken away from people is back, in front of where they would go."""
        order = {step.key: number for number, step in enumerate(self.definition.walk())}
        is_ahead = key in order and order[key] < order.get(going or "", len(order))
        return is_ahead and old.step(key) is None

    def _is_retimed(self, old: Definition, key: str) -> bool:
        before, after = old.step(key), self.definition.step(key)
        return self.is_recomputed and before is not None and after is not None and before.wait != after.wait

    def _values_of(self, group: Group) -> dict[str, Any]:
        step = self.definition.step(group.target or "")
        is_event = step is not None and step.wait.until is Until.EVENT and group.target == group.step_key
        values = self._values(version=group.version, step_key=group.step_key, status=group.status.value)
        country_key = country_key_of(self.sequence)
        return {**values, "taken_from": group.taken_from, "is_event": is_event, "country_key": country_key}

    def people_now(self, group: Group) -> int:
        """How many of a group would be due as soon as this is published, and were not before.

        The later a wait began the later it is over: for each time zone the last beginning is looked for that leads to
        now, and people are counted by it. (Who came within the hour that a clock shows twice may be counted wrongly.)
        """
        step = self.definition.step(group.target or "")
        if step is None or not group.is_timed:
            return 0
        values = self._values_of(group)
        found: dict[str, list[Any]] = {"zones": [], "countries": [], "latest": []}
        for row in db.session.execute(_ZONES, values).all():
            if (latest := self._latest(step.wait, row)) is not None:
                found["zones"].append(row.timezone)
                found["countries"].append(row.country)
                found["latest"].append(latest)
        is_active = group.status is EnrolmentStatus.ACTIVE
        asked = {**values, **found, "now": self.now, "is_active": is_active}
        return db.session.scalar(_COUNT, asked) or 0 if found["zones"] else 0

    def _latest(self, wait: Wait, row: Any) -> datetime | None:
        """The last beginning between `first` and `last` whose wait is over now; None where there is none."""
        calendar = calendar_of(row)

        def is_over(anchor: datetime) -> bool:
            return (hours.due(wait, anchor, calendar) or self.now) <= self.now

        low: datetime = row.first
        high: datetime = row.last
        if is_over(high) or not is_over(low):
            return high if is_over(high) else None
        while high - low > timedelta(microseconds=1):
            middle = low + (high - low) / 2
            low, high = (middle, high) if is_over(middle) else (low, middle)
        return low

    def people(self, group: Group) -> Iterator[Person]:
        """Everybody of a timed group with the date that the new version gives them; they are locked."""
        step = self.definition.step(group.target or "")
        assert step is not None
        dates = Dates(step.wait)
        values = self._values_of(group) | {"batch": BATCH, "after": 0}
        while rows := db.session.execute(_HOLD, values).all():
            values["after"] = rows[-1].id
            for row in rows:
                yield self._person(row, group, dates)

    def _person(self, row: Any, group: Group, dates: Dates) -> Person:
        due = row.next_run_at if row.has_come else dates.due(row.anchor, calendar_of(row)) or self.now
        was_due = group.status is EnrolmentStatus.ACTIVE and row.next_run_at <= self.now
        if was_due and due <= self.now:
            due = row.next_run_at
        return Person(row.id, row.next_run_at, row.anchor, due, is_now=due <= self.now and not was_due)

    def take_along(self) -> None:
        """Move everybody, by the batch where dates are reckoned anew and by one statement a version where not."""
        for _pass in range(_PASSES):
            groups = self.groups()
            if not groups:
                break
            late = [(group, person) for group in groups if group.is_timed for person in self._moved(group)]
            self._spread(late)
            for group in (one for one in groups if one.target is None):
                self._finish(group)
            for version in {one.version for one in groups}:
                same = [one.step_key for one in groups if one.version == version and one.target == one.step_key]
                db.session.execute(_STAY_THERE, self._values(version=version, step_keys=same))
        queue.ring_after_commit(db.session(), Bell.NURTURE)
        queue.ring_after_commit(db.session(), Bell.FACTS)

    def _moved(self, group: Group) -> Iterator[Person]:
        """Move who is due later, and answer who is due at once: when these go depends on how many they are."""
        people = self.people(group)
        while batch := list(itertools.islice(people, BATCH)):
            self._write(group, [(one, one.due) for one in batch if not one.is_now])
            yield from (one for one in batch if one.is_now)

    def _spread(self, late: list[tuple[Group, Person]]) -> None:
        """Give those who are due at once their place, one after the other, who waited longest first."""
        late.sort(key=lambda one: (one[1].due, one[1].id))
        gap = self.spread / len(late) if late else timedelta(0)
        placed: dict[Group, list[tuple[Person, datetime]]] = defaultdict(list)
        for place, (group, person) in enumerate(late):
            placed[group].append((person, self.now + gap * place))
        for group, people in placed.items():
            for first in range(0, len(people), BATCH):
                self._write(group, people[first : first + BATCH])

    def _write(self, group: Group, people: Many[tuple[Person, datetime]]) -> None:
        reason = MoveReason.RETIMED if group.target == group.step_key else MoveReason.MOVED
        detail: dict[str, Any] = {"why": "version", "version": self.number}
        if reason is MoveReason.MOVED:
            detail |= {"from": group.step_key, "to": group.target}
        values = {
            "ids": [person.id for person, _due in people],
            "dues": [due for _person, due in people],
            "anchors": [person.anchor for person, _due in people],
            "befores": [person.before for person, _due in people],
        }
        values |= {"target": group.target, "reason": reason.value, "detail": json.dumps(detail), "now": self.now}
        if people:
            db.session.execute(_MOVE, {**values, "number": self.number})

    def _finish(self, group: Group) -> None:
        detail = {"why": "version", "version": self.number, "from": group.step_key, "to": ""}
        values = self._values(version=group.version, step_key=group.step_key, now=self.now, detail=json.dumps(detail))
        db.session.execute(_FINISH, {**values, "fact": FactName.SEQUENCE_FINISHED.value})
