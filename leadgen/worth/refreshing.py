"""What every contact of a brand is worth, worked out at once: one pass for the own values, one for each generation."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from leadgen.contacts import colleagues
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries.entering import MOST_GENERATIONS
from leadgen.worth.counting import COUNTED, EDGES, IS_STAFF
from leadgen.worth.models import Prices
from leadgen.worth.service import price_values

_LOCK = 7_215_062
_OWN = f"""
CREATE TEMPORARY TABLE own ON COMMIT DROP AS
WITH who AS (
    SELECT c.id AS contact_id, {IS_STAFF} FROM contact c WHERE c.brand_id = %(brand)s AND c.erased_at IS NULL
), {COUNTED.strip()}
SELECT contact_id, sum(value)::bigint AS value FROM counted GROUP BY contact_id HAVING sum(value) > 0
"""  # noqa: S608 - constants of worth.counting
_BELOW = """
CREATE TEMPORARY TABLE below ON COMMIT DROP AS
SELECT edge.parent AS contact_id, 1 AS generation, coalesce(sum(own.value), 0)::bigint AS own, count(*) AS people
FROM edge LEFT JOIN own ON own.contact_id = edge.child GROUP BY edge.parent
"""
# The sum over a generation is the sum of the children's sums one generation up: a pass, never a path.
_DEEPER = """
INSERT INTO below
SELECT edge.parent, %(generation)s, sum(below.own)::bigint, sum(below.people)::bigint
FROM edge JOIN below ON below.contact_id = edge.child AND below.generation = %(generation)s - 1
GROUP BY edge.parent
"""
_PARTS = """
CREATE TEMPORARY TABLE part ON COMMIT DROP AS
SELECT generation::int, numerator::numeric, denominator::numeric
FROM unnest(%(generations)s::int[], %(numerators)s::numeric[], %(denominators)s::numeric[])
     AS p (generation, numerator, denominator)
"""
# Rows that say the same are left as they are: most nights most people are worth what they were.
_KEEP = """
WITH brought AS (
    SELECT contact_id, sum(div(own * numerator, denominator))::bigint AS value, sum(people)::int AS people,
           array_agg(people ORDER BY generation) AS below_people, array_agg(own ORDER BY generation) AS below_own
    FROM below JOIN part USING (generation) GROUP BY contact_id
), now AS (
    SELECT contact_id, coalesce(own.value, 0) AS own, coalesce(brought.value, 0) AS brought,
           coalesce(brought.people, 0) AS people, coalesce(below_people, '{}') AS below_people,
           coalesce(below_own, '{}') AS below_own
    FROM own FULL JOIN brought USING (contact_id)
    WHERE own.value > 0 OR brought.people > 0  -- also of zero: whoever brought thousands is not walked down from
), gone AS (
    DELETE FROM contact_worth w
    WHERE w.brand_id = %(brand)s AND NOT EXISTS (SELECT FROM now WHERE now.contact_id = w.contact_id)
)
INSERT INTO contact_worth AS w (contact_id, brand_id, own, brought, people, below_people, below_own)
SELECT contact_id, %(brand)s, own, brought, people, below_people, below_own FROM now
ON CONFLICT (contact_id) DO UPDATE SET own = excluded.own, brought = excluded.brought, people = excluded.people,
    below_people = excluded.below_people, below_own = excluded.below_own
WHERE (w.own, w.brought, w.below_people, w.below_own)
      IS DISTINCT FROM (excluded.own, excluded.brought, excluded.below_people, excluded.below_own)
"""


def work_out(brand_id: int) -> int:
    """Work out what every contact of the brand is worth, and keep it; answers how many rows changed. Commits.

    In one transaction, so readers see the values of before until it is done; two at a time wait for each other.
    """
    prices = db.session.get(Prices, brand_id)
    if prices is None:
        return 0
    values = {"brand": brand_id, "staff": colleagues.mailbox_keys(brand_id), **price_values(prices)}
    at = clock.now()
    _run("SELECT pg_advisory_xact_lock(%(lock)s, %(brand)s::int)", {"lock": _LOCK, "brand": brand_id})
    _run("SET LOCAL work_mem = '64MB'", {})
    for statement in (_OWN, EDGES, _BELOW):
        _run(statement, values)
    for preparation in ("CREATE INDEX ON below (generation)", "ANALYZE own", "ANALYZE edge", "ANALYZE below"):
        _run(preparation, {})
    deepest = 1
    while deepest < MOST_GENERATIONS and _run(_DEEPER, {"generation": deepest + 1}):
        deepest += 1
    _run(_PARTS, _shares(prices.discount, deepest))
    changed = _run(_KEEP, values)
    prices.worked_out_at = at
    db.session.commit()
    return changed


def work_out_all() -> None:
    """The same for every brand that has prices (nightly job)."""
    for brand_id in db.session.scalars(select(Prices.brand_id).order_by(Prices.brand_id)).all():
        work_out(brand_id)


def _shares(discount: int, deepest: int) -> dict[str, list[Any]]:
    """The part of each generation as an exact fraction: d in per cent to the power of the generation."""
    generations = list(range(1, deepest + 1))
    return {
        "generations": generations,
        "numerators": [str(discount**one) for one in generations],
        "denominators": [str(100**one) for one in generations],
    }


def _run(statement: str, values: dict[str, Any]) -> int:
    """Through the session's own connection, in psycopg's words; answers how many rows it touched."""
    cursor = db.session.connection().exec_driver_sql(statement, values)
    return int(cursor.rowcount)
