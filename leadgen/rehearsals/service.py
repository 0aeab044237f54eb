"""Rehearsing a sequence: what somebody would get, when, on which way and why, before anything is sent.

Reads only: nothing is planned, enrolled, sent or written down. Conditions are judged by the SQL of segments, as the
planner judges them, by what the tables hold now and looked at from the moment at which they would be asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.logic import Condition
from leadgen.letters import rendering, samples
from leadgen.letters.rendering import OwnWords, Rendered
from leadgen.nurture.definition import Definition, Event
from leadgen.nurture.models import Sequence
from leadgen.rehearsals import playing, subjects
from leadgen.rehearsals.playing import Play
from leadgen.rehearsals.plots import Played, Plot, Question, Suppose
from leadgen.rehearsals.subjects import MadeUp, Subject
from leadgen.segments import fields
from leadgen.segments.catalogue import Catalogue
from leadgen.segments.compiling import fragment
from leadgen.segments.models import Segment

# A contact who exists, and one made of JSON: the same statement asks both.
_HOLDING = "SELECT c.id FROM contact c WHERE c.id = ANY(:people) AND {condition}"
_HOLDING_MADE_UP = """
SELECT c.id FROM jsonb_populate_record(CAST(NULL AS contact), CAST(:record AS jsonb)) c WHERE {condition}
"""
_EXACT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would become of one person. `earlier` is when they really went through the sequence last, if they did."""

    subject: Subject
    played: Played
    earlier: datetime | None = None
    is_inside: bool = False  # they are on their way through it now


def rehearse(
    sequence: Sequence,
    definition: Definition,
    who: int | MadeUp,
    *,
    starts_at: datetime,
    suppose: Suppose | None = None,
) -> Rehearsal:
    """Rehearse a definition of the sequence, draft or version, for a contact's id or somebody made up.

    Raises NotFound for a contact that the sequence's brand does not have.
    """
    campaign = db.session.get_one(Campaign, sequence.campaign_id)
    plot = plot_of(sequence, definition, campaign, starts_at, suppose)
    if isinstance(who, MadeUp):
        subject = subjects.made_up(campaign, who)
        judge = Judge(campaign, subjects.as_record(campaign, who, starts_at))
        return Rehearsal(subject, answered({0: playing.play(plot, subject.person)}, judge, _EXACT)[0])
    subject = next(iter(subjects.read(sequence, campaign, [who])), None) or _absent(who)
    played = answered({who: playing.play(plot, subject.person)}, Judge(campaign), _EXACT)[who]
    last = subjects.earlier(sequence, who)
    return Rehearsal(subject, played, last.enrolled_at if last else None, bool(last and last.status == "active"))


def _absent(contact_id: int) -> Subject:
    raise NotFound(contact_id)


def plot_of(
    sequence: Sequence, definition: Definition, campaign: Campaign, starts_at: datetime, suppose: Suppose | None
) -> Plot:
    """What is to be played."""
    return Plot(
        sequence_id=sequence.id,
        definition=definition,
        starts_at=starts_at,
        end=campaign.ends_at,
        suppose=suppose or Suppose(),
        segments=_segments(campaign.brand_id, definition),
    )


def _segments(brand_id: int, definition: Definition) -> dict[str, Condition]:
    """What the segments ask for into which somebody comes who has to leave."""
    ids = [
        int(one.on.of)
        for one in definition.exits
        if one.on and one.on.on is Event.SEGMENT_JOINED and one.on.of.isdigit()
    ]
    rows = db.session.execute(
        select(Segment.id, Segment.definition).where(Segment.id.in_(ids), Segment.brand_id == brand_id)
    )
    return {str(row.id): row.definition for row in rows}


class Judge:
    """Whether conditions hold for people, looked at from some moment; or for somebody made up (`record`)."""

    def __init__(self, campaign: Campaign, record: str = "") -> None:
        """Nothing is asked yet."""
        self._record = record
        self._catalogue: Catalogue = fields.of_brand(db.session.get_one(Brand, campaign.brand_id))

    def holding(self, question: Question, people: Collection[int]) -> frozenset[int] | None:
        """Those of these people for whom it holds; None when it cannot be judged, as in nurture.conditions."""
        statement = _HOLDING_MADE_UP if self._record else _HOLDING
        values = {"record": self._record} if self._record else {"people": list(people)}
        try:
            asked = fragment(self._catalogue, question.condition, question.at, is_crowd=False)
            with db.session.begin_nested():
                found = db.session.scalars(
                    text(statement.format(condition=asked.sql)), {**values, **asked.values}
                ).all()
        except (Invalid, DBAPIError, KeyError, ValueError, TypeError, AttributeError):
            return None
        return frozenset(found)


def answered(plays: Mapping[int, Play], judge: Judge, grain: timedelta) -> dict[int, Played]:
    """The plays, by contact, to their ends. What several ask within the same `grain` of time is asked once for all."""
    done: dict[int, Played] = {}
    answers: dict[int, bool | None] = dict.fromkeys(plays)
    while answers:
        asked: dict[int, Question] = {}
        for contact_id, answer in answers.items():
            try:
                asked[contact_id] = plays[contact_id].send(answer)
            except StopIteration as end:
                done[contact_id] = end.value
        answers = {}
        for people in _together(asked, grain):
            found = judge.holding(asked[people[0]], people)
            answers |= {one: None if found is None else one in found for one in people}
    return done


def _together(asked: Mapping[int, Question], grain: timedelta) -> list[list[int]]:
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for contact_id, question in asked.items():
        groups[question.key, int(question.at.timestamp() // grain.total_seconds())].append(contact_id)
    return list(groups.values())


def letter(campaign_id: int, wording: Mapping[str, Mapping[str, str]], locale: str, first_name: str) -> Rendered:
    """A wording of a letter as this person would read it; its links lead to samples, which record nothing.

    `wording` is {locale: texts}; where it is not written in the person's language, the contest's is read.
    """
    card = cards.by_id(campaign_id)
    own = OwnWords.of(wording.get(locale) or wording.get(card.default_locale) or {})
    person = samples.person(card, "sequence", locale)
    named = replace(person, first_name=first_name or person.first_name)
    return rendering.render(rendering.compiled(card, "sequence", locale, own), card, named)
