"""From a condition to SQL: the same meaning as core.logic.holds, with every value bound.

The statement is ours from its first letter to its last; what people chose stands in `Fragment.values` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadgen.core import logic
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Condition, Kind, Op
from leadgen.segments import checking
from leadgen.segments.catalogue import Catalogue
from leadgen.segments.sources import Writing

# How a value's place is written for sqlalchemy.text, and for psycopg or core.hot.
SQLALCHEMY, PSYCOPG = ":{name}", "%({name})s"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A condition on the contact `c`, scoped to one brand and to people who are not erased.

    `sql` stands beside any other condition of a statement; `values` go with it.
    """

    sql: str
    values: Mapping[str, Any]


def fragment(
    catalogue: Catalogue,
    condition: Condition,
    now: datetime,
    *,
    is_crowd: bool,
    prefix: str = "seg",
    mark: str = SQLALCHEMY,
) -> Fragment:
    """The condition as SQL, for counting a crowd or for judging one person after the other.

    The names of its values begin with `prefix`, so that several may stand in one statement; `mark` is the driver's way
    to write a value's place. Raises Invalid
    (`condition`) when it asks for a field that is not there any more, or is no condition of such fields.
    """
    logic.check_shape(condition)
    out = Writing(catalogue.brand_id, catalogue.zone, now, is_crowd, prefix, mark)
    scope = out.filled("c.brand_id = {brand} AND c.erased_at IS NULL")
    return Fragment(f"({scope} AND {_written(catalogue, condition, out)})", out.values)


def _written(catalogue: Catalogue, condition: Condition, out: Writing, *, is_not: bool = False) -> str:
    """`not` is handed down to the comparisons: only there does NULL have to be told from false."""
    if "not" in condition:
        return _written(catalogue, condition["not"], out, is_not=not is_not)
    for group, word, nothing in (("all", "AND", "true"), ("any", "OR", "false")):
        if group in condition:
            parts = [_written(catalogue, part, out, is_not=is_not) for part in condition[group]]
            other = {"AND": "OR", "OR": "AND", "true": "false", "false": "true"}
            joined = f" {other[word] if is_not else word} ".join(parts)
            return f"({joined})" if parts else (other[nothing] if is_not else nothing)
    field = catalogue.asked.get(condition["field"])
    if field is None:
        told = _("“%(field)s” is nothing that can be asked for here.") % {"field": condition["field"]}
        raise Invalid(told, "condition")
    checking.check_value(field, condition)
    sql = field.source.write(Op(condition["op"]), condition.get("value"), out)
    return _opposite(sql, is_known=field.kind is Kind.FLAG and not field.spec.may_lack) if is_not else sql


def _opposite(sql: str, *, is_known: bool) -> str:
    """Where NULL cannot come, a plain NOT: only `NOT EXISTS`, written so, is looked up for all people at once."""
    if sql.startswith("NOT EXISTS ("):
        return sql.removeprefix("NOT ")
    return f"NOT {sql}" if is_known or sql.startswith("EXISTS (") else f"({sql}) IS NOT TRUE"
