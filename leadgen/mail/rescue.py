"""What people may do by hand about single mails: send again what failed or was lost, cancel what should not go.

Only along the arrows of the outbox: failed and uncertain back to scheduled; scheduled, uncertain and failed to
cancelled. A second press of a button finds nothing to do. Attempts never fall. Who did it stands in the message's moves
or in its reason.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell
from leadgen.letters.models import Lane
from leadgen.mail.models import Message

# Reasons for which nobody knows whether the mail arrived.
LOST = ("no_answer", "timeout", "process_lost", "connection_lost")
# One press of a button moves at most so many; the page says that more are left.
MOST = 5_000
# What is sent again by hand gets a day to leave, however old it is.
_AGAIN = timedelta(hours=24)

_ONE = """
WITH chosen AS (
    SELECT id FROM message
    WHERE id = :id AND status = ANY(:statuses) AND (:may_double OR NOT (status = 'uncertain' OR reason = ANY(:lost)))
    FOR UPDATE
)
"""
_MANY = """
WITH chosen AS (
    SELECT id FROM message
    WHERE campaign_id = :campaign AND status = 'failed' AND stream_id = :stream
      AND split_part(reason, ':', 1) = :reason AND (:may_double OR NOT reason = ANY(:lost))
    ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
)
"""
_RETRY = """
, noted AS (
    INSERT INTO message_move (message_id, at, reason, until) SELECT id, :now, :note, :now FROM chosen
)
UPDATE message m SET status = 'scheduled', reason = :note, due_at = :now, lease_until = NULL,
    expires_at = greatest(m.expires_at, :until)
FROM chosen c WHERE m.id = c.id
RETURNING m.id
"""
_CANCEL = """
UPDATE message m SET status = 'cancelled', reason = :note, lease_until = NULL FROM chosen c WHERE m.id = c.id
RETURNING m.id
"""
# First of all, so that nobody closes it again meanwhile (broadcasts.expansion): the lock holds until the end.
_REOPEN = text("""
WITH locked AS (SELECT id, state, reason FROM stream WHERE id = :stream FOR UPDATE)
UPDATE stream s SET state = 'open', reason = '', changed_at = :now, changed_by = :by
FROM locked WHERE s.id = locked.id AND locked.state = 'paused' AND locked.reason = :finished
""")
_RETRY_ONE, _RETRY_MANY = text(_ONE + _RETRY), text(_MANY + _RETRY)
_CANCEL_ONE, _CANCEL_MANY = text(_ONE + _CANCEL), text(_MANY + _CANCEL)


def retry(message_id: int, by: str, *, may_double: bool = False) -> bool:
    """Send a failed or uncertain mail again, through all gates; False when it stands elsewhere by now.

    The stream of a broadcast that is finished opens for it.

    `may_double` says that the person knows: a mail whose answer was lost may have arrived, and this one comes second.
    Raises NotFound, and Conflict for a lost answer without it.
    """
    message = _get(message_id)
    is_lost = message.status == "uncertain" or (message.status == "failed" and message.reason in LOST)
    if is_lost and not may_double:
        raise Conflict(_("The provider’s answer was lost: the mail may have arrived. Sent again, it may arrive twice."))
    values = {"id": message_id, "statuses": ["failed", "uncertain"], "may_double": may_double}
    _reopen(message.stream_id, by)
    found = db.session.execute(_RETRY_ONE, _values(by) | values).all()
    db.session.expire(message)
    _ring(message.lane)
    return bool(found)


def cancel(message_id: int, by: str) -> bool:
    """Never send this mail, or stop showing it as an error; False when it is too late. Raises NotFound."""
    message = _get(message_id)
    values = {"id": message_id, "statuses": ["scheduled", "uncertain", "failed"], "may_double": True}
    found = db.session.execute(_CANCEL_ONE, _values(by) | values).all()
    db.session.expire(message)
    return bool(found)


def retry_all(campaign_id: int, stream_id: int, reason: str, by: str, *, may_double: bool = False) -> int:
    """Send again what failed for this reason in a stream (0: confirmations and service mails); how many, at most 5,000.

    Mails whose answer was lost stay where they are unless `may_double`.
    """
    values = _of_reason(campaign_id, stream_id, reason) | {"may_double": may_double}
    _reopen(stream_id, by)
    found = db.session.execute(_RETRY_MANY, _values(by) | values).all()
    for bell in (Bell.MAIL, Bell.CONFIRMATIONS):
        queue.ring_after_commit(db.session(), bell)
    return len(found)


def cancel_all(campaign_id: int, stream_id: int, reason: str, by: str) -> int:
    """Put aside what failed for this reason in a stream; how many, at most 5,000."""
    values = _of_reason(campaign_id, stream_id, reason) | {"may_double": True}
    return len(db.session.execute(_CANCEL_MANY, _values(by) | values).all())


def _reopen(stream_id: int, by: str) -> None:
    """The stream of a finished broadcast flows again, until nothing of it waits."""
    if stream_id:
        db.session.execute(_REOPEN, {"stream": stream_id, "finished": "finished", "now": clock.now(), "by": by})


def _get(message_id: int) -> Message:
    found = db.session.get(Message, message_id, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def _of_reason(campaign_id: int, stream_id: int, reason: str) -> dict[str, object]:
    return {"campaign": campaign_id, "stream": stream_id, "reason": reason, "most": MOST}


def _values(by: str) -> dict[str, object]:
    now = clock.now()
    return {"now": now, "until": now + _AGAIN, "note": f"by_hand:{by}", "lost": list(LOST)}


def _ring(lane: Lane) -> None:
    queue.ring_after_commit(db.session(), Bell.CONFIRMATIONS if lane is Lane.CONFIRMATION else Bell.MAIL)
