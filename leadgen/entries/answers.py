"""Qualification: an answer is understood by its question's kind, stored typed, and worth points once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from leadgen.campaigns.cards import QuestionCard
from leadgen.campaigns.models import QuestionKind
from leadgen.core import clock, hot, queue
from leadgen.core import text as words
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell

LONGEST_TEXT = 1_000
_LARGEST_NUMBER = 10**12
_YEARS = range(1900, 2101)  # whoever answers is alive, and speaks of their own life

# The share of the entry keeps whoever erases the person waiting, or finds nobody after them.
_ANSWER = """
WITH who AS (
    SELECT e.id, e.brand_id, e.campaign_id, e.contact_id, e.rules_version,
           c.status IN ('live', 'scheduled') AND %(now)s < c.ends_at AS is_open
    FROM entry e JOIN campaign c ON c.id = e.campaign_id
    WHERE e.id = %(entry)s AND e.status = 'confirmed'
      AND e.campaign_id = (SELECT campaign_id FROM question WHERE id = %(question)s)
    FOR KEY SHARE OF e
), answered AS (
    INSERT INTO answer (contact_id, entry_id, question_id, key, value, at)
    SELECT contact_id, id, %(question)s, %(key)s, %(value)s::jsonb, %(now)s FROM who
    ON CONFLICT (entry_id, question_id) DO UPDATE SET value = excluded.value, at = excluded.at
), known AS (
    UPDATE contact c SET answers = c.answers || jsonb_build_object(%(key)s::text, %(value)s::jsonb),
                         last_inbound_at = %(now)s
    FROM who WHERE c.id = who.contact_id
), credited AS (
    INSERT INTO ledger (campaign_id, entry_id, kind, points, chances, question_id, rules_version, at, idempotency_key)
    SELECT campaign_id, id, 'answer', %(points)s::int, %(points)s::int, %(question)s, rules_version, %(now)s,
           'answer:' || id || ':' || %(question)s::bigint
    FROM who WHERE is_open AND %(points)s::int <> 0
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING campaign_id, entry_id, points, chances
), unfolded AS (
    INSERT INTO ledger_pending (campaign_id, entry_id, points, chances, kind, at)
    SELECT campaign_id, entry_id, points, chances, 'answer', %(now)s FROM credited
), told AS (
    INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
    SELECT 'question.answered', %(now)s, brand_id, campaign_id, contact_id, id,
           jsonb_build_object('question', %(key)s::text, 'points', coalesce((SELECT points FROM credited), 0))
    FROM who
)
SELECT id, coalesce((SELECT points FROM credited), 0) AS points FROM who
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """`points` is what this answer earned now: nothing when the question was answered before."""

    value: Any
    points: int


def answer(entry_id: int, question: QuestionCard, raw: list[str]) -> Answered:
    """Store a confirmed person's answer; the first one earns the question's points, a later one corrects the value.

    `raw` is what the form sent for the question. Raises Invalid(field=key) with a sentence in the current language,
    NotFound when the entry is not confirmed or the question is another campaign's.
    """
    value = understand(question, raw)
    row = hot.one(
        _ANSWER,
        {
            "entry": entry_id,
            "question": question.id,
            "key": question.key,
            "value": json.dumps(value, ensure_ascii=False),
            "points": question.points,
            "now": clock.now(),
        },
    )
    if row is None:
        raise NotFound
    queue.ring(Bell.POINTS)
    return Answered(value, row["points"])


def understand(question: QuestionCard, raw: list[str]) -> Any:
    """The typed value of what was sent: text, option id, list of option ids, number, ISO date, or True/False."""
    given = [words.one_line(item, LONGEST_TEXT) for item in raw if item.strip()]
    if not given:
        raise Invalid(_("Choose or write an answer."), question.key)
    options = {str(option["id"]) for option in question.options}
    match question.kind:
        case QuestionKind.TEXT:
            return given[0]
        case QuestionKind.CHOICE:
            return _choice(question, given[0], options)
        case QuestionKind.MANY:
            return sorted({_choice(question, item, options) for item in given})
        case QuestionKind.NUMBER:
            return _number(question, given[0])
        case QuestionKind.DATE:
            return _date(question, given[0])
        case QuestionKind.YES_NO:
            if given[0] not in {"yes", "no"}:
                raise Invalid(_("Choose yes or no."), question.key)
            return given[0] == "yes"


def _choice(question: QuestionCard, given: str, options: set[str]) -> str:
    if given not in options:
        raise Invalid(_("Choose one of the answers offered."), question.key)
    return given


def _number(question: QuestionCard, given: str) -> int | float:
    try:
        number = float(given.replace("\u202f", "").replace("\xa0", "").replace(" ", "").replace(",", "."))
    except ValueError:
        raise Invalid(_("Write a number, in digits."), question.key) from None
    if number < 0:
        raise Invalid(_("Write a number of zero or more."), question.key)
    if not number <= _LARGEST_NUMBER:
        raise Invalid(_("This number is too large."), question.key)
    return int(number) if number.is_integer() else number


def _date(question: QuestionCard, given: str) -> str:
    try:
        day = date.fromisoformat(given)
    except ValueError:
        day = date.min
    if day.year not in _YEARS:
        raise Invalid(_("Write a date as year-month-day, such as 2027-05-31."), question.key)
    return day.isoformat()
