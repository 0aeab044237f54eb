"""Streams of mail: started with a sequence or a broadcast, paused and resumed at once, stopped by a breaker.

A pause is one row. Messages stay `scheduled`, so that a resumed stream goes on where it was and sends nothing twice.
"""

from __future__ import annotations

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from leadgen.core import clock, hot, queue
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell
from leadgen.letters.models import Lane
from leadgen.mail.models import LaneStop, Stream, StreamState

# Reasons of streams that a person can neither pause nor resume any more.
OVER = ("cancelled", "finished")
_FLOWS = """
SELECT s.state = 'open' AND NOT EXISTS (SELECT FROM lane_stop l WHERE l.lane = s.lane) AS flows
FROM stream s WHERE s.id = %(id)s
"""
# Whole rows are compared: with “stream_id = 1” the planner would rather walk the whole table by its key.
_NEWEST_TRIED = text("""
SELECT max(m.id) FROM unnest(ARRAY['accepted', 'delivered', 'bounced', 'failed']) AS w (status) CROSS JOIN LATERAL (
    SELECT id FROM message
    WHERE (stream_id, status, id) > (:stream, w.status, 0) AND (stream_id, status, id) < (:stream, w.status, :beyond)
      AND stream_id > 0
    ORDER BY stream_id DESC, status DESC, id DESC LIMIT 1) m
""")


def start(brand_id: int, campaign_id: int, lane: Lane, name: str, *, is_open: bool = True) -> Stream:
    """A new stream of a campaign; `is_open` False starts it paused."""
    made = Stream(brand_id=brand_id, campaign_id=campaign_id, lane=lane, name=name, created_at=clock.now())
    made.state = StreamState.OPEN if is_open else StreamState.PAUSED
    db.session.add(made)
    db.session.flush()
    return made


def rename(stream_id: int, name: str) -> None:
    """Call it as its sequence is called by now: timelines and queues name it so."""
    db.session.get_one(Stream, stream_id).name = name


def get(stream_id: int) -> Stream:
    """The stream, locked until the transaction ends. Raises NotFound."""
    asked = select(Stream).where(Stream.id == stream_id).with_for_update()
    found = db.session.scalar(asked.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def pause(stream_id: int, by: str, reason: str = "by_hand") -> None:
    """Hand nothing more of this stream to the provider; a call that is under way ends first.

    Raises NotFound, and Conflict when it is over: a pause by hand would hide that, and a resume then undo it.
    """
    _set(_unended(stream_id), StreamState.PAUSED, reason, by)


def finish(stream_id: int) -> None:
    """Take what is through out of what each claim looks at. Raises NotFound."""
    _set(get(stream_id), StreamState.PAUSED, "finished", "")


def stop(stream_id: int, reason: str) -> bool:
    """What a breaker does: like a pause, but a person has to look at the reason (`bounces`, `complaints`, `errors`).

    False when the stream does not flow anyway: a breaker never overrules a person.
    """
    found = get(stream_id)
    if found.state is not StreamState.OPEN:
        return False
    _set(found, StreamState.STOPPED, reason, "")
    return True


def is_open(stream_id: int) -> bool:
    """Whether this stream and its lane flow at this moment, asked outside of any transaction; 0, of no stream, does."""
    row = stream_id and hot.one(_FLOWS, {"id": stream_id})
    return bool(row and row["flows"]) or not stream_id


def resume(stream_id: int, by: str) -> None:
    """Let the stream flow again; breakers look only at what is sent from now on.

    Raises NotFound, and Conflict when it is over: what was cancelled must not leave after all.
    """
    found = _unended(stream_id)
    if found.state is StreamState.STOPPED:
        found.judged_from = _newest_tried(stream_id)
    _set(found, StreamState.OPEN, "", by)
    queue.ring_after_commit(db.session(), Bell.MAIL)


def stop_lane(lane: Lane, by: str) -> None:
    """Hand nothing of a whole lane over until `start_lane`; doing it twice is the same as once."""
    values = {"lane": lane, "at": clock.now(), "by": by}
    db.session.execute(insert(LaneStop).values(values).on_conflict_do_nothing())


def start_lane(lane: Lane) -> None:
    """Let a stopped lane flow again."""
    db.session.execute(delete(LaneStop).where(LaneStop.lane == lane))
    queue.ring_after_commit(db.session(), Bell.MAIL)
    queue.ring_after_commit(db.session(), Bell.CONFIRMATIONS)


def _unended(stream_id: int) -> Stream:
    found = get(stream_id)
    if found.state is StreamState.PAUSED and found.reason in OVER:
        sentences = {"cancelled": _("This broadcast was cancelled: it cannot go on."),
                     "finished": _("This broadcast is finished: nothing of it waits.")}  # fmt: skip
        raise Conflict(sentences[found.reason])
    return found


def _set(stream: Stream, state: StreamState, reason: str, by: str) -> None:
    stream.state, stream.reason, stream.changed_at, stream.changed_by = state, reason, clock.now(), by


def _newest_tried(stream_id: int) -> int:
    """The newest message that was handed over or failed; those of a broadcast are written ahead of sending."""
    return int(db.session.execute(_NEWEST_TRIED, {"stream": stream_id, "beyond": 2**62}).scalar() or 0)
