"""The tick: what is due is claimed by the batch, walked in Python by its definition, and written in one statement.

PostgreSQL judges the conditions of branches for all who stand in front of the same one; the wall clocks are Python's.
What is planned waits in the outbox, where the sender judges everything once more (rule 6).
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.journal.vocabulary import FactName
from leadgen.mail import groups
from leadgen.nurture import happenings, hours, splitting, versions, walking
from leadgen.nurture.conditions import Conditions
from leadgen.nurture.definition import Branch, Definition, Happening, Letter, Until
from leadgen.nurture.hours import Calendar
from leadgen.nurture.models import EnrolmentStatus, MoveReason
from leadgen.nurture.walking import Answers, Move, Place

log = logging.getLogger(__name__)

BATCH = 1000
_BROKEN_WAITS = timedelta(hours=1)  # until somebody mended what cannot be walked; nobody is lost meanwhile
# The cap of 48 hours is as long as a letter may usually be late: who gave way to another mail leaves right behind it.
GRACE = timedelta(hours=1)
_TRANSACTION_LOST = (MemoryError, queue.TimeLimit)

# An enrolment is claimed by its row lock: a second planner passes over it, and looks at it again only when it is due.
# A sequence that a breaker stopped stays active, and plans nothing: its letters would expire before somebody looked.
# Nor does one whose campaign is paused; what was due meanwhile is due when the campaign goes on.
# Sequences come first, who waits longest in front, so that people whom no planner may take are not read at every tick.
_CLAIM = text(f"""
WITH open AS MATERIALIZED (
    SELECT s.id FROM sequence s
    JOIN stream flow ON flow.id = s.stream_id AND flow.state = 'open'
    JOIN campaign k ON k.id = s.campaign_id AND k.status <> 'paused'
    CROSS JOIN LATERAL (
        SELECT n.next_run_at, n.id FROM enrolment n
        WHERE n.sequence_id = s.id AND n.status = 'active' AND n.next_run_at <= :now
        ORDER BY n.next_run_at, n.id LIMIT 1
    ) AS first
    WHERE s.is_active AND s.paused_at IS NULL AND s.archived_at IS NULL
    ORDER BY first.next_run_at, first.id
), claimed AS MATERIALIZED (
    SELECT due.* FROM open CROSS JOIN LATERAL (
        SELECT n.* FROM enrolment n
        WHERE n.sequence_id = open.id AND n.status = 'active' AND n.next_run_at <= :now
        ORDER BY n.next_run_at, n.id LIMIT :batch FOR UPDATE SKIP LOCKED
    ) AS due LIMIT :batch
)
SELECT n.id, n.sequence_id, n.version, n.step_key, n.anchor_at, n.enrolled_at, n.fact_id,
       greatest(n.next_run_at, k.resumed_at) AS next_run_at,
       n.brand_id, n.campaign_id, n.entry_id, n.contact_id, s.stream_id, {groups.COLUMN} AS domain_group,
       e.locale, e.access_version, e.code, c.timezone, c.answers, k.timezone AS campaign_zone, k.ends_at
FROM claimed n
JOIN sequence s ON s.id = n.sequence_id
JOIN entry e ON e.id = n.entry_id
JOIN contact c ON c.id = n.contact_id {groups.JOIN}
JOIN campaign k ON k.id = n.campaign_id
ORDER BY n.next_run_at, n.id
""")  # noqa: S608 - the only text put in by Python is a constant

_STEPS = text("SELECT id, sequence_id, key, variant FROM step WHERE sequence_id = ANY(:ids) AND is_active ORDER BY id")
_COME = text("""
SELECT DISTINCT n.id FROM enrolment n JOIN enrolment_move v ON v.enrolment_id = n.id
WHERE n.id = ANY(:ids) AND v.step_key = n.step_key AND v.reason = :reason AND v.at >= n.anchor_at
""")
# The country that somebody chose in the form of their contest.
_COUNTRY_KEYS = text("""
SELECT DISTINCT ON (campaign_id) campaign_id,
       jsonb_path_query_first(definition, '$.pages[*].fields[*] ? (@.type == "country").key') #>> '{}' AS key
