"""A place in a waiting list, in one of its four orders (F7): every order is total, equals are parted by who came first.

Everybody stands in blocks of 256 numbers of entries. How many people of which number of friends each block holds is
read in one pass and kept, so a place is sums over blocks and a count within one. The pass takes about a second for a
million people; it is repeated at most so often that it costs a fiftieth of a process's time, so others are as fresh as
that, from one second in a small list to a minute in a very large one. One's own friends count at once.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Mechanic, WaitlistOrder
from leadgen.core import hot
from leadgen.core.errors import NotFound
from leadgen.entries import places
from leadgen.entries.lately import Lately
from leadgen.entries.models import EntryStatus, Review
from leadgen.entries.places import Place
from leadgen.entries.points import Steps

BLOCK_BITS = 8
_WAITING = "status = 'confirmed' AND review = 'clear'"

_CROWD = f"""
SELECT id >> {BLOCK_BITS} AS block, friends_counted AS friends, count(*) AS people FROM entry
WHERE campaign_id = %(campaign)s AND {_WAITING} GROUP BY 1, 2 ORDER BY 1
"""  # noqa: S608 - the only values put in by Python are constants of this module

# `before` are the friends of those who stand earlier in the same block, in their order.
_OWN = f"""
SELECT e.id, e.status, e.review, e.friends_counted AS folded,
       e.friends_counted + coalesce((SELECT sum(friends) FROM ledger_pending WHERE entry_id = e.id), 0) AS friends,
       coalesce((
           SELECT array_agg(o.friends_counted) FROM entry o
           WHERE o.campaign_id = e.campaign_id AND o.{_WAITING.replace(" AND ", " AND o.")}
             AND o.id >= (e.id >> {BLOCK_BITS}) << {BLOCK_BITS} AND o.id < e.id
       ), '{{}}') AS before
FROM entry e WHERE e.id = %(entry)s
"""  # noqa: S608 - as above

_BLOCKS = f"""
SELECT b.block, e.friends_counted AS friends
FROM unnest(%(blocks)s::bigint[]) AS b (block)
JOIN entry e ON e.campaign_id = %(campaign)s AND e.id >= b.block << {BLOCK_BITS}
    AND e.id < (b.block + 1) << {BLOCK_BITS}
