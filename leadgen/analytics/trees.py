"""One person's tree: three generations by columns that each entry got from its referrer. Only SELECT stands here.

No recursion: referrer_id, ref2_id and ref3_id have an index each, so 40,000 people are counted in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries.models import EntryStatus, ReferralState, Review

PAGE = 20
MOST_FRIENDS = 4  # of each friend, shown on the page
MOST_THIRD = 3
LEVELS = (1, 2, 3)
_LEVELS = """
SELECT 1 AS level, count(*) AS people, count(*) FILTER (WHERE status = 'confirmed') AS confirmed
FROM entry WHERE referrer_id = :root
UNION ALL SELECT 2, count(*), count(*) FILTER (WHERE status = 'confirmed') FROM entry WHERE ref2_id = :root
UNION ALL SELECT 3, count(*), count(*) FILTER (WHERE status = 'confirmed') FROM entry WHERE ref3_id = :root
"""
# Whoever leads the largest branch stands first.
_BRANCHES = """
SELECT d.id FROM entry d
LEFT JOIN (SELECT referrer_id, count(*) AS friends FROM entry WHERE ref2_id = :root GROUP BY 1) b
       ON b.referrer_id = d.id
WHERE d.referrer_id = :root ORDER BY coalesce(b.friends, 0) DESC, d.id LIMIT :limit OFFSET :offset
"""
_NODE = """
SELECT e.id, e.referrer_id, e.root_id, e.depth, e.public_id, e.status, e.review, e.referral_state,
       c.first_name, c.email,
       (SELECT count(*) FROM entry f WHERE f.referrer_id = e.id) AS friends
FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS p (id, place)
{source} JOIN contact c ON c.id = e.contact_id ORDER BY p.place, e.id
"""
_THEMSELVES = _NODE.format(source="JOIN entry e ON e.id = p.id AND e.campaign_id = :campaign")
_FRIENDS = _NODE.format(
    source="CROSS JOIN LATERAL (SELECT * FROM entry g WHERE g.referrer_id = p.id ORDER BY g.id LIMIT :most) AS e"
)


@dataclass(frozen=True, slots=True)
class Level:
    """One generation below the root: 1 are the friends, 2 theirs, 3 theirs again."""

    number: int
    people: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Node:
    """A person in the tree; `friends` brought in all, `shown` the first of them."""

    id: int
    referrer_id: int | None
    root_id: int | None
    depth: int
    public_id: str
    status: EntryStatus
    review: Review
    referral_state: ReferralState
    first_name: str
    email: str | None
    friends: int
    shown: list[Node] = field(default_factory=list)

    @property
    def more(self) -> int:
        """Friends who are not shown."""
        return self.friends - len(self.shown)


@dataclass(frozen=True, slots=True)
class Tree:
    """A root with one page of its friends; `following` is where the next page starts."""

    root: Node
    levels: Sequence[Level]
    start: int
    following: int | None


def tree(campaign_id: int, entry_id: int, *, start: int = 0) -> Tree:
    """The tree of one entry of this campaign, in five statements whatever its size. Raises NotFound."""
    found = [row["id"] for row in _rows(_BRANCHES, root=entry_id, limit=PAGE + 1, offset=start)]
    root, *friends = _nodes(_THEMSELVES, campaign=campaign_id, ids=[entry_id, *found[:PAGE]]) or (None,)
    if root is None:
        raise NotFound
    root.shown.extend(friends)
    _hang(root.shown, MOST_FRIENDS)
    _hang([friend for one in root.shown for friend in one.shown], MOST_THIRD)
    following = start + PAGE if len(found) > PAGE else None
    return Tree(root, levels(entry_id), start, following)


def levels(entry_id: int) -> list[Level]:
    """How many people stand in each of the three generations below an entry."""
    found = {
        row["level"]: Level(row["level"], row["people"], row["confirmed"]) for row in _rows(_LEVELS, root=entry_id)
    }
    return [found[number] for number in LEVELS]


def _hang(parents: Sequence[Node], most: int) -> None:
    by_id = {one.id: one for one in parents}
    for friend in _nodes(_FRIENDS, ids=list(by_id), most=most) if by_id else ():
        by_id[friend.referrer_id or 0].shown.append(friend)


def _nodes(statement: str, **values: Any) -> list[Node]:
    return [
        Node(
            **{
                **row,
                "status": EntryStatus(row["status"]),
                "review": Review(row["review"]),
                "referral_state": ReferralState(row["referral_state"]),
            }
        )
        for row in _rows(statement, **values)
    ]


def _rows(statement: str, **values: Any) -> Sequence[Any]:
    return db.session.execute(text(statement), values).mappings().all()
