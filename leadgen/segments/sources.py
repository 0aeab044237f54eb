"""Where a field's value stands in the tables, and how a comparison with it is written in SQL.

Every value is bound, never written into the statement. A comparison answers true for exactly the people for whom
`core.logic.holds` says so; where it would be false it may also be NULL, which the compiler takes for false.

`c` is the contact. Two shapes mean the same: that of a crowd groups the rows of all people once, that of one person
looks up theirs; the first counts a million quickly, the second judges one contact or fills a page.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from leadgen.core import logic
from leadgen.core.logic import Kind, Op

_SIGNS = {Op.EQ: "=", Op.GT: ">", Op.GTE: ">=", Op.LT: "<", Op.LTE: "<="}


@dataclass(slots=True)
class Writing:
    """One condition being written: for which brand, when, in which shape, and the values bound so far."""

    brand_id: int
    zone: str
    now: datetime
    is_crowd: bool
    prefix: str = "seg"
    mark: str = ":{name}"  # how the driver writes the place of a value
    values: dict[str, Any] = field(default_factory=dict)

    def bound(self, value: Any, sql_type: str) -> str:
        """The place of a value in the statement."""
        name = f"{self.prefix}{len(self.values)}"
        self.values[name] = value
        return f"CAST({self.mark.format(name=name)} AS {sql_type})"

    def filled(self, template: str, given: int | None = None) -> str:
        """A piece of ours with {brand}, {now} and {given} bound where they stand."""
        places = {"brand": (self.brand_id, "bigint"), "now": (self.now, "timestamptz"), "given": (given, "integer")}
        for name, (value, sql_type) in places.items():
            if f"{{{name}}}" in template:
                template = template.replace(f"{{{name}}}", self.bound(value, sql_type))
        return template


class Scale(Protocol):
    """How values of a kind are compared."""

    def compare(self, sql: str, op: Op, value: Any, out: Writing) -> str:
        """The comparison of an expression with a value."""


@dataclass(frozen=True, slots=True)
class Words:
    """Texts and ids; contained parts are found whatever their capitals."""

    collation: str = ""

    def compare(self, sql: str, op: Op, value: Any, out: Writing) -> str:
        """Exact, one of several, or a part of it."""
        if op is Op.EMPTY:
            return f"{sql} IS NULL"
        if op is Op.IN:
            return f"{sql} = ANY({out.bound(list(value), 'text[]')})"
        given = out.bound(value, "text")
        if op is Op.CONTAINS:
            return f"position(lower({given}) IN lower({sql})) > 0"
        return f"{sql} IS DISTINCT FROM {given}" if op is Op.NE else f"{sql}{self.collation} {_SIGNS[op]} {given}"


@dataclass(frozen=True, slots=True)
class Number:
    """Whole numbers and decimals."""

    def compare(self, sql: str, op: Op, value: Any, out: Writing) -> str:
        """By size."""
        if op is Op.EMPTY:
            return f"{sql} IS NULL"
        is_whole = isinstance(value, int)  # compared as such, which is several times cheaper for a million sums
        given = out.bound(value if is_whole else Decimal(str(value)), "bigint" if is_whole else "numeric")
        return f"{sql} IS DISTINCT FROM {given}" if op is Op.NE else f"{sql} {_SIGNS[op]} {given}"


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""

    def compare(self, sql: str, op: Op, value: Any, out: Writing) -> str:  # noqa: ARG002 - every scale's signature
        """Written without a comparison, so that the planner sees the condition itself."""
        if op is Op.EMPTY:
            return f"{sql} IS NULL"
        says = sql if value else f"NOT {sql}"
        return f"({says}) IS NOT TRUE" if op is Op.NE else says


@dataclass(frozen=True, slots=True)
class OnDay:
    """The day of a moment in the brand's time zone, as an ISO date."""

    def compare(self, sql: str, op: Op, value: Any, out: Writing) -> str:
        """By the moments at which that day begins and ends."""
        if op is Op.EMPTY:
            return f"{sql} IS NULL"
        day = date.fromisoformat(value)
        begin, end = (_midnight(day + timedelta(days=more), out.zone) for more in (0, 1))
        if op in {Op.EQ, Op.NE}:
            within = f"{sql} >= {out.bound(begin, 'timestamptz')} AND {sql} < {out.bound(end, 'timestamptz')}"
            return f"({within}) IS NOT TRUE" if op is Op.NE else f"({within})"
        sign = ">=" if op in {Op.GT, Op.GTE} else "<"
        return f"{sql} {sign} {out.bound(end if op in {Op.GT, Op.LTE} else begin, 'timestamptz')}"


