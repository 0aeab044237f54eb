"""Filling the form in: begin, save a page, finish, correct. Each may be repeated, and nobody finishes twice.

Every page is kept as it is sent (`submission.answers`), so that the way leads on from any browser that has the link.
Only the finish makes answers of them: those that count on the way are stored, those that do not any more are forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import clock, hot
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.entries import answers as answering
from leadgen.forms import definition as documents
from leadgen.forms import values
from leadgen.forms.definition import AskAt, Field, FieldType, Page
from leadgen.forms.flow import Path, Stop, walk
from leadgen.forms.places import Standing, hidden_values
from leadgen.forms.queue import is_known

_BEGIN = """
WITH version AS (
    -- A contest published before there were forms has no version until somebody begins.
    INSERT INTO form_version (campaign_id, number, definition, published_at)
    SELECT %(campaign)s, 1, %(definition)s::jsonb, %(now)s
    WHERE NOT EXISTS (SELECT FROM form_version WHERE campaign_id = %(campaign)s)
    ON CONFLICT DO NOTHING
)
INSERT INTO submission AS s (campaign_id, entry_id, number, answers, reached, begun_at, saved_at)
VALUES (%(campaign)s, %(entry)s, %(number)s, %(answers)s::jsonb, %(reached)s, %(now)s, %(now)s)
ON CONFLICT (entry_id) DO UPDATE
    SET number = excluded.number, answers = excluded.answers, done = '{}', is_open = true,
        finished_at = CASE WHEN s.number = excluded.number THEN s.finished_at END,
        reached = excluded.reached, saved_at = excluded.saved_at
    WHERE NOT s.is_open
RETURNING id
"""
_SAVE = """
UPDATE submission
SET answers = (answers - %(keys)s::text[]) || %(answers)s::jsonb,
    done = ARRAY(SELECT DISTINCT unnest(array_remove(done || %(page)s::text, ''))),
    reached = ARRAY(SELECT DISTINCT unnest(reached || %(reached)s::text[])),
    saved_at = %(now)s
WHERE entry_id = %(entry)s AND number = %(number)s AND is_open
RETURNING id
"""
_FINISH = """
WITH done AS (
    UPDATE submission SET is_open = false, finished_at = %(now)s, saved_at = %(now)s, answers = %(answers)s::jsonb
    WHERE entry_id = %(entry)s AND number = %(number)s AND is_open
    RETURNING entry_id, number
), told AS (
    INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
    SELECT 'form.finished', %(now)s, e.brand_id, e.campaign_id, e.contact_id, e.id,
           jsonb_build_object('version', done.number)
    FROM done JOIN entry e ON e.id = done.entry_id
)
SELECT entry_id FROM done
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a page that was sent: the next one, or `is_end`.

    `is_more`: it is the same one again, for answers opened fields on it that were not shown yet. `stop` is the page to
    be shown once more because of `problems`, by field, with what was `typed` on it.
    """

    next_page: str = ""
    is_end: bool = False
    is_more: bool = False
    stop: Stop | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, list[str]] = field(default_factory=dict)


def begin(standing: Standing, card: CampaignCard) -> None:
    """Open the form for a confirmed person, on what is published now; who has finished opens it again to correct.

    What is known of the person already is filled in. Who is in the middle stays where they are.
    """
    definition = standing.current
    known = {key: value for key, value in standing.known.items() if is_known(standing, definition.field(key))}
    said = values.fitting(definition, known | standing.answers)
    boxes = {one.key for one in definition.fields if one.type is FieldType.CONSENT}  # never ticked beforehand
    answers = {key: value for key, value in said.items() if key not in boxes}
    answers |= hidden_values(definition, standing.source)
    path = walk(definition, answers, standing.known)
    first = path.stops[0].fields if path.stops else ()
    hot.one(
        _BEGIN,
        {
            "campaign": card.id,
            "definition": json.dumps(documents.to_data(definition), ensure_ascii=False),
            "entry": standing.entry_id,
            "number": standing.newest,
            "answers": json.dumps(answers, ensure_ascii=False),
            "reached": [one.key for one in first],
            "now": clock.now(),
        },
    )


def send(standing: Standing, page_id: str, sent: Mapping[str, list[str]], shown: Collection[str]) -> Sent:
    """Keep what one page says, and tell where the way leads; a page off the way is passed over.

    Only fields that are shown on the page are read, each judged by the answers before it. `shown` are those that the
    person had before their eyes. Raises Conflict when the form is not open.
    """
    if not standing.is_open:
        raise Conflict(_("This form is finished."))
    page = standing.definition.page(page_id)
    if page is None or standing.path.stop(page_id) is None:
        return _onward(standing)
    keys = [one.key for one in page.fields if one.type is not FieldType.HIDDEN]
    kept = {key: value for key, value in standing.answers.items() if key not in keys}
    given, problems = _read_page(standing, page, kept, sent)
    path = _path(standing, kept | given)
    stop = path.stop(page_id) or Stop(page, (), frozenset())
    opened = [one for one in stop.fields if one.key not in shown]
    lacking = {one.key: one for one in stop.fields if one.key in stop.required - given.keys() - problems.keys()}
    problems |= {key: _("Please answer this question.") for key, one in lacking.items() if one not in opened}
    if problems:
        return Sent(stop=stop, problems=problems, typed=sent)
    if opened:
        _save(standing, "", keys, given, stop.fields)
        return Sent(next_page=page_id, is_more=True)
    following = path.after(page_id)
    _save(standing, page_id, keys, given, (*stop.fields, *(following.fields if following else ())))
    return Sent(next_page=following.page.id if following else "", is_end=following is None)


def _path(standing: Standing, answers: Mapping[str, Any]) -> Path:
    return walk(standing.definition, values.fitting(standing.definition, answers), standing.known)


def _read_page(
    standing: Standing, page: Page, kept: dict[str, Any], sent: Mapping[str, list[str]]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What the page's fields say, and what is wrong with them: one by one, for each may show or hide the next."""
    given: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for one in page.fields:
        stop = _path(standing, kept | given).stop(page.id)
        if stop is None or one not in stop.fields or not values.is_given(sent.get(one.key, [])):
            continue
        try:
            given[one.key] = values.understand(one, sent[one.key])
        except Invalid as error:
            problems[one.key] = str(error)
    return given, problems


