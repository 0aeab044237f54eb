"""The world that honest people and cheats share: names, mailboxes, networks, opaque hashes."""

from __future__ import annotations

import itertools
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from random import Random

import leadgen.simulator
from leadgen.contacts import address

_NAMES = Path(leadgen.simulator.__file__).with_name("names.txt").read_text().splitlines()
FRENCH, FRENCH_LAST, ENGLISH, ENGLISH_LAST = (line.split() for line in _NAMES)

# Country: share among honest people, languages by weight, time zone.
HOMELANDS = {"FR": 0.80, "BE": 0.08, "CH": 0.04, "CA": 0.04, "GB": 0.04}
LANGUAGES = {"FR": "fr fr fr fr fr fr fr fr en es", "BE": "fr fr fr nl", "CH": "fr fr de", "CA": "fr fr en", "GB": "en"}
TIMEZONES = {
    "FR": "Europe/Paris",
    "BE": "Europe/Brussels",
    "CH": "Europe/Zurich",
    "CA": "America/Toronto",
    "GB": "Europe/London",
    "NL": "Europe/Amsterdam",
    "DE": "Europe/Berlin",
    "US": "America/New_York",
    "IN": "Asia/Kolkata",
    "PH": "Asia/Manila",
    "BD": "Asia/Dhaka",
    "MA": "Africa/Casablanca",
    "RO": "Europe/Bucharest",
    "VN": "Asia/Ho_Chi_Minh",
}
EXIT_COUNTRIES = ("FR", "FR", "NL", "DE", "US", "GB", "CH")
PROVIDERS = {
    "gmail.com": 0.46,
    "hotmail.fr": 0.06,
    "outlook.fr": 0.05,
    "live.fr": 0.03,
    "orange.fr": 0.08,
    "free.fr": 0.05,
    "wanadoo.fr": 0.02,
    "sfr.fr": 0.03,
    "laposte.net": 0.04,
    "yahoo.fr": 0.07,
    "icloud.com": 0.05,
    "gmx.fr": 0.01,
    "proton.me": 0.02,
}
RELAYS = ("privaterelay.appleid.com", "privaterelay.appleid.com", "mozmail.com", "duck.com", "simplelogin.com")
_HOSTS = {
    "gmail.com": "google.com",
    "hotmail.fr": "outlook.com",
    "outlook.fr": "outlook.com",
    "live.fr": "outlook.com",
    "wanadoo.fr": "orange.fr",
    "yahoo.fr": "yahoodns.net",
    "gmx.fr": "gmx.net",
    "proton.me": "protonmail.ch",
    "privaterelay.appleid.com": "icloud.com",
    "mozmail.com": "amazonaws.com",
    "simplelogin.com": "simplelogin.co",
}
SHARED_HOST = "sharedpost.example"  # cheap hosting: small firms, families and throw-away shops
_SMALL_HOSTS = ("google.com", "outlook.com", "ovhpost.example", "gandipost.example", SHARED_HOST)
THROWAWAY_HOSTS = ("mx-one.example", "mx-two.example", "mx-three.example", "inboxfarm.example", SHARED_HOST)
# What the door saw behind refused domains; mx-three and inboxfarm are new.
REFUSED_HOSTS = frozenset({"mx-one.example", "mx-two.example", SHARED_HOST})
_WORDS = [
    "sun",
    "blue",
    "lake",
    "moto",
    "chat",
    "lune",
    "rose",
    "tigre",
    "nord",
    "star",
    "cafe",
    "mimi",
    "zen",
    "pixel",
    "river",
    "luna",
    "foot",
    "jazz",
    "velo",
    "kiwi",
]
_ADDRESSES_OF_A_CARRIER = 12


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request comes from."""

    network: str
    address: str
    kind: str
    country: str


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address, what it means, and who takes its mail."""

    email: str
    key: str
    host: str


