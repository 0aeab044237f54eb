"""From a broadcast to its messages: chunk by chunk, most engaged people first, resumable at any instant.

A chunk is one statement that writes messages and one that moves the cursor, in one transaction; the unique intent makes
sure that two expanders, or one that starts again, never want a mail twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from leadgen.broadcasts.audiences import Audience
from leadgen.broadcasts.models import Broadcast, BroadcastStatus
from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.letters import kinds
from leadgen.mail import groups, streams

CHUNK = 20_000
# People with a sign of life within a month come first, then within half a year, then everybody: exact order would cost
# a sort of the whole base for each chunk.
_ENGAGED_DAYS = (30, 180)
_ANYBODY = datetime(1970, 1, 1, tzinfo=UTC)
# A start that was missed by more than this (a server that was off, a paused contest) waits for a person.
LATEST_START = timedelta(hours=24)
_SENDABLE = "('live', 'closing', 'closed')"

_NEXT = text(f"""
SELECT b.id FROM broadcast b JOIN stream s ON s.id = b.stream_id JOIN campaign k ON k.id = b.campaign_id
WHERE b.status = 'expanding' AND s.state = 'open' AND k.status IN {_SENDABLE}
ORDER BY b.started_at, b.id LIMIT 1 FOR UPDATE OF b SKIP LOCKED
""")  # noqa: S608 - a constant of this module

# Somebody who gives a sign of life while we work changes passes: the later ones take everybody who did, and the intent
# drops who has a mail already.
_WANT = f"""
WITH stretch AS MATERIALIZED (
    SELECT * FROM entry WHERE campaign_id = :campaign AND id > :after ORDER BY id LIMIT :chunk
), wanted AS (
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, stream_id, domain_group, purpose,
                         letter, locale, context, due_at, expires_at, created_at)
    SELECT 'cast:' || CAST(:broadcast AS bigint) || ':' || e.contact_id, e.brand_id, e.campaign_id, e.contact_id, e.id,
           'bulk', CAST(:stream AS bigint), {groups.COLUMN}, 'marketing', 'broadcast', e.locale,
           jsonb_build_object('entry', e.id, 'access_version', e.access_version, 'code', e.code),
           CAST(:due AS timestamptz), CAST(:expires AS timestamptz), CAST(:now AS timestamptz)
    FROM stretch e JOIN contact c ON c.id = e.contact_id {groups.JOIN}
    WHERE {{people}} AND e.confirmed_at <= :started
      AND (coalesce(c.last_inbound_at, :anybody) >= :since AND coalesce(c.last_inbound_at, :anybody) < :before
           OR c.last_inbound_at >= CAST(:started AS timestamptz) - interval '1 hour')
    ORDER BY e.id
    ON CONFLICT (intent) DO NOTHING
    RETURNING id
)
SELECT (SELECT count(*) FROM stretch) AS looked_at, (SELECT max(id) FROM stretch) AS last_id,
       (SELECT count(*) FROM wanted) AS wanted
"""  # noqa: S608 - constants of this module and of mail.groups; {people} is that of broadcasts.audiences
# The base may have grown tenfold since the tables were last analysed; a chunk is looked up row by row in any case.
_PLANS = text("SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")

_START = text(f"""
UPDATE broadcast b SET status = 'expanding', started_at = :now
FROM campaign k WHERE k.id = b.campaign_id AND k.status IN {_SENDABLE}
  AND b.status = 'scheduled' AND b.send_at <= :now AND b.send_at > :earliest
RETURNING b.id
""")  # noqa: S608 - as above

# One look into the index for each broadcast and status. Rows are compared as wholes, because with “stream_id = 1” the
# planner that knows one large stream would rather walk the whole table.
_WAITS = """
SELECT FROM unnest(ARRAY['scheduled', 'sending']) AS w (status) CROSS JOIN LATERAL (
    SELECT m.id FROM message m
    WHERE (m.stream_id, m.status, m.id) > ({stream}, w.status, 0)
      AND (m.stream_id, m.status, m.id) < ({stream}, w.status, :beyond) AND m.stream_id > 0
    ORDER BY m.stream_id, m.status, m.id LIMIT 1) AS first
