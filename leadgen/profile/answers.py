"""A person's answers as the person sees them: each with its origin and what it earned; corrected, taken back.

An answer belongs to the contest that asked for it and keeps that origin whatever happens to it afterwards. What was
written on a page of a form that is not finished yet is held too, so it stands here as well (`is_draft`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadgen.campaigns import cards
from leadgen.campaigns.models import QuestionKind
from leadgen.campaigns.titles import public_title
from leadgen.core import hot
from leadgen.core.errors import NotFound
from leadgen.entries import answers as answering
from leadgen.forms import definition as documents
from leadgen.forms import forgetting as forms
from leadgen.forms import places, projecting, values
from leadgen.forms import queue as asking
from leadgen.forms.definition import Field, FieldType

# The field is that of the version which the person filled in, else of the newest that asks the question.
_FIELD = """
LEFT JOIN LATERAL (
    SELECT v.number, jsonb_path_query_first(v.definition, '$.pages[*].fields[*] ? (@.key == $key)',
                                            jsonb_build_object('key', {key})) AS field
    FROM form_version v WHERE v.campaign_id = e.campaign_id
      AND jsonb_path_exists(v.definition, '$.pages[*].fields[*] ? (@.key == $key)', jsonb_build_object('key', {key}))
    ORDER BY v.number = s.number DESC NULLS LAST, v.number DESC LIMIT 1
) AS v ON true
"""
_GIVEN = f"""
SELECT a.entry_id, e.campaign_id, a.key, a.value, a.at, least(a.at, said.at) AS first_at,
       {public_title("c")} AS contest, c.default_locale, q.kind, q.texts, q.options,
       v.number, v.field, coalesce(l.points, 0)::bigint AS points,
       false AS is_draft
FROM answer a JOIN entry e ON e.id = a.entry_id JOIN question q ON q.id = a.question_id
JOIN campaign c ON c.id = e.campaign_id LEFT JOIN submission s ON s.entry_id = e.id
{_FIELD.format(key="a.key")}
LEFT JOIN LATERAL (
    SELECT sum(points) AS points FROM ledger WHERE entry_id = a.entry_id AND question_id = a.question_id
) AS l ON true
LEFT JOIN LATERAL (
    SELECT min(at) AS at FROM fact
    WHERE contact_id = a.contact_id AND entry_id = a.entry_id AND name = 'question.answered'
      AND data ->> 'question' = a.key
) AS said ON true
WHERE a.contact_id = %(contact)s ORDER BY a.entry_id DESC, q.position, a.id
"""  # noqa: S608 - the only values put in by Python are constants
_DRAFTS = f"""
SELECT s.entry_id, e.campaign_id, d.key, d.value, s.saved_at AS at, s.saved_at AS first_at,
       {public_title("c")} AS contest, c.default_locale, 'text' AS kind,
       '{{}}'::jsonb AS texts, '[]'::jsonb AS options, v.number, v.field,
       0::bigint AS points, true AS is_draft
FROM submission s JOIN entry e ON e.id = s.entry_id JOIN campaign c ON c.id = e.campaign_id,
     LATERAL jsonb_each(s.answers) AS d (key, value)
{_FIELD.format(key="d.key")}
WHERE e.contact_id = %(contact)s AND s.is_open
  AND NOT EXISTS (SELECT FROM answer a WHERE a.entry_id = s.entry_id AND a.key = d.key)
ORDER BY s.entry_id DESC, d.key
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Given:
    """One answer. `first_at` is when it was first given, `at` when it was last changed; `points` is what it earned.

    `form_number` names the version of the contest's form that asked for it, None where the contest had only questions.
    """

    entry_id: int
    campaign_id: int
    key: str
    contest: str
    default_locale: str
    field: Field
    value: Any
    first_at: datetime
    at: datetime
    points: int
    form_number: int | None
    is_draft: bool

    @property
    def is_correctable(self) -> bool:
        """Whether the person can write it anew here: not what was noted of the way they came."""
        return self.field.type is not FieldType.HIDDEN

    @property
    def is_corrected(self) -> bool:
        """Whether it was changed after it was first given."""
        return self.at > self.first_at


