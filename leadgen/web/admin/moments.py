"""Everything that happened to a person, in one list: facts, points, consent, what is planned, and each mail's story."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadgen.analytics.people import Dossier
from leadgen.entries.models import LedgerLine
from leadgen.mail import timeline
from leadgen.mail.timeline import Story
from leadgen.nurture import service as nurture
from leadgen.web.admin import words


class Topic(StrEnum):
    """What the list may be narrowed to."""

    ALL = ""
    MAIL = "mail"
    POINTS = "points"
    CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: a sentence, a line of the ledger, or a mail with its story."""

    at: datetime
    topic: Topic
    sentence: str = ""
    line: LedgerLine | None = None
    story: Story | None = None


# What the sequences did is told by the room of the sequences, with their names; points by the ledger.
_TOLD_BETTER_ELSEWHERE = ("sequence.", "referral.counted")
_OF_CONSENT = ("consent.", "contact.")


def topic(asked: str) -> Topic:
    """What is asked for; everything, when that is nothing we know."""
    return Topic(asked) if asked in set(Topic) else Topic.ALL


def of(person: Dossier, zone: str, wanted: Topic) -> list[Moment]:
    """The moments of a person that belong to the topic, newest first."""
    found = [moment for moment in _all(person, zone) if wanted in {Topic.ALL, moment.topic}]
    return sorted(found, key=lambda moment: moment.at, reverse=True)


def _all(person: Dossier, zone: str) -> Iterator[Moment]:
    for fact in person.facts:
        if not fact.name.startswith(_TOLD_BETTER_ELSEWHERE):
            is_consent = fact.name.startswith(_OF_CONSENT)
            yield Moment(fact.at, Topic.CONSENT if is_consent else Topic.ALL, words.fact(fact.name))
    for line in person.ledger:
        yield Moment(line.at, Topic.POINTS, words.ledger_kind(line.kind), line=line)
    for planned in nurture.timeline(person.contact.id):
        yield Moment(planned.at, Topic.MAIL, planned.sentence)
    for story in timeline.stories(person.contact.id, zone):
        yield Moment(story.at, Topic.MAIL, story.title, story=story)
