"""Loading codes into a vault from a CSV file, and writing them out again."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import IO

import psycopg
from sqlalchemy import text

from leadgen.core import copying
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.rewards import milestones, stock

MOST_BYTES = 20 * 1024 * 1024
MOST_CODES = 500_000
LONGEST_CODE = 64
REJECTS_SHOWN = 1_000
FIRST_SHOWN = 5
_BATCH = 5_000
_HEADINGS = frozenset(
    {"code", "codes", "coupon", "coupons", "voucher", "vouchers", "bon", "bons", "promo", "promo code", "code promo"}
)

_ADD = text("""
INSERT INTO coupon (milestone_id, code) SELECT :milestone, code FROM unnest(CAST(:codes AS text[])) AS given (code)
ON CONFLICT (milestone_id, code) DO NOTHING RETURNING code
""")
_KNOWN = text("""
SELECT code FROM coupon WHERE milestone_id = :milestone AND code = ANY(CAST(:codes AS text[]))
""")


# A cell that a spreadsheet would run as a formula gets an apostrophe in front.
_EXPORT = r"""
COPY (
    SELECT CASE WHEN code ~ '^\s*[=+\-@\t\r]' THEN '''' || code ELSE code END AS code, status, assigned_at, used_at,
           CASE WHEN used_by ~ '^\s*[=+\-@\t\r]' THEN '''' || used_by ELSE used_by END AS used_by
    FROM coupon WHERE milestone_id = {milestone} ORDER BY id
) TO STDOUT (FORMAT csv, HEADER)
"""


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that was not taken: `reason` is twice, known, long or unreadable."""

    line: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an import did; the first thousand rejects are told one by one, `rejected` counts all."""

    added: int
    rejected: int
    rejects: list[Reject]
    served: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do: how many codes it would add, the first of them with their lines, and its rejects."""

    added: int
    first: list[tuple[int, str]]
    rejected: int
    rejects: list[Reject]


class _Report:
    def __init__(self) -> None:
        self.number = 0
        self.shown: list[Reject] = []

    def add(self, line: int, code: str, reason: str) -> None:
        self.number += 1
        if len(self.shown) < REJECTS_SHOWN:
            self.shown.append(Reject(line, code[:LONGEST_CODE].replace("\0", ""), reason))

    def add_known(self, batch: dict[str, int], known: Collection[str]) -> None:
        for code, line in batch.items():
            if code in known:
                self.add(line, code, "known")

    @property
    def told(self) -> list[Reject]:
        """In the order of the file."""
        return sorted(self.shown, key=lambda reject: reject.line)


def load(milestone_id: int, file: IO[bytes]) -> Loaded:
    """Add the codes of the file's first column to the vault; who waits for one is served at once.

    Blanks around a code and empty lines do not count. A code that stands twice in the file or is in the vault already
    is rejected, and the others are taken. Raises Invalid (field `file`) for a file that is too large or no text.
    """
    stock.lock()  # before the first code: its trigger takes the tier's numbers
    report = _Report()
    added = sum(_add(milestone_id, batch, report) for batch in _batches(file, report))
    if not added and not report.number:
        raise Invalid(_("There is no code in this file. Put one on each line."), "file")
    served = milestones.fill_reserve([milestone_id])
    return Loaded(added, report.number, report.told, served)


def preview(milestone_id: int, file: IO[bytes]) -> Preview:
    """What loading the file would do now, without doing it. Raises Invalid as `load` does."""
    report = _Report()
    added, first = 0, list[tuple[int, str]]()
    for batch in _batches(file, report):
        known = set(db.session.scalars(_KNOWN, {"milestone": milestone_id, "codes": list(batch)}))
        report.add_known(batch, known)
        new = [(line, code) for code, line in batch.items() if code not in known]
        added += len(new)
        first += new[: FIRST_SHOWN - len(first)]
    if not added and not report.number:
        raise Invalid(_("There is no code in this file. Put one on each line."), "file")
    return Preview(added, first, report.number, report.told)


def _batches(file: IO[bytes], report: _Report) -> Iterator[dict[str, int]]:
    """{code: line} of what can be taken, so many at a time."""
    batch: dict[str, int] = {}
    for line, code in _fresh(_codes(file), report):
        batch[code] = line
        if len(batch) >= _BATCH:
            yield batch
            batch = {}
    if batch:
        yield batch


def _fresh(codes: Iterable[tuple[int, str]], report: _Report) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for line, code in codes:
        if len(code) > LONGEST_CODE:
            report.add(line, code, "long")
        elif not code.isprintable():
            report.add(line, "".join(c for c in code if c.isprintable()), "unreadable")
        elif code in seen:
            report.add(line, code, "twice")
        else:
            seen.add(code)
            yield line, code
        if len(seen) > MOST_CODES:
            raise Invalid(_("Load at most %(most)d codes at once.") % {"most": MOST_CODES}, "file")


def _add(milestone_id: int, batch: dict[str, int], report: _Report) -> int:
    new = set(db.session.scalars(_ADD, {"milestone": milestone_id, "codes": list(batch)}))
    report.add_known(batch, batch.keys() - new)
    return len(new)


def _codes(file: IO[bytes]) -> Iterator[tuple[int, str]]:
    """(line, code) of each line that has one, read as it comes; a heading is passed over."""
    if file.seek(0, io.SEEK_END) > MOST_BYTES:
        raise Invalid(
            _("This file is too large. Load at most %(most)d MB at once.") % {"most": MOST_BYTES >> 20}, "file"
        )
    file.seek(0)
    head = file.read(1024)
    file.seek(0)
    encoding = "utf-16" if head[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8-sig"
    lines = io.TextIOWrapper(file, encoding=encoding, newline="")
    begins = 1
    try:
        rows = csv.reader(lines, delimiter=_delimiter(head.decode(encoding, "replace")), strict=True)
        for row in rows:
            code = row[0].strip() if row else ""
            if "\n" in code or "\r" in code:
                raise _unclosed(begins)
            if code and not (begins == 1 and code.lower() in _HEADINGS):
                yield begins, code
            begins = rows.line_num + 1
    except csv.Error as error:
        is_open = "unexpected end" in str(error) or rows.line_num > begins
        raise (_unclosed if is_open else _unreadable)(begins) from None
    except UnicodeError:
        raise Invalid(_("This file cannot be read. Save it as CSV in UTF-8, one code on each line."), "file") from None
    finally:
        lines.detach()


def _unclosed(line: int) -> Invalid:
    """An open quotation mark would swallow the lines behind it: better to take none than to lose some unseen."""
    sentence = _(
        "Line %(line)d: a quotation mark is opened there and not closed before the end of the code. Mend this line, "
        "then choose the file again."
    )
    return Invalid(sentence % {"line": line}, "file")


def _unreadable(line: int) -> Invalid:
    sentence = _(
        "Line %(line)d: the quotation marks of this line cannot be read, or it is too long. Mend this line, then "
        "choose the file again."
    )
    return Invalid(sentence % {"line": line}, "file")


def _delimiter(head: str) -> str:
    """What parts the columns in the first line; codes may hold any other of these signs."""
    first = head.split("\n", 1)[0]
    return next((sign for sign in (";", "\t") if sign in first), ",")


def export_csv(milestone_id: int) -> Iterator[bytes]:
    """Every code of a tier, where it is and since when; on a connection of its own, so that memory stays flat."""
    return copying.streamed(psycopg.sql.SQL(_EXPORT).format(milestone=psycopg.sql.Literal(milestone_id)))
