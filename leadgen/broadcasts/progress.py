"""How far a broadcast has come, how fast it goes, and how long one would take."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text

from leadgen.accounts.models import Brand
from leadgen.broadcasts.audiences import Size
from leadgen.broadcasts.models import Broadcast, BroadcastStatus
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.mail import groups, pacing
from leadgen.mail.models import MessageStatus, SendingDay, Stream, StreamState, WarmUp

# Up to so many messages are counted at each look; of more the count that a job keeps is shown, however old it is.
COUNTED = 50_000
# Of a larger broadcast the reasons of so many mails in each state are counted, the newest.
SAMPLED = 5_000
_BEYOND = 2**62  # larger than any id
_NEWEST = 5_000
_SPEED_SECONDS = 60
PAGE = 50
WAITING = (MessageStatus.SCHEDULED, MessageStatus.SENDING)
_NOT_REACHED = ("bounced", "suppressed", "skipped", "expired", "failed", "uncertain")
_LEFT = (MessageStatus.ACCEPTED, MessageStatus.DELIVERED, MessageStatus.BOUNCED, MessageStatus.UNCERTAIN)

_COUNT = text("""
SELECT status, count(*) AS mails FROM message WHERE stream_id = :stream AND stream_id > 0 GROUP BY status
""")
_REASONS = text("""
SELECT w.status, newest.reason, count(*) AS mails
FROM unnest(CAST(:statuses AS text[])) AS w (status) CROSS JOIN LATERAL (
    SELECT reason FROM message
    WHERE (stream_id, status, id) > (:stream, w.status, 0) AND (stream_id, status, id) < (:stream, w.status, :beyond)
      AND stream_id > 0
    ORDER BY stream_id DESC, status DESC, id DESC LIMIT :most) AS newest
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 30
""")
# The newest by id are the last that left, near enough: mails of a broadcast leave in the order in which they were made.
_SPEED = text("""
SELECT count(*) AS mails, min(sent_at) AS since FROM (
    SELECT sent_at FROM unnest(CAST(:statuses AS text[])) AS w (status) CROSS JOIN LATERAL (
        SELECT sent_at FROM message WHERE stream_id = :stream AND stream_id > 0 AND status = w.status
        ORDER BY id DESC LIMIT :newest) AS newest
) AS lately WHERE sent_at > :since
""")
_NEXT = text("""
SELECT first.due_at, first.reason FROM unnest(CAST(:groups AS text[])) AS g (name) CROSS JOIN LATERAL (
    SELECT due_at, reason FROM message WHERE lane = 'bulk' AND stream_id = :stream AND domain_group = g.name
      AND status = 'scheduled' ORDER BY due_at, id LIMIT 1) AS first
ORDER BY first.due_at LIMIT 1
""")
_PEOPLE = text("""
SELECT m.id, m.entry_id, m.status, m.reason, m.due_at, m.sent_at, c.first_name, c.email
FROM message m JOIN contact c ON c.id = m.contact_id
WHERE m.stream_id = :stream AND m.stream_id > 0 AND m.status = :status AND m.id > :after ORDER BY m.id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where its people stand. `per_second` is of the last minute; `next_at` is set when all who are left wait."""

    people: int
    counts: Mapping[MessageStatus, int]
    per_second: float
    seconds_left: float | None
    next_at: datetime | None
    next_reason: str
    stream: Stream

    @property
    def waiting(self) -> int:
        """People of whom nothing is decided yet, those included whose message is not written yet."""
        return max(0, self.people - sum(n for status, n in self.counts.items() if status not in WAITING))

    @property
    def decided(self) -> int:
        """People to whom it left, or does not."""
        return self.people - self.waiting

    @property
    def left(self) -> int:
        """Mails that the provider has."""
        return sum(self.counts[status] for status in _LEFT)

    @property
    def percent(self) -> int:
        """Of a hundred, and a hundred only when all is decided."""
        return 100 * self.decided // self.people if self.people else 0

    @property
    def is_held(self) -> bool:
        """Whether somebody, or a breaker, has stopped the stream."""
        return self.stream.state is not StreamState.OPEN


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long so many mails take: `seconds` by the pace that is set, `days` by the plan that warms a domain up."""

    seconds: float | None = None
    days: int | None = None
    domain: str = ""


