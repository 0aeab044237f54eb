"""Everything that is known about one entrant, gathered for one page. Only SELECT stands here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select

from leadgen.campaigns.models import Question
from leadgen.contacts.models import Answer, Contact
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries.models import Entry, LedgerLine, LedgerPending
from leadgen.journal import service as journal
from leadgen.journal.models import Fact

LONGEST_LIST = 200


class Acquaintance(NamedTuple):
    """A referrer or a friend, as far as the list of entrants shows them."""

    id: int
    first_name: str
    email: str | None
    status: str
    created_at: datetime


class Given(NamedTuple):
    """An answer with its question."""

    question: Question
    value: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class Dossier:
    """One entrant."""

    entry: Entry
    contact: Contact
    points: int
    chances: int
    referrer: Acquaintance | None
    friends: Sequence[Acquaintance]
    answers: Sequence[Given]
    ledger: Sequence[LedgerLine]
    facts: Sequence[Fact]


def dossier(campaign_id: int, entry_id: int) -> Dossier:
    """All about one entry of this campaign, newest first. Raises NotFound."""
    entry = db.session.get(Entry, entry_id)
    if entry is None or entry.campaign_id != campaign_id:
        raise NotFound
    contact = db.session.get_one(Contact, entry.contact_id)
    points, chances = _totals(entry)
    return Dossier(
        entry=entry,
        contact=contact,
        points=points,
        chances=chances,
        referrer=next(iter(_people(Entry.id == entry.referrer_id)), None) if entry.referrer_id else None,
        friends=_people(Entry.referrer_id == entry.id),
        answers=_answers(entry.id),
        ledger=_newest(select(LedgerLine).filter_by(entry_id=entry.id).order_by(LedgerLine.id.desc())),
        facts=journal.timeline(contact_id=contact.id, limit=LONGEST_LIST),
    )


def _totals(entry: Entry) -> tuple[int, int]:
    """Points and chances with the lines that are not folded into the totals yet."""
    waiting = db.session.execute(
        select(
            func.coalesce(func.sum(LedgerPending.points), 0), func.coalesce(func.sum(LedgerPending.chances), 0)
        ).filter_by(entry_id=entry.id)
    ).one()
    return entry.points + int(waiting[0]), entry.chances + int(waiting[1])


def _people(condition: Any) -> list[Acquaintance]:
    rows = db.session.execute(
        select(Entry.id, Contact.first_name, Contact.email, Entry.status, Entry.created_at)
        .join(Contact, Contact.id == Entry.contact_id)
        .where(condition)
        .order_by(Entry.id.desc())
        .limit(LONGEST_LIST)
    )
    return [Acquaintance(*row) for row in rows]


def _answers(entry_id: int) -> list[Given]:
    rows = db.session.execute(
        select(Question, Answer.value, Answer.at)
        .join(Answer, Answer.question_id == Question.id)
        .where(Answer.entry_id == entry_id)
        .order_by(Question.position)
    )
    return [Given(*row) for row in rows]


def _newest(statement: Any) -> Sequence[Any]:
    return db.session.scalars(statement.limit(LONGEST_LIST)).all()
