"""Friends of one person who came in a pile, within hours: what a single one of them shows says little, the pile much.

Honest friends come when they come. So a pile tells apart what a program sent within an hour, though somebody else may
have sent it, from the one honest friend who has a browser without scripts; and it says of a friend whose entry is
like those around it, most of which are held, that it belongs to them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from leadgen.fraud.crowd import Crowd, Marks
from leadgen.fraud.observations import Found, Observation

Signal = tuple[int, str, dict[str, Any]]
Friends = Sequence[Observation]
# Signs of a program that an entry has by itself. One of them is a traveller's tunnel or a browser without scripts.
BY_ITSELF = frozenset({"trapped", "instant_form", "fast_form", "no_script", "datacentre"})
# What an entry that nobody typed may show: it costs nothing to send by the hundred to somebody else's link.
SCRIPTED = frozenset({"trapped", "instant_form", "no_script", "from_datacentres", "without_script", "fast_forms"})
_NO_HAND = BY_ITSELF - {"datacentre"}
_OF_PROGRAMS = BY_ITSELF | SCRIPTED | {"scripted_pile", "unopened"}
# What a friend must have in common with others before the company they came in is held against them.
_IN_COMMON = frozenset(
    {"one_provider", "one_agent", "own_agent", "one_domain", "same_device", "same_address", "same_hand",
     "alike_address", "one_stem", "elsewhere", "confirmed_at_once", "from_datacentres", "last_hours", "lifeless"}
)  # fmt: skip
_COMPANY = (("company", "together", 4, 0.6), ("midst", "pile_seconds", 8, 0.75))


def scripted(crowd: Crowd, marks: Marks) -> Iterator[tuple[int, Found]]:
    """Entries with a sign of a program, each within an hour of nine others; and whether anybody opened the link."""
    for friends in crowd.friends.values():
        if len(friends) > crowd.chosen.pile:
            for entry_id, code, evidence in list(_scripted(friends, crowd, marks)):
                yield entry_id, Found(code, crowd.chosen.of(code), evidence)


def _scripted(friends: Friends, crowd: Crowd, marks: Marks) -> Iterator[Signal]:
    signed = [one for one in friends if not BY_ITSELF.isdisjoint(marks.get(one.entry_id, ()))]
    times, everybody = (sorted(one.created_at for one in some) for some in (signed, friends))
    head = crowd.people.get(friends[0].referrer_id or 0)
    is_unopened = head is not None and 10 * head.openings < 8 * len(friends)
    for one in signed:
        around = _within(times, one.created_at, crowd.chosen.pile_seconds)
        of = _within(everybody, one.created_at, crowd.chosen.pile_seconds)
        if around <= crowd.chosen.pile or 3 * around < of or one.is_alive:
            continue
        yield one.entry_id, "scripted_pile", {"number": around, "of": of}
        if is_unopened and head is not None and _signs(marks[one.entry_id]) >= 2:
            yield one.entry_id, "unopened", {"openings": head.openings, "of": len(friends)}


def _signs(known: dict[str, Found]) -> int:
    """How many signs of a program an entry has; a form sent faster than any browser fills it in counts twice."""
    return sum(2 if code == "instant_form" else 1 for code in BY_ITSELF.intersection(known))


def company(crowd: Crowd, marks: Marks) -> Iterator[tuple[int, Found]]:
    """Friends who are like those of the same person around them, most of whom are held."""
    for friends in crowd.friends.values():
        if len(friends) >= crowd.chosen.fewest:
            for entry_id, code, evidence in list(_company(friends, crowd, marks)):
                yield entry_id, Found(code, crowd.chosen.of(code), evidence)


def _company(friends: Friends, crowd: Crowd, marks: Marks) -> Iterator[Signal]:
    times = sorted(one.created_at for one in friends)
    held = sorted(one.created_at for one in friends if _speaks(one, crowd, marks))
    for one in friends:
        if one.is_alive or _weight(one, marks) >= crowd.chosen.held:
            continue
        for code, seconds, fewest, share in _COMPANY:
            around = _within(held, one.created_at, getattr(crowd.chosen, seconds))
            of = _within(times, one.created_at, getattr(crowd.chosen, seconds)) - 1
            if around >= fewest and around >= share * of and _may_be(code, one, crowd, marks):
                yield one.entry_id, code, {"number": around, "of": of}


def _may_be(code: str, one: Observation, crowd: Crowd, marks: Marks) -> bool:
    if code == "company":
        return not _IN_COMMON.isdisjoint(marks.get(one.entry_id, ()))
    return one.confirmed_at is None or crowd.is_dead(one)


def _speaks(one: Observation, crowd: Crowd, marks: Marks) -> bool:
    """Whether a friend is held for what no program shows: bots may be a rival's, and are nobody's company."""
    return _NO_HAND.isdisjoint(marks.get(one.entry_id, ())) and _weight(one, marks) >= crowd.chosen.held


def _weight(one: Observation, marks: Marks) -> int:
    """Points of an entry without what a rival's program might have sent."""
    return sum(found.points for code, found in marks.get(one.entry_id, {}).items() if code not in _OF_PROGRAMS)


def near(friends: Friends, seconds: float) -> list[Observation]:
    """Those of these who came within so many seconds of two others of them."""
    times = sorted(one.created_at for one in friends)
    return [one for one in friends if _within(times, one.created_at, seconds) > 2]


def _within(times: Sequence[float], at: float, seconds: float) -> int:
    return bisect_right(times, at + seconds) - bisect_left(times, at - seconds)
