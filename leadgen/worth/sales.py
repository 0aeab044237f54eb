"""A file of sales: who bought what, as a shop writes it down."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.contacts import address
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.worth import service as worth

COLUMNS = frozenset({"email", "reference", "amount", "at"})
_AMOUNT = re.compile(r"\d{1,9}(?:[.,]\d{1,2})?", re.ASCII)
_AT_ONCE = 1_000  # lines in a transaction


@dataclass(slots=True)
class Report:
    """What became of the lines: recorded now, known by their reference, or refused with a reason."""

    recorded: int = 0
    known: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def take(brand: Brand, path: Path) -> Report:
    """Record every sale of a CSV file with COLUMNS; each reference counts once, however often the file is taken.

    Commits as it goes. Raises Invalid for a file without these columns, and where it is no CSV file in UTF-8: the lines
    before stay recorded.
    """
    report = Report()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            _take_lines(brand.id, csv.DictReader(file), report)
    except (UnicodeDecodeError, csv.Error) as error:
        db.session.commit()
        raise Invalid(_("This is no CSV file in UTF-8: %(why)s") % {"why": error}, "file") from error
    db.session.commit()
    return report


def _take_lines(brand_id: int, reader: csv.DictReader[str], report: Report) -> None:
    if not set(reader.fieldnames or ()) >= COLUMNS:
        raise Invalid(_("The first line must name the columns %(names)s.") % {"names": ", ".join(sorted(COLUMNS))})
    for cells in reader:
        try:
            is_new = _record(brand_id, cells)
            report.recorded, report.known = report.recorded + is_new, report.known + (not is_new)
        except Invalid as error:
            report.refused.append((reader.line_num, str(error)))
        except NotFound:
            report.refused.append((reader.line_num, _("Nobody here has this address.")))
        if reader.line_num % _AT_ONCE == 0:
            db.session.commit()


def _record(brand_id: int, cells: Mapping[str, str | None]) -> bool:
    said = {name: (cells.get(name) or "").strip() for name in COLUMNS}
    key = address.parse(said["email"]).mailbox_key
    contact_id = db.session.scalar(select(Contact.id).where(Contact.brand_id == brand_id, Contact.mailbox_key == key))
    if contact_id is None:
        raise NotFound
    amount, at = _amount(said["amount"]), _moment(said["at"])
    return worth.record_sale(contact_id, reference=said["reference"], amount=amount, at=at)


def _amount(written: str) -> int:
    """Minor units of what is written in whole ones, with two decimals at most.

    Nothing is guessed: 1.200 may be a thousand or one, so no amount has three digits after a point or a comma.
    """
    if not _AMOUNT.fullmatch(written):
        raise Invalid(_("Write an amount such as 1250 or 19.90, with nothing between the thousands."), "amount")
    whole, _point, decimals = written.replace(",", ".").partition(".")
    return int(whole) * 100 + int(decimals.ljust(2, "0"))


def _moment(written: str) -> datetime:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Invalid(_("Write moments like 2026-05-31T10:00:00+02:00."), "at")
    return at
