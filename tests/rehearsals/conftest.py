"""A clock that stands still, and the real thing beside the rehearsal: the planner and the sender, moment by moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.letters.models import Lane
from leadgen.mail import outbox
from leadgen.mail.models import Message, MessageMove
from leadgen.mail.providers.interface import Outcome, Result
from leadgen.nurture import inside, planning, triggers
from leadgen.nurture.models import Enrolment, EnrolmentMove, EnrolmentStatus, Step
from leadgen.rehearsals.plots import Kind, Line
from tests.factories import make_fact

NOON = datetime(2027, 3, 24, 11, tzinfo=UTC)  # a Wednesday in Paris; summer time begins on Sunday


@dataclass
class Frozen:
    """The product's clock, which moves when it is told to."""

    at: datetime = NOON


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch, context: None) -> Iterator[Frozen]:
    """The time stands still at NOON."""
    found = Frozen()
    monkeypatch.setattr(product_clock, "now", lambda: found.at)
    return found


def really(
    frozen: Frozen, entry: Entry, events: Iterable[tuple[datetime, FactName, dict[str, Any]]] = ()
) -> list[Line]:
    """Confirm the entry now, and let the clock strike until nothing is waited for; what happened, as lines."""
    _hear(make_fact(entry, FactName.ENTRY_CONFIRMED, at=frozen.at))
    coming = sorted(events, key=lambda one: one[0])
    for _strike in range(400):
        if not (due := _due()):
            break
        frozen.at = max(frozen.at, min([*due, *(at for at, _name, _data in coming[:1])]))
        if coming and coming[0][0] <= frozen.at:
            at, name, data = coming.pop(0)
            _hear(make_fact(entry, name, at=at, data=data))
        _tick()
    else:
        pytest.fail(f"still due after 400 strikes of the clock: {due}")
    return sorted(_told(entry.id), key=lambda line: line.at)


def _hear(fact: Fact) -> None:
    triggers.hear([fact])
    inside.hear([fact])
    db.session.commit()


def _due() -> list[datetime]:
    db.session.expire_all()
    running = select(Enrolment.next_run_at).filter_by(status=EnrolmentStatus.ACTIVE)
    waiting = select(Message.due_at).filter_by(status="scheduled")
    return [*db.session.scalars(running), *db.session.scalars(waiting)]


def _tick() -> None:
    while planning.plan_batch():
        db.session.commit()
    for _claim in range(20):
        claimed = outbox.claim(Lane.NURTURE, 100)
        outbox.settle([Outcome(person.id, Result.ACCEPTED, "") for person in claimed.recipients])
        db.session.commit()
        if not claimed.decided:
            break


def _told(entry_id: int) -> Iterator[Line]:
    db.session.expire_all()
    keys = {step.id: step.key for step in db.session.scalars(select(Step))}
    theirs = select(Enrolment.id).filter_by(entry_id=entry_id)
    for move in db.session.scalars(select(EnrolmentMove).where(EnrolmentMove.enrolment_id.in_(theirs))):
        way = move.detail.get("way")
        reason = str(move.detail.get("why", "")) if move.reason.value != "branched" else ""
        kind = Kind(move.reason.value)
        yield Line(
            at=move.at, kind=kind, step_key=move.step_key, reason=reason, way=None if way is None else way == "yes"
        )
    for mail in db.session.scalars(select(Message).filter_by(entry_id=entry_id)):
        yield from _of_mail(mail, keys[mail.step_id or 0])
    for enrolment in db.session.scalars(select(Enrolment).filter_by(entry_id=entry_id)):
        if enrolment.ended_at:
            is_exit = enrolment.status is EnrolmentStatus.EXITED
            yield Line(
                at=enrolment.ended_at, kind=Kind.EXITED if is_exit else Kind.FINISHED, reason=enrolment.exit_reason
            )


def _of_mail(mail: Message, key: str) -> Iterator[Line]:
    yield Line(at=mail.created_at, kind=Kind.PLANNED, step_key=key)
    for move in db.session.scalars(select(MessageMove).filter_by(message_id=mail.id)):
        yield Line(at=move.at, kind=Kind.MOVED, step_key=key, reason=move.reason, until=move.until)
    if mail.sent_at:
        yield Line(at=mail.sent_at, kind=Kind.SENT, step_key=key)
    elif mail.status != "scheduled":
        kind = Kind.SKIPPED if mail.status in {"skipped", "suppressed"} else Kind(mail.status.value)
        yield Line(at=product_clock.now(), kind=kind, step_key=key, reason=mail.reason)
