"""What the scorer looks at: one frozen observation for each entry, and what it finds. No database, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Observation:
    """One entry as far as it is observed. Times are seconds since any one moment; hashes are compared, never read."""

    entry_id: int
    referrer_id: int | None
    local: str  # of the address, as typed, lower case
    domain: str
    created_at: float
    confirmed_at: float | None = None
    form_seconds: float | None = None
    has_script: bool = True
    is_trapped: bool = False
    network: str = ""
    address: str = ""
    network_kind: str = "isp"
    device: str = ""
    agent: str = ""
    timezone: str = ""
    landing_host: str = ""
    openings: int = 0  # of this person's own link, by people
    returns: int = 0  # days on which the page was opened again
    answers: int = 0
    deeds: int = 0  # shares and other actions
    is_bounced: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether the person did anything but confirm."""
        return bool(self.returns or self.answers or self.deeds)


@dataclass(frozen=True, slots=True)
class SafeList:
    """What a brand knows to be honest: networks and households by hash, domains by name."""

    networks: frozenset[str] = frozenset()
    households: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """One signal of one entry; `evidence` holds the numbers of its sentence."""

    code: str
    points: int
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usual:
    """How the contest's people are: shares 0 to 1, by which one person's friends are compared."""

    alive: float = 0.5
    quick: float = 0.2
    scripted: float = 0.99
    agents: Mapping[str, float] = field(default_factory=dict)
    providers: Mapping[str, float] = field(default_factory=dict)
    timezones: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is looked at, and when the contest ends; on the same clock as the observations."""

    at: float
    ends_at: float
