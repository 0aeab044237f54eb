"""Which sequences rest on something that is about to be put away: who does that should know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many

from sqlalchemy import select

from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.core.logic import Condition, fields_of
from leadgen.nurture import triggers
from leadgen.nurture.definition import Branch, Definition, Event, Happening, Letter
from leadgen.nurture.models import Sequence


def of_segment(brand_id: int, segment_id: int) -> list[str]:
    """The names of the brand's sequences that take people in and begin, wait, end or aim by that segment."""
    campaigns = db.session.scalars(select(Campaign.id).filter_by(brand_id=brand_id)).all()
    wanted = Happening(on=Event.SEGMENT_JOINED, of=str(segment_id))
    return _names(campaigns, lambda one: any((it.on, it.of) == (wanted.on, wanted.of) for it in _happenings(one)))


def of_question(campaign_id: int, key: str) -> list[str]:
    """The names of the campaign's sequences that take people in and rest on answers to that question."""

    def is_used(one: Definition) -> bool:
        heard = any(it.on is Event.ANSWERED and it.of == key for it in _happenings(one))
        return heard or any(f"answer.{key}" in fields_of(condition) for condition in _conditions(one))

    return _names([campaign_id], is_used)


def _names(campaigns: Many[int], is_used: Callable[[Definition], bool]) -> list[str]:
    found = [one.id for one in triggers.live(campaigns) if is_used(one.definition)]
    return list(db.session.scalars(select(Sequence.name).where(Sequence.id.in_(found)).order_by(Sequence.id)))


def _happenings(definition: Definition) -> Iterator[Happening]:
    yield definition.trigger
    yield from (one.on for one in definition.exits if one.on)
    if definition.goal:
        yield definition.goal.on
    yield from (step.wait.event for step in definition.walk() if step.wait.event)


def _conditions(definition: Definition) -> Iterator[Condition]:
    if definition.who:
        yield definition.who
    yield from (one.when for one in definition.exits if one.when)
    yield from (step.when for step in definition.walk() if isinstance(step, (Branch, Letter)) and step.when)