class World:
    """One world a seed. Each part of the cast draws from its own source of chance, so parts do not disturb others."""

    def __init__(self, seed: int, *, hard: bool, evade: float, entries: int) -> None:
        self.seed, self.hard, self.evade, self.entries = seed, hard, evade, entries
        self._numbers = itertools.count(1)
        self._taken: set[str] = set()
        self._homes: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.crews = itertools.count(1)
        r = self.random("world")
        self._carriers = {
            country: [self._network("mobile", r) for _ in range(60 if country == "FR" else 6)] for country in TIMEZONES
        }
        self._exits = [(*self._network("datacentre", r), r.choice(EXIT_COUNTRIES)) for _ in range(45)]
        self.firms = [f"{r.choice(FRENCH_LAST).lower()}-{r.choice(_WORDS)}.example" for _ in range(40)]
        self.firms = [_fold(name) for name in self.firms]
        self.throwaway = {
            f"{r.choice(_WORDS)}{r.choice(_WORDS)}{n}.example": r.choice(THROWAWAY_HOSTS) for n in range(40)
        }
        self._small = {name: r.choice(_SMALL_HOSTS) for name in self.firms} | self.throwaway

    def random(self, part: str) -> Random:
        """The source of chance of a part."""
        return Random(f"{self.seed}/{part}")

    def share(self, part: float) -> int:
        """So many of all entries."""
        return round(part * self.entries)

    def opaque(self, sort: str) -> str:
        """A hash that tells nothing but whether two are the same."""
        return blake2b(f"{self.seed}/{sort}/{next(self._numbers)}".encode(), digest_size=8).hexdigest()

    def _network(self, kind: str, r: Random) -> tuple[str, str]:
        """A network and what the offline list takes it for."""
        chance = r.random()
        if kind == "mobile" and chance < 0.1:
            kind = "isp"
        elif kind == "isp" and chance < 0.006:
            kind = "datacentre"
        elif kind == "datacentre" and chance < 0.12:
            kind = "isp"
        return self.opaque("network"), kind

    def home(self, r: Random, country: str) -> Place:
        """A line of its own; its network may be a neighbour's."""
        homes = self._homes[country]
        if not homes or r.random() > 0.22:
            homes.append(self._network("isp", r))
        network, kind = homes[-1] if r.random() > 0.22 else r.choice(homes)
        return Place(network, self.opaque("address"), kind, country if r.random() > 0.03 else "")

    def carrier(self, r: Random, country: str) -> Place:
        """A phone behind an address that many strangers share."""
        carriers = self._carriers[country]
        network, kind = carriers[int(len(carriers) * r.random() ** 1.7)]
        return Place(network, f"{network[:12]}{r.randrange(_ADDRESSES_OF_A_CARRIER):04x}", kind, country)

    def exit(self, r: Random) -> Place:
        """One of the exits of some VPN, cheats' and honest people's alike."""
        network, kind, country = r.choice(self._exits)
        return Place(network, f"{network[:12]}{r.randrange(20):04x}", kind, country)

    def mailbox(self, r: Random, name: tuple[str, str], domain: str = "") -> Mailbox:
        """A mailbox that nobody has yet, named as people name theirs."""
        if not domain:
            chosen = r.choices(list(PROVIDERS), list(PROVIDERS.values()))[0]
            domain = chosen if r.random() > 0.03 else r.choice(self.firms)
        first, last = _fold(name[0]), _fold(name[1])
        number = r.choice(("", "", str(r.randrange(10, 99)), str(r.randrange(1960, 2008))))
        style = r.choice(
            (f"{first}.{last}", f"{first}{last}", f"{first[0]}{last}", f"{last}.{first}", r.choice(_WORDS) + first)
        )
        return self.mailbox_of(r, style + number, domain)

    def mailbox_of(self, r: Random, local: str, domain: str, tag: str = "") -> Mailbox:
        """This mailbox, or when it is taken the next like it."""
        while (key := address.mailbox_key(local + tag, domain)) in self._taken:
            local += str(r.randrange(10))
        self._taken.add(key)
        return Mailbox(f"{local}{tag}@{domain}", key, self.host(r, domain))

    def host(self, r: Random, domain: str) -> str:
        """Who takes the mail of a domain; the same answer each time."""
        if domain.endswith(".example") and domain not in self._small:
            self._small[domain] = r.choice(_SMALL_HOSTS)
        return self._small.get(domain) or _HOSTS.get(domain, domain)

    def word(self, r: Random) -> str:
        """A word for a domain or a name."""
        return r.choice(_WORDS)


def _fold(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in plain if letter.isascii() and (letter.isalnum() or letter in ".-"))
