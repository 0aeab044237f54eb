"""Whether a letter of a sequence still leaves: asked as the sender claims it, and once more before the provider's call.

What became of the enrolment is written down here too: whoever reached the goal or met an exit a second ago has left
before the letter would have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.logic import Condition
from leadgen.nurture import happenings, inside, versions
from leadgen.nurture.conditions import Conditions
from leadgen.nurture.definition import Definition, Event, Happening, Letter, Otherwise
from leadgen.nurture.inside import Ending
from leadgen.nurture.models import EnrolmentStatus
from leadgen.segments.models import Segment

_ASKED = text("""
SELECT m.id AS message_id, t.key AS step_key, n.id, n.sequence_id, n.version, n.status, n.exit_reason, n.brand_id,
       n.contact_id, n.entry_id, n.fact_id, n.enrolled_at, n.goal_at, e.review, k.ends_at,
       coalesce(c.last_inbound_at, c.created_at) AS alive_at
FROM message m
JOIN enrolment n ON n.id = m.enrolment_id
JOIN contact c ON c.id = n.contact_id
JOIN campaign k ON k.id = n.campaign_id
LEFT JOIN entry e ON e.id = n.entry_id
LEFT JOIN step t ON t.id = m.step_id
WHERE m.id = ANY(:ids)
ORDER BY n.id
""")
_Asked = tuple[Any, Definition]


def judge(message_ids: Sequence[int]) -> dict[int, str]:
    """Why which of these letters are not to leave; what ends an enrolment ends it in the running transaction."""
    rows = db.session.execute(_ASKED, {"ids": list(message_ids)}).all()
    read = versions.definitions([(row.sequence_id, row.version) for row in rows])
    hearing = _Hearing(rows, read)
    asked = [(row, read[row.sequence_id, row.version]) for row in rows if (row.sequence_id, row.version) in read]
    hearing.refuse_all([row for row in rows if (row.sequence_id, row.version) not in read], "unsound")
    hearing.by_state(asked)
    hearing.by_facts(asked)
    hearing.by_conditions(asked)
    inside.reach(hearing.goals)
    if hearing.endings:
        inside.finish(hearing.endings)
    return hearing.reasons


class _Hearing:
    """What was found out about a batch; the first reason of a letter stays."""

    def __init__(self, rows: Sequence[Any], definitions: dict[versions.Key, Definition]) -> None:
        self.now = clock.now()
        self.reasons: dict[int, str] = {}
        self.goals: list[tuple[int, datetime]] = []
        self.endings: list[Ending] = []
        self._conditions = Conditions()
        self._heard = _heard(rows, definitions.values())

    def refuse_all(self, rows: Iterable[Any], reason: str) -> None:
        """Nothing ends by this; it only does not leave."""
        for row in rows:
            self.reasons.setdefault(row.message_id, reason)

    def _end(self, row: Any, reason: str) -> None:
        if row.message_id not in self.reasons:
            self.reasons[row.message_id] = reason
            self.endings.append(Ending(row.id, row.contact_id, reason))

    def by_state(self, asked: Sequence[_Asked]) -> None:
        """Who has left, or was excluded from the contest."""
        for row, _definition in asked:
            if row.status == EnrolmentStatus.EXITED:
                self.refuse_all([row], row.exit_reason)
            elif row.review == "excluded":
                self._end(row, "disqualified")

    def by_facts(self, asked: Sequence[_Asked]) -> None:
        """Goals and exits that happened, whether or not anybody was told of them yet."""
        for row, definition in asked:
            facts = self._heard.of(row)
            at = inside.goal_at(row, definition, facts)
            if at is not None:
                self.goals.append((row.id, at))
            if at is not None or (row.goal_at is not None and definition.goal):
                self._end(row, "goal")
            elif any(inside.exits(row, definition, fact) for fact in facts) or _is_time(definition, row, self.now):
                self._end(row, "exit_event")

    def by_conditions(self, asked: Sequence[_Asked]) -> None:
        """Each condition once for all whom it concerns; what cannot be judged ends nobody, and sends nothing."""
        groups: dict[tuple[int, int, str | None], list[_Asked]] = defaultdict(list)
        for row, definition in asked:
            groups[row.sequence_id, row.version, row.step_key].append((row, definition))
        for group in groups.values():
            rows, definition = [row for row, _definition in group], group[0][1]
            for condition in _exit_conditions(definition, rows[0].brand_id):
                for row in self._holding(rows, condition, holds=True):
                    self._end(row, "exit_condition")
            if definition.stays_while and definition.who:
                for row in self._holding(rows, definition.who, holds=False):
                    self._end(row, "left_audience")
            letter = definition.step(rows[0].step_key or "")
            if isinstance(letter, Letter) and letter.when:
                for row in self._holding(rows, letter.when, holds=False):
                    if letter.otherwise is Otherwise.EXIT:
                        self._end(row, "letter_condition")
                    self.refuse_all([row], "condition")

    def _holding(self, rows: Sequence[Any], condition: Condition, *, holds: bool) -> list[Any]:
        """Those who may still get their letter and for whom the condition holds, or for whom it does not."""
        left = [row for row in rows if row.message_id not in self.reasons]
        found = self._conditions.holding(left[0].brand_id, condition, [row.contact_id for row in left]) if left else ()
        if found is None:
            if not holds:
                self.refuse_all(left, "unsound")
            return []
        return [row for row in left if (row.contact_id in found) is holds]


def _heard(rows: Sequence[Any], definitions: Iterable[Definition]) -> happenings.Heard:
    """What happened to these people that their sequences know."""
    wanted = {one.on for definition in definitions for one in (definition.goal, *definition.exits) if one and one.on}
    earliest = min((row.enrolled_at for row in rows), default=clock.now()) - timedelta(days=1)
    return happenings.in_journal(rows, {happening.on for happening in wanted}, earliest)


def _is_time(definition: Definition, row: Any, now: datetime) -> bool:
    """Whether an exit that only the clock tells is reached."""
    return any(one.on is not None and _has_struck(one.on, row, now) for one in definition.exits)


def _has_struck(happening: Happening, row: Any, now: datetime) -> bool:
    moments = {
        Event.CONTEST_ENDED: row.ends_at,
        Event.CONTEST_CLOSING: row.ends_at - timedelta(days=happening.days),
        Event.INACTIVE: row.alive_at + timedelta(days=happening.days),
    }
    return happening.on in moments and moments[happening.on] <= now


def _exit_conditions(definition: Definition, brand_id: int) -> list[Condition]:
    """The conditions that end it, and those of the segments whose members it ends for."""
    found: list[Condition] = [one.when for one in definition.exits if one.when]
    ids = [
        int(one.on.of)
        for one in definition.exits
        if one.on and one.on.on is Event.SEGMENT_JOINED and one.on.of.isdigit()
    ]
    if ids:
        found += db.session.scalars(select(Segment.definition).where(Segment.id.in_(ids), Segment.brand_id == brand_id))
    return found
