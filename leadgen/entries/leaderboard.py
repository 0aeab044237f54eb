"""The public board of a race: its first places, live or as they stood when it froze, and the lines around one person.

The board is read by index, at most every two seconds in each process: ten lines cost a tenth of a millisecond, so they
are kept in the process and not in Redis, where an erased person's name would have to be hunted down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import CampaignStatus, Mechanic
from leadgen.core import clock, hot, text
from leadgen.entries import lately
from leadgen.entries.lately import Lately
from leadgen.entries.places import Place, place_of

__all__ = ["Board", "BoardLine", "Place", "around", "board", "forget", "froze_at", "has_board", "is_final", "place_of"]

FRESH_SECONDS = 2.0
CODE_LETTERS = 3
# How many people of today's order a frozen board is looked for among, one by one. Only a contest in which thousands
# earned points after the freeze needs more: there all who did are reckoned back in one statement.
WIDEST = 2_000
REACH = 2  # lines shown above and below a person; written into the statement, so that its plan knows how few they are
_OVER = {CampaignStatus.CLOSED, CampaignStatus.DRAWING, CampaignStatus.AWARDED, CampaignStatus.ARCHIVED}
# Whoever confirmed a moment ago and is not folded yet has no points; so have those who never earned one.
_RANKED = "e.status = 'confirmed' AND e.review = 'clear'"
_SHOWN = """e.id, e.public_id, e.rank_points,
       CASE WHEN e.is_on_board THEN coalesce(nullif(e.display_name, ''), p.first_name) ELSE '' END AS name"""

_TOP = f"""
SELECT e.id, e.rank_points AS points FROM entry e
WHERE e.campaign_id = %(campaign)s AND {_RANKED} AND e.rank_points > 0
ORDER BY e.rank_points DESC, e.reached_at, e.id LIMIT %(most)s
"""  # noqa: S608 - the only values put in by Python are constants of this module
# The order of today, and beside each what was earned since the board froze. What was taken back for good is gone from
# both; what was given back stands at the time when it was earned.
_TOP_WITH_LATER = f"""
SELECT e.id, e.rank_points AS points_now, e.reached_at AS reached_now,
       e.rank_points + coalesce(unfolded.points, 0) - coalesce(earned.later, 0) AS points,
       coalesce(earned.reached_at, e.confirmed_at) AS reached_at
