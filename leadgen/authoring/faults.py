"""What is wrong with a sequence before it is published: each fault as a sentence that names the step and the field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import logic
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Condition
from leadgen.nurture.definition import (
    GOAL_DAYS,
    MOST_HOLDOUT,
    PRIORITIES,
    Again,
    Definition,
    Event,
    Exit,
    Happening,
)
from leadgen.segments import checking, fields
from leadgen.segments.catalogue import Catalogue
from leadgen.segments.models import Segment

LONGEST_AGAIN = 365  # days
_DAYS = range(1, 366)
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend before publishing; the sentence names the step and the field, in the current language.

    `where` is a step's key, or trigger, who, again, exits, goal, holdout, priority, steps; `field` what the editor
    calls the input there: key, on, of, days, value, when, exits-0, wait, at, weekdays, event, catch_up_hours, variants,
    a-weight, a-en-subject (variant, language, text), yes.
    """

    where: str
    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What a sequence stands on: its contest, and what can happen and be asked for there."""

    card: CampaignCard
    catalogue: Catalogue
    segments: frozenset[str]  # ids of those in use
    is_tracking: bool  # whether clicks are known

    @classmethod
    def of_campaign(cls, campaign_id: int) -> Ground:
        """As the contest stands now. Raises NotFound."""
        card = cards.by_id(campaign_id)
        brand = db.session.get_one(Brand, card.brand.id)
        in_use = select(Segment.id).where(Segment.brand_id == brand.id, Segment.archived_at.is_(None))
        ids = frozenset(str(one) for one in db.session.scalars(in_use))
        return cls(card, fields.of_brand(brand), ids, brand.is_tracking_clicks)


def of_frame(definition: Definition, ground: Ground) -> Iterator[Problem]:
    """What is wrong around the steps: how it begins, for whom, when it ends, what it is for."""
    for field, sentence in of_happening(definition.trigger, ground):
        yield Problem("trigger", field, _("The beginning: %(what)s") % {"what": sentence})
    if definition.who is not None and (told := of_condition(definition.who, ground)):
        yield Problem("who", "when", _("For whom it begins: %(what)s") % {"what": told})
    yield from _exits(definition, ground)
    yield from _goal(definition, ground)
    yield from _numbers(definition)


def is_key(word: str) -> bool:
    """Whether a step or a variant may be called that."""
    return bool(_KEY.fullmatch(word))


def of_condition(condition: Condition, ground: Ground) -> str:
    """What is wrong with a condition, with the name of the field; empty when it can be fulfilled."""
    try:
        checked = checking.checked(ground.catalogue, condition)
    except Invalid as error:
        return str(error)
    return "" if logic.fields_of(checked) else _("no condition is chosen.")


def of_happening(event: Happening, ground: Ground) -> Iterator[tuple[str, str]]:
    """The field and a sentence for each reason why this cannot happen in the contest."""
    card = ground.card
    if event.on in {Event.INACTIVE, Event.CONTEST_CLOSING} and event.days not in _DAYS:
        yield "days", _("choose from 1 to 365 days.")
    elif event.on is Event.CONTEST_CLOSING and (card.ends_at - card.starts_at).days < event.days:
        yield "days", _("the contest does not last that long, choose fewer days before its end.")
    impossible: dict[Event, tuple[bool, str, str]] = {
        Event.FORM_FINISHED: (not card.questions, "on", _("this contest has no form with questions.")),
        Event.ANSWERED: (
            not card.questions or bool(event.of and event.of not in {one.key for one in card.questions}),
            "of" if event.of else "on",
            _("this contest does not ask that question."),
        ),
        Event.ACTION_CREDITED: (
            not card.actions or bool(event.of and event.of not in {one.key for one in card.actions}),
            "of" if event.of else "on",
            _("this contest has no such action."),
        ),
        Event.REWARD_GIVEN: (not card.milestones, "on", _("this contest has no rewards.")),
        Event.CLICKED: (not ground.is_tracking, "on", _("clicks in letters are not noted for this brand.")),
        Event.SEGMENT_JOINED: (event.of not in ground.segments, "of", _("choose a segment that is in use.")),
    }
    is_impossible, field, sentence = impossible.get(event.on, (False, "", ""))
    if is_impossible:
        yield field, sentence


def _exits(definition: Definition, ground: Ground) -> Iterator[Problem]:
    for number, one in enumerate(definition.exits):
        for sentence in _of_exit(one, definition, ground):
            words = {"number": number + 1, "what": sentence}
            yield Problem("exits", f"exits-{number}", _("Exit %(number)d: %(what)s") % words)


def _of_exit(one: Exit, definition: Definition, ground: Ground) -> Iterator[str]:
    if one.on is None and one.when is None:
        yield _("say what happens, or which condition ends it.")
    if one.on is not None:
        yield from (sentence for _field, sentence in of_happening(one.on, ground))
        if _includes(one.on, definition.trigger):
            yield _("it is what the sequence begins with, so that it would end at once.")
    if one.when is None:
        return
    if told := of_condition(one.when, ground):
        yield told
    elif definition.who is not None and not of_condition(definition.who, ground):
        # Whoever it begins for fulfils the exit when nobody can fulfil the one and not the other.
        only_who: Condition = {"all": [definition.who, {"not": one.when}]}
        if checking.contradiction(ground.catalogue, only_who):
            yield _("it holds for everybody for whom the sequence begins, so that it would end at once.")


def _includes(wide: Happening, narrow: Happening) -> bool:
    return wide.on is narrow.on and wide.of in {"", narrow.of} and wide.days == narrow.days


def _goal(definition: Definition, ground: Ground) -> Iterator[Problem]:
    goal = definition.goal
    if goal is None:
        return
    found = list(of_happening(goal.on, ground))
    if _includes(goal.on, definition.trigger):
        found.append(("on", _("it is what the sequence begins with, so that it would be reached at once.")))
    if goal.days not in GOAL_DAYS:
        words = {"first": GOAL_DAYS[0], "last": GOAL_DAYS[-1]}
        found.append(("days", _("choose from %(first)d to %(last)d days.") % words))
    if not 0 <= goal.value <= 10**11:
        found.append(("value", _("give what one is worth, or zero.")))
    yield from (Problem("goal", field, _("The goal: %(what)s") % {"what": sentence}) for field, sentence in found)


def _numbers(definition: Definition) -> Iterator[Problem]:
    if definition.again is Again.AFTER and not 1 <= definition.again_days <= LONGEST_AGAIN:
        yield Problem("again", "days", _("Going through again: choose from 1 to 365 days."))
    if not 0 <= definition.holdout <= MOST_HOLDOUT:
        words = {"limit": MOST_HOLDOUT}
        yield Problem("holdout", "holdout", _("Held out: choose from 0 to %(limit)d per cent.") % words)
    if definition.priority not in PRIORITIES:
        yield Problem("priority", "priority", _("Priority: choose from 1 to 9."))
