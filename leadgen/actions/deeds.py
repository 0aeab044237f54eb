"""What every deed goes through: one person at a time, the contest's window, the rules, the row, and its points."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import text

from leadgen.actions import rules
from leadgen.actions.models import DeedState
from leadgen.actions.rules import Done, Stand, Way
from leadgen.campaigns import cards
from leadgen.campaigns.cards import ActionCard, CampaignCard
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries import credits as ledger
from leadgen.entries.models import LedgerKind
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName

# One person's deeds are done one after the other, so that a double press finds the first one's row.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('deed:' || CAST(:entry AS text), 0))")
# Whoever erases the person locks the entry for themselves: what is written under our share of it is gone with them, and
# whoever comes after them finds nobody.
_READ = text("""
SELECT e.id, e.status = 'confirmed' AS is_confirmed, e.brand_id, e.campaign_id, e.contact_id,
       c.status IN ('live', 'scheduled') AS is_running, c.starts_at, c.ends_at,
       c.status IN ('live', 'scheduled', 'paused', 'closing') AS is_unsettled,
       coalesce((SELECT jsonb_agg(d ORDER BY d.id) FROM deed d WHERE d.entry_id = e.id), '[]') AS deeds
FROM entry e JOIN campaign c ON c.id = e.campaign_id
WHERE e.id = :entry AND e.status <> 'erased' FOR KEY SHARE OF e
""")
# From the action's own row: one that was switched off or deleted meanwhile earns nothing.
_WRITE = text("""
INSERT INTO deed (campaign_id, entry_id, action_id, occurrence, state, data, begun_at, done_at)
SELECT a.campaign_id, :entry, a.id, :occurrence, :state, CAST(:data AS jsonb), :at, :done_at
FROM action a WHERE a.id = :action AND a.campaign_id = :campaign AND a.is_active FOR KEY SHARE
ON CONFLICT (entry_id, action_id, occurrence) DO UPDATE
SET state = excluded.state, data = deed.data || excluded.data, done_at = excluded.done_at
WHERE deed.state <> 'done'
RETURNING id
""")
_REFUSE = text("""
UPDATE deed SET state = 'refused', done_at = NULL, data = data || CAST(:reason AS jsonb)
WHERE entry_id = :entry AND action_id = :action AND occurrence = :occurrence
""")


class Outcome(StrEnum):
    """What came of an attempt; the door has a sentence for each."""

    DONE = "done"
    BEGUN = "begun"
    WAITING = "waiting"
    ALREADY = "already"
    LOCKED = "locked"
    NOT_YET = "not_yet"
    OVER = "over"
    CLOSED = "closed"  # the contest takes no deeds: before, paused, in grace, closed
    UNCONFIRMED = "unconfirmed"
    TOO_SOON = "too_soon"
    FAILED = "failed"
    WRONG = "wrong"
    USED_UP = "used_up"
    RESTING = "resting"  # too many wrong codes


@dataclass(frozen=True, slots=True)
class Result:
    """`points` is what it earned now; `seconds` how long to wait (too_soon, resting) or still to watch (begun)."""

    outcome: Outcome
    points: int = 0
    seconds: int = 0


_REFUSALS = {
    Stand.DONE: Outcome.ALREADY,
    Stand.AGAIN: Outcome.ALREADY,
    Stand.WAITING: Outcome.ALREADY,
    Stand.FAILED: Outcome.FAILED,
    Stand.LOCKED: Outcome.LOCKED,
    Stand.NOT_YET: Outcome.NOT_YET,
    Stand.OVER: Outcome.OVER,
}


@dataclass(frozen=True, slots=True)
class Doer:
    """A person about to do something, alone at it until the transaction ends."""

    entry_id: int
    brand_id: int
    contact_id: int
    card: CampaignCard
    is_confirmed: bool
    is_running: bool
    is_unsettled: bool  # points of deeds that were done in time may still be written
    starts_at: datetime
    ends_at: datetime
    deeds: tuple[Done, ...]
    now: datetime

    def way(self, action: ActionCard) -> Way:
        """Where the person stands with this action."""
        found = rules.ways(self.card.actions, self.deeds, self.now, self.card.timezone)
        return next(way for way in found if way.action.id == action.id)

    def of(self, action: ActionCard) -> list[Done]:
        """The person's deeds of one action."""
        return [deed for deed in self.deeds if deed.action_id == action.id]

    @property
    def was_within(self) -> bool:
        """Whether `now` lies in the contest's window and its points are not settled: for deeds judged afterwards."""
        return self.is_unsettled and self.starts_at <= self.now < self.ends_at

    def refusal(self, way: Way) -> Result | None:
        """Why nothing can be done now (rules 3 and F1), or None."""
        if not self.is_confirmed:
            return Result(Outcome.UNCONFIRMED)
        if not (self.is_running and self.starts_at <= self.now < self.ends_at):
            return Result(Outcome.CLOSED)
        return None if way.is_open else Result(_REFUSALS[way.stand])


