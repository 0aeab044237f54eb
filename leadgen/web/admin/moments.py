"""Everything that happened to a person, in one list: facts, points, consent, what is planned, and each mail's story."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadgen.analytics.people import Dossier
from leadgen.core.i18n import gettext as _
from leadgen.entries.models import LedgerLine
from leadgen.mail import timeline
from leadgen.mail.timeline import Story
from leadgen.nurture import story as sequences
from leadgen.nurture.story import Kind, Told
from leadgen.web.admin import words


class Topic(StrEnum):
    """What the list may be narrowed to."""

    ALL = ""
    MAIL = "mail"
    SEQUENCES = "sequences"
    POINTS = "points"
    CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: a sentence, a line of the ledger, or a mail with its story; `sequence` is the id of its sequence."""

    at: datetime
    topics: frozenset[Topic]
    sentence: str = ""
    line: LedgerLine | None = None
    story: Story | None = None
    sequence: int | None = None
    kind: Kind | None = None  # of what a sequence did

    @property
    def icon(self) -> str:
        """The mark beside it; the sentence says the same."""
        if self.kind is not None:
            return _MARKS.get(self.kind, "check")
        return "mail" if self.story else "up" if self.line else "check"


# What the sequences did is told by the room of the sequences, with their names; points by the ledger, clicks by mails.
_TOLD_BETTER_ELSEWHERE = ("sequence.", "referral.counted", "letter.clicked")
_OF_CONSENT = ("consent.", "contact.")
_MARKS = {
    Kind.BEGAN: "play", Kind.HELD_OUT: "pause", Kind.BRANCHED: "branch", Kind.MOVED: "down", Kind.WAITS: "clock",
    Kind.GOAL: "goal", Kind.EXITED: "out", Kind.FINISHED: "flag",
}  # fmt: skip
_OF_SEQUENCES = frozenset({Topic.MAIL, Topic.SEQUENCES})


def shown(person: Dossier, zone: str, asked: str, sequence: str) -> dict[str, object]:
    """What the page needs: the moments of a topic, and of one sequence if that is asked for, newest first.

    What is asked for and nothing we know means everything.
    """
    topic = Topic(asked) if asked in set(Topic) else Topic.ALL
    told = sequences.of_contact(person.contact.id)
    known = {str(one): one for one in told.sequences}
    chosen = known.get(sequence) if topic is Topic.SEQUENCES else None
    found = [moment for moment in _all(person, zone, told) if topic is Topic.ALL or topic in moment.topics]
    if chosen is not None:
        found = [moment for moment in found if moment.sequence == chosen]
    newest = sorted(found, key=lambda moment: moment.at, reverse=True)
    return {"moments": newest, "topic": topic, "chosen": chosen, "sequences": told.sequences}


def _all(person: Dossier, zone: str, told: Told) -> Iterator[Moment]:
    for fact in person.facts:
        if not fact.name.startswith(_TOLD_BETTER_ELSEWHERE):
            topics = frozenset({Topic.CONSENT} if fact.name.startswith(_OF_CONSENT) else ())
            yield Moment(fact.at, topics, words.fact(fact.name))
    for line in person.ledger:
        yield Moment(line.at, frozenset({Topic.POINTS}), words.ledger_kind(line.kind), line=line)
    for one in told.lines:
        yield Moment(one.at, _OF_SEQUENCES, one.sentence, sequence=one.sequence_id, kind=one.kind)
    for story in timeline.stories(person.contact.id, zone):
        sequence = told.of_enrolment.get(story.message.enrolment_id or 0)
        topics = frozenset({Topic.MAIL}) if sequence is None else _OF_SEQUENCES
        yield Moment(story.at, topics, _title(story, told, sequence), story=story, sequence=sequence)


def _title(story: Story, told: Told, sequence: int | None) -> str:
    """A letter of a sequence is called by its subject."""
    name = told.letters.get(story.message.step_id or 0)
    if sequence is None or name is None:
        return story.title
    return _("“%(letter)s” – %(sequence)s") % {"letter": name, "sequence": told.sequences[sequence]}
