"""A file of contacts, read line by line: which columns it has, and what a line says or why it cannot be taken.

The file is CSV in UTF-8 with a header, with commas or semicolons. Columns that are known: `email` (needed),
`first_name`, `locale`, `timezone`, `blocked` (reasons of suppression, as our own export writes them), and those that
prove consent: `consent_at`, `consent_wording` and `consent_source`, with `confirmed_at` for an address that its owner
confirmed. The three stand together or there is no consent; a line with some of them is refused, not half understood.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import IO
from zoneinfo import available_timezones

from leadgen.contacts import address, service
from leadgen.contacts.models import SuppressionReason
from leadgen.core import clock, i18n
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.text import one_line

KNOWN = (
    "email", "first_name", "locale", "timezone", "blocked", "consent_at", "consent_wording", "consent_source",
    "confirmed_at",
)  # fmt: skip
_EMPTY = dict.fromkeys(KNOWN, "")
_PROOF = ("consent_at", "consent_wording", "consent_source")
_LONGEST_PROOF = {"consent_wording": 2_000, "consent_source": 300}
# What needs no closer look; anything else is understood by `address.parse`, which takes thirty times as long.
_PLAIN_LOCAL = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*", re.IGNORECASE | re.ASCII)
_LONGEST_LOCAL = 64
# An export puts an apostrophe before what a spreadsheet would run.
_GUARDED = re.compile(r"'(?=\s*[=+\-@])")


@dataclass(frozen=True, slots=True)
class Row:
    """A line that can be taken. Moments are aware; without proof there is no consent and no confirmed address."""

    line: int
    email: str
    mailbox_key: str
    address_hash: bytes
    first_name: str
    locale: str
    timezone: str
    blocked: tuple[str, ...]
    consent_at: datetime | None
    wording: str
    source: str
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that cannot, and why, in the current language."""

    line: int
    email: str
    reason: str


def read(file: IO[str], default_locale: str, *, after: int = 0) -> Iterator[Row | Refused]:
    """Every line after the header and after line `after`, one by one. Raises Invalid for what is no such file."""
    try:
        reader = csv.reader(file, delimiter=_delimiter(file.readline(), file))
        names = [name.strip().lower().removeprefix("\ufeff") for name in next(reader, [])]
        if "email" not in names:
            raise Invalid(_("The first line must name the columns, and one of them must be “email”."), "file")
        places = [(name, names.index(name)) for name in KNOWN if name in names]
        now = clock.now()
        for cells in reader:
            if reader.line_num > after and any(cells):
                said = _EMPTY | {name: _plain(cells[place]) for name, place in places if place < len(cells)}
                yield _understood(reader.line_num, said, default_locale, now)
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid(_("This is no CSV file in UTF-8: %(why)s") % {"why": error}, "file") from error


def ignored(header: str) -> list[str]:
    """The columns of a header that say nothing to us."""
    names = next(csv.reader([header], delimiter=";" if header.count(";") > header.count(",") else ","), [])
    return [name for name in names if name.strip().lower().removeprefix("\ufeff") not in KNOWN]


def _delimiter(header: str, file: IO[str]) -> str:
    file.seek(0)
    return ";" if header.count(";") > header.count(",") else ","


def _understood(line: int, said: Mapping[str, str], default_locale: str, now: datetime) -> Row | Refused:
    try:
        email, key = _address(said["email"])
        consent_at = _proof(said, now)
        return Row(
            line=line,
            email=email,
            mailbox_key=key,
            address_hash=address.address_hash(key),
            first_name=_name(said["first_name"]) if said["first_name"] else "",
            locale=_locale(said["locale"], default_locale),
            timezone=_zone(said["timezone"]),
            blocked=_reasons(said["blocked"]),
            consent_at=consent_at,
            wording=said["consent_wording"],
            source=_source(said["consent_source"]),
            confirmed_at=_past(said["confirmed_at"], now) if consent_at and said["confirmed_at"] else None,
        )
    except Invalid as error:
        return Refused(line, said["email"][:254], str(error))


def _plain(cell: str) -> str:
    """A cell without the blanks around it and without the apostrophe of an export."""
    tidy = cell.strip()
    if "\x00" in tidy:
        tidy = tidy.replace("\x00", "").strip()
    return tidy[1:] if tidy[:1] == "'" and _GUARDED.match(tidy) else tidy


def _address(typed: str) -> tuple[str, str]:
    """The address as it is written to, and the key of its mailbox: as `address.parse` says, only faster."""
    local, _at, domain = typed.rpartition("@")
    if len(local) <= _LONGEST_LOCAL and _PLAIN_LOCAL.fullmatch(local):
        written, ascii_domain = _domain(domain)
        if written and len(local) + 1 + len(written) <= address.LONGEST:
            return f"{local}@{written}", address.mailbox_key(local, ascii_domain)
    found = address.parse(typed)
    return found.email, found.mailbox_key


@lru_cache(maxsize=65_536)
def _domain(domain: str) -> tuple[str, str]:
    """A domain as it is written and as the network knows it; both empty for one that is none."""
    try:
        found = address.parse(f"x@{domain}")
    except Invalid:
        return "", ""
    return found.email.removeprefix("x@"), found.mailbox_key.removeprefix("x@")


def _proof(said: Mapping[str, str], now: datetime) -> datetime | None:
    """Since when the file says that the person agreed; None where it says nothing."""
    given = [name for name in _PROOF if said[name]]
    if not given:
        return None
    if len(given) < len(_PROOF):
        lacking = ", ".join(name for name in _PROOF if name not in given)
        raise Invalid(_("Consent without proof: %(columns)s is empty.") % {"columns": lacking}, lacking)
    for name, limit in _LONGEST_PROOF.items():  # words that are cut prove something else
        if len(said[name]) > limit:
            raise Invalid(_("%(column)s has more than %(limit)d characters.") % {"column": name, "limit": limit}, name)
    return _past(said["consent_at"], now)


def _past(written: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Invalid(_("Write moments like 2026-05-31T10:00:00+02:00."), "consent_at")
    if moment > now:
        raise Invalid(_("This moment lies in the future."), "consent_at")
    return moment


# Names and sources are few in a file, and understanding one takes longer than all else in its line.
_name = lru_cache(maxsize=65_536)(service.first_name)


@lru_cache(maxsize=1_024)
def _source(written: str) -> str:
    return one_line(written, _LONGEST_PROOF["consent_source"])


@lru_cache(maxsize=1_024)
def _locale(written: str, default_locale: str) -> str:
    code = written.split("-", maxsplit=1)[0].split("_", maxsplit=1)[0].lower()
    return code if code in i18n.LOCALES else default_locale


def _zone(written: str) -> str:
    return written if written in _zones() else ""


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _reasons(written: str) -> tuple[str, ...]:
    found = tuple(written.split())
    if unknown := [word for word in found if word not in set(SuppressionReason)]:
        raise Invalid(_("“%(reason)s” is no reason to block an address.") % {"reason": unknown[0][:40]}, "blocked")
    return found