FROM (
    SELECT * FROM entry e
    WHERE e.campaign_id = %(campaign)s AND {_RANKED} AND e.rank_points > 0
    ORDER BY e.rank_points DESC, e.reached_at, e.id LIMIT %(most)s
) AS e
LEFT JOIN LATERAL (
    SELECT sum(points) AS points FROM ledger_pending WHERE entry_id = e.id AND proof <> 'declared'
) AS unfolded ON true
LEFT JOIN LATERAL (
    SELECT sum(l.points) FILTER (WHERE l.at >= %(moment)s) AS later,
           max(l.at) FILTER (WHERE l.at < %(moment)s) AS reached_at
    FROM ledger l
    WHERE l.entry_id = e.id AND l.points > 0 AND l.proof <> 'declared' AND l.kind <> 'reversal'
      AND NOT EXISTS (SELECT 1 FROM ledger r WHERE r.entry_id = e.id AND r.reverses_id = l.id)
) AS earned ON true
ORDER BY e.rank_points DESC, e.reached_at, e.id
"""  # noqa: S608 - as above

# Whoever earned nothing since stands as they stood; all others are reckoned back. A point that was earned since and
# stands says so in `reached_at`, or is not folded yet.
_TOP_BEFORE = f"""
WITH since AS MATERIALIZED (
    SELECT e.id FROM entry e WHERE e.campaign_id = %(campaign)s AND {_RANKED} AND e.reached_at >= %(moment)s
    UNION
    SELECT entry_id FROM ledger_pending WHERE campaign_id = %(campaign)s
), earned AS (
    SELECT l.entry_id, sum(l.points) FILTER (WHERE l.at >= %(moment)s) AS later,
           max(l.at) FILTER (WHERE l.at < %(moment)s) AS reached_at
    FROM since JOIN ledger l ON l.entry_id = since.id
    WHERE l.points > 0 AND l.proof <> 'declared' AND l.kind <> 'reversal'
      AND NOT EXISTS (SELECT 1 FROM ledger r WHERE r.reverses_id = l.id)
    GROUP BY 1
), unfolded AS (
    SELECT entry_id, sum(points) AS points FROM ledger_pending
    WHERE campaign_id = %(campaign)s AND proof <> 'declared' GROUP BY 1
), standing AS (
    (SELECT e.id, e.rank_points AS points, e.reached_at FROM entry e
     WHERE e.campaign_id = %(campaign)s AND {_RANKED} AND e.rank_points > 0 AND e.reached_at < %(moment)s
       AND NOT EXISTS (SELECT FROM ledger_pending p WHERE p.entry_id = e.id)
     ORDER BY e.rank_points DESC, e.reached_at, e.id LIMIT %(most)s)
    UNION ALL
    SELECT e.id, e.rank_points + coalesce(unfolded.points, 0) - coalesce(earned.later, 0),
           coalesce(earned.reached_at, e.confirmed_at)
    FROM since JOIN entry e ON e.id = since.id
    LEFT JOIN earned ON earned.entry_id = e.id LEFT JOIN unfolded ON unfolded.entry_id = e.id
    WHERE e.campaign_id = %(campaign)s AND {_RANKED} AND e.rank_points > 0
)
SELECT id, points FROM standing WHERE points > 0 ORDER BY points DESC, reached_at, id LIMIT %(most)s
"""  # noqa: S608 - as above

_NAMES = f"""
SELECT {_SHOWN} FROM entry e JOIN contact p ON p.id = e.contact_id WHERE e.id = ANY(%(ids)s) AND {_RANKED}
"""  # noqa: S608 - as above

_TIED = f"e.campaign_id = %(campaign)s AND {_RANKED} AND e.rank_points = %(points)s AND e.id <> %(entry)s"
_OTHER = f"e.campaign_id = %(campaign)s AND {_RANKED} AND e.id <> %(entry)s AND e.rank_points"
_AROUND = f"""
SELECT near.side, {_SHOWN.replace("e.rank_points", "near.rank_points")} FROM (
    SELECT 0 AS side, %(entry)s::bigint AS id, %(points)s::int AS rank_points, %(reached)s::timestamptz AS reached_at
    UNION ALL
    SELECT * FROM (
        (SELECT -1 AS side, id, rank_points, reached_at FROM entry e
         WHERE {_TIED} AND (e.reached_at, e.id) < (%(reached)s, %(entry)s)
         ORDER BY e.reached_at DESC, e.id DESC LIMIT {REACH})
        UNION ALL
        (SELECT -1, id, rank_points, reached_at FROM entry e WHERE {_OTHER} > %(points)s
         ORDER BY e.rank_points, e.reached_at DESC, e.id DESC LIMIT {REACH})
        ORDER BY rank_points, reached_at DESC, id DESC LIMIT {REACH}
    ) AS above
    UNION ALL
    SELECT * FROM (
        (SELECT 1 AS side, id, rank_points, reached_at FROM entry e
         WHERE {_TIED} AND (e.reached_at, e.id) > (%(reached)s, %(entry)s)
         ORDER BY e.reached_at, e.id LIMIT {REACH})
        UNION ALL
        (SELECT 1, id, rank_points, reached_at FROM entry e WHERE {_OTHER} < %(points)s AND e.rank_points > 0
         ORDER BY e.rank_points DESC, e.reached_at, e.id LIMIT {REACH})
        ORDER BY rank_points DESC, reached_at, id LIMIT {REACH}
    ) AS below
) AS near
JOIN entry e ON e.id = near.id JOIN contact p ON p.id = e.contact_id
ORDER BY near.rank_points DESC, near.reached_at, near.id
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One place as the public sees it. `name` is empty for whoever stays unnamed: “Participant 4F2” by `code`."""

    number: int
    entry_id: int
    name: str
    code: str
    points: int


@dataclass(frozen=True, slots=True)
class Board:
    """The first places. `frozen_at` is the moment at which they stand still, None while they are live or final."""

    lines: tuple[BoardLine, ...]
    frozen_at: datetime | None
    is_final: bool


_boards: Lately[Board] = Lately(FRESH_SECONDS)


def has_board(card: CampaignCard) -> bool:
    """Whether the public may see who leads: the contest is a race, and the marketer shows it."""
    return card.is_board_shown and Mechanic.RANK in card.mechanics


def is_final(card: CampaignCard) -> bool:
    """Whether nothing moves any more: the contest is over, and so is the time to confirm."""
    return card.status in _OVER or clock.now() >= card.ends_at + timedelta(seconds=card.grace_seconds)


def froze_at(card: CampaignCard) -> datetime | None:
    """The moment at which the public board stands still now; None before it, after the contest, and without a freeze.

    One's own points and place go on (F7). The board moves again when the result is final.
    """
    moment = card.ends_at - timedelta(hours=card.freeze_hours)
    return moment if card.freeze_hours and moment <= clock.now() and not is_final(card) else None


def board(card: CampaignCard, *, most: int | None = None, is_live: bool = False) -> Board:
    """The first `most` places (as many as the campaign shows), at most two seconds old in each process.

    A frozen board tells what was earned before it froze, whenever it is asked and by whichever process: it is reckoned
    from the ledger. Whoever is held, excluded or erased since is not on it. `is_live` looks through the freeze.
    """
    most = most or card.board_size
    moment = None if is_live else froze_at(card)
    return _boards.get((card.id, most, moment, is_final(card)), lambda: _read(card, most, moment))


def around(place: Place) -> tuple[BoardLine, ...]:
    """The person's own line with up to REACH lines above and below, the first on top; live."""
    values = {"campaign": place.campaign_id, "entry": place.entry_id, "points": place.points}
    rows = hot.many(_AROUND, values | {"reached": place.reached_at})
    above = sum(row["side"] < 0 for row in rows)
    return tuple(_line(place.number - above + index, row) for index, row in enumerate(rows))


