"""Writing facts, and handing those that nobody has heard of to the reactions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, cast, or_, select, update

from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName

BATCH = 500
MOST_FAILURES = 5
# What somebody wrote: notes of staff, and what was typed under “who invited you”, which often is a name.
_WRITTEN = ["note", "typed"]


def record(
    name: FactName,
    *,
    brand_id: int,
    campaign_id: int | None = None,
    contact_id: int | None = None,
    entry_id: int | None = None,
    **data: Any,
) -> None:
    """Add a fact to the running transaction and ring for its reactions once that is committed."""
    db.session.add(
        Fact(
            name=name.value,
            at=clock.now(),
            brand_id=brand_id,
            campaign_id=campaign_id,
            contact_id=contact_id,
            entry_id=entry_id,
            data=data,
        )
    )
    queue.ring_after_commit(db.session(), Bell.FACTS)


def is_any_unannounced(names: Collection[FactName]) -> bool:
    """Whether a fact of these names waits to be announced."""
    return db.session.scalar(select(Fact.id).where(*_due(names, ())).limit(1)) is not None


def claim_unannounced(
    *, names: Collection[FactName] = (), besides: Collection[FactName] = (), limit: int = BATCH
) -> Sequence[Fact]:
    """Lock and mark up to `limit` facts as announced, oldest first; two callers never get the same one.

    Of `names` only, where there are any, and never of `besides`.

    They count as announced when the caller commits: a crash before that announces them again. Facts whose reactions
    failed wait a minute longer each time, and after MOST_FAILURES are left to a human.
    """
    now = clock.now()
    due = select(Fact.id).where(*_due(names, besides)).order_by(Fact.id).limit(limit).with_for_update(skip_locked=True)
    # In one statement: marked one by one by the unit of work, facts were a tenth of what the workers spent on a lead.
    statement = update(Fact).where(Fact.id.in_(due)).values(announced_at=now).returning(Fact)
    marked = db.session.scalars(statement, execution_options={"synchronize_session": False}).all()
    return sorted(marked, key=lambda fact: fact.id)


def _due(names: Collection[FactName], besides: Collection[FactName]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        Fact.announced_at.is_(None),
        (Fact.failures == 0) | ((Fact.failures < MOST_FAILURES) & (Fact.retry_at <= clock.now())),
    ]
    if names:
        found.append(Fact.name.in_(names))
    if besides:
        found.append(Fact.name.not_in(besides))
    return found


def announce(fact_id: int) -> Fact:
    """Mark one fact as announced and return it, locked."""
    fact = db.session.scalars(select(Fact).where(Fact.id == fact_id).with_for_update()).one()
    fact.announced_at = clock.now()
    return fact


def note_failure(fact_id: int) -> None:
    """A reaction to this fact failed: it is told again after a minute for each failure so far."""
    fact = db.session.get_one(Fact, fact_id)
    fact.failures += 1
    fact.retry_at = clock.now() + timedelta(minutes=fact.failures)


def forget_notes(contact_id: int) -> None:
    """Take what was written by hand, by staff or the person, out of a contact's facts: they are being erased."""
    written = or_(*(Fact.data.has_key(name) for name in _WRITTEN))
    values = {"data": Fact.data.op("-")(cast(_WRITTEN, ARRAY(Text)))}
    db.session.execute(update(Fact).where(Fact.contact_id == contact_id, written).values(values))


def timeline(*, contact_id: int, limit: int = 200) -> Sequence[Fact]:
    """What happened to a contact, newest first."""
    return db.session.scalars(
        select(Fact).where(Fact.contact_id == contact_id).order_by(Fact.id.desc()).limit(limit)
    ).all()
