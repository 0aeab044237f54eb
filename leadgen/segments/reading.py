"""Asking a segment: how many people, which ones, is this one in it, and all of them as a file. Only SELECT stands here.

Except for the export: COPY takes no bound values, so the people are chosen into a table that ends with the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from leadgen.core import clock, hot, settings
from leadgen.core.db import db
from leadgen.core.logic import Condition
from leadgen.entries.entrants import SAFE
from leadgen.segments.catalogue import Catalogue
from leadgen.segments.compiling import PSYCOPG, fragment

PAGE = 50
# What somebody who looks at a page waits at most for a figure; nightly counts have longer.
PATIENCE_MS = 2_000
# A page is filled one by one; of a segment that hardly anybody is in, that takes longer than finding all at once.
_ONE_BY_ONE_MS = 300

_LIMITED = text("SELECT set_config('statement_timeout', :milliseconds, true)")
_COUNT = "SELECT count(*) FROM contact c WHERE {condition}"
_PEOPLE = """
SELECT c.id, c.email, c.first_name, c.locale, c.marketing_at, c.created_at, e.id AS entry_id, e.campaign_id
FROM contact c
LEFT JOIN LATERAL (SELECT id, campaign_id FROM entry WHERE contact_id = c.id ORDER BY id DESC LIMIT 1) e ON true
WHERE {condition} AND (CAST(:before AS bigint) IS NULL OR c.id < CAST(:before AS bigint))
ORDER BY c.id DESC LIMIT :limit
"""
_IS_IN = "SELECT %({key})s::bigint AS key FROM contact c WHERE c.id = %(contact)s AND {condition}"
_CHOSEN = "CREATE TEMPORARY TABLE chosen (id bigint) ON COMMIT DROP"
_CHOOSE = "INSERT INTO chosen SELECT c.id FROM contact c WHERE {condition}"
_EXPORT = f"""
COPY (
    SELECT {SAFE.format(column="c.email")} AS email, {SAFE.format(column="c.first_name")} AS first_name, c.locale,
           {SAFE.format(column="c.timezone")} AS timezone, c.created_at, c.email_verified_at AS confirmed_at,
           c.marketing_at, c.last_inbound_at AS last_sign_of_life_at,
           s.reasons AS blocked,
           {SAFE.format(column="c.answers::text")} AS answers
    FROM chosen JOIN contact c ON c.id = chosen.id
    LEFT JOIN (SELECT brand_id, address_hash, string_agg(reason, ' ' ORDER BY reason) AS reasons
               FROM suppression GROUP BY 1, 2) s ON s.brand_id = c.brand_id AND s.address_hash = c.address_hash
    WHERE c.erased_at IS NULL ORDER BY c.id DESC
) TO STDOUT (FORMAT csv, HEADER)
"""  # noqa: S608 - constants of this module and of entries.entrants


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a segment; `id` is also the cursor of the next page, the entry is their latest."""

    id: int
    email: str | None
    first_name: str
    locale: str
    marketing_at: datetime | None
    created_at: datetime
    entry_id: int | None
    campaign_id: int | None


def count(catalogue: Catalogue, condition: Condition, *, milliseconds: int = PATIENCE_MS) -> int | None:
    """How many people that are, exactly; None when it cannot be told in that time."""
    crowd = fragment(catalogue, condition, clock.now(), is_crowd=True)
    rows = in_time(_COUNT.format(condition=crowd.sql), crowd.values, milliseconds)
    return None if rows is None else int(rows[0]["count"])


def people(
    catalogue: Catalogue, condition: Condition, *, before_id: int | None = None, limit: int = PAGE
) -> list[Member]:
    """Who that is, newest first; `before_id` continues after a page. None of them when time does not suffice."""
    place = {"before": before_id, "limit": limit}
    for is_crowd, milliseconds in ((False, _ONE_BY_ONE_MS), (True, PATIENCE_MS)):
        found = fragment(catalogue, condition, clock.now(), is_crowd=is_crowd)
        rows = in_time(_PEOPLE.format(condition=found.sql), {**found.values, **place}, milliseconds)
        if rows is not None:
            return [Member(**row) for row in rows]
    return []


def holding(catalogue: Catalogue, conditions: Mapping[int, Condition], contact_id: int) -> list[int]:
    """The keys of those conditions that this contact fulfils, by one prepared statement; it sees what is committed."""
    if not conditions:
        return []
    now = clock.now()
    parts: list[str] = []
    values: dict[str, Any] = {"contact": contact_id}
    for key, condition in conditions.items():
        found = fragment(catalogue, condition, now, is_crowd=False, prefix=f"seg{key}_", mark=PSYCOPG)
        parts.append(_IS_IN.format(key=f"key{key}", condition=found.sql))
        values |= {**found.values, f"key{key}": key}
    return [row["key"] for row in hot.many(" UNION ALL ".join(parts), values)]


def export_csv(catalogue: Catalogue, condition: Condition) -> Iterator[bytes]:
    """Everybody in it as CSV, newest first, streamed by the database: memory stays flat at any size.

    On a connection of its own, which is closed when the reader goes away.
    """
    crowd = fragment(catalogue, condition, clock.now(), is_crowd=True, mark=PSYCOPG)
    url = settings.get().database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    return _streamed(url, _CHOOSE.format(condition=crowd.sql), crowd.values)


def _streamed(url: str, choose: str, values: Mapping[str, Any]) -> Iterator[bytes]:
    with psycopg.connect(url, options="-c jit=off") as connection, connection.cursor() as cursor:
        cursor.execute(_CHOSEN)
        cursor.execute(choose.encode(), values)
        cursor.execute("ANALYZE chosen")
        with cursor.copy(_EXPORT) as copy:
            for block in copy:
                yield bytes(block)


def in_time(statement: str, values: Mapping[str, Any], milliseconds: int) -> Sequence[Any] | None:
    """The rows, or None when the database was stopped at its time; the transaction goes on in both cases."""
    before = db.session.scalar(text("SELECT current_setting('statement_timeout')"))
    try:
        with db.session.begin_nested():
            db.session.execute(_LIMITED, {"milliseconds": str(milliseconds)})
            rows = db.session.execute(text(statement), values).mappings().all()
            db.session.execute(_LIMITED, {"milliseconds": before})
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            return None
        raise
    return rows
