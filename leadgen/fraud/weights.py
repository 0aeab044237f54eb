"""What each signal weighs, and where it begins: data of a version, so that a score can be computed again.

`points` stand by code, so that stored signals can be weighed anew without looking at anything (see fraud.preview).
Raise `version` whenever a number changes: the nightly look then judges every open contest by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

MOST = 100


class Layer(StrEnum):
    """What a signal looks at: the entry alone, it and who brought it, or all whom one person brought."""

    ENTRY = "entry"
    PAIR = "pair"
    GROUP = "group"


# No signal that honest people share with cheats reaches a band alone: it takes two that do not hang together.
POINTS: Mapping[str, tuple[Layer, int]] = MappingProxyType(
    {
        "bounced": (Layer.ENTRY, 100),  # of an address that was confirmed; before that nothing counts anyway
        "trapped": (Layer.ENTRY, 18),
        "instant_form": (Layer.ENTRY, 30),
        "fast_form": (Layer.ENTRY, 5),
        "no_script": (Layer.ENTRY, 5),
        "datacentre": (Layer.ENTRY, 12),
        "odd_name": (Layer.ENTRY, 10),
        "role_address": (Layer.ENTRY, 10),
        "same_device": (Layer.PAIR, 20),
        "same_address": (Layer.PAIR, 8),
        "same_hand": (Layer.PAIR, 8),
        "alike_address": (Layer.PAIR, 16),
        "swapped_device": (Layer.PAIR, 36),
        "swapped_address": (Layer.PAIR, 34),
        "second_mailboxes": (Layer.PAIR, 34),
        "own_mailboxes": (Layer.GROUP, 34),
        "circle": (Layer.GROUP, 34),
        "crowded_device": (Layer.GROUP, 30),
        "lifeless": (Layer.GROUP, 22),
        "lifeless_many": (Layer.GROUP, 30),
        "lifeless_all": (Layer.GROUP, 44),
        "lifeless_alike": (Layer.GROUP, 24),
        "lifeless_line": (Layer.GROUP, 20),
        "lifeless_host": (Layer.GROUP, 20),
        "lifeless_domain": (Layer.GROUP, 24),
        "one_line": (Layer.GROUP, 20),
        "from_datacentres": (Layer.GROUP, 20),
        "one_domain": (Layer.GROUP, 11),
        "one_stem": (Layer.GROUP, 24),
        "one_provider": (Layer.GROUP, 12),
        "one_agent": (Layer.GROUP, 10),
        "own_agent": (Layer.GROUP, 12),
        "fast_forms": (Layer.GROUP, 16),
        "one_rhythm": (Layer.GROUP, 14),
        "confirmed_at_once": (Layer.GROUP, 10),
        "clockwork": (Layer.GROUP, 24),
        "elsewhere": (Layer.GROUP, 14),
        "unopened": (Layer.GROUP, 16),
        "last_hours": (Layer.GROUP, 12),
        "sleepers": (Layer.GROUP, 14),
        "without_script": (Layer.GROUP, 16),
        "scripted_pile": (Layer.GROUP, 14),
        "company": (Layer.GROUP, 22),
        "midst": (Layer.GROUP, 34),
    }
)


@dataclass(frozen=True, slots=True)
class Weights:
    """Points by code, and the thresholds of the signals. Times in seconds, shares 0 to 1."""

    version: int = 2
    points: Mapping[str, int] = field(default_factory=lambda: {code: points for code, (_, points) in POINTS.items()})
    instant_seconds: float = 1.6
    fast_seconds: float = 3.0
    fewest: int = 5  # referrals of one person, below which nothing is said of them together
    crowd: int = 8  # entries on one address that nobody in particular brought: a carrier, a school, a company
    household: int = 6  # more entries than that on one device are no family
    marked: int = 24  # from so many points on, an entry is judged apart from other friends of the same person
    scripted: int = 20  # so many points of what only a program does
    held: int = 34  # so many points hold a referral in every preset that holds
    pile: int = 9  # others with a sign of a program within an hour, from which on it is a pile
    midst: int = 8  # held friends within an hour, among whom somebody lifeless stands in their midst
    pile_seconds: float = 3600.0
    lively: int = 12  # users of one browser or line, from which on it may be a place where people come to enter
    made_up: float = 0.08  # of people who do not exist come back all the same
    circle: int = 3  # swapped second mailboxes, from which friends are a circle that swaps them
    together: float = 8 * 3600.0
    home: int = 8  # more entries over one line are no home's
    ripe: float = 86400.0  # so long after confirming, somebody may be asked whether they came back
    quick: float = 120.0
    last_hours: float = 3 * 3600.0
    sleep: float = 86400.0
    odd: float = 0.1
    own_odd: float = 0.2  # the same of friends who sat at the own browser of whoever brought them
    rare: float = 2e-2  # how unlikely a pattern is by chance
    very_rare: float = 1e-3
    hardly: float = 1e-5

    def of(self, code: str) -> int:
        """Points of a code; a code that was dropped since weighs nothing."""
        return self.points.get(code, 0)


CURRENT = Weights()
