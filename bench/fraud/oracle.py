"""A reader of review cases who sees only what the screen shows: never a label, never a single entry's row.

What it looks at, and nothing else: the sentences of the case, how many; the person's referrals whose points still
count, as the aggregate facts of `Facts`; how many referrals are pending; and, as the screen sets them beside, the same
shares over all confirmed entries of the contest. It asks questions as a careful person would, each with a plain answer:

* do far fewer of them come back, answer or share than usual for so many people? (counts once, or twice when by far)
* do a third sit on one address, or live at one small mail domain? (once for both: a school has its line and its domain)
* does an eighth use the person's own browser, or one between them?
* did a fifth come from data centres? did most come from countries other than the person's?
* did most confirm within two minutes, more than usual, and fewer live? did they arrive like clockwork?
* did half come, or confirm, in the contest's last three hours? did a third arrive without any visit?
* is half of what this person brought pending already, or are there two sentences or more about them? (once for both:
  what is pending is dealt with, and may have been sent by a rival, so something about the rest must be odd as well)

Two doubts and it takes the points of the remaining referrals; the person stays in. Fewer than five counting referrals
it lets pass. It never gives back what is pending: that is not what a prize hangs on.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, pstdev

from bench.fraud.contest import ENDS_AT, HOUR, Entry
from bench.fraud.world import PROVIDERS, RELAYS

_LAST = 3 * HOUR
_FEW = 5


@dataclass(frozen=True)
class Facts:
    """Shares, 0 to 1, over the confirmed referrals that still count, and how many these are."""

    count: int
    pending: float  # of all confirmed referrals
    alive: float  # came back, answered or shared
    quick: float  # confirmed within two minutes
    one_address: float
    own_browser: float  # the person's cookie, or one that another referral has
    datacentre: float
    abroad: float
    late: float  # entered or confirmed in the last three hours
    without_visit: float
    small_domain: float  # the largest domain that is no large provider's
    clockwork: bool  # arrivals at nearly even distances


@dataclass(frozen=True)
class Case:
    """What the screen shows of one person."""

    number: int
    sentences: tuple[str, ...]
    facts: Facts
    usual: Facts  # over all confirmed entries


class Reader:
    """Puts cases together from entries and from which referrals are credited."""

    def __init__(self, entries: Iterable[Entry], is_credited: Mapping[int, bool]) -> None:
        self.is_credited = is_credited
        self.people = {entry.number: entry for entry in entries}
        self.referrals: dict[int, list[Entry]] = defaultdict(list)
        confirmed = [entry for entry in self.people.values() if entry.confirmed_at is not None]
        for entry in confirmed:
            if entry.referrer is not None:
                self.referrals[entry.referrer].append(entry)
        self.usual = _facts(confirmed, len(confirmed), None)

    def case(self, number: int, sentences: Sequence[str] = ()) -> Case:
        """The case of one person."""
        brought = self.referrals[number]
        counting = [entry for entry in brought if self.is_credited[entry.number]]
        return Case(number, tuple(sentences), _facts(counting, len(brought), self.people[number]), self.usual)


def strikes(case: Case) -> bool:
    """Whether the reader takes the points of this person's counting referrals."""
    return case.facts.count >= _FEW and doubts(case) >= 2


def doubts(case: Case) -> int:
    """How many of the questions are answered badly."""
    facts, usual = case.facts, case.usual
    life = (facts.alive - usual.alive) / max(0.01, sqrt(usual.alive * (1 - usual.alive) / max(1, facts.count)))
    asked = (
        life < -2,
        life < -3,
        facts.one_address > 1 / 3 or facts.small_domain > 1 / 3,
        facts.own_browser > 1 / 8,
        facts.datacentre > 1 / 5,
        facts.abroad > 1 / 2,
        facts.quick > max(0.6, 1.3 * usual.quick) and life < -1,
        facts.clockwork,
        facts.late > 1 / 2,
        facts.without_visit > 1 / 3,
        facts.pending > 1 / 2 or len(case.sentences) >= 2,
    )
    return sum(asked)


def _facts(entries: Sequence[Entry], brought: int, head: Entry | None) -> Facts:
    count = len(entries)
    devices = Counter(entry.device for entry in entries)
    domains = Counter(entry.email.partition("@")[2] for entry in entries)
    small = [number for domain, number in domains.items() if domain not in PROVIDERS and domain not in RELAYS]

    def share(number: float) -> float:
        return number / max(1, count)

    return Facts(
        count=count,
        pending=1 - count / max(1, brought),
        alive=share(sum(bool(entry.came_back or entry.answered or entry.shares) for entry in entries)),
        quick=share(sum((entry.confirmed_at or 0) - entry.created_at <= 120 for entry in entries)),
        one_address=share(max(Counter(entry.address_hash for entry in entries).values(), default=0)),
        own_browser=share(sum(_is_shared(entry, head, devices) for entry in entries)),
        datacentre=share(sum(entry.network_kind == "datacentre" for entry in entries)),
        abroad=share(sum(bool(head and entry.country and entry.country != head.country) for entry in entries)),
        late=share(sum(max(entry.created_at, entry.confirmed_at or 0) > ENDS_AT - _LAST for entry in entries)),
        without_visit=share(sum(not entry.visits for entry in entries)),
        small_domain=share(max(small, default=0)),
        clockwork=_is_clockwork([entry.created_at for entry in entries]),
    )


def _is_shared(entry: Entry, head: Entry | None, devices: Counter[str]) -> bool:
    return bool(entry.device) and (devices[entry.device] > 1 or (head is not None and entry.device == head.device))


def _is_clockwork(times: list[int]) -> bool:
    """Whether the middle two thirds of the distances between arrivals are nearly the same."""
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(times))
    middle = gaps[len(gaps) // 6 : len(gaps) - len(gaps) // 6]
    return len(middle) >= 8 and mean(middle) > 0 and pstdev(middle) / mean(middle) < 0.25
