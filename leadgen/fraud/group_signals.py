"""Signals of all whom one person brought, from five on: each falls on the friends it is about, never on the person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import mean, median, pstdev
from typing import Any

from leadgen.fraud import piles
from leadgen.fraud.crowd import Crowd, Marks, at_least
from leadgen.fraud.observations import Found, Observation

Signal = tuple[int, str, dict[str, Any]]
Friends = Sequence[Observation]
_FAST = 0.05  # of honest people, whose browsers fill the form in


def look(crowd: Crowd, marks: Marks) -> Iterator[tuple[int, Found]]:  # noqa: ARG001 - as all looks
    """Everything that is said of groups: friends of one person, users of one browser, visitors from one page."""
    for friends in crowd.friends.values():
        if len(friends) >= crowd.chosen.fewest:
            for sort in _OF_FRIENDS:
                yield from _found(crowd, sort(friends, crowd))
    for sharing in crowd.by_device.values():
        yield from _found(crowd, _crowded(sharing, crowd))


def _found(crowd: Crowd, signals: Iterator[Signal]) -> Iterator[tuple[int, Found]]:
    for entry_id, code, evidence in signals:
        yield entry_id, Found(code, crowd.chosen.of(code), evidence)


def _crowded(sharing: Friends, crowd: Crowd) -> Iterator[Signal]:
    """More entries from one browser than a family has people; the first of them is let be."""
    if len(sharing) <= crowd.chosen.household or crowd.is_safe(sharing[0]) or crowd.is_free_device(sharing[0]):
        return
    first = min(sharing, key=lambda one: (one.created_at, one.entry_id))
    for one in sharing:
        if one is not first:
            yield one.entry_id, "crowded_device", {"of": len(sharing)}


def _one_line(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    """A third of them and at least four on one line that is not everybody's."""
    known = Counter(one.address for one in friends if one.address)
    address, number = known.most_common(1)[0] if known else ("", 0)  # addresses are blanked after a month
    if number >= 4 and 3 * number >= len(friends) and crowd.is_private(address):
        for one in friends:
            if one.address == address and not crowd.is_free_line(one):
                yield one.entry_id, "one_line", {"number": number, "of": len(friends)}


def _piled(friends: Friends, crowd: Crowd) -> list[Observation]:
    """Those who came within an hour of two others of these.

    The one friend of an honest leader who travels, or has a browser without scripts, is none of the hundred bots that
    a rival sent on another day.
    """
    return piles.near(friends, crowd.chosen.pile_seconds)


def _from_datacentres(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    chosen = [one for one in friends if one.network_kind == "datacentre" and not crowd.is_free_line(one)]
    if len(chosen) >= 3 and 5 * len(chosen) >= len(friends):
        for one in _piled(chosen, crowd):
            yield one.entry_id, "from_datacentres", {"number": len(chosen), "of": len(friends)}


def _one_domain(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    """Several at one small domain, most of whose entries this one person brought."""
    for domain, number in Counter(one.domain for one in friends).items():
        here = crowd.by_domain.get(domain, ())
        if number >= 3 and here and 2 * number >= len(here):
            for one in friends:
                if one.domain == domain:
                    yield one.entry_id, "one_domain", {"number": number, "of": len(friends), "domain": domain}


def _one_stem(friends: Friends, _crowd: Crowd) -> Iterator[Signal]:
    """Addresses that are one name with numbers, or with something after a plus sign."""
    stems = Counter(_stem(one) for one in friends)
    for one in friends:
        number = stems[_stem(one)]
        if number >= 3 and 5 * number >= len(friends) and len(_stem(one)) >= 4:
            yield one.entry_id, "one_stem", {"number": number, "of": len(friends)}


def _stem(one: Observation) -> str:
    return one.local.partition("+")[0].rstrip("0123456789")


def _one_rhythm(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    """Forms filled in nearly the same number of seconds, on one line or in one browser."""
    timed = [one for one in friends if one.form_seconds is not None and not crowd.is_free_line(one)]
    number = Counter(one.address for one in timed)
    hand = [one for one in timed if number[one.address] >= 4]
    seconds = [one.form_seconds or 0.0 for one in hand]
    if len(hand) >= 5 and pstdev(seconds) < 0.3 * mean(seconds):
        for one in hand:
            yield one.entry_id, "one_rhythm", {"number": len(hand), "seconds": round(mean(seconds), 1)}


def _fast_forms(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    fast = [one for one in friends if one.form_seconds is not None and one.form_seconds < crowd.chosen.fast_seconds]
    if len(fast) >= 4 and at_least(len(fast), len(friends), _FAST) < crowd.chosen.very_rare / 10:
        for one in _piled(fast, crowd):
            evidence = {"number": len(fast), "of": len(friends), "seconds": crowd.chosen.fast_seconds}
            yield one.entry_id, "fast_forms", evidence


def _clockwork(friends: Friends, _crowd: Crowd) -> Iterator[Signal]:
    """Arrivals at nearly even distances; said of those who kept the beat."""
    times = sorted((one.created_at, one.entry_id) for one in friends)
    gaps = [(later[0] - earlier[0], later[1]) for earlier, later in pairwise(times)]
    if len(gaps) < 10:
        return
    middle = sorted(gap for gap, _ in gaps)[len(gaps) // 6 : len(gaps) - len(gaps) // 6]
    if mean(middle) > 0 and pstdev(middle) < 0.25 * mean(middle):
        beat = median(middle)
        for gap, entry_id in gaps:
            if 0.5 * beat <= gap <= 1.6 * beat:
                yield entry_id, "clockwork", {"number": len(gaps), "seconds": round(beat)}


def _elsewhere(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    """Most browsers are set to time zones that are rare in this contest."""
    zoned = [one for one in friends if one.timezone]
    far = [one for one in zoned if crowd.usual.timezones.get(one.timezone, 0) < 0.02]
    if len(far) >= 4 and at_least(len(far), len(zoned), 0.06) < crowd.chosen.very_rare:
        for one in far:
            yield one.entry_id, "elsewhere", {"number": len(far), "of": len(zoned)}


def _last_hours(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    """Half of them entered, or confirmed, in the last three hours."""
    begins = crowd.moment.ends_at - crowd.chosen.last_hours
    late = [one for one in friends if max(one.created_at, one.confirmed_at or 0) >= begins]
    if len(late) >= 6 and 2 * len(late) >= len(friends):
        for one in late:
            yield one.entry_id, "last_hours", {"number": len(late), "of": len(friends)}


def _sleepers(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    """Old sign-ups that were all confirmed at the very end."""
    begins = crowd.moment.ends_at - 6 * crowd.chosen.last_hours
    woken = [
        one
        for one in friends
        if one.confirmed_at is not None
        and one.confirmed_at >= begins
        and one.confirmed_at - one.created_at >= crowd.chosen.sleep / 2
    ]
    if len(woken) >= 3:
        for one in woken:
            yield one.entry_id, "sleepers", {"number": len(woken), "of": len(friends)}


def _without_script(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    bare = [one for one in friends if not one.has_script]
    if len(bare) >= 3 and at_least(len(bare), len(friends), 1 - crowd.usual.scripted) < crowd.chosen.hardly:
        for one in _piled(bare, crowd):
            yield one.entry_id, "without_script", {"number": len(bare), "of": len(friends)}


_OF_FRIENDS = (
    _one_line,
    _from_datacentres,
    _one_domain,
    _one_stem,
    _one_rhythm,
    _clockwork,
    _fast_forms,
    _elsewhere,
    _last_hours,
    _sleepers,
    _without_script,
)