def of(broadcast: Broadcast) -> Progress:
    """How far it is now."""
    stream = db.session.get_one(Stream, broadcast.stream_id, populate_existing=True)
    counts = _counts(broadcast, stream)
    people = _people(broadcast, counts, is_kept=is_large(broadcast))
    is_growing = broadcast.status is BroadcastStatus.EXPANDING
    waiting = people - sum(n for status, n in counts.items() if status not in WAITING)
    speed = _speed(stream.id) if waiting else 0.0
    due = None if is_growing else db.session.execute(_NEXT, {"stream": stream.id, "groups": list(groups.ALL)}).first()
    is_later = due is not None and due.due_at > clock.now() and not counts[MessageStatus.SENDING]
    return Progress(
        people,
        counts,
        speed,
        waiting / speed if speed and stream.state is StreamState.OPEN else None,
        due.due_at if due is not None and is_later else None,
        due.reason if due is not None and is_later else "",
        stream,
    )


def of_all(broadcasts: Collection[Broadcast]) -> dict[int, Progress]:
    """How far each is, by its id, from the counts that a job keeps: nothing is counted, and no speed is known."""
    wanted = {one.stream_id: one for one in broadcasts}
    found = {}
    for stream in db.session.scalars(select(Stream).where(Stream.id.in_(wanted))):
        broadcast, counts = wanted[stream.id], _tally(stream)
        found[broadcast.id] = Progress(_people(broadcast, counts, is_kept=True), counts, 0.0, None, None, "", stream)
    return found


def reasons(broadcast: Broadcast) -> Sequence[Any]:
    """Why it did not reach people: rows of status, reason and number of mails, the most frequent first.

    Of a large one only the newest SAMPLED mails of each state are looked at: a page asks every two seconds.
    """
    most = SAMPLED if is_large(broadcast) else COUNTED
    values = {"stream": broadcast.stream_id, "statuses": list(_NOT_REACHED), "most": most, "beyond": _BEYOND}
    return db.session.execute(_REASONS, values).all()


def is_large(broadcast: Broadcast) -> bool:
    """Whether it has too many mails to count them at each look."""
    return broadcast.wanted > COUNTED


def people(broadcast: Broadcast, status: MessageStatus, after: int = 0, limit: int = PAGE) -> Sequence[Any]:
    """The people of the broadcast whose mail stands there, page by page."""
    values = {"stream": broadcast.stream_id, "status": status.value, "after": after, "limit": limit}
    return db.session.execute(_PEOPLE, values).all()


def forecast(brand_id: int, size: Size) -> Forecast:
    """How long a broadcast of this size takes at the present pace and warm-up plan."""
    limits = pacing.limits()
    rates = {name: rate for name, rate in limits.per_second.items() if rate > 0}
    most = [size.people / rates[name] for name in ("provider", "lane:bulk") if name in rates]
    most += [n / rates[f"group:{group}"] for group, n in size.by_group.items() if f"group:{group}" in rates]
    sender = db.session.get_one(Brand, brand_id).sender_email
    domain = sender.rpartition("@")[2].lower()
    plan = limits.plans.get(domain)
    return Forecast(max(most, default=None), _days(plan, size.people) if plan else None, domain)


def _days(plan: WarmUp, mails: int) -> int | None:
    today = clock.now().date()
    if pacing.daily_cap(plan, today) is None:
        return None
    sent = db.session.scalar(select(SendingDay.mails).where(SendingDay.domain == plan.domain, SendingDay.day == today))
    return pacing.days_for(plan, mails, sent or 0, today)


def _counts(broadcast: Broadcast, stream: Stream) -> dict[MessageStatus, int]:
    if is_large(broadcast):
        return _tally(stream)
    rows = db.session.execute(_COUNT, {"stream": stream.id}).all()
    return dict.fromkeys(MessageStatus, 0) | {MessageStatus(row.status): row.mails for row in rows}


def _tally(stream: Stream) -> dict[MessageStatus, int]:
    kept = {MessageStatus(status): int(mails) for status, mails in stream.tally.items()}
    return dict.fromkeys(MessageStatus, 0) | kept


def _people(broadcast: Broadcast, counts: Mapping[MessageStatus, int], *, is_kept: bool) -> int:
    """Counts that a job keeps may be older than the last mails that were written."""
    is_growing = broadcast.status is BroadcastStatus.EXPANDING
    is_behind = is_kept and broadcast.status in (BroadcastStatus.EXPANDING, BroadcastStatus.SENDING)
    known = [broadcast.wanted if is_behind else 0, (broadcast.audience_size or 0) if is_growing else 0]
    return max(sum(counts.values()), *known)


def _speed(stream_id: int) -> float:
    """Mails a second over the last minute, or since the first of them that is remembered."""
    now = clock.now()
    since = now - timedelta(seconds=_SPEED_SECONDS)
    values = {"stream": stream_id, "since": since, "newest": _NEWEST, "statuses": [one.value for one in _LEFT]}
    found = db.session.execute(_SPEED, values).one()
    if not found.mails:
        return 0.0
    return float(found.mails / math.ceil(max(1.0, (now - found.since).total_seconds())))
