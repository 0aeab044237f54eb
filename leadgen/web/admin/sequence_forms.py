"""The forms of a sequence: an event to choose, a wait, a step, and the parts around the steps; from and to its JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import BooleanField, Field, FormField

from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.nurture import wording
from leadgen.nurture.definition import (
    BY_CLOCK,
    DAY,
    GOAL_DAYS,
    HOUR,
    LONGEST_WAIT,
    MINUTE,
    MOST_HOLDOUT,
    Again,
    Event,
    Happening,
    Otherwise,
    Until,
)
from leadgen.nurture.wording import Names
from leadgen.web.admin.forms import MoneyField, StudioForm, line, lines, needed, one_of, whole

UNITS = {"minutes": MINUTE, "hours": HOUR, "days": DAY}
WITH_DAYS = frozenset({Event.INACTIVE, Event.CONTEST_CLOSING})
GRADES = tuple(f"{fit}{warmth}" for fit in "ABCD" for warmth in "1234")
EXIT_ROWS, MOST_EXITS = 3, 12  # events to choose at once; more come when these are filled
HEAVIEST = 1000  # weight of a variant
LONGEST_CATCH_UP = 720  # hours
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class DaysField(Field):
    """Days of the week, ticked; 1 is Monday."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """What is no day is left out."""
        self.data = sorted({int(one) for one in valuelist if one in set("1234567")})


class LetterTextsForm(StudioForm):
    """The words of a letter in one language."""

    subject = line(longest=120)
    preheader = line(longest=150)
    heading = line(longest=120)
    body = lines(longest=10_000)
    button = line(longest=40)
    url = line(longest=500)


class HappeningForm(StudioForm):
    """An event, with what it is about packed into its word: `answered:travel`."""

    what = line(longest=200)
    days = whole(0, 3650)


class WaitForm(StudioForm):
    """How long before a step; which of the fields count is said by `until`."""

    until = one_of(*Until)
    amount = whole(0, 525_600)
    unit = one_of(*UNITS)
    at = line(longest=5)
    weekdays: Any = DaysField()
    what = line(longest=200)


class StepForm(StudioForm):
    """What every step has."""

    wait: Any = FormField(WaitForm)


class LetterStepForm(StepForm):
    """A letter: its wait, whom it is for, how late it may be, and one wording in every language."""

    otherwise = one_of(*Otherwise)
    catch_up_hours = whole(1, LONGEST_CATCH_UP)
    en: Any = FormField(LetterTextsForm)
    fr: Any = FormField(LetterTextsForm)


def letter_form(variants: Sequence[str]) -> type[LetterStepForm]:
    """A letter's form that shares its people out among variants, when there are several."""
    weights = {f"weight_{key}": whole(1, HEAVIEST) for key in variants} if len(variants) > 1 else {}
    return type("WeighedForm", (LetterStepForm,), weights)


class TriggerForm(StudioForm):
    """What a sequence begins with; for whom is told by the builder of conditions."""

    begins: Any = FormField(HappeningForm)
    stays_while: Any = BooleanField()


class GoalForm(StudioForm):
    """What it is for; the events that end it come with `goal_form`."""

    goal = line(longest=200)
    days = whole(GOAL_DAYS[0], GOAL_DAYS[-1])
    value: Any = MoneyField()


def goal_form(exits: int) -> type[GoalForm]:
    """The goal's form with so many events that end a sequence, and room for more."""
    count = min(max(EXIT_ROWS, exits + 1), MOST_EXITS)
    return type("ExitsForm", (GoalForm,), {f"exit_{number}": line(longest=200) for number in range(count)})


class SettingsForm(StudioForm):
    """Name, re-entry, priority and hold-out."""

    name = line(needed, longest=90)
    again = one_of(*Again)
    again_days = whole(0, 3650)
    priority = whole(1, 9)
    holdout = whole(0, MOST_HOLDOUT)


