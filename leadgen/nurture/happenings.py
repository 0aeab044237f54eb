"""Which facts of the journal are events that sequences know, and whether one is the event that somebody waits for.

To let sequences hear of something new, add one line to EVENTS, its name to definition.Event, and the reaction
`nurture.inside.hear` and `nurture.triggers.hear` to the fact in reactions.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import or_, select

from leadgen.core.db import db
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.nurture.definition import Event, Happening


class Meaning(NamedTuple):
    """The event that a fact is, and where in its data that stands which `Happening.of` names."""

    event: Event
    of: str = ""


EVENTS: Mapping[FactName, Meaning] = {
    FactName.ENTRY_CONFIRMED: Meaning(Event.CONFIRMED),
    FactName.REFERRAL_COUNTED: Meaning(Event.FRIEND_COUNTED),
    FactName.FORM_FINISHED: Meaning(Event.FORM_FINISHED),
    FactName.QUESTION_ANSWERED: Meaning(Event.ANSWERED, "question"),
    FactName.ACTION_CREDITED: Meaning(Event.ACTION_CREDITED, "action"),
    FactName.REWARD_GIVEN: Meaning(Event.REWARD_GIVEN),
    FactName.LETTER_CLICKED: Meaning(Event.CLICKED),
    FactName.SCORE_CROSSED: Meaning(Event.SCORE_CROSSED, "grade"),
}


def is_it(happening: Happening, fact: Fact) -> bool:
    """Whether the fact is what the happening names."""
    meaning = EVENTS.get(FactName(fact.name)) if fact.name in _NAMES else None
    if meaning is None or meaning.event is not happening.on:
        return False
    return not happening.of or str(fact.data.get(meaning.of, "")) == happening.of


def names(events: Collection[Event]) -> list[str]:
    """The names of the facts that may be one of these events."""
    return [name.value for name, meaning in EVENTS.items() if meaning.event in events]


def is_later(row: Any, fact: Fact) -> bool:
    """Whether a fact is about this enrolment's person, in its contest or in none, and came after what began it."""
    is_theirs = fact.entry_id == row.entry_id if fact.entry_id is not None else fact.contact_id == row.contact_id
    return bool(is_theirs and (fact.id > row.fact_id if row.fact_id else fact.at >= row.enrolled_at))


def has_come(row: Any, event: Happening, facts: Iterable[Fact]) -> bool:
    """Whether one of these facts is the event that an enrolment has been waiting for since its `anchor_at`."""
    return any(fact.at >= row.anchor_at and is_later(row, fact) and is_it(event, fact) for fact in facts)


def in_journal(people: Collection[Any], events: Collection[Event], since: datetime) -> Heard:
    """What the journal has of these events about these people, told or not; they have `entry_id` and `contact_id`."""
    named = names(events)
    if not people or not named:
        return Heard(())
    about = or_(Fact.entry_id.in_({one.entry_id for one in people}),
                Fact.contact_id.in_({one.contact_id for one in people}))  # fmt: skip
    asked = select(Fact).where(about, Fact.name.in_(named), Fact.at >= since).order_by(Fact.id)
    return Heard(db.session.scalars(asked))


class Heard:
    """Facts by whom they are about: an entry, or where they name none a contact."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        """Looked up once for each fact, so that many facts about many people are no square."""
        self._entries: dict[int, list[Fact]] = defaultdict(list)
        self._contacts: dict[int, list[Fact]] = defaultdict(list)
        for fact in facts:
            if fact.entry_id is not None:
                self._entries[fact.entry_id].append(fact)
            elif fact.contact_id is not None:
                self._contacts[fact.contact_id].append(fact)

    def of(self, person: Any) -> list[Fact]:
        """Those about this person's entry, and about the person in no contest; it has `entry_id` and `contact_id`."""
        return [*self._entries.get(person.entry_id, ()), *self._contacts.get(person.contact_id, ())]


_NAMES = frozenset(name.value for name in EVENTS)