FROM form_version WHERE campaign_id = ANY(:ids) ORDER BY campaign_id, number DESC
""")

_WRITE = text("""
WITH moved AS (
    UPDATE enrolment n SET status = g.status, exit_reason = g.exit_reason, step_key = g.step_key,
        anchor_at = g.anchor_at, next_run_at = g.run_at,
        ended_at = CASE WHEN g.status <> 'active' THEN CAST(:now AS timestamptz) END
    FROM json_to_recordset(CAST(:moves AS json)) AS g (id bigint, status text, exit_reason text, step_key text,
                                                        anchor_at timestamptz, run_at timestamptz)
    WHERE n.id = g.id
    RETURNING n.*
), story AS (
    INSERT INTO enrolment_move (enrolment_id, at, step_key, reason, detail)
    SELECT v.id, :now, v.step_key, v.reason, v.detail
    FROM json_to_recordset(CAST(:told AS json)) AS v (id bigint, step_key text, reason text, detail jsonb)
), told AS (
    INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
    SELECT CASE status WHEN 'exited' THEN CAST(:exited AS text) ELSE CAST(:finished AS text) END, :now, brand_id,
           campaign_id, contact_id, entry_id,
           jsonb_strip_nulls(jsonb_build_object('sequence', sequence_id, 'reason', nullif(exit_reason, '')))
    FROM moved WHERE status <> 'active'
), wanted AS (
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, stream_id, domain_group, purpose,
                         letter, enrolment_id, step_id, locale, context, priority, due_at, expires_at, created_at)
    SELECT w.intent, w.brand_id, w.campaign_id, w.contact_id, w.entry_id, 'nurture', w.stream_id, w.domain_group,
           'marketing', 'sequence', w.enrolment_id, w.step_id, w.locale, w.context, w.priority, w.due_at, w.expires_at,
           :now
    FROM json_to_recordset(CAST(:wanted AS json))
         AS w (intent text, brand_id bigint, campaign_id bigint, contact_id bigint, entry_id bigint, stream_id bigint,
               domain_group text, enrolment_id bigint, step_id bigint, locale text, context jsonb, priority int,
               due_at timestamptz, expires_at timestamptz)
    ON CONFLICT (intent) DO NOTHING
    RETURNING id
)
SELECT (SELECT count(*) FROM wanted) AS wanted, (SELECT count(*) FROM moved WHERE status <> 'active') AS over
""")
_PUT_OFF = text("UPDATE enrolment SET next_run_at = :until WHERE id = ANY(:ids)")


def plan_batch(limit: int = BATCH) -> int:
    """Take up to `limit` due enrolments one step further: letters into the outbox, branches taken, the next wait begun.

    Answers how many were due. Two planners never take the same one; a letter is wanted once per enrolment and step, for
    ever. One that cannot be walked stands alone: it is looked at again in an hour, and the others go on.
    """
    now = clock.now()
    due = db.session.execute(_CLAIM, {"now": now, "batch": limit, **groups.columns()}).all()
    if due:
        _take(due, now)
    return len(due)


def _take(due: Many[Any], now: datetime) -> None:
    try:
        with db.session.begin_nested():
            _walk(due, now)
    except _TRANSACTION_LOST:
        raise
    except Exception:
        if len(due) == 1:
            log.exception("enrolment %d cannot go on", due[0].id)
            db.session.execute(_PUT_OFF, {"ids": [due[0].id], "until": now + _BROKEN_WAITS})
            return
        log.exception("one of %d enrolments cannot be planned; taking them one by one", len(due))
        for row in due:
            _take([row], now)


def _walk(due: Many[Any], now: datetime) -> None:
    batch = _Batch.read(due)
    writing = _Writing(now)
    for row in due:
        try:
            writing.add(row, *batch.step(row, now))
        except (LookupError, ValueError, TypeError, AttributeError, OverflowError) as error:
            log.error("enrolment %d cannot be walked: %r", row.id, error)  # noqa: TRY400 - a line each is enough
            writing.broken.append(row.id)
    writing.write()


@dataclass(slots=True)
class _Batch:
    """What the enrolments of a batch have to be told for their next step."""

    definitions: Mapping[versions.Key, Definition]
    letters: Mapping[tuple[int, str], Mapping[str, int]]  # of a sequence and a key: step ids by variant
    country_keys: Mapping[int, str]
    holding: dict[int, bool | None] = field(default_factory=dict)  # enrolment → its branch's condition
    staying: dict[int, bool] = field(default_factory=dict)
    come: frozenset[int] = frozenset()

    @classmethod
    def read(cls, due: Many[Any]) -> _Batch:
        definitions = versions.definitions([(row.sequence_id, row.version) for row in due])
        made = cls(
            definitions, _letters({row.sequence_id for row in due}), country_keys({row.campaign_id for row in due})
        )
        made._ask(due)
        return made

    def _ask(self, due: Many[Any]) -> None:
        """Judge each condition once, for all who stand in front of it."""
        conditions = Conditions()
        branches, audiences = defaultdict(list), defaultdict(list)
        waiting: list[tuple[Any, Happening]] = []
        for row in due:
            definition = self.definitions.get((row.sequence_id, row.version))
            step = definition.step(row.step_key) if definition else None
            if isinstance(step, Branch):
                branches[row.sequence_id, row.version, row.step_key].append(row)
            if definition and definition.stays_while and definition.who:
                audiences[row.sequence_id, row.version].append(row)
            if step and step.wait.until is Until.EVENT and step.wait.event:
                waiting.append((row, step.wait.event))
        for (sequence_id, version, key), rows in branches.items():
            step = self.definitions[sequence_id, version].step(key)
            assert isinstance(step, Branch)
            self.holding |= _judged(conditions, step.when, rows)
        for version_key, rows in audiences.items():
            judged = _judged(conditions, self.definitions[version_key].who or {}, rows)
            self.staying |= {row_id: holds is not False for row_id, holds in judged.items()}
        if waiting:
            self.come = _come(waiting)

    def step(self, row: Any, now: datetime) -> tuple[Definition, Move, int | None]:
        """Where this one goes, and the id of the words of its letter. Raises LookupError, ValueError, TypeError."""
        definition = self.definitions[row.sequence_id, row.version]
        country = country_of(row, self.country_keys.get(row.campaign_id))
        zone = hours.zone_of(row.timezone, country, row.campaign_zone)
        step = definition.step(row.step_key)
        words = self._words(step, row) if isinstance(step, Letter) else None
        answers = Answers(
            holds=self.holding.get(row.id),
            has_come=row.id in self.come,
            stays=self.staying.get(row.id, True),
            is_removed=isinstance(step, Letter) and words is None,
        )
        place = Place(row.step_key, row.anchor_at, row.next_run_at)
        return definition, walking.go(definition, place, now, Calendar(zone, row.ends_at), answers), words

    def _words(self, letter: Letter, row: Any) -> int | None:
        """The words of this person's variant; of another one where that variant is no more."""
        known = self.letters.get((row.sequence_id, letter.key), {})
        weights = [variant.weight for variant in letter.variants]
        experiment = letter.experiment or f"{row.sequence_id}:{letter.key}"
        place = splitting.variant_of(experiment, weights, row.contact_id) if len(weights) > 1 else 0
        return known.get(letter.variants[place].key, next(iter(known.values()), None))


