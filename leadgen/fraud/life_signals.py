"""Signals of groups that do not live: looked at last, with those apart whom other signals mark already.

A rival may send two hundred bots through somebody's link. Judged in one heap with them, honest friends would look
lifeless too; so the marked and the others are two heaps, and each answers for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from leadgen.fraud.crowd import Crowd, Marks, at_most
from leadgen.fraud.observations import Found, Observation

Signal = tuple[int, str, dict[str, Any]]
Friends = Sequence[Observation]


def look(crowd: Crowd, marks: Marks) -> Iterator[tuple[int, Found]]:
    """Everything that is said of groups because hardly anybody in them came back, answered or shared."""
    marked = {entry_id for entry_id, of_entry in marks.items() if _sum(of_entry) >= crowd.chosen.marked}
    signals: list[Signal] = []
    for friends in crowd.friends.values():
        if len(friends) >= crowd.chosen.fewest:
            for is_marked in (False, True):
                signals += _lifeless([one for one in friends if (one.entry_id in marked) is is_marked], crowd)
        signals += _unopened(friends, crowd, marks)
    for address, sharing in crowd.by_address.items():
        if len(sharing) >= 4 and crowd.is_private(address):
            signals += _lifeless_line(sharing, crowd)
    for host, sharing in crowd.by_host.items():
        signals += _lifeless_host(host, sharing, crowd)
    for entry_id, code, evidence in signals:
        yield entry_id, Found(code, crowd.chosen.of(code), evidence)


def _sum(of_entry: dict[str, Found]) -> int:
    return sum(signal.points for signal in of_entry.values())


def _unopened(friends: Friends, crowd: Crowd, marks: Marks) -> Iterator[Signal]:
    """More entries than people who opened the link; said of those about whom something is odd already."""
    head = crowd.people.get(friends[0].referrer_id or 0)
    if head is None or len(friends) < 2 * crowd.chosen.fewest or 10 * head.openings >= 8 * len(friends):
        return
    for one in friends:
        if one.entry_id in marks and not one.is_alive:
            yield one.entry_id, "unopened", {"openings": head.openings, "of": len(friends)}


def _lifeless(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    """Far fewer of them came back, answered or shared than usual; said of those who did not."""
    ripe = [one for one in friends if crowd.is_ripe(one)]
    alive = sum(one.is_alive for one in ripe)
    chance = at_most(alive, len(ripe), crowd.usual.alive) if len(ripe) >= crowd.chosen.fewest else 1.0
    code = _graded(chance, crowd, ("lifeless", "lifeless_many", "lifeless_all"))
    for one in ripe if code else ():
        if not one.is_alive:
            yield one.entry_id, code, {"alive": alive, "of": len(ripe), "usual": round(100 * crowd.usual.alive)}


def _graded(chance: float, crowd: Crowd, codes: tuple[str, str, str]) -> str:
    limits = (crowd.chosen.rare, crowd.chosen.very_rare, crowd.chosen.hardly)
    return next((code for code, limit in reversed(list(zip(codes, limits, strict=True))) if chance < limit), "")


def _lifeless_line(sharing: Friends, crowd: Crowd) -> Iterator[Signal]:
    """Many entries on one line that belongs to few, and hardly anybody there lives."""
    ripe = [one for one in sharing if crowd.is_ripe(one)]
    alive = sum(one.is_alive for one in ripe)
    if len(ripe) >= crowd.chosen.fewest and at_most(alive, len(ripe), crowd.usual.alive) < 0.05:
        for one in ripe:
            if not one.is_alive and not crowd.is_safe(one):
                yield one.entry_id, "lifeless_line", {"alive": alive, "of": len(ripe)}


def _lifeless_host(host: str, sharing: Friends, crowd: Crowd) -> Iterator[Signal]:
    """Hardly anybody whom this page sends here lives."""
    ripe = [one for one in sharing if crowd.is_ripe(one)]
    alive = sum(one.is_alive for one in ripe)
    if at_most(alive, len(ripe), crowd.usual.alive) < crowd.chosen.hardly:
        for one in ripe:
            if not one.is_alive and one.referrer_id is not None:
                yield one.entry_id, "lifeless_host", {"alive": alive, "of": len(ripe), "host": host}
