"""Reading works: the public gallery in three orders, one work, somebody's own, the queue of staff, and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import func, select

from leadgen.campaigns.cards import CampaignCard, PrizeCard
from leadgen.campaigns.models import Mechanic
from leadgen.core import clock, hot, text
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.core.i18n import gettext as _
from leadgen.gallery.models import Work, WorkState

PAGE = 24
FARTHEST = 400
PLACES_SHOWN = 10
MOST_WINNERS = 200
_SHUFFLE_SECONDS = 3600

_PUBLISHED = """
SELECT w.id, w.public_id, w.title, w.body, w.votes, w.created_at, w.entry_id, w.picture_id IS NOT NULL AS has_picture,
       p.width, p.height, e.public_id AS entry_public_id, e.code, e.display_name, e.is_on_board, c.first_name
FROM work w JOIN entry e ON e.id = w.entry_id JOIN contact c ON c.id = e.contact_id
LEFT JOIN picture p ON p.id = w.picture_id
WHERE w.campaign_id = %(campaign)s AND w.state = 'published' AND e.status = 'confirmed' AND e.review <> 'excluded'
AND (%(public_id)s::text IS NULL OR w.public_id = %(public_id)s::text)
ORDER BY CASE %(order)s::text WHEN 'top' THEN -w.votes WHEN 'new' THEN -w.id END,
         CASE WHEN %(order)s::text = 'top' THEN w.voted_at END,
         CASE WHEN %(order)s::text = 'random' THEN md5(w.public_id || %(seed)s::text) END,
         w.id
LIMIT %(limit)s OFFSET %(offset)s
"""
_PICTURE = """
SELECT CASE WHEN %(is_large)s::boolean THEN p.content ELSE p.thumbnail END AS content, p.mime,
       w.state = 'published' AND e.status = 'confirmed' AND e.review <> 'excluded' AND m.status <> 'draft' AS is_public
FROM work w JOIN picture p ON p.id = w.picture_id JOIN entry e ON e.id = w.entry_id
JOIN campaign m ON m.id = w.campaign_id
WHERE w.public_id = %(public_id)s
"""
_OWN = """
SELECT w.public_id, w.action_id, w.title, w.body, w.state, w.reason, w.votes, w.created_at,
       w.picture_id IS NOT NULL AS has_picture, p.width, p.height
FROM work w LEFT JOIN picture p ON p.id = w.picture_id
WHERE w.entry_id = %(entry)s AND w.state <> 'withdrawn' ORDER BY w.id
"""
_QUEUE = """
SELECT w.id, w.public_id, w.title, w.body, w.state, w.reason, w.votes, w.created_at, w.decided_by, w.decided_at,
       w.entry_id, w.picture_id IS NOT NULL AS has_picture, p.width, p.height,
       c.first_name, c.email, e.public_id AS entry_public_id, e.review
