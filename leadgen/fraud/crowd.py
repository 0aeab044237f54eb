"""The people of a contest with what they share at hand: addresses, devices, who brought whom, and what is usual."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import comb, exp, lgamma, log

from leadgen.fraud.observations import Found, Moment, Observation, SafeList, Usual
from leadgen.fraud.weights import Weights

# Mailbox providers that anybody may use, and relays: one of them in common says nothing by itself.
PROVIDERS = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "outlook.fr",
        "hotmail.com",
        "hotmail.fr",
        "live.com",
        "live.fr",
        "msn.com",
        "yahoo.com",
        "yahoo.fr",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "orange.fr",
        "wanadoo.fr",
        "free.fr",
        "sfr.fr",
        "laposte.net",
        "bbox.fr",
        "neuf.fr",
        "proton.me",
        "protonmail.com",
        "pm.me",
        "gmx.com",
        "gmx.fr",
        "gmx.net",
        "gmx.de",
        "web.de",
        "mail.com",
        "fastmail.com",
        "skynet.be",
        "telenet.be",
        "bluewin.ch",
        "hotmail.co.uk",
        "yahoo.co.uk",
        "privaterelay.appleid.com",
        "mozmail.com",
        "duck.com",
        "simplelogin.com",
        "simplelogin.co",
        "slmail.me",
        "aleeas.com",
        "hey.com",
        "tutanota.com",
        "btinternet.com",
        "t-online.de",
    ]
)

_Index = defaultdict[str, list[Observation]]
Marks = dict[int, dict[str, Found]]  # what was found so far: entry → code → signal


@dataclass(frozen=True, slots=True)
class Crowd:
    """Observations with their indexes; lists are in order of entry ids, so that the order of arrival tells nothing."""

    people: Mapping[int, Observation]
    friends: Mapping[int, Sequence[Observation]]  # by who brought them
    by_address: Mapping[str, Sequence[Observation]]
    by_device: Mapping[str, Sequence[Observation]]
    by_domain: Mapping[str, Sequence[Observation]]  # small domains only
    by_host: Mapping[str, Sequence[Observation]]
    lively: AbstractSet[str]  # devices and addresses from which many entered who do live: a stand, a library, a school
    usual: Usual
    moment: Moment
    safe: SafeList
    chosen: Weights

    def is_safe(self, one: Observation) -> bool:
        """Whether the brand said that this network or household is honest."""
        return one.network in self.safe.networks or one.address in self.safe.households

    def is_free_device(self, one: Observation) -> bool:
        """Whether many sat at this browser one after the other and live: a stand, a library. Nobody hides behind it."""
        return one.device in self.lively

    def is_free_line(self, one: Observation) -> bool:
        """Whether many entered over this line and live, or the brand calls it safe."""
        return one.address in self.lively or self.is_safe(one)

    def is_ripe(self, one: Observation) -> bool:
        """Whether the person has had time to come back."""
        return one.confirmed_at is not None and self.moment.at - one.confirmed_at >= self.chosen.ripe

    def is_dead(self, one: Observation) -> bool:
        """Confirmed, and after a fair time nothing more."""
        return self.is_ripe(one) and not one.is_alive

    def is_private(self, address: str) -> bool:
        """Whether so few people who do not belong together use this address that sharing it means something."""
        people = self.by_address.get(address, ())
        if len(people) < 3:
            return bool(address)
        roots = Counter(one.referrer_id for one in people)
        loose = roots.pop(None, 0)
        return loose + len(roots) <= max(self.chosen.crowd, 0.25 * len(people))


def gather(
    observations: Iterable[Observation], moment: Moment, *, usual: Usual | None, safe: SafeList, chosen: Weights
) -> Crowd:
    """Index the observations; what is usual is reckoned from them unless it is given."""
    ordered = sorted(observations, key=lambda one: one.entry_id)
    friends: dict[int, list[Observation]] = defaultdict(list)
    shared: tuple[_Index, _Index, _Index, _Index]
    shared = defaultdict(list), defaultdict(list), defaultdict(list), defaultdict(list)
    for one in ordered:
        if one.referrer_id is not None:
            friends[one.referrer_id].append(one)
        small = "" if one.domain in PROVIDERS or one.domain in safe.domains else one.domain
        for index, word in zip(shared, (one.address, one.device, small, one.landing_host), strict=True):
            if word:
                index[word].append(one)
    people = {one.entry_id: one for one in ordered}
    known = usual or what_is_usual(ordered, moment, chosen)
    lively = {word for index in shared[:2] for word, users in index.items() if _lives(users, known, moment, chosen)}
    return Crowd(people, friends, *shared, lively, usual=known, moment=moment, safe=safe, chosen=chosen)


def _lives(users: Sequence[Observation], usual: Usual, moment: Moment, chosen: Weights) -> bool:
    """Whether many entered from one browser or line, one after the other, and live.

    Far more of them than of made-up people came back, answered or shared, and not far fewer than of all.
    """
    ripe = [one for one in users if one.confirmed_at is not None and moment.at - one.confirmed_at >= chosen.ripe]
    alive = sum(one.is_alive for one in ripe)
    return (
        len(ripe) >= chosen.lively
        and at_least(alive, len(ripe), chosen.made_up) < chosen.rare / 4
        and at_most(alive, len(ripe), usual.alive) >= chosen.rare / 4
    )


def what_is_usual(people: Sequence[Observation], moment: Moment, chosen: Weights) -> Usual:
    """Shares over all who confirmed, with two imaginary people of each sort so that a small contest says little."""
    confirmed = [one for one in people if one.confirmed_at is not None]
    ripe = [one for one in confirmed if moment.at - (one.confirmed_at or 0) >= chosen.ripe]

    def share(part: int, whole: int, guess: float) -> float:
        return (part + 4 * guess) / (whole + 4)

    def words(values: Iterable[str]) -> dict[str, float]:
        counted = Counter(values)
        return {word: number / max(1, len(people)) for word, number in counted.items()}

    quick = sum((one.confirmed_at or 0) - one.created_at <= chosen.quick for one in confirmed)
    return Usual(
        alive=share(sum(one.is_alive for one in ripe), len(ripe), 0.5),
        quick=share(quick, len(confirmed), 0.3),
        scripted=share(sum(one.has_script for one in people), len(people), 0.98),
        agents=words(one.agent for one in people),
        providers=words(one.domain for one in people if one.domain in PROVIDERS),
        timezones=words(one.timezone for one in people if one.timezone),
    )


def at_most(hits: int, tries: int, share: float) -> float:
    """How likely so few hits are by chance, when each try hits with `share`: the lower tail of the binomial."""
    return _tail(range(hits + 1), tries, share)


def at_least(hits: int, tries: int, share: float) -> float:
    """How likely so many hits are by chance: the upper tail."""
    return _tail(range(hits, tries + 1), tries, share)


def _tail(hits: range, tries: int, share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    if tries <= 60:
        return sum(comb(tries, k) * share**k * (1 - share) ** (tries - k) for k in hits)
    whole = lgamma(tries + 1)
    return sum(
        exp(whole - lgamma(k + 1) - lgamma(tries - k + 1) + k * log(share) + (tries - k) * log(1 - share)) for k in hits
    )
