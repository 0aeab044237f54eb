"""Recomputes what must hold of all mails from the tables, the provider's log and a journal of what people were told.

Everything is compared inside PostgreSQL: the logs stream into temporary tables, so a million mails cost a few
statements and no memory here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from leadgen.contacts import address
from leadgen.core.errors import Invalid
from leadgen.mail import ladder
from leadgen.mail.invariants import (
    BOTH,
    INVARIANTS,
    JOURNAL,
    LOG,
    STARTED,
    Check,
    Invariant,
)

EXAMPLES = 10
_HEAD_BYTES = 8192
DEEDS = ("entered", "confirmed", "unsubscribed", "erased")

_TABLES = """
CREATE TEMPORARY TABLE audit_line (opaque_id uuid, email text, at timestamptz) ON COMMIT DROP;
CREATE TEMPORARY TABLE audit_journal (deed text, mailbox text, email text, at timestamptz) ON COMMIT DROP;
CREATE TEMPORARY TABLE audit_rung (kind text, type text, rank int, status text) ON COMMIT DROP;
CREATE TEMPORARY TABLE audit_standing (status text, reason text, rank int) ON COMMIT DROP
"""
_SUM_UP = """
CREATE TEMPORARY TABLE audit_taken ON COMMIT DROP AS
    SELECT opaque_id, count(*) AS times, min(at) AS first_at, max(at) AS last_at, min(email) AS email
    FROM audit_line GROUP BY opaque_id;
CREATE UNIQUE INDEX ON audit_taken (opaque_id);
CREATE INDEX ON audit_taken (email);
CREATE INDEX ON audit_journal (mailbox);
ANALYZE audit_taken; ANALYZE audit_journal
"""
_UNKNOWN = """
SELECT count(*) FROM audit_taken t WHERE NOT EXISTS (SELECT FROM message m WHERE m.opaque_id = t.opaque_id)
"""
_KINDS = "SELECT DISTINCT kind, coalesce(payload ->> 'type', '') FROM provider_event WHERE applied_at IS NOT NULL"
_EACH_RUNG = (
    ("processed", ""),
    ("delivered", ""),
    ("bounce", "blocked"),
    ("dropped", ""),
    ("bounce", "bounce"),
    ("spamreport", ""),
)
_FIND = "SELECT count(*), (array_agg(id ORDER BY id))[:%(examples)s] FROM ({}) AS broken"


class Taken(NamedTuple):
    """The provider took a mail. `opaque_id` is ours; `to` and `at` may be unknown."""

    opaque_id: str
    to: str = ""
    at: datetime | None = None


class Told(NamedTuple):
    """Somebody was told that a deed of theirs is done; `deed` is one of DEEDS, `at` the moment of the answer."""

    deed: str
    email: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Breach:
    """So many rows break it; `examples` are the first of their ids."""

    sentence: str
    number: int
    examples: tuple[str, ...]


@dataclass(slots=True)
class Finding:
    """One invariant: what was compared, what could not be, and what breaks it."""

    code: str
    kept: str
    breaches: list[Breach] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    is_judged: bool = True

    def lines(self) -> Iterator[str]:
        """The finding in words: one line, or one for each kind of breach."""
        if not self.is_judged:
            yield f"{self.code} not judged: needs the {' and the '.join(sorted(self.missing))}"
            return
        for breach in self.breaches:
            more = ", …" if breach.number > len(breach.examples) else ""
            yield f"{self.code} BROKEN: {breach.number:,} {breach.sentence}: {', '.join(breach.examples)}{more}"
        if not self.breaches:
            part = f" (in part: without the {' and the '.join(sorted(self.missing))})" if self.missing else ""
            yield f"{self.code} kept: {self.kept}{part}"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings; `unknown` mails in the log belong to no message (test mails; a restored database)."""

    findings: list[Finding]
    unknown: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing is broken."""
        return not self.wrong

    @property
    def wrong(self) -> dict[str, int]:
        """Each breach as “I03 what” and how many rows."""
        return {f"{found.code} {b.sentence}": b.number for found in self.findings for b in found.breaches}

    def lines(self) -> Iterator[str]:
        """The report for people."""
        for finding in self.findings:
            yield from finding.lines()
        if self.unknown:
            yield f"note: {self.unknown:,} mails in the log belong to no message (test mails are such)"


def audit(
    connection: psycopg.Connection[Any], *, log: Iterable[Taken] | None = None, journal: Iterable[Told] | None = None
) -> Report:
    """Judge all invariants on one consistent view of the tables, and change nothing.

    Without `log` or `journal`, what needs them is not judged.
    """
    given = {name for name, source in ((LOG, log), (JOURNAL, journal)) if source is not None}
    with connection.transaction(force_rollback=True):
        # The view is taken before the logs are read: what happens meanwhile is in them and cannot look lost.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute(_TABLES)
        _ladder(connection)
        _copy(connection, "audit_line (opaque_id, email, at)", map(_line, log or ()))
        _copy(connection, "audit_journal (deed, mailbox, email, at)", map(_deed, journal or ()))
        connection.execute(_SUM_UP)
        connection.execute(STARTED)
        findings = [_judge(connection, invariant, given) for invariant in INVARIANTS]
        return Report(findings, _number(connection, _UNKNOWN))


def read_log(path: Path) -> Iterator[Taken]:
    """The mails of a provider's log: a folder of .eml files, or JSON lines {"at", "m", "to"}. Raises Invalid."""
    return _folder(path) if path.is_dir() else _lines(path, _taken)


