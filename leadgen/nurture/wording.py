"""A sequence in plain words, in the reader's language: what begins it, how long each step waits, what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from babel import Locale
from sqlalchemy import select

from leadgen.campaigns.models import Action, Campaign, Question
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.nurture.definition import (
    DAY,
    HOUR,
    MINUTE,
    Again,
    Branch,
    Definition,
    End,
    Event,
    Exit,
    Goal,
    Happening,
    Letter,
    Otherwise,
    Step,
    Until,
    Wait,
    from_data,
)
from leadgen.segments import sentences
from leadgen.segments import service as segments
from leadgen.segments.catalogue import Catalogue

# Events about one thing, if it is named, else about any.
_NARROWED = frozenset({Event.ANSWERED, Event.ACTION_CREDITED, Event.SCORE_CROSSED, Event.SEGMENT_JOINED})


@dataclass(frozen=True, slots=True)
class Names:
    """What the things are called that an event may be about: question and action by key, segment by id as text."""

    questions: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)

    def of(self, happening: Happening) -> str:
        """The name of what an event is about; what is no more is called by its key."""
        known = {
            Event.ANSWERED: self.questions,
            Event.ACTION_CREDITED: self.actions,
            Event.SEGMENT_JOINED: self.segments,
        }.get(happening.on, {})
        return known.get(happening.of, happening.of)


def names(campaign: Campaign) -> Names:
    """The names of a campaign's questions, actions and of its brand's segments, in the current language."""
    questions = db.session.scalars(select(Question).filter_by(campaign_id=campaign.id).order_by(Question.position))
    actions = db.session.scalars(select(Action).filter_by(campaign_id=campaign.id).order_by(Action.position))
    return Names(
        {one.key: _told(one.texts, "label", one.key) for one in questions if one.is_active},
        {one.key: _told(one.texts, "title", one.key) for one in actions if one.is_active},
        {str(one.id): one.name for one in segments.of_brand(campaign.brand_id)},
    )


def _told(texts: Mapping[str, Mapping[str, str]], part: str, key: str) -> str:
    words = {code: one.get(part, "") for code, one in texts.items()}
    return words.get(i18n.locale()) or next((word for word in words.values() if word), key)


def happening(one: Happening, known: Names) -> str:
    """An event as a clause behind “when”: “they answer “Travel month””."""
    if one.on in _NARROWED and not one.of:
        return _any(one.on)
    if one.on is Event.INACTIVE:
        days = ngettext("%(num)s day", "%(num)s days", one.days) % {"num": one.days}
        return _("they have given no sign of life for %(days)s") % {"days": days}
    if one.on is Event.CONTEST_CLOSING:
        return ngettext("%(num)s day of the contest is left", "%(num)s days of the contest are left", one.days) % {
            "num": one.days
        }
    return _event(one.on) % {"name": known.of(one)}


def _any(event: Event) -> str:
    return {
        Event.ANSWERED: _("they answer any question"),
        Event.ACTION_CREDITED: _("they do any action"),
        Event.SCORE_CROSSED: _("their grade changes"),
        Event.SEGMENT_JOINED: _("they come into a segment"),
    }[event]


def _event(event: Event) -> str:
    return {
        Event.CONFIRMED: _("they confirm their entry"),
        Event.FRIEND_COUNTED: _("a friend whom they brought counts"),
        Event.FORM_FINISHED: _("they finish the questions"),
        Event.ANSWERED: _("they answer “%(name)s”"),
        Event.ACTION_CREDITED: _("they do the action “%(name)s”"),
        Event.REWARD_GIVEN: _("they are given a reward"),
        Event.CLICKED: _("they click in a letter"),
        Event.SCORE_CROSSED: _("their grade becomes %(name)s"),
        Event.SEGMENT_JOINED: _("they come into the segment “%(name)s”"),
        Event.CONTEST_ENDED: _("the contest has ended"),
    }[event]


def begins(definition: Definition, known: Names) -> str:
    """What the sequence begins with: “Begins when they confirm their entry”."""
    return _("Begins when %(what)s") % {"what": happening(definition.trigger, known)}


def who(definition: Definition, catalogue: Catalogue) -> str:
    """For whom it begins."""
    if not definition.who:
        return _("for everybody who agreed to marketing mails")
    said = sentences.clause(catalogue, definition.who)
    if definition.stays_while:
        return _("for people %(clause)s, as long as that holds") % {"clause": said}
    return _("for people %(clause)s") % {"clause": said}


def span(seconds: int) -> str:
    """A duration: “3 days and 2 hours”; the smallest part is a second."""
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, left = divmod(rest, MINUTE)
    is_told = minutes or not seconds
    parts = [
        ngettext("%(number)d day", "%(number)d days", days) % {"number": days} if days else "",
        ngettext("%(number)d hour", "%(number)d hours", hours) % {"number": hours} if hours else "",
        ngettext("%(number)d minute", "%(number)d minutes", minutes) % {"number": minutes} if is_told else "",
        ngettext("%(number)d second", "%(number)d seconds", left) % {"number": left} if left else "",
    ]
    *first, last = [part for part in parts if part]
    return _("%(many)s and %(last)s") % {"many": ", ".join(first), "last": last} if first else last


def wait(one: Wait, known: Names) -> str:
    """A wait: “3 days later, at 10:00 on Tuesday to Thursday, in the person’s own time”."""
    if one.until is Until.EVENT and one.event:
        told = {"what": happening(one.event, known), "span": span(one.seconds)}
        return _("As soon as %(what)s, after %(span)s at the latest") % told
    if one.until is Until.BEFORE_END:
        before = _("%(span)s before the contest ends") % {"span": span(one.seconds)}
        said = before if one.seconds else _("At the end of the contest")
    else:
        said = _("%(span)s later") % {"span": span(one.seconds)} if one.seconds else _("At once")
    if hour := _hour(one):
        return f"{said}, {hour}, " + _("in the person’s own time")
    return said


def wait_of(data: Mapping[str, Any], known: Names) -> str:
    """A wait that is still JSON, in words. Raises ValueError for what is none."""
    end = {"kind": "end", "key": "end", "wait": data}
    return wait(from_data({"trigger": {"on": Event.CONFIRMED}, "steps": [end]}).steps[0].wait, known)


def _hour(one: Wait) -> str:
    days = weekdays(one.weekdays) if one.weekdays else ""
    if one.at and days:
        return _("at %(hour)s on %(days)s") % {"hour": one.at, "days": days}
    if one.at:
        return _("at %(hour)s") % {"hour": one.at}
    return _("on %(days)s") % {"days": days} if days else ""


def weekdays(chosen: tuple[int, ...]) -> str:
    """Days of the week (1 Monday … 7 Sunday): “Tuesday to Thursday”, “Monday or Friday”."""
    days = sorted(set(chosen))
    called = day_names()
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return _("%(first)s to %(last)s") % {"first": called[days[0]], "last": called[days[-1]]}
    told = _("a %(day)s") % {"day": called[days[0]]}
    for day in days[1:]:
        told = _("%(first)s or %(second)s") % {"first": told, "second": _("a %(day)s") % {"day": called[day]}}
    return told


def day_names() -> dict[int, str]:
    """What the days of the week are called, 1 Monday … 7 Sunday."""
    found = Locale.parse(i18n.locale()).days["format"]["wide"]
    return {number + 1: str(found[number]) for number in range(7)}


def condition(step: Step, catalogue: Catalogue) -> str:
    """For whom a step is, or what a branch asks; empty for everybody."""
    if isinstance(step, End) or not step.when:
        return ""
    if isinstance(step, Branch):
        asks_nothing = not any(step.when.get(word) for word in ("all", "any", "not", "field"))
        return _("Nothing is asked yet") if asks_nothing else sentences.sentence(catalogue, step.when)
    said = {"clause": sentences.clause(catalogue, step.when)}
    if step.otherwise is Otherwise.EXIT:
        return _("Only to people %(clause)s; the others leave the sequence") % said
    return _("Only to people %(clause)s; the others skip it") % said


def step_name(step: Step, catalogue: Catalogue) -> str:
    """What a step is called in lists: a letter by its subject, a branch by what it asks."""
    if isinstance(step, Branch):
        return condition(step, catalogue)
    if isinstance(step, End):
        return _("End of the sequence")
    return letter_name(step) or _("Letter without a subject")


def letter_name(letter: Letter) -> str:
    """The subject of a letter's first variant, in the current language if it has one there; else empty."""
    for variant in letter.variants:
        subjects = {code: str(texts.get("subject") or "") for code, texts in variant.texts.items()}
        if found := subjects.get(i18n.locale()) or next((one for one in subjects.values() if one), ""):
            return found
    return ""


def ends(one: Exit, known: Names, catalogue: Catalogue) -> str:
    """What ends it before its last step."""
    if one.on:
        return _("when %(what)s") % {"what": happening(one.on, known)}
    return _("for people %(clause)s") % {"clause": sentences.clause(catalogue, one.when or {"all": []})}


def goal(one: Goal, known: Names) -> str:
    """What the sequence is for."""
    told = ngettext("within %(num)s day", "within %(num)s days", one.days) % {"num": one.days}
    return _("When %(what)s, %(within)s of the beginning") % {"what": happening(one.on, known), "within": told}


def again(definition: Definition) -> str:
    """Whether somebody goes through it more than once."""
    if definition.again is Again.AFTER:
        days = ngettext("%(num)s day", "%(num)s days", definition.again_days) % {"num": definition.again_days}
        return _("Again at the earliest %(days)s after the last time ended") % {"days": days}
    return _("Each time it happens") if definition.again is Again.EACH else _("Once for each person")
