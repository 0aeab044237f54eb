"""The mailbox of development: what the file provider wrote, for people, for the simulator and for tests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from html import unescape
from pathlib import Path

from leadgen.core import settings, text
from leadgen.core.errors import NotFound
from leadgen.mail.providers.file import INDEX, address_key

LISTED = 50
_SEARCHED = 2_000  # letters that a search by part of an address looks through, newest first
_NAME = re.compile(r"(\d{8}T\d{6}\.\d{6})-[0-9a-f-]{36}-\d+\.eml")
_LINK = re.compile(r'href="([^"]+)"')
_CODE = re.compile(r"(?<![\d/])\d{6}(?!\d)")
# What our own links are for, by the beginning of their path.
_PURPOSES = {
    "/confirm/": "confirm",
    "/refuse/": "refuse",
    "/me/": "page",
    "/unsubscribe/": "unsubscribe",
    "/r/": "share",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the list. `name` is the file's."""

    name: str
    at: datetime
    to: str
    sender: str
    subject: str


@dataclass(frozen=True, slots=True)
class Opened:
    """One letter, taken apart. `links` names ours by purpose (confirm, refuse, page, unsubscribe, share)."""

    summary: Summary
    headers: list[tuple[str, str]]
    text: str
    html: str
    source: str
    addresses: list[str]
    links: dict[str, str]
    code: str


def newest(search: str = "", before: str = "", limit: int = LISTED) -> list[Summary]:
    """The newest letters, newest first; `search` is an address or a part of address or subject.

    `before` is the name of a letter: only older ones, for the next page.
    """
    wanted = search.strip().lower()
    folder = _folder()
    if "@" in wanted and (own := folder / INDEX / address_key(wanted)).is_dir():
        return [_summary(own / name) for name in _names(own, before)[:limit]]
    found: list[Summary] = []
    for name in _names(folder, before)[: _SEARCHED if wanted else limit]:
        summary = _summary(folder / name)
        if wanted in f"{summary.to} {summary.subject}".lower():
            found.append(summary)
        if len(found) == limit:
            break
    return found


def number() -> int:
    """How many letters there are."""
    return len(_names(_folder()))


def of_address(address: str, limit: int = LISTED) -> Iterator[Opened]:
    """The letters to exactly this address, newest first."""
    own = _folder() / INDEX / address_key(address)
    for name in _names(own)[:limit]:
        yield _open(own / name)


def read(name: str) -> Opened:
    """The letter in the file of that name. Raises NotFound."""
    path = _folder() / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NotFound
    return _open(path)


def _open(path: Path) -> Opened:
    content = path.read_bytes()
    mail = message_from_bytes(content, policy=policy.default)
    text, html = _body(mail, "plain"), _body(mail, "html")
    addresses = list(dict.fromkeys(unescape(found) for found in _LINK.findall(html)))
    code = _CODE.search(text)
    return Opened(
        summary=_summary(path),
        headers=[(header, str(value)) for header, value in mail.items()],
        text=text,
        html=html,
        source=content.decode("utf-8", "replace"),
        addresses=addresses,
        links=_by_purpose(addresses),
        code=code.group() if code else "",
    )


def _by_purpose(addresses: list[str]) -> dict[str, str]:
    links: dict[str, str] = {}
    for address in addresses:
        path = text.address_parts(address).path
        for start, purpose in _PURPOSES.items():
            if path.startswith(start):
                links.setdefault(purpose, address)
    return links


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def _summary(path: Path) -> Summary:
    with path.open("rb") as file:
        head = BytesHeaderParser(policy=policy.default).parse(file)
    moment = _NAME.fullmatch(path.name)
    assert moment is not None
    at = datetime.strptime(moment[1], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    return Summary(path.name, at, str(head["To"]), str(head["From"]), str(head["Subject"]))


def _names(folder: Path, before: str = "") -> list[str]:
    """The files of a folder, newest first; those older than `before`, when it is given."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - Path.iterdir makes an object of each of many thousand names
    except FileNotFoundError:
        return []
    wanted = (name for name in names if _NAME.fullmatch(name) and (not before or name < before))
    return sorted(wanted, reverse=True)


def _folder() -> Path:
    return Path(settings.get().mail_dir)
