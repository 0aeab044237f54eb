"""What to ask a person next on their page: the form's open questions, then those of later, most valuable first.

Nothing is asked that is known and fresh, whichever contest of the brand it was said in. A question passed over comes
again after a week, one passed over twice after a month. Of the questions of later there are two a day at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from leadgen.core import clock, hot, logic
from leadgen.forms.definition import KNOWN, AskAt, Field, FieldType
from leadgen.forms.flow import walk
from leadgen.forms.places import Standing
from leadgen.forms.values import fits, fitting

MOST_A_DAY = 2
AGAIN_AFTER = timedelta(days=7)
COOL_DOWN = timedelta(days=30)
_TWICE = 2
# Seconds that an answer takes, as far as one can say.
_SECONDS = {
    FieldType.LONG_TEXT: 40, FieldType.ADDRESS: 40, FieldType.RANKING: 20, FieldType.TEXT: 12, FieldType.EMAIL: 12,
    FieldType.PHONE: 12, FieldType.DATE: 12, FieldType.POSTCODE: 8, FieldType.REGION: 8, FieldType.MULTI: 10,
    FieldType.CONSENT: 10,
}  # fmt: skip
_SECONDS_OTHERWISE = 6
_SKIP = """
INSERT INTO question_skip AS s (contact_id, key, at) VALUES (%(contact)s, %(key)s, %(now)s)
ON CONFLICT (contact_id, key) DO UPDATE
    SET times = CASE WHEN s.at + make_interval(secs => %(while)s) <= excluded.at THEN s.times + 1 ELSE s.times END,
        at = CASE WHEN s.at + make_interval(secs => %(while)s) <= excluded.at THEN excluded.at ELSE s.at END
RETURNING times
"""


@dataclass(frozen=True, slots=True)
class Queue:
    """`asked` in their order, `seconds` for all of them; `share` is how much of the profile is known, 0 to 100.

    `is_enough`: there would be more, but not today.
    """

    asked: tuple[Field, ...]
    seconds: int
    share: int
    is_enough: bool


def queue(standing: Standing, zone: str, *, most: int = 3) -> Queue:
    """What to ask this person now."""
    now = clock.now()
    applicable = _applicable(standing)
    waiting = [one for one in applicable if not is_known(standing, one) and not _is_cooling(standing, one, now)]
    form = [one for one in waiting if one.ask_at is AskAt.AFTER_CONFIRM]
    later = sorted((one for one in waiting if one.ask_at is AskAt.LATER), key=_value, reverse=True)
    left = max(0, MOST_A_DAY - _asked_today(standing, now, zone))
    asked = (*form, *later[:left])
    return Queue(
        asked=asked[:most],
        seconds=sum(seconds(one) for one in asked[:most]),
        share=completeness(standing, applicable),
        is_enough=not asked and bool(later),
    )


def _applicable(standing: Standing) -> list[Field]:
    """The fields that concern this person: on their way through the form, or shown later by what is known."""
    definition = standing.current
    own = fitting(definition, standing.known | standing.answers)
    path = walk(definition, own, standing.known)
    scope: dict[str, Any] = own | {KNOWN + key: value for key, value in standing.known.items()}
    later = (one for one in definition.fields if one.ask_at is AskAt.LATER)
    shown = [one for one in later if one.show is None or logic.holds(one.show, scope)]
    return [one for one in (*(one for stop in path.stops for one in stop.fields), *shown) if one.has_answer]


def is_known(standing: Standing, one: Field | None) -> bool:
    """Whether the person has answered this in any contest of the brand, in a way that fits and has not aged."""
    if one is None or not fits(one, standing.known.get(one.key)):
        return False
    at = standing.answered_at.get(one.key)
    return not one.fresh_days or at is None or at + timedelta(days=one.fresh_days) > clock.now()


def _is_cooling(standing: Standing, one: Field, now: datetime) -> bool:
    passed = standing.passed.get(one.key)
    return passed is not None and now < passed.at + (COOL_DOWN if passed.times >= _TWICE else AGAIN_AFTER)


def _value(one: Field) -> tuple[int, int]:
    return one.weight, one.points


def _asked_today(standing: Standing, now: datetime, zone: str) -> int:
    """How many questions of later were answered or passed over since midnight, where the contest is."""
    midnight = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    later = [one.key for one in standing.current.fields if one.ask_at is AskAt.LATER]
    answered = sum(key in standing.answered_at and standing.answered_at[key] >= midnight for key in later)
    return answered + sum(key in standing.passed and standing.passed[key].at >= midnight for key in later)


def seconds(one: Field) -> int:
    """How long an answer takes."""
    return _SECONDS.get(one.type, _SECONDS_OTHERWISE)


def completeness(standing: Standing, applicable: Sequence[Field]) -> int:
    """The known part of what concerns this person, by weight, in whole per cent; 100 where nothing is asked."""
    weight = sum(one.weight for one in applicable)
    known = sum(one.weight for one in applicable if is_known(standing, one))
    return known * 100 // weight if weight else 100


def skip(standing: Standing, key: str) -> None:
    """The person passes a question over for now; pressing twice within a minute counts once."""
    pass_over(standing.contact_id, key)


def pass_over(contact_id: int, key: str) -> None:
    """The same for somebody whose place in the form does not matter, such as whoever takes the answer back."""
    hot.one(_SKIP, {"contact": contact_id, "key": key, "now": clock.now(), "while": 60})