@dataclass(frozen=True, slots=True)
class DaysAgo:
    """How many whole days ago a moment lies; compared as moments, so that an index may help."""

    def compare(self, sql: str, op: Op, value: Any, out: Writing) -> str:
        """“Within the last 30 days” is `lte 30`, “more than 30 days ago” is `gt 30`."""
        if op is Op.EMPTY:
            return f"{sql} IS NULL"
        days = math.floor(value)
        if op in {Op.EQ, Op.NE}:
            newer, older = (out.bound(out.now - timedelta(days=more), "timestamptz") for more in (days, days + 1))
            within = f"{sql} <= {newer} AND {sql} > {older}"
            return f"({within}) IS NOT TRUE" if op is Op.NE else f"({within})"
        edge = out.now - timedelta(days=days + (op in {Op.LTE, Op.GT}))
        return f"{sql} {'>' if op in {Op.LT, Op.LTE} else '<='} {out.bound(edge, 'timestamptz')}"


class Source(Protocol):
    """Where a value stands."""

    def write(self, op: Op, value: Any, out: Writing) -> str:
        """The comparison as SQL."""


@dataclass(frozen=True, slots=True)
class At:
    """An expression on the contact; NULL when nothing is known."""

    sql: str
    scale: Scale

    def write(self, op: Op, value: Any, out: Writing) -> str:
        """As the scale compares."""
        return self.scale.compare(f"({out.filled(self.sql)})", op, value, out)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of other tables that belong to people: `owner` is theirs where it equals `mine` of the contact."""

    tables: str
    where: str
    owner: str
    mine: str = "c.id"
    given: int | None = None

    def of_one(self, out: Writing, select: str = "", more: str = "") -> str:
        """Those of the contact at hand."""
        where = out.filled(self.where, self.given)
        belong = f"{self.owner} = {self.mine}{more}"
        return f"SELECT {select} FROM {self.tables} WHERE {where} AND {belong}"  # noqa: S608 - pieces of persons and deeds


@dataclass(frozen=True, slots=True)
class Over:
    """A figure over somebody's rows; `none` is what it is without any, None where it is unknown then.

    Of rows of which nobody has two (`is_single`) it is no aggregate, and nothing has to be grouped.
    """

    rows: Rows
    figure: str
    scale: Scale
    none: int | None = 0
    is_single: bool = False

    def write(self, op: Op, value: Any, out: Writing) -> str:
        """Grouped once for a crowd, looked up for one person."""
        if not out.is_crowd:
            looked_up = f"({self.rows.of_one(out, out.filled(self.figure))})"
            known = looked_up if self.none is None else f"coalesce({looked_up}, {self.none})"
            return self.scale.compare(known, op, value, out)
        # People without any row are in no group: they are in unless a group of theirs says otherwise, or out.
        are_in = logic.holds({"field": "it", "op": op, "value": value}, {"it": self.none})
        says = self.scale.compare(out.filled(self.figure), op, value, out)
        asked = f"NOT ({says})" if are_in else says
        found = (
            f"EXISTS ({self.rows.of_one(out, more=f' AND {asked}')})" if self.is_single else self._grouped(asked, out)
        )
        return f"{'NOT ' if are_in else ''}{found}"

    def _grouped(self, asked: str, out: Writing) -> str:
        rows = self.rows
        where = out.filled(rows.where, rows.given)
        inner = f"SELECT {rows.owner} AS who FROM {rows.tables} WHERE {where} GROUP BY 1 HAVING {asked}"  # noqa: S608 - pieces of persons and deeds
        return f"EXISTS (SELECT FROM ({inner}) AS grouped WHERE grouped.who = {rows.mine})"


@dataclass(frozen=True, slots=True)
class Listing:
    """The different words that somebody's rows hold; a list, empty without any."""

    rows: Rows
    item: str
    sql_type: str = "text"

    def write(self, op: Op, value: Any, out: Writing) -> str:
        """Whether it holds one of some, or nothing."""
        if op is Op.EMPTY:
            return f"NOT EXISTS ({self.rows.of_one(out)})"
        asked = list(value) if op is Op.IN else [value]
        typed = [int(one) for one in asked] if self.sql_type == "bigint" else asked
        places = out.bound(typed, f"{self.sql_type}[]")
        return f"EXISTS ({self.rows.of_one(out, more=f' AND {self.item} = ANY({places})')})"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The contests that somebody confirmed in, by their ids or by their kinds; a list, empty without any."""

    by_kind: bool = False

    def write(self, op: Op, value: Any, out: Writing) -> str:
        """Whether one of some is among them, or none."""
        if op is Op.EMPTY:
            return "c.contests = '{}'"
        asked = list(value) if op is Op.IN else [value]
        if self.by_kind:
            of_brand = out.filled("SELECT k.id FROM campaign k WHERE k.brand_id = {brand}")
            return f"c.contests && ARRAY({of_brand} AND k.template = ANY({out.bound(asked, 'text[]')}))"
        places = [out.bound(int(one), "bigint") for one in asked]
        return f"({' OR '.join(f'{place} = ANY (c.contests)' for place in places)})"


@dataclass(frozen=True, slots=True)
class Grouped:
    """One of several ids, each of which stands for many values; `rest` is the id of every other value."""

    sql: str
    members: Mapping[str, tuple[str, ...]]
    rest: str = ""

    def write(self, op: Op, value: Any, out: Writing) -> str:
        """By the values that the id stands for."""
        if op is Op.EMPTY:
            return f"{self.sql} IS NULL" if self.rest else f"({self._is_in(list(self.members), out)}) IS NOT TRUE"
        asked = list(value) if op is Op.IN else [value]
        said = self._is_in([one for one in asked if one != self.rest], out)
        if self.rest and self.rest in asked:
            every = [one for members in self.members.values() for one in members]
            said = f"({said} OR {self.sql} <> ALL({out.bound(every, 'text[]')}))"
        return f"({said}) IS NOT TRUE" if op is Op.NE else said

    def _is_in(self, ids: list[str], out: Writing) -> str:
        values = [one for name in ids for one in self.members.get(name, ())]
        return f"{self.sql} = ANY({out.bound(values, 'text[]')})"


_TYPED = {
    Kind.TEXT: ("string", "nullif(c.answers ->> {key}, '')"),
    Kind.CHOICE: ("string", "nullif(c.answers ->> {key}, '')"),
    Kind.NUMBER: ("number", "CAST(c.answers -> {key} AS numeric)"),
    Kind.FLAG: ("boolean", "CAST(c.answers -> {key} AS boolean)"),
    Kind.DATE: ("string", r"substring(c.answers ->> {key} FROM '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$')"),
    Kind.MANY: ("array", "nullif(c.answers -> {key}, '[]')"),
}
_SCALES: Mapping[Kind, Scale] = {
    Kind.TEXT: Words(),
    Kind.CHOICE: Words(),
    Kind.NUMBER: Number(),
    Kind.FLAG: Flag(),
    Kind.DATE: Words(' COLLATE "C"'),
    Kind.MANY: Words(),
}


@dataclass(frozen=True, slots=True)
class AnswerTo:
    """The latest answer to a question; one that is of another kind than the question's is as unknown.

    Equality is containment, which the GIN index on the answers finds.
    """

    key: str
    kind: Kind

    def write(self, op: Op, value: Any, out: Writing) -> str:
        """By the index where there is one, else by the typed value."""
        if op is Op.EQ:
            return self._is(value, out)
        if op is Op.NE:
            return f"NOT {self._is(value, out)}"
        if op is Op.IN or (op is Op.CONTAINS and self.kind is Kind.MANY):
            asked = value if op is Op.IN else [value]
            return f"({' OR '.join(self._is(one, out) for one in asked)})"
        json_type, typed = _TYPED[self.kind]
        key = out.bound(self.key, "text")
        sql = f"(CASE WHEN jsonb_typeof(c.answers -> {key}) = '{json_type}' THEN {typed.format(key=key)} END)"
        return _SCALES[self.kind].compare(sql, op, value, out)

    def _is(self, value: Any, out: Writing) -> str:
        wanted = {self.key: [value] if self.kind is Kind.MANY else value}
        return f"c.answers @> {out.bound(json.dumps(wanted, ensure_ascii=False), 'jsonb')}"


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
