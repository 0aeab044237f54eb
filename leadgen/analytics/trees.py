"""One person's tree: three generations by columns that each entry got from its referrer. Only SELECT stands here.

No recursion: referrer_id, ref2_id and ref3_id have an index each, so 40,000 people are counted in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from leadgen.core import hot
from leadgen.core.errors import NotFound
from leadgen.entries.models import EntryStatus, ReferralState, Review

PAGE = 20
MOST_FRIENDS = 4  # of each friend, shown on the page
MOST_THIRD = 3
LEVELS = (1, 2, 3)
# Each generation is gone through once, and within its index alone. Whoever stands two below stands below a friend, so
# the branches give the second generation as well.
_BRANCH = """
WITH branch AS MATERIALIZED (
    SELECT referrer_id AS id, count(*) AS friends, count(*) FILTER (WHERE status = 'confirmed') AS confirmed
    FROM entry WHERE ref2_id = %(root)s GROUP BY 1
)
"""
_LEVELS = f"""
{_BRANCH}
SELECT 1 AS level, count(*) AS people, count(*) FILTER (WHERE status = 'confirmed') AS confirmed, {{first}} AS first
FROM entry WHERE referrer_id = %(root)s
UNION ALL SELECT 2, coalesce(sum(friends), 0)::bigint, coalesce(sum(confirmed), 0)::bigint, NULL FROM branch
UNION ALL SELECT 3, count(*), count(*) FILTER (WHERE status = 'confirmed'), NULL FROM entry WHERE ref3_id = %(root)s
"""  # noqa: S608 - the only values put in by Python are constants of this module
# Whoever leads the largest branch stands first, those without one behind them in the order of their entry.
_FIRST = """
ARRAY(
    SELECT id FROM (SELECT id FROM branch ORDER BY friends DESC, id LIMIT %(limit)s OFFSET %(start)s) AS largest
    UNION ALL
    SELECT id FROM (
        SELECT d.id FROM entry d WHERE d.referrer_id = %(root)s AND d.id NOT IN (SELECT id FROM branch)
        ORDER BY d.id LIMIT greatest(%(limit)s - greatest((SELECT count(*) FROM branch) - %(start)s, 0), 0)
        OFFSET greatest(%(start)s - (SELECT count(*) FROM branch), 0)
    ) AS alone
)
"""
_COUNTED = _LEVELS.format(first="NULL")
_COUNTED_WITH_FIRST = _LEVELS.format(first=_FIRST)
_NODE = """
SELECT e.id, e.referrer_id, e.root_id, e.depth, e.public_id, e.status, e.review, e.referral_state,
       c.first_name, c.email,
       -- A famous root's friends are counted already.
       CASE WHEN e.id = %(root)s THEN %(friends)s
            ELSE (SELECT count(*) FROM entry f WHERE f.referrer_id = e.id) END AS friends
FROM unnest(CAST(%(ids)s AS bigint[])) WITH ORDINALITY AS p (id, place)
{source} JOIN contact c ON c.id = e.contact_id ORDER BY p.place, e.id
"""
_THEMSELVES = _NODE.format(source="JOIN entry e ON e.id = p.id AND e.campaign_id = %(campaign)s")
_FRIENDS = _NODE.format(
    source="CROSS JOIN LATERAL (SELECT * FROM entry g WHERE g.referrer_id = p.id ORDER BY g.id LIMIT %(most)s) AS e"
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
    """The tree of one entry of this campaign, in four statements whatever its size. Raises NotFound."""
    rows = _rows(_COUNTED_WITH_FIRST, root=entry_id, limit=PAGE + 1, start=start)
    counted = _levels(rows)
    found = next(row["first"] for row in rows if row["first"] is not None)
    known = {"root": entry_id, "friends": counted[0].people}
    root, *friends = _nodes(_THEMSELVES, campaign=campaign_id, ids=[entry_id, *found[:PAGE]], **known) or (None,)
    if root is None:
        raise NotFound
    root.shown.extend(friends)
    _hang(root.shown, MOST_FRIENDS)
    _hang([friend for one in root.shown for friend in one.shown], MOST_THIRD)
    following = start + PAGE if len(found) > PAGE else None
    return Tree(root, counted, start, following)


def levels(entry_id: int) -> list[Level]:
    """How many people stand in each of the three generations below an entry."""
    return _levels(_rows(_COUNTED, root=entry_id))


def _levels(rows: Sequence[Any]) -> list[Level]:
    found = {row["level"]: Level(row["level"], row["people"], row["confirmed"]) for row in rows}
    return [found[number] for number in LEVELS]


def _hang(parents: Sequence[Node], most: int) -> None:
    by_id = {one.id: one for one in parents}
    for friend in _nodes(_FRIENDS, ids=list(by_id), most=most, root=None, friends=0) if by_id else ():
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
    return hot.many(statement, values)