"""
_BEYOND = 2**62  # larger than any id
_FINISH = text(f"""
UPDATE broadcast b SET status = 'sent', finished_at = :now
WHERE b.status = 'sending' AND NOT EXISTS ({_WAITS.format(stream="b.stream_id")})
""")  # noqa: S608 - a constant of this module

# A stream that stays open is looked at by each claim for ever. The lock comes in a statement of its own, so that the
# next one sees what somebody who sent a failed mail of it again has written meanwhile.
_OVER = text("""
SELECT s.id FROM stream s JOIN broadcast b ON b.stream_id = s.id
WHERE s.lane = 'bulk' AND s.state = 'open' AND b.status = 'sent' FOR UPDATE OF s SKIP LOCKED
""")
_THROUGH = text(f"""
SELECT s.id FROM stream s WHERE s.id = ANY(:streams) AND NOT EXISTS ({_WAITS.format(stream="s.id")})
""")  # noqa: S608 - a constant of this module

# By ix_message_due, which holds only what waits: of a cancellation that is through nothing is read.
_CANCEL = text("""
UPDATE message SET status = 'cancelled', reason = 'broadcast_cancelled' WHERE id = ANY(ARRAY(
    SELECT waits.id FROM broadcast b CROSS JOIN LATERAL (
        SELECT m.id FROM message m
        WHERE m.lane = 'bulk' AND m.stream_id = b.stream_id AND m.status = 'scheduled'
        ORDER BY m.lane, m.stream_id, m.domain_group, m.due_at, m.id LIMIT :chunk FOR UPDATE SKIP LOCKED) AS waits
    WHERE b.status = 'cancelled' LIMIT :chunk))
""")


@dataclass(frozen=True, slots=True)
class _Pass:
    """People whose last sign of life lies in a span of time."""

    since: datetime
    before: datetime


def start_due() -> int:
    """Start what is scheduled for now; answers how many. A start that was missed by a day waits for a person."""
    now = clock.now()
    started = db.session.execute(_START, {"now": now, "earliest": now - LATEST_START}).all()
    return len(started)


def expand_chunk(limit: int = CHUNK) -> bool:
    """Look at the next `limit` entries of the oldest broadcast that expands; False when there is none to work on.

    The caller commits. One that is paused, cancelled, or whose contest is paused is left where it stands.
    """
    found = db.session.execute(_NEXT).scalar()
    if found is None:
        return False
    broadcast = db.session.get_one(Broadcast, found, populate_existing=True)
    begun = broadcast.started_at or clock.now()
    passes = _passes(begun)
    current = next((one for one in passes if one.since == broadcast.after_inbound_at), passes[0])
    db.session.execute(_PLANS)
    people = Audience.of(broadcast.audience).condition(broadcast.brand_id)
    values = {**_values(broadcast, begun, current, limit), **people.values}
    looked_at, last_id, wanted = db.session.execute(text(_WANT.format(people=people.sql)), values).one()
    broadcast.wanted += wanted
    broadcast.after_inbound_at, broadcast.after_entry_id = current.since, last_id or broadcast.after_entry_id
    if looked_at < limit:
        _go_on(broadcast, passes[passes.index(current) + 1 :])
    db.session.flush()
    if wanted:
        queue.ring_after_commit(db.session(), Bell.MAIL)
    return True


def finish() -> None:
    """Close the broadcasts of which nothing waits any more, and their streams with them. The caller commits."""
    db.session.execute(_FINISH, {"now": clock.now(), "beyond": _BEYOND})
    over = list(db.session.scalars(_OVER))
    for stream_id in db.session.scalars(_THROUGH, {"streams": over, "beyond": _BEYOND}).all() if over else ():
        streams.finish(stream_id)


def cancel_chunk(limit: int = CHUNK) -> int:
    """Cancel up to `limit` waiting messages of cancelled broadcasts; answers how many. The caller commits."""
    return int(db.session.execute(_CANCEL, {"chunk": limit}).rowcount)  # type: ignore[attr-defined]


def _passes(begun: datetime) -> list[_Pass]:
    edges = [begun - timedelta(days=days) for days in _ENGAGED_DAYS]
    never = begun + timedelta(days=36_500)
    return [_Pass(edges[0], never), _Pass(edges[1], edges[0]), _Pass(_ANYBODY, edges[1])]


def _go_on(broadcast: Broadcast, left: list[_Pass]) -> None:
    """From the first entry again, for people who are less engaged; after the last pass everything is wanted."""
    broadcast.after_entry_id = 0
    if left:
        broadcast.after_inbound_at = left[0].since
    else:
        broadcast.status = BroadcastStatus.SENDING


def _values(broadcast: Broadcast, begun: datetime, current: _Pass, limit: int) -> dict[str, object]:
    due_at = broadcast.send_at or begun
    span = {"since": current.since, "before": current.before, "anybody": _ANYBODY, "started": begun}
    times = {"due": due_at, "expires": due_at + kinds.ALL["broadcast"].lifetime, "now": clock.now()}
    where = {"campaign": broadcast.campaign_id, "after": broadcast.after_entry_id or 0, "chunk": limit}
    names = {"broadcast": broadcast.id, "stream": broadcast.stream_id}
    return {**span, **times, **where, **names, **groups.columns()}
