"""Where the people of a sequence are: how many wait for which step, went through, left why; and who they are, by page.

Every number is counted by the condition that lists its people. Only SELECT stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import text

from leadgen.core.db import db
from leadgen.nurture.models import Sequence

PAGE = 50


class State(StrEnum):
    """How somebody stands, or a letter of theirs."""

    INSIDE = "inside"
    WAITING = "waiting"  # for a step
    FINISHED = "finished"
    EXITED = "exited"
    HELD_OUT = "held_out"
    GOAL = "goal"  # reached it, however it ended; whoever was held out did so without the letters, and stands apart
    PLANNED = "planned"  # their letter of a step is due or put off, and has not left
    LEFT = "left"  # their letter of a step left
    UNSENT = "unsent"  # it never will


# Which enrolments belong to a state; `m` is the message of the asked step.
_OF_ENROLMENTS: Mapping[State, str] = {
    State.INSIDE: "n.status = 'active'",
    State.WAITING: "n.status = 'active' AND n.step_key = :step",
    State.FINISHED: "n.status = 'finished'",
    State.EXITED: "n.status = 'exited' AND (:reason = '' OR n.exit_reason = :reason)",
    State.HELD_OUT: "n.status = 'held_out'",
    State.GOAL: "n.goal_at IS NOT NULL AND n.status <> 'held_out'",
}
_UNSENT = "('skipped', 'suppressed', 'expired', 'cancelled', 'failed')"
_OF_LETTERS: Mapping[State, str] = {
    State.PLANNED: "m.status IN ('scheduled', 'sending', 'uncertain')",
    State.LEFT: "m.status IN ('accepted', 'delivered', 'bounced')",
    State.UNSENT: f"m.status IN {_UNSENT} AND (:reason = '' OR m.reason = :reason)",
}
_COUNTED = text("""
SELECT n.status, n.step_key, n.exit_reason, count(*) AS people,
       count(n.goal_at) FILTER (WHERE n.status <> 'held_out') AS goals
FROM enrolment n WHERE n.sequence_id = :sequence GROUP BY 1, 2, 3
""")
_LETTERS_COUNTED = text(f"""
SELECT t.key AS step_key, count(*) FILTER (WHERE {_OF_LETTERS[State.PLANNED]}) AS planned,
       count(*) FILTER (WHERE {_OF_LETTERS[State.LEFT]}) AS left, m.reason AS reason,
       count(*) FILTER (WHERE m.status IN {_UNSENT}) AS unsent
FROM message m JOIN step t ON t.id = m.step_id
WHERE m.stream_id = :stream AND m.stream_id > 0 AND m.enrolment_id IS NOT NULL GROUP BY t.key, m.reason
""")  # noqa: S608 - constants of this module
_PEOPLE = """
SELECT n.id, c.email, c.first_name, n.entry_id, n.status, n.step_key, n.exit_reason, n.enrolled_at, n.next_run_at,
       n.ended_at, n.goal_at, {message} FROM enrolment n JOIN contact c ON c.id = n.contact_id {letters}
WHERE n.sequence_id = :sequence AND {condition} AND (CAST(:before AS bigint) IS NULL OR n.id < CAST(:before AS bigint))
ORDER BY n.id DESC LIMIT :limit
"""
_NO_MESSAGE = "CAST(NULL AS timestamptz) AS mail_at, '' AS mail_reason"
_MESSAGE = "coalesce(m.sent_at, m.due_at) AS mail_at, m.reason AS mail_reason"
_THEIR_LETTER = """
JOIN message m ON m.contact_id = n.contact_id AND m.enrolment_id = n.id
JOIN step t ON t.id = m.step_id AND t.key = :step
"""


@dataclass(slots=True)
class AtStep:
    """The people of one step. `unsent` is by reason."""

    waiting: int = 0
    planned: int = 0
    left: int = 0
    unsent: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """How many are where; `exited` by reason, `steps` by key (those that are no more included)."""

    inside: int
    finished: int
    held_out: int
    goal: int
    exited: Mapping[str, int]
    steps: Mapping[str, AtStep]

    @property
    def people(self) -> int:
        """Everybody who ever entered, each time that they did."""
        return self.inside + self.finished + self.held_out + sum(self.exited.values())


@dataclass(frozen=True, slots=True)
class Somebody:
    """One enrolment of a list; `id` is also the cursor of the next page. Whoever was erased has no address."""

    id: int
    email: str | None
    first_name: str
    entry_id: int
    status: str
    step_key: str
    exit_reason: str
    enrolled_at: datetime
    next_run_at: datetime
    ended_at: datetime | None
    goal_at: datetime | None
    mail_at: datetime | None
    mail_reason: str


def counted(sequence: Sequence) -> Whereabouts:
    """How many people are where."""
    totals: dict[str, int] = {}
    exited: dict[str, int] = {}
    steps: dict[str, AtStep] = {}
    goal = 0
    for row in db.session.execute(_COUNTED, {"sequence": sequence.id}):
        totals[row.status] = totals.get(row.status, 0) + row.people
        goal += row.goals
        if row.status == "exited":
            exited[row.exit_reason] = exited.get(row.exit_reason, 0) + row.people
        if row.status == "active" and row.step_key:
            steps.setdefault(row.step_key, AtStep()).waiting += row.people
    for row in db.session.execute(_LETTERS_COUNTED, {"stream": sequence.stream_id}):
        at = steps.setdefault(row.step_key, AtStep())
        at.planned += row.planned
        at.left += row.left
        if row.unsent:
            at.unsent[row.reason] = at.unsent.get(row.reason, 0) + row.unsent
    inside, finished, held_out = (totals.get(name, 0) for name in ("active", "finished", "held_out"))
    return Whereabouts(inside, finished, held_out, goal, exited, steps)


def people(
    sequence: Sequence, state: State, *, step_key: str = "", reason: str = "", before_id: int | None = None
) -> list[Somebody]:
    """Who they are, newest first; one more than a page tells that there are others."""
    is_of_letter = state in _OF_LETTERS
    statement = _PEOPLE.format(
        condition=_OF_LETTERS[state] if is_of_letter else _OF_ENROLMENTS[state],
        letters=_THEIR_LETTER if is_of_letter else "",
        message=_MESSAGE if is_of_letter else _NO_MESSAGE,
    )
    values: dict[str, Any] = {"sequence": sequence.id, "step": step_key, "reason": reason}
    rows = db.session.execute(text(statement), {**values, "before": before_id, "limit": PAGE + 1}).mappings()
    return [Somebody(**row) for row in rows]
