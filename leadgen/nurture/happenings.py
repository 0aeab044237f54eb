"""Which facts of the journal are events that sequences know, and whether one is the event that somebody waits for.

To let sequences hear of something new, add one line to EVENTS, its name to definition.Event, and the reaction
`nurture.inside.hear` and `nurture.triggers.hear` to the fact in reactions.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

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
