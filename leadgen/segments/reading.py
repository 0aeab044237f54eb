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

from leadgen.core import clock, copying, hot
from leadgen.core.db import db
from leadgen.core.logic import Condition
from leadgen.segments.catalogue import Catalogue
from leadgen.segments.compiling import PSYCOPG, fragment

PAGE = 50
# What somebody who looks at a page waits at most for a figure; nightly counts have longer.
PATIENCE_MS = 2_000
# A page is filled one by one; where hardly anybody is in, or only old ones, all are found at once after this long.
_ONE_BY_ONE_MS = 50
# For these statements alone: the hashes of a million people stay in memory.
_WORK_MEM = "32MB"

_LIMITED = text("SELECT set_config('statement_timeout', :milliseconds, true), set_config('work_mem', :memory, true)")
_AS_IT_WAS = text("SELECT current_setting('statement_timeout') AS milliseconds, current_setting('work_mem') AS memory")
_COUNT = "SELECT count(*) FROM contact c WHERE {condition}"
_PEOPLE = """
SELECT c.id, c.email, c.first_name, c.locale, c.marketing_at, c.created_at, e.id AS entry_id, e.campaign_id
FROM contact c
LEFT JOIN LATERAL (SELECT id, campaign_id FROM entry WHERE contact_id = c.id ORDER BY id DESC LIMIT 1) e ON true
WHERE {condition} AND (CAST(:before AS bigint) IS NULL OR c.id < CAST(:before AS bigint))
ORDER BY c.id DESC LIMIT :limit
"""
# Number and page in one pass. All ids go through one process: dear for a large segment, whose page is found without.
_BOTH = """
WITH inside AS MATERIALIZED (SELECT c.id FROM contact c WHERE {condition})
SELECT (SELECT count(*) FROM inside) AS number,
       ARRAY(SELECT id FROM inside WHERE CAST(:before AS bigint) IS NULL OR id < CAST(:before AS bigint)
             ORDER BY id DESC LIMIT :limit) AS ids
"""
_IS_IN = "SELECT %({key})s::bigint AS key FROM contact c WHERE c.id = %(contact)s AND {condition}"
_CHOSEN = "CREATE TEMPORARY TABLE chosen (id bigint) ON COMMIT DROP"
_CHOOSE = "INSERT INTO chosen SELECT c.id FROM contact c WHERE {condition}"
_EXPORT = f"""
COPY (
    SELECT {copying.safe("c.email")} AS email, {copying.safe("c.first_name")} AS first_name, c.locale,
           {copying.safe("c.timezone")} AS timezone, c.created_at, c.email_verified_at AS confirmed_at,
           c.marketing_at, c.last_inbound_at AS last_sign_of_life_at,
           s.reasons AS blocked,
           {copying.safe("c.answers::text")} AS answers
    FROM chosen JOIN contact c ON c.id = chosen.id
    LEFT JOIN (SELECT brand_id, address_hash, string_agg(reason, ' ' ORDER BY reason) AS reasons
               FROM suppression GROUP BY 1, 2) s ON s.brand_id = c.brand_id AND s.address_hash = c.address_hash
    WHERE c.erased_at IS NULL ORDER BY c.id DESC
) TO STDOUT (FORMAT csv, HEADER)
"""  # noqa: S608 - constants of this module and of core.copying


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


@dataclass(frozen=True, slots=True)
class Survey:
    """How many people are in a segment, None when it cannot be told in time, and a page of them."""

    number: int | None = None
    people: Sequence[Member] = ()


def count(catalogue: Catalogue, condition: Condition, *, milliseconds: int = PATIENCE_MS) -> int | None:
    """How many people that are, exactly; None when it cannot be told in that time."""
    crowd = fragment(catalogue, condition, clock.now(), is_crowd=True)
    rows = in_time(_COUNT.format(condition=crowd.sql), crowd.values, milliseconds)
    return None if rows is None else int(rows[0]["count"])


def people(
    catalogue: Catalogue, condition: Condition, *, before_id: int | None = None, limit: int = PAGE
) -> Sequence[Member]:
    """Who that is, newest first; `before_id` continues after a page. None of them when time does not suffice."""
    found = _one_by_one(catalogue, condition, before_id, limit)
    return _at_once(catalogue, condition, before_id, limit).people if found is None else found


def survey(catalogue: Catalogue, condition: Condition, *, before_id: int | None = None, limit: int = PAGE) -> Survey:
    """What `count` and `people` say, for hardly more than the dearer of the two."""
    found = _one_by_one(catalogue, condition, before_id, limit)
    if found is None:
        return _at_once(catalogue, condition, before_id, limit)
    return Survey(count(catalogue, condition), found)


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
    before = [(_CHOSEN, {}), (_CHOOSE.format(condition=crowd.sql), crowd.values), ("ANALYZE chosen", {})]
    return copying.streamed(_EXPORT, before=before, options="-c jit=off")


def _one_by_one(
    catalogue: Catalogue, condition: Condition, before_id: int | None, limit: int
) -> Sequence[Member] | None:
    """A page by looking at the newest people first, None when too many of them are not in it."""
    found = fragment(catalogue, condition, clock.now(), is_crowd=False)
    return _members(found.sql, {**found.values, "before": before_id, "limit": limit}, _ONE_BY_ONE_MS)


def _at_once(catalogue: Catalogue, condition: Condition, before_id: int | None, limit: int) -> Survey:
    """Number and page by finding everybody; neither when time does not suffice."""
    found = fragment(catalogue, condition, clock.now(), is_crowd=True)
    place = {"before": before_id, "limit": limit}
    rows = in_time(_BOTH.format(condition=found.sql), {**found.values, **place}, PATIENCE_MS)
    if rows is None:
        return Survey()
    values = {"ids": rows[0]["ids"], "before": None, "limit": limit}
    return Survey(rows[0]["number"], _members("c.id = ANY(:ids)", values, PATIENCE_MS) or ())


def _members(condition: str, values: Mapping[str, Any], milliseconds: int) -> Sequence[Member] | None:
    rows = in_time(_PEOPLE.format(condition=condition), values, milliseconds)
    return None if rows is None else [Member(**row) for row in rows]


def in_time(statement: str, values: Mapping[str, Any], milliseconds: int) -> Sequence[Any] | None:
    """The rows, or None when the database was stopped at its time; the transaction goes on in both cases."""
    before = db.session.execute(_AS_IT_WAS).one()._asdict()
    try:
        with db.session.begin_nested():
            db.session.execute(_LIMITED, {"milliseconds": str(milliseconds), "memory": _WORK_MEM})
            rows = db.session.execute(text(statement), values).mappings().all()
            db.session.execute(_LIMITED, before)
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            return None
        raise
    return rows
