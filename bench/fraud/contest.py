"""What a contest of the synthetic set is: entries as the product sees them, labels apart, the prize places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

MINUTE, HOUR, DAY = 60, 3600, 86400
DAYS = 21
ENDS_AT = DAYS * DAY
GRACE = 72 * HOUR  # confirmations still count so long after the end
PRIZES = 10

KINDS = ("alias", "disposable", "cookie", "bot", "farm", "vpn", "bought", "ring", "snipe")
HARD_NEGATIVES = (
    "family_own_devices",
    "family_one_device",
    "lecture_hall",
    "influencer_burst",
    "vpn_user",
    "plus_address",
    "relay",
    "fast_confirmer",
    "friends",
    "end_rush",
    "text_browser",
    "bombed_leader",
)
UNDER_CHEAT = "under_cheat"
BOMBING = "rival_bombing"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry with all that the product can observe of it. Times are whole seconds since the contest opened."""

    number: int
    referrer: int | None
    email: str
    mailbox_key: str  # canonical; no two entries share one
    mail_host: str  # registrable domain of the host that takes this domain's mail
    first_name: str
    created_at: int
    form_seconds: float | None  # how long the form was open; None without the script's token
    has_script: bool
    honeypot: bool
    network: str  # keyed hash of the /24 or /48
    address_hash: str  # keyed hash of the full address
    network_kind: str  # isp, mobile or datacentre, as an offline list reads it: sometimes wrong
    device: str  # keyed hash of the functional cookie; "" when none came back
    agent: str  # family of browser and system
    language: str
    timezone: str  # "" without script
    country: str  # of the network; "" when unknown
    channel: str  # `?ch=`, "" when none
    landing_host: str  # the host that linked, "" direct
    visits: tuple[int, ...]  # human visits of this link from the same network in the day before the entry
    confirmed_at: int | None
    confirm_method: str  # cookie_post, button_post, code; "" unconfirmed
    came_back: tuple[int, ...]  # when the person's page was opened after the day's first look
    answered: int  # profile questions
    bounced: bool
    complained: bool
    unsubscribed: bool
    shares: int  # clicks on share buttons


@dataclass(frozen=True, slots=True)
class Label:
    """The truth of an entry: kind of fraud ("" honest), group by name, part in it, number of the crew (0 none)."""

    kind: str = ""
    group: str = ""
    role: str = ""  # head (who gains) or referral
    crew: int = 0
    evades: bool = False

    @property
    def is_fraud(self) -> bool:
        """Whether this entry is a cheat's, or one that a cheat made."""
        return bool(self.kind)


@dataclass(frozen=True)
class Contest:
    """Entries in order of their numbers; labels that a scorer must not be handed."""

    entries: tuple[Entry, ...]
    labels: Mapping[int, Label] = field(repr=False)
    # Mail hosts behind sign-ups that the door refused as throw-away; a large honest one is among them.
    refused_hosts: frozenset[str] = frozenset()
    ends_at: int = ENDS_AT

    def by_number(self) -> dict[int, Entry]:
        """Entries by number."""
        return {entry.number: entry for entry in self.entries}

    def group(self, name: str) -> list[int]:
        """Numbers of the entries of a named group."""
        return [number for number, label in self.labels.items() if label.group == name]

    def without(self, group: str) -> Contest:
        """The same contest as if this group had never come; all others keep their numbers."""
        gone = set(self.group(group))
        entries = tuple(entry for entry in self.entries if entry.number not in gone)
        assert all(entry.referrer not in gone for entry in entries), "somebody came through a link that is gone"
        labels = {number: label for number, label in self.labels.items() if number not in gone}
        return replace(self, entries=entries, labels=labels)


def points(entries: Iterable[Entry], *, not_credited: frozenset[int] = frozenset()) -> dict[int, int]:
    """Points of the confirmed: 1 for the entry and 5 for each confirmed referral that is credited."""
    confirmed = [entry for entry in entries if entry.confirmed_at is not None]
    counted = Counter(entry.referrer for entry in confirmed if entry.number not in not_credited)
    return {entry.number: 1 + 5 * counted[entry.number] for entry in confirmed}


def prize_places(scored: Mapping[int, int], places: int = PRIZES) -> list[int]:
    """The first `places` by points; who entered first stands first among equals."""
    return sorted(scored, key=lambda number: (-scored[number], number))[:places]