def doer(entry_id: int, *, at: datetime | None = None) -> Doer:
    """The person, locked for this transaction, judged as of `at` (now). Raises NotFound for absent and erased ones."""
    db.session.execute(_LOCK, {"entry": entry_id})
    row = db.session.execute(_READ, {"entry": entry_id}).mappings().one_or_none()
    if row is None:
        raise NotFound
    return Doer(
        entry_id=entry_id,
        brand_id=row["brand_id"],
        contact_id=row["contact_id"],
        card=cards.by_id(row["campaign_id"]),
        is_confirmed=row["is_confirmed"],
        is_running=row["is_running"],
        is_unsettled=row["is_unsettled"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        deeds=tuple(done(deed) for deed in row["deeds"]),
        now=at or clock.now(),
    )


def done(row: Mapping[str, Any]) -> Done:
    """A deed from its row as JSON."""
    return Done(
        action_id=row["action_id"],
        occurrence=row["occurrence"],
        state=DeedState(row["state"]),
        begun_at=datetime.fromisoformat(row["begun_at"]),
        done_at=datetime.fromisoformat(row["done_at"]) if row["done_at"] else None,
        data=row["data"],
    )


def action_of(card: CampaignCard, action_id: int) -> ActionCard:
    """The active action. Raises NotFound for one that is absent, switched off or another campaign's."""
    for action in card.actions:
        if action.id == action_id:
            return action
    raise NotFound


def write(who: Doer, action: ActionCard, occurrence: str, state: DeedState, data: Mapping[str, Any]) -> bool:
    """Keep the deed in this state; False when it was done before, or the action is gone."""
    values = {
        "entry": who.entry_id,
        "campaign": who.card.id,
        "action": action.id,
        "occurrence": occurrence,
        "state": state.value,
        "data": json.dumps(data, ensure_ascii=False),
        "at": who.now,
        "done_at": who.now if state is DeedState.DONE else None,
    }
    return db.session.execute(_WRITE, values).one_or_none() is not None


def finish(
    who: Doer, action: ActionCard, occurrence: str, *, times: int = 1, data: Mapping[str, Any] | None = None
) -> Result:
    """The deed is done: its row, `times` its worth in the ledger, and the fact. Once, however often it is called.

    One that was credited before and taken back is worth what it was then: its line is what stands again.
    """
    points, chances = _credited(who, action, occurrence) or (action.points * times, action.chances * times)
    worth = {"points": points, "chances": chances}
    if not write(who, action, occurrence, DeedState.DONE, {**(data or {}), **worth}):
        return Result(Outcome.ALREADY)
    credit(who.entry_id, action.id, occurrence, points=points, chances=chances, proof=action.proof, at=who.now)
    _tell(FactName.ACTION_CREDITED, who, action=action.key, points=points)
    return Result(Outcome.DONE, points)


def _credited(who: Doer, action: ActionCard, occurrence: str) -> tuple[int, int] | None:
    """Points and chances of the line that this deed has in the ledger already, or None."""
    for deed in who.of(action):
        if deed.occurrence == occurrence:
            worth = int(deed.data.get("points", 0)), int(deed.data.get("chances", 0))
            return worth if any(worth) else None
    return None


def credit(entry_id: int, action_id: int, occurrence: str, *, points: int, chances: int, proof: Any, at: Any) -> None:
    """The ledger line of a deed, or the one that was taken back again; a deed that is worth nothing has none."""
    if not (points or chances):
        return
    name = key(entry_id, action_id, occurrence)
    is_new = ledger.credit(
        entry_id,
        kind=LedgerKind.ACTION,
        points=points,
        chances=chances,
        key=name,
        proof=proof,
        action_id=action_id,
        at=at,
    )
    if not is_new:
        ledger.give_back(name)


def refuse(who: Doer, deed: Done, reason: str, *, by: str = "") -> None:
    """The deed does not count: its state, and its points taken back where it had any. Harmless when repeated."""
    if deed.state is DeedState.REFUSED:
        return
    values = {
        "entry": who.entry_id,
        "action": deed.action_id,
        "occurrence": deed.occurrence,
        "reason": json.dumps({"reason": reason, "by": by}, ensure_ascii=False),
    }
    db.session.execute(_REFUSE, values)
    points = int(deed.data.get("points", 0)) if deed.state is DeedState.DONE else 0
    if deed.state is DeedState.DONE:
        ledger.take_back(key(who.entry_id, deed.action_id, deed.occurrence), reason=reason)
    _tell(FactName.ACTION_REFUSED, who, action=deed.action_id, points=-points)


def _tell(name: FactName, who: Doer, **data: Any) -> None:
    journal.record(
        name,
        brand_id=who.brand_id,
        campaign_id=who.card.id,
        contact_id=who.contact_id,
        entry_id=who.entry_id,
        **data,
    )


def key(entry_id: int, action_id: int, occurrence: str) -> str:
    """The idempotency key of a deed's line: entry, action, occurrence (F6)."""
    return f"action:{entry_id}:{action_id}:{occurrence}"