def _save(
    standing: Standing, page_id: str, keys: list[str], given: Mapping[str, Any], shown: tuple[Field, ...]
) -> None:
    values_of = {
        "entry": standing.entry_id,
        "number": standing.number,
        "keys": keys,
        "answers": json.dumps(given, ensure_ascii=False),
        "page": page_id,
        "reached": [one.key for one in shown],
        "now": clock.now(),
    }
    if hot.one(_SAVE, values_of) is None:
        raise Conflict(_("This form is finished."))


def _onward(standing: Standing) -> Sent:
    stop = resume(standing)
    return Sent(next_page=stop.page.id if stop else "", is_end=stop is None)


def resume(standing: Standing) -> Stop | None:
    """Where the person goes on: the first page on their way that was not sent, or lacks an answer; None at the end."""
    path = standing.path
    waiting = [stop for stop in path.stops if stop.page.id not in standing.done or stop.required - path.values.keys()]
    return waiting[0] if waiting else None


@dataclass(frozen=True, slots=True)
class Finished:
    """`points` were earned by finishing; `consents` are fields of consent that were agreed to."""

    points: int
    consents: tuple[Field, ...]


def finish(standing: Standing) -> Finished:
    """Make answers of what counts on the way; forget what does not count any more. Once: later calls change nothing.

    Raises Conflict when a page is still to be sent, or the form is not open.
    """
    if not standing.is_open:
        raise Conflict(_("This form is finished."))
    if resume(standing) is not None:
        raise Conflict(_("A page of this form is still open."))
    path = standing.path
    fields = [one for one in standing.definition.fields if one.ask_at is AskAt.AFTER_CONFIRM]
    counting = {one.key: path.values[one.key] for one in fields if one.has_answer and one.key in path.values}
    points = sum(answering.store(standing.entry_id, key, value) for key, value in counting.items())
    answering.take_back(standing.entry_id, [one.key for one in fields if one.has_answer and one.key not in counting])
    kept = json.dumps(path.values, ensure_ascii=False)
    done = {"entry": standing.entry_id, "number": standing.number, "answers": kept, "now": clock.now()}
    is_first = hot.one(_FINISH, done) is not None
    agreed = tuple(one for one in fields if one.type is FieldType.CONSENT and path.values.get(one.key) is True)
    return Finished(points, agreed if is_first and not standing.is_subscribed else ())
