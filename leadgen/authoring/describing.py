"""A sequence in words: what its steps are called, how long somebody waits, what is waited for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from babel import dates

from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.nurture.definition import (
    DAY,
    HOUR,
    MINUTE,
    Branch,
    Definition,
    Event,
    Happening,
    Letter,
    Step,
    Until,
    Wait,
)

_LONGEST_NAME = 60
_MONDAY = date(2024, 1, 1)


def names(definition: Definition) -> dict[str, str]:
    """What each step is called, by its key: its number on the way down, and the subject of a letter."""
    return {step.key: name(step, number) for number, step in enumerate(definition.walk(), 1)}


def name(step: Step, number: int) -> str:
    """“Step 2 “Welcome””, in the current language; a letter without a subject is only numbered."""
    words = {"number": number}
    if isinstance(step, Branch):
        return _("Step %(number)d (branch)") % words
    if not isinstance(step, Letter):
        return _("Step %(number)d (end)") % words
    if title := subject(step):
        return _("Step %(number)d “%(subject)s”") % (words | {"subject": title})
    return _("Step %(number)d") % words


def subject(letter: Letter) -> str:
    """The subject of the first variant, in the current language if it has one there; empty where none is written."""
    texts: Mapping[str, Mapping[str, str]] = letter.variants[0].texts if letter.variants else {}
    found = [texts.get(code, {}).get("subject", "") for code in (i18n.locale(), *i18n.LOCALES)]
    return next((one[:_LONGEST_NAME] for one in found if one), "")


def duration(seconds: int) -> str:
    """“3 days and 2 hours”; the smallest part is a second."""
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, left = divmod(rest, MINUTE)
    parts = [
        ngettext("%(number)d day", "%(number)d days", days) % {"number": days} if days else "",
        ngettext("%(number)d hour", "%(number)d hours", hours) % {"number": hours} if hours else "",
        ngettext("%(number)d minute", "%(number)d minutes", minutes) % {"number": minutes} if minutes else "",
        ngettext("%(number)d second", "%(number)d seconds", left) % {"number": left} if left else "",
    ]
    return listed(part for part in parts if part) or _("no time")


def listed(words: Iterable[str]) -> str:
    """“a, b and c”."""
    *first, last = list(words) or [""]
    return _("%(many)s and %(last)s") % {"many": ", ".join(first), "last": last} if first else last


def wait(of: Wait) -> str:
    """When a step comes, as a clause: “after 3 days, at 10:00, on a Tuesday”."""
    words = {"time": duration(of.seconds)}
    if of.until is Until.BEFORE_END:
        told = _("%(time)s before the end of the contest") if of.seconds else _("at the end of the contest")
    elif of.until is Until.EVENT:
        words["event"] = happening(of.event) if of.event else "…"
        told = _("as soon as %(event)s, after %(time)s at the latest")
    else:
        told = _("after %(time)s") if of.seconds else _("at once")
    parts = [told % words]
    if of.at:
        parts.append(_("at %(hour)s") % {"hour": of.at})
    if days := [weekday(number) for number in of.weekdays if number in range(1, 8)]:
        parts.append(_("on a day of %(days)s") % {"days": listed(days)})
    return ", ".join(parts)


def weekday(number: int) -> str:
    """The name of a day of the week, 1 Monday … 7 Sunday, in the current language."""
    return str(dates.format_date(_MONDAY + timedelta(days=number - 1), "EEEE", locale=i18n.locale()))


def happening(event: Happening) -> str:
    """What happens, as a clause of a sentence."""
    words = {"of": event.of, "days": event.days}
    if event.on is Event.INACTIVE:
        return (
            ngettext("a day passes without a sign of life", "%(days)d days pass without a sign of life", event.days)
            % words
        )
    if event.on is Event.CONTEST_CLOSING:
        return ngettext("the contest ends in a day", "the contest ends in %(days)d days", event.days) % words
    narrowed = {
        Event.ANSWERED: _("“%(of)s” is answered"),
        Event.ACTION_CREDITED: _("the action “%(of)s” is done"),
        Event.SCORE_CROSSED: _("the grade %(of)s is reached"),
        Event.SEGMENT_JOINED: _("the person comes into the segment %(of)s"),
    }
    return narrowed[event.on] % words if event.of and event.on in narrowed else _any()[event.on]


def _any() -> dict[Event, str]:
    return {
        Event.CONFIRMED: _("the entry is confirmed"),
        Event.FRIEND_COUNTED: _("a friend counts"),
        Event.FORM_FINISHED: _("the form is finished"),
        Event.ANSWERED: _("a question is answered"),
        Event.ACTION_CREDITED: _("an action is done"),
        Event.REWARD_GIVEN: _("a reward is given"),
        Event.CLICKED: _("a link in a letter is clicked"),
        Event.SCORE_CROSSED: _("another grade is reached"),
        Event.SEGMENT_JOINED: _("the person comes into a segment"),
        Event.CONTEST_ENDED: _("the contest is over"),
    }
