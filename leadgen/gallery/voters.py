"""Who votes, without a cookie: keyed hashes that tell two voters apart for a day and tell nobody who they are."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import date

from leadgen.core import limits, settings

_LONGEST = 300
# “Firefox/140.0.2” and “Firefox/140.0.3” are the same browser before and after an update.
_MINOR = re.compile(r"(\d+)(?:[._]\d+)+")


@dataclass(frozen=True, slots=True)
class Voter:
    """Somebody who presses “vote”: an entrant who came by their own signed link, or a stranger.

    `address` is where the request came from as the proxies that we trust say it, `agent` the name of the browser.
    """

    address: str
    agent: str
    entry_id: int | None = None

    @property
    def is_played(self) -> bool:
        """Whether this is somebody who tries the product out on its own machine, where all share one network."""
        return self.address in {"127.0.0.1", "::1"} and not settings.get().is_production


def voter_key(voter: Voter, campaign_id: int, day: date) -> bytes:
    """What counts as one voter: an entry, or on that day a kind of browser in a network.

    Two people with equal browsers behind one address are one stranger; each of them is a voter once they entered.
    """
    if voter.entry_id is not None:
        return _hash("entry", campaign_id, voter.entry_id)
    return _hash("stranger", campaign_id, day, limits.network(voter.address), _class(voter.agent))


def network_key(voter: Voter, campaign_id: int, day: date) -> bytes:
    """The network that a vote came from, on that day only."""
    return _hash("network", campaign_id, day, limits.network(voter.address))


def maker_key(address: str, campaign_id: int) -> bytes:
    """The network that a work was handed in from."""
    return _hash("maker", campaign_id, limits.network(address))


def maker_keys(address: str, campaign_id: int) -> list[bytes]:
    """The same under each key that is still good: a work may have been handed in before the keys were changed."""
    return [_hash_with(key, "maker", campaign_id, limits.network(address)) for key in settings.get().secret_keys]


def _class(agent: str) -> str:
    return _MINOR.sub(r"\1", agent[:_LONGEST].lower())


def _hash(*parts: object) -> bytes:
    return _hash_with(settings.get().secret_keys[0], *parts)


def _hash_with(key: str, *parts: object) -> bytes:
    return hmac.digest(f"vote.v1:{key}".encode(), "\x1f".join(map(str, parts)).encode(), "sha256")[:16]
