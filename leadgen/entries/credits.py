"""Single lines of the ledger: given once for each key, taken back and given back as often as minds change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text

from leadgen.campaigns.models import Proof
from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.entries.models import LedgerKind
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName

# From the draw on the ledger stands still, whoever asks: points and places are those of the result.
_UNFROZEN = (
    "NOT EXISTS (SELECT FROM campaign k WHERE k.id = e.campaign_id AND k.status IN ('drawing', 'awarded', 'archived'))"
)
_CREDIT = text(f"""
WITH line AS (
    INSERT INTO ledger (campaign_id, entry_id, kind, points, chances, source_entry_id, action_id, proof, rules_version,
                        at, idempotency_key)
    SELECT e.campaign_id, e.id, :kind, CAST(:points AS int), CAST(:chances AS int), s.id, CAST(:action AS bigint),
           :proof, coalesce(s.rules_version, e.rules_version), CAST(:at AS timestamptz), :key
    FROM entry e LEFT JOIN entry s ON s.id = CAST(:source AS bigint)
    WHERE e.id = :entry AND e.status = 'confirmed' AND {_UNFROZEN}
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING campaign_id, entry_id, points, chances, kind, proof, at
)
INSERT INTO ledger_pending (campaign_id, entry_id, points, chances, kind, proof, friends, at)
SELECT campaign_id, entry_id, points, chances, kind, proof, (kind = 'referral')::int, at FROM line
RETURNING id
""")  # noqa: S608 - a constant of this module

# A line, the one that reverses it, the one that reverses that, …: the last says whether the points stand.
_LAST = """
WITH RECURSIVE chain AS (
    SELECT l.*, 0 AS step FROM ledger l WHERE l.idempotency_key = :key
    UNION ALL
    SELECT n.*, step + 1 FROM chain JOIN ledger n ON n.reverses_id = chain.id
), first AS (
    SELECT * FROM chain WHERE step = 0
), last AS (
    SELECT * FROM chain ORDER BY step DESC LIMIT 1
), line AS (
    INSERT INTO ledger (campaign_id, entry_id, kind, points, chances, source_entry_id, question_id, action_id, proof,
                        reverses_id, rules_version, at, idempotency_key)
    SELECT first.campaign_id, first.entry_id, {kind}, -last.points, -last.chances, first.source_entry_id,
           first.question_id, first.action_id, first.proof, last.id, first.rules_version, {at}, '{word}:' || last.id
    FROM first, last, entry e WHERE e.id = first.entry_id AND last.step % 2 = {step} AND {unfrozen}
    ON CONFLICT DO NOTHING
    RETURNING id, campaign_id, entry_id, points, chances, kind, proof, at
), unfolded AS (
    INSERT INTO ledger_pending (campaign_id, entry_id, points, chances, kind, proof, friends, at)
    SELECT line.campaign_id, line.entry_id, line.points, line.chances, {pending}, line.proof,
           CASE WHEN first.kind = 'referral' THEN {friends} ELSE 0 END, line.at
    FROM line, first
)
SELECT line.entry_id, line.campaign_id, e.brand_id, line.points, first.kind FROM line, first, entry e
WHERE e.id = line.entry_id
"""
_TAKE_BACK = text(
    _LAST.format(
        kind="'reversal'",
        at="CAST(:now AS timestamptz)",
        word="back",
        step=0,
        pending="'reversal'",
        friends=-1,
        unfrozen=_UNFROZEN,
    )
)
# With the time of the line that it restores: what was taken by mistake changes no tie-break (I33). To the fold a
# restored first line of an entry is like any other: the entry has joined the ranking long ago.
_GIVE_BACK = text(
    _LAST.format(
        kind="first.kind",
        at="first.at",
        word="again",
        step=1,
        pending="CASE WHEN line.kind = 'entry' THEN 'manual' ELSE line.kind END",
        friends=1,
        unfrozen=_UNFROZEN,
    )
)


def credit(  # noqa: PLR0913 - a line has so many columns; all but the first are named at the call
    entry_id: int,
    *,
    kind: LedgerKind,
    points: int,
    key: str,
    chances: int | None = None,
    proof: Proof = Proof.VERIFIED,
    action_id: int | None = None,
    source_entry_id: int | None = None,
    at: datetime | None = None,
) -> bool:
    """Give a confirmed entry points and chances (as many as points unless said), in the running transaction.

    Once for each `key`, for ever: False when it was given before, even if it was taken back since, and when the entry
    is not confirmed or the contest's list is frozen. `at` is when it was earned (UTC; now unless said).
    """
    values = {
        "entry": entry_id,
        "kind": kind.value,
        "points": points,
        "chances": points if chances is None else chances,
        "key": key,
        "proof": proof.value,
        "action": action_id,
        "source": source_entry_id,
        "at": at or clock.now(),
    }
    return _written(_CREDIT, values) is not None


def take_back(key: str, *, reason: str) -> bool:
    """Write the line that undoes the one with this key; False when there is none, or it is undone, or all is frozen.

    `reason` is told in the journal. What rests on the points (a reward) is looked at again by whoever gave it.
    """
    row = reverse(key)
    if row is not None:
        _tell(FactName.POINTS_TAKEN, row, {"reason": reason})
    return row is not None


def give_back(key: str) -> bool:
    """Restore what `take_back` took, as of the time it was first earned; False when it stands already or never did."""
    row = reinstate(key)
    if row is not None:
        _tell(FactName.POINTS_RETURNED, row, {})
    return row is not None


def reverse(key: str) -> Any:
    """`take_back` for a caller that tells the journal itself: the line that was written, or None."""
    return _written(_TAKE_BACK, {"key": key, "now": clock.now()})


def reinstate(key: str) -> Any:
    """`give_back` for a caller that tells the journal itself: the line that was written, or None."""
    return _written(_GIVE_BACK, {"key": key})


def _tell(name: FactName, row: Any, more: dict[str, Any]) -> None:
    same: dict[str, Any] = {"brand_id": row.brand_id, "campaign_id": row.campaign_id, "entry_id": row.entry_id}
    journal.record(name, **same, points=row.points, kind=row.kind, **more)


def _written(statement: Any, values: dict[str, Any]) -> Any:
    db.session.flush()
    row = db.session.execute(statement, values).one_or_none()
    if row is not None:
        queue.ring_after_commit(db.session(), Bell.POINTS)
    return row
