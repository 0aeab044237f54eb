"""What is asked of a rehearsal, read from the address of its page: whom, from when on, which version, what if."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from leadgen.campaigns.models import Campaign, Question, QuestionKind
from leadgen.core import clock, i18n
from leadgen.rehearsals.plots import Suppose
from leadgen.rehearsals.subjects import MadeUp
from leadgen.web.admin.forms import YEARS, aware, on_the_wall

MODES = ("person", "made-up", "audience")
LONGEST_SEARCH = 100
LONGEST_WAIT = 366  # days until an event is supposed to come
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All of it. `begin` is a moment, `wall` the same in the contest's zone as the form shows it."""

    mode: str
    typed: str = ""
    contact: int | None = None
    segment: int | None = None
    made_up: MadeUp
    begin: datetime
    wall: str
    is_begin_wrong: bool = False
    version: int | None = None  # None: the draft
    suppose: Suppose = field(default_factory=Suppose)


def read(args: Mapping[str, str], campaign: Campaign) -> Asked:
    """What the address asks; what cannot be read is as if it were not there, a wrong date is told."""
    mode = args.get("as", "")
    begin, is_wrong = _begin(args.get("begin", ""), campaign.timezone)
    return Asked(
        mode=mode if mode in MODES else "person",
        typed=args.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
        contact=_whole(args.get("contact", "")),
        segment=_whole(args.get("segment", "")),
        made_up=_made_up(args, campaign),
        begin=begin,
        wall=args.get("begin", "")[:30] if is_wrong else on_the_wall(begin, campaign.timezone).isoformat()[:16],
        is_begin_wrong=is_wrong,
        version=_whole(args.get("version", ""), most=2**31 - 1),
        suppose=_suppose(args),
    )


def _whole(typed: str, most: int = _LARGEST) -> int | None:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 20 and int(typed) <= most else None


def _begin(typed: str, zone: str) -> tuple[datetime, bool]:
    now = clock.now().replace(second=0, microsecond=0)
    if not typed:
        return now, False
    try:
        local = datetime.fromisoformat(typed)
    except ValueError:
        return now, True
    if local.tzinfo is not None or local.year not in YEARS:
        return now, True
    return aware(local, zone), False


def _suppose(args: Mapping[str, str]) -> Suppose:
    holds = {key[2:]: value == "yes" for key, value in args.items() if key.startswith("h_") and value in {"yes", "no"}}
    days = {
        key[2:]: found for key, value in args.items() if key.startswith("d_") and (found := _days(value)) is not None
    }
    return Suppose(holds, days)


def _days(typed: str) -> float | None:
    try:
        found = float(typed.strip().replace(",", "."))
    except ValueError:
        return None
    return found if math.isfinite(found) and 0 <= found <= LONGEST_WAIT else None


def _made_up(args: Mapping[str, str], campaign: Campaign) -> MadeUp:
    zone, locale = args.get("zone", ""), args.get("locale", "")
    answers: dict[str, Any] = {}
    for question in campaign.questions:
        typed = args.get(f"a_{question.key}", "").replace("\x00", "").strip()[:200]
        value = _answer(question, typed) if typed and question.is_active else None
        if value is not None:
            answers[question.key] = value
    return MadeUp(
        locale=locale if locale in i18n.LOCALES else campaign.default_locale,
        timezone=zone if zone in available_timezones() else campaign.timezone,
        answers=answers,
    )


def _answer(question: Question, typed: str) -> Any:
    """A typed answer as contacts keep it; None for what it cannot be."""
    ids = {option["id"] for option in question.options}
    if question.kind in {QuestionKind.CHOICE, QuestionKind.MANY} and typed not in ids:
        return None
    if question.kind is QuestionKind.MANY:
        return [typed]
    if question.kind is QuestionKind.YES_NO:
        return {"yes": True, "no": False}.get(typed)
    if question.kind is QuestionKind.NUMBER:
        return _number(typed)
    return typed


def _number(typed: str) -> float | None:
    try:
        found = float(typed.replace(",", "."))
    except ValueError:
        return None
    if not math.isfinite(found):
        return None
    return int(found) if found.is_integer() else found
