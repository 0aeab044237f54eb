"""What staff see and decide: deeds that wait for a look, how often each action was done, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from leadgen.actions import deeds
from leadgen.actions.deeds import Doer, Outcome
from leadgen.actions.models import Deed, DeedState
from leadgen.actions.rules import Done
from leadgen.campaigns.models import ActionKind
from leadgen.core import text as words
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _

PAGE = 50
LONGEST_REASON = 200
_COUNTS = text("""
SELECT action_id, count(*) FILTER (WHERE state = 'done') AS done, count(*) FILTER (WHERE state = 'waiting') AS waiting,
       count(DISTINCT entry_id) FILTER (WHERE state = 'done') AS people
FROM deed WHERE campaign_id = :campaign AND action_id = ANY(:actions) GROUP BY action_id
""")
_PEOPLE = text("""
SELECT d.id, d.entry_id, d.action_id, d.occurrence, d.state, d.begun_at, d.done_at,
       coalesce(d.data ->> 'note', '') AS note, coalesce((d.data ->> 'points')::int, 0) AS points,
       e.public_id, e.review, c.email, c.first_name
FROM deed d JOIN entry e ON e.id = d.entry_id JOIN contact c ON c.id = e.contact_id
WHERE d.action_id = ANY(:actions) AND (:state = '' OR d.state = :state)
  AND (CAST(:before AS bigint) IS NULL OR d.id < :before)
ORDER BY d.id DESC LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Count:
    """How often an action was done, by how many people, and how many deeds wait for staff."""

    done: int = 0
    waiting: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One deed with the person behind it; `email` is None once they are erased."""

    id: int
    entry_id: int
    action_id: int
    occurrence: str
    state: DeedState
    begun_at: datetime
    done_at: datetime | None
    note: str
    points: int
    public_id: str
    review: str
    email: str | None
    first_name: str


def counts(campaign_id: int, action_ids: list[int]) -> dict[int, Count]:
    """The counts of each of these actions; those that nobody has done are missing."""
    rows = db.session.execute(_COUNTS, {"campaign": campaign_id, "actions": action_ids})
    return {row.action_id: Count(row.done, row.waiting, row.people) for row in rows}


def lines(action_ids: list[int], *, state: str = "", before_id: int | None = None, most: int = PAGE) -> list[Line]:
    """Deeds of these actions with the people behind them, newest first; `before_id` continues after a page."""
    chosen = state if state in set(DeedState) else ""
    values = {"actions": action_ids, "state": chosen, "before": before_id, "most": most}
    rows = db.session.execute(_PEOPLE, values).mappings()
    return [Line(**{**row, "state": DeedState(row["state"])}) for row in rows]


def approve(campaign_id: int, deed_id: int, *, by: str) -> bool:
    """Staff say that a deed was done: credited as of when it was handed in. False when it was decided so before.

    Only what people hand in to be looked at, waiting or refused: nobody passes a quiz or ends a film by staff's word.
    Raises NotFound (another campaign's too), Conflict (the contest is settled, the action is switched off, or of
    another kind).
    """
    deed, who = _opened(campaign_id, deed_id)
    if deed.state is DeedState.DONE:
        return False
    try:
        action = deeds.action_of(who.card, deed.action_id)
    except NotFound:
        raise Conflict(_("This action is taken away; bring it back first.")) from None
    if action.kind is not ActionKind.CUSTOM or deed.state not in {DeedState.WAITING, DeedState.REFUSED}:
        raise Conflict(_("Nothing was handed in here that could be accepted."))
    if not (who.is_confirmed and who.was_within):
        raise Conflict(_("The contest is over; its points cannot change any more."))
    return deeds.finish(who, action, deed.occurrence, data={"by": by}).outcome is Outcome.DONE


def refuse(campaign_id: int, deed_id: int, *, by: str, reason: str) -> bool:
    """Staff do not accept a deed; points that it had are taken back. The person reads the reason and may try again.

    False when it was decided so before. Raises NotFound, Invalid (field “reason”), Conflict (settled).
    """
    told = words.one_line(reason, LONGEST_REASON)
    if not told:
        raise Invalid(_("Say in a few words why; the person reads it."), "reason")
    deed, who = _opened(campaign_id, deed_id)
    if deed.state not in {DeedState.WAITING, DeedState.DONE}:
        return False
    if deed.state is DeedState.DONE and not who.is_unsettled:
        raise Conflict(_("The contest is over; its points cannot change any more."))
    deeds.refuse(who, deed, told, by=by)
    return True


def _opened(campaign_id: int, deed_id: int) -> tuple[Done, Doer]:
    """The deed, and its person as of when they did it, locked."""
    row = db.session.execute(
        select(Deed.entry_id, Deed.action_id, Deed.occurrence, Deed.begun_at).where(
            Deed.id == deed_id, Deed.campaign_id == campaign_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    who = deeds.doer(row.entry_id, at=row.begun_at)
    found = next(d for d in who.deeds if (d.action_id, d.occurrence) == (row.action_id, row.occurrence))
    return found, who
