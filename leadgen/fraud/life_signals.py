"""Signals of groups that do not live: looked at last, each heap of friends for itself (see fraud.heaps)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from leadgen.fraud import heaps
from leadgen.fraud.crowd import Crowd, Marks, at_most
from leadgen.fraud.observations import Found, Observation

Signal = tuple[int, str, dict[str, Any]]
Friends = Sequence[Observation]
# What several friends of one person have in common; of those who do, hardly anybody living is odd.
_ALIKE = (
    "one_line", "from_datacentres", "one_domain", "one_provider", "one_agent", "own_agent", "one_rhythm",
    "confirmed_at_once", "clockwork", "elsewhere", "last_hours", "sleepers", "without_script", "alike_address",
    "same_hand", "crowded_device", "one_stem",
)  # fmt: skip
_OWN = frozenset({"same_device", "same_hand"})
_OF_ONE_HAND = frozenset({"own_agent", "alike_address", "same_hand", "one_stem"})


def look(crowd: Crowd, marks: Marks) -> Iterator[tuple[int, Found]]:
    """Everything that is said of groups because hardly anybody in them came back, answered or shared."""
    for friends in crowd.friends.values():
        if len(friends) >= crowd.chosen.fewest:
            parts = heaps.split(friends, marks, heaps.MARKING, crowd.chosen.marked)
            signals = list(_lifeless_alike(friends, crowd, marks))
            for heap in parts:
                signals += _lifeless(heap, crowd)
            yield from _found(crowd, [*signals, *_own_mailboxes(friends, crowd, marks)])
    for address, sharing in crowd.by_address.items():
        if len(sharing) >= 4 and crowd.is_private(address):
            yield from _found(crowd, _lifeless_line(sharing, crowd))
    for host, sharing in crowd.by_host.items():
        yield from _found(crowd, _lifeless_host(host, sharing, crowd))
    for domain, sharing in crowd.by_domain.items():
        if len(sharing) >= crowd.chosen.fewest:
            yield from _found(crowd, _lifeless_domain(domain, sharing, crowd))


def _found(crowd: Crowd, signals: Iterable[Signal]) -> Iterator[tuple[int, Found]]:
    for entry_id, code, evidence in signals:
        yield entry_id, Found(code, crowd.chosen.of(code), evidence)


def _lifeless_alike(friends: Friends, crowd: Crowd, marks: Marks) -> Iterator[Signal]:
    """Friends who are alike in one way, and hardly any of them lives."""
    for code in _ALIKE:
        alike = [one for one in friends if code in marks.get(one.entry_id, ())]
        alive, ripe, chance = _life(alike, crowd)
        if ripe < 4 or chance >= (crowd.chosen.odd if code in _OF_ONE_HAND else crowd.chosen.rare):
            continue
        for heap in heaps.split(alike, marks, heaps.MARKING, crowd.chosen.marked):
            if _life(heap, crowd)[2] < crowd.chosen.odd:
                for one in _together([one for one in heap if not one.is_alive], crowd):
                    yield one.entry_id, "lifeless_alike", {"alive": alive, "of": ripe, "alike": code}


def _own_mailboxes(friends: Friends, crowd: Crowd, marks: Marks) -> Iterator[Signal]:
    """Friends who sat at the person's own browser, or on their line with the same kind of one, and do not live.

    No rival can send these; so it is said of the person. It holds no more than what they earned somebody else.
    """
    own = [one for one in friends if not _OWN.isdisjoint(marks.get(one.entry_id, ()))]
    alive, ripe, chance = _life(own, crowd)
    head = friends[0].referrer_id
    if head is not None and ripe >= crowd.chosen.fewest and chance < crowd.chosen.own_odd:
        yield head, "own_mailboxes", {"number": len(own), "alive": alive}


def _together(dead: Friends, crowd: Crowd) -> Iterator[Observation]:
    """Those who came within hours of two others: a pile is made in piles, while honest friends come when they come."""
    near: dict[int, Observation] = {}
    for times in ([one.created_at for one in dead], [one.confirmed_at or 0.0 for one in dead]):
        ordered = sorted(zip(times, dead, strict=True), key=lambda pair: (pair[0], pair[1].entry_id))
        for place, (at, one) in enumerate(ordered):
            around = sorted(abs(other - at) for other, _ in ordered[max(0, place - 2) : place + 3])
            if len(around) > 2 and around[2] <= crowd.chosen.together:
                near[one.entry_id] = one
    yield from near.values()


def _life(heap: Friends, crowd: Crowd) -> tuple[int, int, float]:
    """How many live, of how many who had the time to, and how likely so few are by chance."""
    ripe = [one for one in heap if crowd.is_ripe(one)]
    alive = sum(one.is_alive for one in ripe)
    return alive, len(ripe), at_most(alive, len(ripe), crowd.usual.alive)


def _lifeless(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    """Far fewer of them came back, answered or shared than usual; said of those who did not."""
    ripe = [one for one in friends if crowd.is_ripe(one)]
    alive = sum(one.is_alive for one in ripe)
    chance = at_most(alive, len(ripe), crowd.usual.alive) if len(ripe) >= crowd.chosen.fewest else 1.0
    code = _graded(chance, crowd, ("lifeless", "lifeless_many", "lifeless_all"))
    for one in _together([one for one in ripe if not one.is_alive], crowd) if code else ():
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
    """Hardly anybody whom this page sends here lives; said of friends of those whose own visitors from there do not."""
    alive, ripe, chance = _life(sharing, crowd)
    if chance >= crowd.chosen.hardly:
        return
    by_head: dict[int, list[Observation]] = defaultdict(list)
    for one in sharing:
        by_head[one.referrer_id or 0].append(one)
    by_head.pop(0, None)
    for friends in by_head.values():
        if _life(friends, crowd)[2] < crowd.chosen.odd:
            for one in friends:
                if crowd.is_dead(one):
                    yield one.entry_id, "lifeless_host", {"alive": alive, "of": ripe, "host": host}


def _lifeless_domain(domain: str, sharing: Friends, crowd: Crowd) -> Iterator[Signal]:
    """Hardly anybody with a mailbox at this small domain lives; said of those whom somebody brought."""
    alive, ripe, chance = _life(sharing, crowd)
    if ripe >= crowd.chosen.fewest and chance < crowd.chosen.rare:
        for one in sharing:
            if crowd.is_dead(one) and one.referrer_id is not None:
                yield one.entry_id, "lifeless_domain", {"alive": alive, "of": ripe, "domain": domain}