def _come(waiting: Many[tuple[Any, Happening]]) -> frozenset[int]:
    """For whom it came what they wait for: they were woken by it, or it was told while they were led to the wait."""
    asked = {"ids": [row.id for row, _event in waiting], "reason": MoveReason.WENT_ON.value}
    woken = frozenset(db.session.scalars(_COME, asked))
    others = [(row, event) for row, event in waiting if row.id not in woken]
    since = min((row.anchor_at for row, _event in others), default=clock.now())
    heard = happenings.in_journal([row for row, _event in others], {event.on for _row, event in others}, since)
    return woken | {row.id for row, event in others if happenings.has_come(row, event, heard.of(row))}


def _judged(conditions: Conditions, condition: Mapping[str, Any], rows: Many[Any]) -> dict[int, bool | None]:
    found = conditions.holding(rows[0].brand_id, condition, [row.contact_id for row in rows])
    return {row.id: None if found is None else row.contact_id in found for row in rows}


def _letters(sequence_ids: Iterable[int]) -> dict[tuple[int, str], dict[str, int]]:
    found: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for row in db.session.execute(_STEPS, {"ids": list(sequence_ids)}).all():
        found[row.sequence_id, row.key][row.variant] = row.id
    return found


def country_keys(campaign_ids: Iterable[int]) -> dict[int, str]:
    """The key under which the answers of a contest's people hold their country, where its form asks for it."""
    rows = db.session.execute(_COUNTRY_KEYS, {"ids": list(campaign_ids)}).all()
    return {row.campaign_id: row.key for row in rows if row.key}