FROM work w JOIN entry e ON e.id = w.entry_id JOIN contact c ON c.id = e.contact_id
LEFT JOIN picture p ON p.id = w.picture_id
WHERE w.campaign_id = %(campaign)s AND e.status <> 'erased'
AND (%(state)s::text = '' OR w.state = %(state)s::text) AND (%(after)s::bigint IS NULL OR w.id > %(after)s::bigint)
ORDER BY w.id LIMIT %(limit)s
"""


class Order(StrEnum):
    """In which order works are shown."""

    NEW = "new"
    TOP = "top"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Shown:
    """A published work as everybody may see it; `maker` is what its maker wants to be called."""

    id: int
    public_id: str
    title: str
    body: str
    votes: int
    created_at: datetime
    has_picture: bool
    width: int
    height: int
    maker: str
    maker_entry_id: int
    maker_code: str


@dataclass(frozen=True, slots=True)
class Own:
    """A work as its maker sees it."""

    public_id: str
    action_id: int
    title: str
    body: str
    state: WorkState
    reason: str
    votes: int
    created_at: datetime
    has_picture: bool
    width: int
    height: int


class Placed(NamedTuple):
    """A work in the final order, and the prize that its place brings."""

    place: int
    work: Shown
    prize: PrizeCard | None


def published(campaign_id: int, order: Order, *, page: int = 1, limit: int = PAGE) -> list[Shown]:
    """One page of the gallery.

    `random` shuffles anew each hour and is the same for all pages of that hour: no work stands in front because it was
    early or because it leads already. `top` is the final order: more votes, then who had them first, then the older.
    """
    offset = (min(max(page, 1), FARTHEST) - 1) * PAGE
    seed = str(int(clock.now().timestamp()) // _SHUFFLE_SECONDS)
    values = {"campaign": campaign_id, "public_id": None, "order": order.value, "seed": seed}
    return [_shown(row) for row in hot.many(_PUBLISHED, values | {"limit": limit, "offset": offset})]


def one(campaign_id: int, public_id: str) -> Shown:
    """One published work. Raises NotFound."""
    values = {"campaign": campaign_id, "public_id": public_id, "order": "new", "seed": "", "limit": 1, "offset": 0}
    row = hot.one(_PUBLISHED, values)
    if row is None:
        raise NotFound
    return _shown(row)


def result(card: CampaignCard) -> list[Placed]:
    """The first places in the final order, with the prizes of the mechanic `votes` in theirs; one a person at most."""
    prizes = [prize for prize in card.prizes if prize.mechanic is Mechanic.VOTES for _piece in range(prize.quantity)]
    left = iter(prizes[:MOST_WINNERS])
    winners: set[int] = set()
    placed = []
    for place, work in enumerate(published(card.id, Order.TOP, limit=MOST_WINNERS), 1):
        is_first = work.votes > 0 and work.maker_entry_id not in winners
        prize = next(left, None) if is_first else None
        winners.add(work.maker_entry_id)
        if work.votes and (prize or place <= PLACES_SHOWN):
            placed.append(Placed(place, work, prize))
    return placed


def own(entry_id: int) -> list[Own]:
    """Somebody's works, the oldest first; withdrawn ones are gone."""
    return [
        Own(**(row | {"state": WorkState(row["state"]), "width": row["width"] or 0, "height": row["height"] or 0}))
        for row in hot.many(_OWN, {"entry": entry_id})
    ]


def queue(campaign_id: int, state: str, *, after: int | None = None, limit: int = PAGE) -> list[dict[str, Any]]:
    """Works as staff see them, the oldest first: who waits longest is looked at first. `state` "" means all."""
    return hot.many(_QUEUE, {"campaign": campaign_id, "state": state, "after": after, "limit": limit})


def numbers(campaign_id: int) -> dict[str, int]:
    """How many works of a campaign are in each state."""
    statement = select(Work.state, func.count()).filter_by(campaign_id=campaign_id).group_by(Work.state)
    found = {state.value: number for state, number in db.session.execute(statement)}
    return {state.value: found.get(state.value, 0) for state in WorkState}


def picture(public_id: str, *, is_large: bool) -> tuple[bytes, str, bool]:
    """A work's picture, its MIME type, and whether everybody may see it. Raises NotFound."""
    row = hot.one(_PICTURE, {"public_id": public_id, "is_large": is_large})
    if row is None:
        raise NotFound
    return row["content"], row["mime"], row["is_public"]


def _shown(row: hot.Row) -> Shown:
    return Shown(
        **{name: row[name] for name in ("id", "public_id", "title", "body", "votes", "created_at", "has_picture")},
        width=row["width"] or 0,
        height=row["height"] or 0,
        maker=_maker(row),
        maker_entry_id=row["entry_id"],
        maker_code=row["code"],
    )


def _maker(row: hot.Row) -> str:
    """What the maker wants to be called; who does not want to be seen is a number."""
    name = str(row["display_name"] or text.shown_name(row["first_name"]))
    return (
        name if name and row["is_on_board"] else _("Participant %(number)s") % {"number": row["entry_public_id"][-3:]}
    )