def read_journal(path: Path) -> Iterator[Told]:
    """What people were told, from JSON lines {"at", "deed", "email"}. Raises Invalid with the number of a bad line."""
    return _lines(path, _told)


def _judge(connection: psycopg.Connection[Any], invariant: Invariant, given: set[str]) -> Finding:
    found = Finding(invariant.code, invariant.kept.format(_number(connection, invariant.counted)))
    for check in invariant.checks:
        needed = {BOTH: {LOG, JOURNAL}}.get(check.needs, {check.needs} - {""})
        if needed <= given:
            found.breaches += _breach(connection, check)
        else:
            found.missing |= needed - given
    found.is_judged = any(not check.needs for check in invariant.checks) or not found.missing
    return found


def _breach(connection: psycopg.Connection[Any], check: Check) -> list[Breach]:
    row = connection.execute(_FIND.format(check.statement), {"examples": EXAMPLES}).fetchone()
    assert row is not None
    number, examples = row
    return [Breach(check.breach, number, tuple(str(one) for one in examples))] if number else []


def _ladder(connection: psycopg.Connection[Any]) -> None:
    """The rungs that the product itself gives to the kinds of events that were applied, and where messages stand."""
    rungs = [
        (kind, type_, rung.rank, rung.status)
        for kind, type_ in connection.execute(_KINDS).fetchall()
        if (rung := ladder.rung(kind, {"type": type_}))
    ]
    _copy(connection, "audit_rung (kind, type, rank, status)", rungs)
    highest = (ladder.rung(kind, {"type": type_}) for kind, type_ in _EACH_RUNG)
    standing = [(rung.status, rung.reason or "*", rung.rank) for rung in highest if rung]
    _copy(connection, "audit_standing (status, reason, rank)", standing)


def _copy(connection: psycopg.Connection[Any], where: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {where} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _number(connection: psycopg.Connection[Any], statement: str) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


def _line(taken: Taken) -> tuple[str, str, datetime | None]:
    return taken.opaque_id, taken.to.lower(), taken.at


def _deed(told: Told) -> tuple[str, str, str, datetime]:
    return told.deed, address.parse(told.email).mailbox_key, told.email.lower(), told.at


def _lines(path: Path, read: Any) -> Iterator[Any]:
    with path.open() as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield read(json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                raise Invalid(f"{path}, line {number}: {type(error).__name__} {error}") from None


def _taken(said: dict[str, Any]) -> Taken:
    return Taken(str(UUID(said["m"])), said.get("to", ""), _moment(said.get("at")))


def _told(said: dict[str, Any]) -> Told:
    moment = _moment(said["at"])
    if said["deed"] not in DEEDS or moment is None:
        raise ValueError(said["deed"])
    return Told(said["deed"], said["email"], moment)


def _moment(said: str | float | None) -> datetime | None:
    """ISO 8601 with a zone, or seconds since 1970."""
    if said is None:
        return None
    return datetime.fromisoformat(said) if isinstance(said, str) else datetime.fromtimestamp(said, UTC)


def _folder(path: Path) -> Iterator[Taken]:
    """Mails as the file provider writes them; the Message-ID carries our opaque id."""
    with os.scandir(path) as files:
        for file in files:
            if file.name.endswith(".eml") and (taken := _mail(Path(file.path))):
                yield taken


def _mail(path: Path) -> Taken | None:
    with path.open("rb") as file:
        head = message_from_bytes(file.read(_HEAD_BYTES), policy=policy.default)
    try:
        opaque_id = UUID(str(head["Message-ID"]).strip("<> ").partition("@")[0])
        at = datetime.strptime(path.name.partition("-")[0], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError:  # a mail that somebody else put there
        return None
    return Taken(str(opaque_id), str(head["To"]), at)
