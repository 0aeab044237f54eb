"""Ways in which many honest people are alike too, asked of heaps: the friends marked by now, and the others.

A rival may send two hundred bots through somebody's link. Judged in one heap with them, honest friends would look as
hurried and lifeless; so the marked and the others are two heaps, and each answers for itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from leadgen.fraud import weights
from leadgen.fraud.crowd import Crowd, Marks, at_least
from leadgen.fraud.observations import Found, Observation
from leadgen.fraud.piles import BY_ITSELF, SCRIPTED

Signal = tuple[int, str, dict[str, Any]]
Friends = Sequence[Observation]
_BOMBED = 10
# What marks an entry so much that it is judged apart from other friends of the same person.
MARKING = frozenset(weights.POINTS) - frozenset(
    {"one_provider", "one_agent", "confirmed_at_once", "elsewhere", "last_hours", "one_domain"}
)


def look(crowd: Crowd, marks: Marks) -> Iterator[tuple[int, Found]]:
    """Too many at one provider, with one sort of browser, or confirmed at once."""
    for friends in crowd.friends.values():
        if len(friends) >= crowd.chosen.fewest:
            for heap in split(friends, marks, SCRIPTED, crowd.chosen.scripted):
                for sort in (_one_provider, _one_agent, _confirmed_at_once):
                    for entry_id, code, evidence in sort(heap, crowd):
                        yield entry_id, Found(code, crowd.chosen.of(code), evidence)


def split(friends: Friends, marks: Marks, codes: frozenset[str], most: int) -> tuple[Friends, Friends]:
    """The friends with fewer than `most` points of these codes, and those with more."""
    heaps: tuple[list[Observation], list[Observation]] = [], []
    for one in friends:
        known = marks.get(one.entry_id, {})
        points = sum(signal.points for code, signal in known.items() if code in codes)
        heaps[points >= most].append(one)
    others, marked = heaps
    if len(marked) >= _BOMBED:  # whoever shows one of their signs may be of them: speaks for nobody else
        others = [one for one in others if BY_ITSELF.isdisjoint(marks.get(one.entry_id, ()))]
    return others, marked


def _one_provider(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    yield from _too_many(friends, [one.domain for one in friends], crowd.usual.providers, "one_provider", crowd)


def _one_agent(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    head = crowd.people.get((friends[0].referrer_id if friends else None) or 0)
    friends = [one for one in friends if not crowd.is_free_device(one)]
    for found in _too_many(friends, [one.agent for one in friends], crowd.usual.agents, "one_agent", crowd):
        yield found
        if head is not None and found[2]["word"] == head.agent:
            yield found[0], "own_agent", found[2]


def _too_many(
    friends: Friends, words: list[str], usual: Mapping[str, float], code: str, crowd: Crowd
) -> Iterator[Signal]:
    """One word far more often among them than among all."""
    for word, number in Counter(words).items():
        share = usual.get(word)
        if share and number >= 4 and at_least(number, len(friends), share) < crowd.chosen.very_rare / 10:
            for one, own in zip(friends, words, strict=True):
                if own == word:
                    yield (
                        one.entry_id,
                        code,
                        {"number": number, "of": len(friends), "word": word, "usual": round(100 * share)},
                    )


def _confirmed_at_once(friends: Friends, crowd: Crowd) -> Iterator[Signal]:
    confirmed = [one for one in friends if one.confirmed_at is not None]
    quick = [one for one in confirmed if (one.confirmed_at or 0) - one.created_at <= crowd.chosen.quick]
    if len(confirmed) < crowd.chosen.fewest or len(quick) < 4:
        return
    if at_least(len(quick), len(confirmed), crowd.usual.quick) < crowd.chosen.very_rare:
        for one in quick:
            evidence = {"number": len(quick), "of": len(confirmed), "minutes": round(crowd.chosen.quick / 60)}
            yield one.entry_id, "confirmed_at_once", evidence