def happenings(names: Names, *, begins: bool = False) -> list[tuple[str, list[tuple[str, str]]]]:
    """What can be chosen as an event, in groups: (group, [(packed, words)]); by the clock only what begins one."""
    contest = [Event.CONFIRMED, Event.FRIEND_COUNTED, Event.REWARD_GIVEN, Event.CONTEST_CLOSING, Event.CONTEST_ENDED]
    person = [Event.FORM_FINISHED, Event.CLICKED, Event.INACTIVE]
    groups = [
        (_("Contest"), [(f"{one}:", _plain(one, names)) for one in contest if begins or one not in BY_CLOCK]),
        (_("Person"), [(f"{one}:", _plain(one, names)) for one in person if begins or one not in BY_CLOCK]),
        (_("Answers"), _about(Event.ANSWERED, ["", *names.questions], names)),
        (_("Actions"), _about(Event.ACTION_CREDITED, ["", *names.actions], names)),
        (_("Grade"), _about(Event.SCORE_CROSSED, ["", *GRADES], names)),
    ]
    if begins and names.segments:
        groups.append((_("Segments"), _about(Event.SEGMENT_JOINED, list(names.segments), names)))
    return groups


def _about(event: Event, things: list[str], names: Names) -> list[tuple[str, str]]:
    return [(f"{event}:{one}", wording.happening(Happening(on=event, of=one), names)) for one in things]


def _plain(event: Event, names: Names) -> str:
    if event is Event.INACTIVE:
        return _("they have given no sign of life for so many days")
    if event is Event.CONTEST_CLOSING:
        return _("so many days of the contest are left")
    return wording.happening(Happening(on=event), names)


def packed(one: Mapping[str, Any] | None) -> str:
    """An event as the list of choices has it."""
    return f"{one['on']}:{one.get('of', '')}" if one else ""


def unpacked(word: str, names: Names, field: str, *, days: int = 0, begins: bool = False) -> dict[str, Any]:
    """The event that was chosen. Raises Invalid for one that is not to be chosen."""
    known = {value for _group, choices in happenings(names, begins=begins) for value, _word in choices}
    if word not in known:
        raise Invalid(_("Please choose one of the list."), field)
    on, _colon, of = word.partition(":")
    found: dict[str, Any] = {"on": on}
    if of:
        found["of"] = of
    if Event(on) in WITH_DAYS:
        if days < 1:
            raise Invalid(_("Write how many days."), "days")
        found["days"] = days
    return found


def wait_shown(wait: Mapping[str, Any] | None) -> dict[str, Any]:
    """A wait as its form shows it, in the largest whole unit."""
    known = wait or {}
    seconds = int(known.get("seconds", 0))
    unit = next(name for name, size in reversed(UNITS.items()) if seconds % size == 0 or name == "minutes")
    return {
        "until": known.get("until", Until.AFTER.value),
        "amount": seconds // UNITS[unit],
        "unit": unit if seconds else "days",
        "at": known.get("at", ""),
        "weekdays": list(known.get("weekdays", ())),
        "what": packed(known.get("event")),
    }


def wait_read(form: Any, names: Names) -> dict[str, Any]:
    """The wait that was chosen. Raises Invalid with the field of the form."""
    seconds = form.amount.data * UNITS[form.unit.data]
    if seconds > LONGEST_WAIT:
        raise Invalid(_("Choose a delay of one year at most."), "amount")
    found: dict[str, Any] = {"until": form.until.data, "seconds": seconds}
    if form.until.data == Until.EVENT:
        if seconds == 0:
            raise Invalid(_("Say how long it is waited for at most."), "amount")
        return found | {"event": unpacked(form.what.data, names, "what")}
    if form.at.data:
        if not _HOUR.fullmatch(form.at.data):
            raise Invalid(_("Write an hour such as 10:00."), "at")
        found["at"] = form.at.data
    if form.weekdays.data and form.until.data == Until.AFTER:
        found["weekdays"] = form.weekdays.data
    return found
