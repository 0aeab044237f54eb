"""Breakers: a stream whose mails bounce, are complained about or all fail alike is stopped, and says why.

What is judged are the last 1,000 mails of a stream for which answers have come. Right after a batch nothing is known of
it yet, and at 2,000 mails a second “the last 1,000” would always be such a batch; so the window ends at the newest mail
that a receipt was about. A provider that never tells what became of its mails is judged by what it took and refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName
from leadgen.mail import groups, streams

WINDOW = 1_000
LEAST = 100  # of fewer mails a rate says little
MOST_BOUNCES = 0.05
MOST_COMPLAINTS = 0.001
AT_ONCE = 0.003  # complaints that are not waited for until LEAST mails are out
LEAST_COMPLAINTS = 2  # one person may always press the wrong button
IDENTICAL = 20
# Streams that send in the next minutes: what has nothing to send need not be stopped.
_SOON = timedelta(minutes=5)
# An answer that got lost says something about one process or connection, not about the stream.
_NOT_THE_STREAMS_FAULT = frozenset({"no_answer", "timeout", "connection_lost", "process_lost"})

# Both statements walk an index from its end: in a table that is one large stream the planner believes that any way
# finds matching rows at once. So the first asks in the order of ix_message_due, and the second compares whole rows.
_CANDIDATES = text("""
SELECT s.id, s.brand_id, s.campaign_id, s.judged_from FROM stream s
CROSS JOIN LATERAL (
    SELECT count(*) AS groups FROM unnest(CAST(:groups AS text[])) AS g (name) CROSS JOIN LATERAL (
        SELECT m.due_at, m.id FROM message m
        WHERE m.lane = s.lane AND m.stream_id = s.id AND m.domain_group = g.name
          AND m.status = 'scheduled' AND m.due_at <= :soon
        ORDER BY m.due_at, m.id LIMIT 1) AS first
) AS due
WHERE s.lane IN ('nurture', 'bulk') AND s.state = 'open' AND due.groups > 0
ORDER BY s.id
""")

_WINDOW = text("""
WITH edge AS (
    SELECT max(m.id) AS id FROM unnest(ARRAY['delivered', 'bounced']) AS w (status) CROSS JOIN LATERAL (
        SELECT id FROM message
        WHERE (stream_id, status, id) > (:stream, w.status, :judged_from)
          AND (stream_id, status, id) < (:stream, w.status, :beyond) AND stream_id > 0
        ORDER BY stream_id DESC, status DESC, id DESC LIMIT 1) m
), looked AS (
    SELECT 'accepted' AS status, :beyond AS until
    UNION ALL SELECT 'accepted', id + 1 FROM edge WHERE id IS NOT NULL
    UNION ALL SELECT status, :beyond FROM unnest(ARRAY['delivered', 'bounced', 'failed']) AS w (status)
)
SELECT DISTINCT m.id, m.status, m.reason, m.step_id, m.locale, m.id <= coalesce(edge.id, m.id) AS is_answered
FROM edge, looked w CROSS JOIN LATERAL (
    SELECT id, status, reason, step_id, locale FROM message
    WHERE (stream_id, status, id) > (:stream, w.status, :judged_from)
      AND (stream_id, status, id) < (:stream, w.status, w.until) AND stream_id > 0
    ORDER BY stream_id DESC, status DESC, id DESC LIMIT :window) m
ORDER BY m.id DESC
""")
_BEYOND = 2**62  # larger than any id


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a stream's last mails."""

    sent: int = 0
    bounces: int = 0
    complaints: int = 0
    identical: str = ""  # the reason for which the last 20 of a letter all failed

    @property
    def reason(self) -> str:
        """Why the stream must stop (`complaints`, `bounces`, `errors`); empty when it may go on."""
        complaints = self.complaints / self.sent if self.sent else 0.0
        is_at_once = complaints >= AT_ONCE
        is_many = self.sent >= LEAST and complaints > MOST_COMPLAINTS
        if self.complaints >= LEAST_COMPLAINTS and (is_at_once or is_many):
            return "complaints"
        if self.sent >= LEAST and self.bounces / self.sent > MOST_BOUNCES:
            return "bounces"
        return "errors" if self.identical else ""


def judge() -> list[int]:
    """Stop every open marketing stream that has earned it; the ids of those. The caller commits.

    The fact `stream.stopped` says why and by which figures.
    """
    values = {"groups": list(groups.ALL), "soon": clock.now() + _SOON}
    stopped = []
    for stream in db.session.execute(_CANDIDATES, values).all():
        found = look_at(stream.id, stream.judged_from)
        if found.reason and streams.stop(stream.id, found.reason):
            journal.record(
                FactName.STREAM_STOPPED,
                brand_id=stream.brand_id,
                campaign_id=stream.campaign_id,
                stream=stream.id,
                reason=found.reason,
                sent=found.sent,
                bounces=found.bounces,
                complaints=found.complaints,
                error=found.identical,
            )
            stopped.append(stream.id)
    return stopped


def look_at(stream_id: int, judged_from: int = 0) -> Verdict:
    """Judge the last mails of a stream with an id above `judged_from`; reads at most some thousand index entries."""
    values = {"stream": stream_id, "judged_from": judged_from, "window": WINDOW, "beyond": _BEYOND}
    rows = db.session.execute(_WINDOW, values).all()
    sent = [row for row in rows if row.is_answered and (row.status != "failed" or row.reason == "address")][:WINDOW]
    return Verdict(
        sent=len(sent),
        bounces=sum(row.status == "failed" or (row.status, row.reason) == ("bounced", "hard") for row in sent),
        complaints=sum((row.status, row.reason) == ("delivered", "complaint") for row in sent),
        identical=_identical(rows),
    )


def _identical(rows: Sequence[Any]) -> str:
    """The reason that the last 20 mails of one letter in one language share, newest first in `rows`; else empty.

    By letter and language, because a letter that is broken in French alone fails between mails that go out.
    """
    of_letter: dict[tuple[int | None, str], list[Any]] = {}
    for row in rows:
        of_letter.setdefault((row.step_id, row.locale), []).append(row)
    for last in (found[:IDENTICAL] for found in of_letter.values() if len(found) >= IDENTICAL):
        reasons = {row.reason.partition(":")[0] if row.status == "failed" else "" for row in last}
        if len(reasons) == 1 and (reason := reasons.pop()) and reason not in _NOT_THE_STREAMS_FAULT:
            return str(reason)
    return ""
