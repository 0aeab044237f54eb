"""Signals of an entry and who brought it: one browser, one line, one hand; and second mailboxes that friends swap."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from leadgen.fraud.crowd import PROVIDERS, Crowd, Marks
from leadgen.fraud.observations import Found, Observation

_ALIKE = 0.85
_SWAPPED = frozenset({"swapped_device", "swapped_address"})


def look(crowd: Crowd, marks: Marks) -> Iterator[tuple[int, Found]]:  # noqa: ARG001 - as all looks
    """Everything that an entry has in common with its referrer, or with somebody else whom the same people brought."""
    swaps: list[tuple[Observation, Observation, int]] = []
    for one in crowd.people.values():
        referrer = crowd.people.get(one.referrer_id or 0)
        if referrer is None or crowd.is_safe(one):
            continue
        for code, evidence in (*_with_referrer(one, referrer, crowd), *_swapped(one, referrer, crowd)):
            yield one.entry_id, Found(code, crowd.chosen.of(code), evidence)
            if code in _SWAPPED and evidence["others"][0] in crowd.friends:
                swaps.append((one, referrer, evidence["others"][0]))
    yield from _circles(swaps, crowd)


def _with_referrer(one: Observation, referrer: Observation, crowd: Crowd) -> Iterator[tuple[str, dict[str, list[int]]]]:
    same_device = bool(one.device) and one.device == referrer.device and not crowd.is_free_device(one)
    is_line = crowd.is_private(one.address) and not crowd.is_free_line(one)
    same_address = one.address == referrer.address and is_line
    if same_device:
        yield "same_device", {"others": [referrer.entry_id]}
    if same_address:
        yield "same_address", {"others": [referrer.entry_id]}
        if not same_device and one.agent == referrer.agent:
            yield "same_hand", {"others": [referrer.entry_id]}
    if one.domain == referrer.domain and one.domain in PROVIDERS and _alike(one.local, referrer.local):
        yield "alike_address", {"others": [referrer.entry_id]}


def _alike(one: str, other: str) -> bool:
    """Names that differ by a number or a letter; a family name in common is not enough."""
    if abs(len(one) - len(other)) > 4 or one[:2] != other[:2]:
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE


def _swapped(one: Observation, referrer: Observation, crowd: Crowd) -> Iterator[tuple[str, dict[str, list[int]]]]:
    """The browser or line of somebody who is not the referrer, where that somebody and the referrer know each other."""
    if one.device and one.device != referrer.device and not crowd.is_free_device(one):
        owner = _owner(one, crowd.by_device[one.device], referrer, crowd)
        if owner is not None:
            yield "swapped_device", {"others": [owner.entry_id]}
            return
    # A hall or an office is nobody's line: whoever was there first lent it to nobody.
    is_home = 0 < len(crowd.by_address.get(one.address, ())) <= crowd.chosen.home
    if is_home and one.address != referrer.address and crowd.is_private(one.address):
        owner = _owner(one, crowd.by_address[one.address], referrer, crowd)
        if owner is not None and owner.agent == one.agent:
            yield "swapped_address", {"others": [owner.entry_id]}


def _owner(one: Observation, sharing: Sequence[Observation], referrer: Observation, crowd: Crowd) -> Observation | None:
    """The first of those who share it, if the referrer brought them, was brought by them, or by the same."""
    first = min(sharing, key=lambda other: (other.created_at, other.entry_id))
    if one.entry_id in {first.entry_id, first.referrer_id}:
        return None
    near = {first.entry_id, first.referrer_id, _above(first.referrer_id, crowd)} - {None}
    far = {referrer.entry_id, referrer.referrer_id, _above(referrer.referrer_id, crowd)} - {None}
    return first if near & far else None


def _circles(swaps: list[tuple[Observation, Observation, int]], crowd: Crowd) -> Iterator[tuple[int, Found]]:
    """Friends who bring each other's second mailboxes: those who lent a browser or line, and whom they brought."""
    joined: dict[int, int] = {}
    for _, referrer, owner_id in swaps:
        joined[_top(owner_id, joined)] = _top(referrer.entry_id, joined)
    circles: dict[int, set[int]] = defaultdict(set)
    for one in joined:
        circles[_top(one, joined)].add(one)
    lent = Counter(owner_id for _, _, owner_id in swaps)
    number = Counter(_top(owner_id, joined) for _, _, owner_id in swaps)
    for top, heads in circles.items():
        if number[top] < crowd.chosen.circle:
            continue
        brought = [one for head in heads for one in crowd.friends.get(head, ()) if one.entry_id not in heads]
        dead = [one for one in brought if crowd.is_dead(one)]
        evidence = {"number": number[top], "of": len(heads)}
        for owner_id in heads:
            if lent[owner_id]:
                yield owner_id, Found("second_mailboxes", crowd.chosen.of("second_mailboxes"), evidence)
        if 3 * len(dead) >= 2 * len(brought):
            for friend in dead:
                yield friend.entry_id, Found("circle", crowd.chosen.of("circle"), evidence)


def _top(one: int, joined: dict[int, int]) -> int:
    while joined.setdefault(one, one) != one:
        one = joined[one]
    return one


def _above(entry_id: int | None, crowd: Crowd) -> int | None:
    one = crowd.people.get(entry_id or 0)
    return one.referrer_id if one else None
