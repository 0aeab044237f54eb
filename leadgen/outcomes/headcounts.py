"""How many people are where in a sequence: inside, through, at the goal, and waiting for each step."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from leadgen.core.db import db
from leadgen.nurture.models import Enrolment, EnrolmentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Enrolments by how they stand; `goal` counts those that reached it and were not held out."""

    inside: int = 0
    finished: int = 0
    exited: int = 0
    held_out: int = 0
    goal: int = 0


def of_sequences(ids: Collection[int]) -> dict[int, People]:
    """The people of each of these sequences; a sequence that nobody entered is there too."""
    status = Enrolment.status

    def those(one: EnrolmentStatus) -> object:
        return func.count().filter(status == one)

    rows = db.session.execute(
        select(
            Enrolment.sequence_id,
            *(those(one) for one in EnrolmentStatus),  # type: ignore[call-overload]
            func.count(Enrolment.goal_at).filter(status != EnrolmentStatus.HELD_OUT),
        )
        .where(Enrolment.sequence_id.in_(ids))
        .group_by(Enrolment.sequence_id)
    ).all()
    found = {number: People() for number in ids}
    for number, inside, finished, exited, held_out, goal in rows:
        found[number] = People(inside=inside, finished=finished, exited=exited, held_out=held_out, goal=goal)
    return found


def waiting(sequence_id: int) -> dict[str, int]:
    """How many people wait for each step of a sequence, by its key."""
    rows = db.session.execute(
        select(Enrolment.step_key, func.count())
        .where(Enrolment.sequence_id == sequence_id, Enrolment.status == EnrolmentStatus.ACTIVE)
        .group_by(Enrolment.step_key)
    )
    return {key: number for key, number in rows if key}
