"""The provider's own suppression lists, read each night: an event that was lost must not leave an address open.

The Event Webhook gives up after a day. What it lost stands on these lists, so reading them mends it. Reading twice is
the same as once; a page that fails is read again the next time.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import text

from leadgen.contacts import address
from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound, ProviderTemporary
from leadgen.mail.models import ProviderPull
from leadgen.mail.providers.account import LISTS, PAGE, Listed
from leadgen.mail.providers.chosen import provider
from leadgen.mail.providers.sendgrid import SendGridProvider

log = logging.getLogger(__name__)
REASONS = {
    "bounces": SuppressionReason.HARD_BOUNCE,
    "invalid_emails": SuppressionReason.HARD_BOUNCE,
    "spam_reports": SuppressionReason.COMPLAINT,
    "unsubscribes": SuppressionReason.UNSUBSCRIBE,
}
# Lists are read in spans of a week, each noted when it is done: a long list that breaks off goes on where it was.
_SPAN = timedelta(days=7)
_FIRST_SPAN = timedelta(days=30)
_OVERLAP = timedelta(hours=1)
_BEGINNING = datetime(2009, 1, 1, tzinfo=UTC)
# A span with more pages than this is halved, so that a job that ends in the middle has not read for nothing.
_MOST_PAGES = 20
_SHORTEST_SPAN = timedelta(minutes=10)
# RQ ends a job after two minutes; the rest is read by the next one.
_WORK_SECONDS = 75.0

# Whoever knows these addresses and has not been told. What the person did after they came on the list is stronger than
# the list: an address that was confirmed since exists, and a tick that was set since is wanted.
_KNOWING = text("""
SELECT c.id AS contact_id, c.brand_id, c.address_hash, l.detail
FROM unnest(CAST(:hashes AS bytea[]), CAST(:times AS timestamptz[]), CAST(:details AS text[]))
     AS l (address_hash, listed_at, detail)
JOIN contact c ON c.address_hash = l.address_hash AND c.erased_at IS NULL
WHERE NOT EXISTS (SELECT 1 FROM suppression s WHERE s.brand_id = c.brand_id AND s.address_hash = c.address_hash
                  AND s.reason = :reason)
  AND NOT (:reason = 'hard_bounce' AND coalesce(c.email_verified_at > l.listed_at, false))
  AND NOT (:reason = 'unsubscribe' AND coalesce(c.marketing_at > l.listed_at, false))
ORDER BY c.id
""")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one list brought: addresses read, people newly suppressed, and whether it was read to its end.

    `is_late`: there was no time for the rest; go on at once.
    """

    name: str
    read: int = 0
    found: int = 0
    is_complete: bool = False
    is_late: bool = False


class _TooLong(Exception):
    """A span with too many pages for one go."""


def pull() -> list[Pulled]:
    """Read all lists of the provider, for 75 seconds at most; nothing for one that keeps none. Commits each page."""
    chosen = provider()
    if not isinstance(chosen, SendGridProvider):
        return []
    until = time.monotonic() + _WORK_SECONDS
    return [_pull_list(chosen, name, until) for name in LISTS]


def _pull_list(sendgrid: SendGridProvider, name: str, stop_at: float) -> Pulled:
    read = found = 0
    spans = deque(_spans(name))
    while spans:
        since, until = spans.popleft()
        if time.monotonic() > stop_at:
            return Pulled(name, read, found, is_late=True)
        try:
            for page in _pages(sendgrid, name, since, until):
                read += len(page)
                found += _apply(page, REASONS[name])
                db.session.commit()
        except _TooLong:
            middle = since + (until - since) / 2
            spans.extendleft([(middle, until), (since, middle)])
            continue
        except ProviderTemporary as error:
            db.session.rollback()
            log.warning("the provider's list %s is read again next time: %s", name, error)
            return Pulled(name, read, found)
        _note(name, until, found)
        db.session.commit()
    return Pulled(name, read, found, is_complete=True)


def _spans(name: str) -> list[tuple[datetime, datetime]]:
    """From where the last reading ended (an hour earlier, for what was late) until now."""
    now = clock.now().replace(microsecond=0)
    known = db.session.get(ProviderPull, name)
    begin = known.pulled_at - _OVERLAP if known else _BEGINNING
    ends = [] if known else [now - _FIRST_SPAN]
    edge = max(begin, ends[0]) if ends else begin
    while edge + _SPAN < now:
        edge += _SPAN
        ends.append(edge)
    ends.append(now)
    return list(zip([begin, *ends[:-1]], ends, strict=True))


def _pages(sendgrid: SendGridProvider, name: str, since: datetime, until: datetime) -> Iterator[list[Listed]]:
    """Page after page; one is in memory at a time. Raises ProviderTemporary, and _TooLong after many."""
    is_short = until - since < _SHORTEST_SPAN
    for number in count():
        page = sendgrid.listed(name, int(since.timestamp()), int(until.timestamp()), number * PAGE)
        yield page
        if len(page) < PAGE:
            return
        if number + 1 >= _MOST_PAGES and not is_short:
            raise _TooLong


def _apply(page: Sequence[Listed], reason: SuppressionReason) -> int:
    known = {hashed: row for row in page if (hashed := _hash(row.email))}
    if not known:
        return 0
    values = {
        "hashes": list(known),
        "times": [datetime.fromtimestamp(row.created, UTC) for row in known.values()],
        "details": [row.reason for row in known.values()],
        "reason": reason.value,
    }
    rows = db.session.execute(_KNOWING, values).all()
    return sum(_suppress(row, reason) for row in rows)


def _suppress(row: Any, reason: SuppressionReason) -> bool:
    if reason is not SuppressionReason.UNSUBSCRIBE:
        return contacts.suppress(row.brand_id, bytes(row.address_hash), reason, f"list: {row.detail}")
    try:
        contacts.unsubscribe(row.contact_id, "provider")
    except NotFound:  # erased meanwhile
        return False
    return True


def _hash(email: str) -> bytes | None:
    try:
        return address.address_hash(address.parse(email).mailbox_key)
    except Invalid:
        return None


def _note(name: str, until: datetime, found: int) -> None:
    known = db.session.get(ProviderPull, name)
    if known is None:
        known = ProviderPull(name=name, pulled_at=until, found=0)
        db.session.add(known)
    known.pulled_at, known.found = until, found