def of(contact_id: int) -> list[Given]:
    """Everything that the person answered, newest contest first, what waits in unfinished forms at the end."""
    rows = [row for statement in (_GIVEN, _DRAFTS) for row in hot.many(statement, {"contact": contact_id})]
    return [given for given in map(_given, rows) if given.field.type is not FieldType.CONSENT]


def one(contact_id: int, entry_id: int, key: str) -> Given:
    """One of these. Raises NotFound: also for what is somebody else's."""
    found = (given for given in of(contact_id) if given.entry_id == entry_id and given.key == key)
    if (given := next(found, None)) is None:
        raise NotFound
    return given


def correct(contact_id: int, entry_id: int, key: str, raw: list[str]) -> Given:
    """Put another value in the place of an answer, checked as the form that asked for it checks it; earns nothing more.

    What only the answer before had opened is forgotten, as by a correction in the form. All of it holds, or nothing.
    Answers what stood there before. Raises Invalid with the field and a sentence, NotFound.
    """
    return hot.together(lambda: _correct(contact_id, entry_id, key, raw))


def _correct(contact_id: int, entry_id: int, key: str, raw: list[str]) -> Given:
    held = {given.key: given for given in of(contact_id) if given.entry_id == entry_id}
    if key not in held or not held[key].is_correctable:
        raise NotFound
    given = held[key]
    value = values.understand(given.field, raw)
    if not given.is_draft and value != given.value:
        answering.store(entry_id, key, value)
    forms.rewrite(entry_id, key, value)
    standing = places.read(entry_id, cards.by_id(given.campaign_id))
    closed = standing.closed_by(key, value, {name: other.value for name, other in held.items()})
    if closed:
        answering.take_back(entry_id, closed)
        forms.blank(entry_id, closed)
    return given


def take_back(contact_id: int, entry_id: int, key: str) -> Given:
    """Forget one answer at once; points that it earned stay, and the question is passed over for now.

    Answers what it was. Raises NotFound.
    """
    given = one(contact_id, entry_id, key)
    _forget(contact_id, entry_id, [key])
    return given


def take_all_back(contact_id: int) -> int:
    """Forget every answer, in all contests of the brand: the person wants nothing to be fitted to them any more.

    Answers how many there were; doing it twice is the same as once.
    """
    keys: dict[int, list[str]] = {}
    for given in of(contact_id):
        keys.setdefault(given.entry_id, []).append(given.key)
    for entry_id, theirs in keys.items():
        _forget(contact_id, entry_id, theirs)
    return sum(len(theirs) for theirs in keys.values())


def _forget(contact_id: int, entry_id: int, keys: Collection[str]) -> None:
    answering.take_back(entry_id, keys)
    for key in keys:
        asking.pass_over(contact_id, key)
    forms.blank(entry_id, keys)


def _given(row: hot.Row) -> Given:
    return Given(
        entry_id=row["entry_id"],
        campaign_id=row["campaign_id"],
        key=row["key"],
        contest=row["contest"],
        default_locale=row["default_locale"],
        field=documents.field_from(row["field"]) if row["field"] else _asked(row),
        value=row["value"],
        first_at=row["first_at"],
        at=row["at"],
        points=row["points"],
        form_number=row["number"],
        is_draft=row["is_draft"],
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """A question's row as `projecting.derived` reads it."""

    key: str
    kind: QuestionKind
    texts: dict[str, Any]
    options: list[dict[str, Any]]
    points: int = 0


def _asked(row: hot.Row) -> Field:
    """The field of a contest without a form, from its question."""
    question = _Question(row["key"], QuestionKind(row["kind"]), row["texts"], row["options"])
    return next(projecting.derived([question]).fields)