def forget() -> None:
    """Show the board anew at the next call: somebody on it was held or erased, or wants another name."""
    _boards.forget()


def forget_all() -> None:
    """Read everything anew (tests)."""
    lately.forget()


def _read(card: CampaignCard, most: int, moment: datetime | None) -> Board:
    if moment is not None and moment <= card.starts_at:
        found = []  # nobody had anything yet
    elif moment is None:
        found = [(row["id"], int(row["points"])) for row in hot.many(_TOP, {"campaign": card.id, "most": most})]
    else:
        found = _top_before(card.id, most, moment)
    named = {row["id"]: row for row in hot.many(_NAMES, {"ids": [entry_id for entry_id, _ in found]})}
    shown = [(named[entry_id], total) for entry_id, total in found if entry_id in named]
    lines = (_line(number, row | {"rank_points": total}) for number, (row, total) in enumerate(shown, 1))
    return Board(tuple(lines), moment, is_final(card))


def _top_before(campaign_id: int, most: int, moment: datetime) -> list[tuple[int, int]]:
    """The first places by what was earned before `moment`.

    Nobody had more then than now, so the order of today is walked from the top until whoever comes next could not be
    among the first even without having earned anything since: some dozens of people, however large the contest. Where
    that is not found among WIDEST, everybody who earned something since is reckoned back; what that takes also says
    how seldom it is done (Lately).
    """
    width = min(most * 4, WIDEST)
    while True:
        rows = hot.many(_TOP_WITH_LATER, {"campaign": campaign_id, "moment": moment, "most": width})
        then = sorted(_key(row["points"], row["reached_at"], row["id"]) for row in rows if row["points"] > 0)[:most]
        last = rows[-1] if len(rows) == width else None
        if last is None or (
            len(then) == most and then[-1] <= _key(last["points_now"], last["reached_now"], last["id"])
        ):
            return [(entry_id, -minus) for minus, _reached, entry_id in then]
        if width == WIDEST:
            found = hot.many(_TOP_BEFORE, {"campaign": campaign_id, "moment": moment, "most": most})
            return [(row["id"], int(row["points"])) for row in found]
        width = min(width * 4, WIDEST)


def _key(total: Any, reached_at: datetime, entry_id: int) -> tuple[int, datetime, int]:
    return -int(total), reached_at, entry_id


def _line(number: int, row: dict[str, Any]) -> BoardLine:
    name = text.shown_name(row["name"] or "")
    return BoardLine(number, row["id"], name, row["public_id"][:CODE_LETTERS], int(row["rank_points"]))