WHERE e.{_WAITING.replace(" AND ", " AND e.")} ORDER BY e.id
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class WaitPlace:
    """Where somebody waits: `number` 1 is next. `behind` and `total` are None where the length is not told."""

    number: int
    total: int | None

    @property
    def ahead(self) -> int:
        """How many are served before."""
        return self.number - 1

    @property
    def behind(self) -> int | None:
        """How many come after, where that is told."""
        return None if self.total is None else self.total - self.number


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody in the list by blocks: all together, and by their number of friends."""

    everybody: Steps
    by_friends: dict[int, Steps]


_crowds: Lately[Crowd] = Lately()


def has_waitlist(card: CampaignCard) -> bool:
    """Whether people wait in a list in this contest."""
    return Mechanic.WAITLIST in card.mechanics


def place(card: CampaignCard, entry_id: int, *, ranked: Place | None = None) -> WaitPlace | None:
    """Where the person waits; None for whoever does not: not confirmed, or held by a check.

    `ranked` is their place by points where it is known already. Raises NotFound.
    """
    if card.waitlist_order is WaitlistOrder.BY_POINTS:
        found = ranked or places.place_of(entry_id)
        return _told(card, found.number, found.entrants) if found else None
    own = hot.one(_OWN, {"entry": entry_id})
    if own is None:
        raise NotFound
    if own["status"] != EntryStatus.CONFIRMED or own["review"] != Review.CLEAR:
        return None
    crowd = _crowds.get(card.id, lambda: _read(card.id))
    if card.waitlist_order is WaitlistOrder.BY_SIGNUP:
        number = _signed_up(crowd, own)
    elif card.waitlist_order is WaitlistOrder.BY_REFERRALS:
        number = _by_referrals(crowd, own)
    else:
        number = _skipped(card, crowd, own)
    return _told(card, number, crowd.everybody.people)


def _told(card: CampaignCard, number: int, people: int) -> WaitPlace:
    total = max(people, number)  # whoever confirmed a moment ago is not in the crowd yet
    limit = card.waitlist_hide_above
    return WaitPlace(number, None if limit is not None and total > limit else total)


def _signed_up(crowd: Crowd, own: dict[str, Any]) -> int:
    """The place by who signed up first: base of all orders."""
    return crowd.everybody.before(own["id"] >> BLOCK_BITS) + len(own["before"]) + 1


def _by_referrals(crowd: Crowd, own: dict[str, Any]) -> int:
    friends = int(own["friends"])
    more = sum(steps.people for number, steps in crowd.by_friends.items() if number > friends)
    same = crowd.by_friends.get(friends, _NOBODY)
    earlier: int = same.before(own["id"] >> BLOCK_BITS) + own["before"].count(friends)
    return more + earlier + 1 - _is_counted_ahead(own)


def _skipped(card: CampaignCard, crowd: Crowd, own: dict[str, Any]) -> int:
    """Each friend skips so many places of the order of signing up; of two at the same step more friends go first.

    Of those with so many friends, everybody up to a place by signing up is ahead; they are counted by blocks, and
    within the block in which that place lies.
    """
    friends, base = int(own["friends"]), _signed_up(crowd, own)
    step = max(1, base - card.skip_places * friends)
    reach = {}
    for number in crowd.by_friends:
        if number == friends:
            reach[number] = base - 1
        elif number > friends:
            reach[number] = step + card.skip_places * number
        else:
            reach[number] = step + card.skip_places * number - 1 if step > 1 else 0
    return _people_up_to(card.id, crowd, reach) + 1 - _is_counted_ahead(own)


def _people_up_to(campaign_id: int, crowd: Crowd, reach: dict[int, int]) -> int:
    """How many people there are who have so many friends and stand, by signing up, at most at that place."""
    everybody, people, within = crowd.everybody, 0, {}
    for friends, last in reach.items():
        if last >= everybody.people:
            people += crowd.by_friends[friends].people
        elif last > 0:
            index = bisect.bisect_left(everybody.people_before, last) - 1
            block = everybody.moments[index]
            people += crowd.by_friends[friends].before(block)
            within[friends] = (block, last - everybody.people_before[index])
    rows = _read_blocks(campaign_id, {block for block, _ in within.values()}) if within else {}
    return people + sum(rows.get(block, [])[:first].count(friends) for friends, (block, first) in within.items())


def _is_counted_ahead(own: dict[str, Any]) -> bool:
    """Whether the person's older, larger number of friends is among those counted ahead of them."""
    return bool(own["folded"] > own["friends"])


def _read_blocks(campaign_id: int, blocks: Iterable[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for row in hot.many(_BLOCKS, {"campaign": campaign_id, "blocks": list(blocks)}):
        found.setdefault(row["block"], []).append(row["friends"])
    return found


def _read(campaign_id: int) -> Crowd:
    rows = hot.many(_CROWD, {"campaign": campaign_id})
    totals: dict[int, int] = {}
    by_friends: dict[int, dict[int, int]] = {}
    for row in rows:
        totals[row["block"]] = totals.get(row["block"], 0) + row["people"]
        by_friends.setdefault(row["friends"], {})[row["block"]] = row["people"]
    return Crowd(_steps(totals), {number: _steps(blocks) for number, blocks in by_friends.items()})


def _steps(blocks: dict[int, int]) -> Steps:
    people, before = 0, []
    for count in blocks.values():
        before.append(people)
        people += count
    return Steps(list(blocks), before, people)


_NOBODY = Steps([], [], 0)
