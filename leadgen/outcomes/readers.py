"""The people behind a figure of outcomes.results, page by page, by the same conditions. Only SELECT stands here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from leadgen.core.db import db
from leadgen.nurture.models import Sequence
from leadgen.outcomes import results, trials
from leadgen.outcomes.results import CONDITIONS, GOT, PERSON, Which
from leadgen.outcomes.trials import Trial

PAGE = 50

_PEOPLE = f"""{GOT}
SELECT got.id, c.email, c.first_name, got.entry_id, got.sent_at AS at
FROM got JOIN contact c ON c.id = got.contact_id
WHERE got.variant = :variant AND {{condition}}
  AND (CAST(:before AS bigint) IS NULL OR got.id < CAST(:before AS bigint))
ORDER BY got.id DESC LIMIT :limit
"""  # noqa: S608 - constants of outcomes.results
_COMPARED = text(f"""WITH {PERSON.format(condition="true")}
SELECT person.contact_id AS id, c.email, c.first_name, person.entry_id, person.enrolled_at AS at
FROM person JOIN contact c ON c.id = person.contact_id
WHERE person.is_ripe AND person.is_held = :is_held AND (person.has_reached OR NOT :has_reached)
  AND (CAST(:before AS bigint) IS NULL OR person.contact_id < CAST(:before AS bigint))
ORDER BY person.contact_id DESC LIMIT :limit
""")  # noqa: S608 - constants of outcomes.results


@dataclass(frozen=True, slots=True)
class Reader:
    """One person; `id` is also the cursor of the next page, `at` when the letter left or the sequence began."""

    id: int
    email: str | None
    first_name: str
    entry_id: int | None
    at: datetime | None


def people(
    sequence: Sequence, place: Trial | str, variant: str, which: Which, *, before_id: int | None = None
) -> list[Reader]:
    """Those whom a figure of a letter counts, newest first; one more than a page tells that there are others."""
    published = trials.published(sequence)
    values = results.asked(sequence, [place]) | results.times(published[-1][1] if published else None)
    statement = text(_PEOPLE.format(condition=CONDITIONS[which]))
    return _read(statement, values | {"variant": variant}, before_id)


def compared(
    sequence: Sequence, *, is_held: bool, has_reached: bool = False, before_id: int | None = None
) -> list[Reader]:
    """The people of one side of the holdout whose time is over, or those of them who reached the goal."""
    values = results.held_values(sequence)
    if values is None:
        return []
    return _read(_COMPARED, values | {"is_held": is_held, "has_reached": has_reached}, before_id)


def _read(statement: Any, values: dict[str, Any], before_id: int | None) -> list[Reader]:
    rows = db.session.execute(statement, values | {"before": before_id, "limit": PAGE + 1})
    return [Reader(**row) for row in rows.mappings()]