def country_of(row: Any, key: str | None) -> str:
    """The country that somebody with these `answers` chose, or nothing."""
    country = row.answers.get(key) if key else ""
    return country if isinstance(country, str) else ""


@dataclass(slots=True)
class _Writing:
    """What the batch leaves behind, as rows of JSON: a quarter of what arrays of each column cost."""

    now: datetime
    moves: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    wanted: list[dict[str, Any]] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)

    def add(self, row: Any, definition: Definition, move: Move, words: int | None) -> None:
        """Nothing is added where something about the letter raises: whoever is broken must not move on."""
        wanted = [_message(row, definition, move.letter, words)] if move.letter is not None else []
        status = EnrolmentStatus.ACTIVE
        if move.then is None:
            status = EnrolmentStatus.EXITED if move.exit_reason else EnrolmentStatus.FINISHED
        place = move.then or Place(row.step_key, row.anchor_at, row.next_run_at)
        self.moves.append({
            "id": row.id, "status": status, "exit_reason": move.exit_reason, "step_key": place.step_key,
            "anchor_at": place.anchor_at.isoformat(), "run_at": place.run_at.isoformat(),
        })  # fmt: skip
        for one in move.told:
            self.told.append({"id": row.id, "step_key": one.step_key, "reason": one.reason, "detail": dict(one.detail)})
        self.wanted += wanted

    def write(self) -> None:
        """One statement, and the bells of who goes on from here."""
        rows = {"moves": json.dumps(self.moves), "told": json.dumps(self.told), "wanted": json.dumps(self.wanted)}
        names = {"finished": FactName.SEQUENCE_FINISHED.value, "exited": FactName.SEQUENCE_EXITED.value}
        wanted, over = db.session.execute(_WRITE, {**rows, **names, "now": self.now}).one()
        if self.broken:
            db.session.execute(_PUT_OFF, {"ids": self.broken, "until": self.now + _BROKEN_WAITS})
        for is_any, bell in ((wanted, Bell.MAIL), (over, Bell.FACTS)):
            if is_any:
                queue.ring_after_commit(db.session(), bell)


def _message(row: Any, definition: Definition, letter: Letter, words: int | None) -> dict[str, Any]:
    expires_at = row.next_run_at + timedelta(hours=letter.catch_up_hours) + GRACE
    return {
        "intent": f"seq:{row.id}:{letter.key}",
        "brand_id": row.brand_id,
        "campaign_id": row.campaign_id,
        "contact_id": row.contact_id,
        "entry_id": row.entry_id,
        "stream_id": row.stream_id,
        "domain_group": row.domain_group,
        "enrolment_id": row.id,
        "step_id": words,
        "locale": row.locale,
        "context": {"entry": row.entry_id, "access_version": row.access_version, "code": row.code},
        "priority": definition.priority,
        "due_at": row.next_run_at.isoformat(),
        "expires_at": expires_at.isoformat(),
    }
