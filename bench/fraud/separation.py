"""How far one field alone tells fraud from honest entries: were it far, the set would be too easy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

from bench.fraud.contest import ENDS_AT, Contest, Entry

_WORDS: tuple[str, ...] = (
    "network_kind",
    "agent",
    "language",
    "timezone",
    "country",
    "channel",
    "landing_host",
    "mail_host",
)
_WORDS += ("confirm_method", "has_script", "honeypot", "bounced", "complained", "unsubscribed", "first_name")
_SAME = ("network", "address_hash", "device", "mail_host", "referrer", "agent", "country", "channel", "landing_host")


def best_fields(contest: Contest) -> list[tuple[float, str]]:
    """The best F1 that each field reaches by one threshold, or one value, in either direction; best field first."""
    fraud = [contest.labels[entry.number].is_fraud for entry in contest.entries]
    found = [(_best_threshold(values, fraud), name) for name, values in _columns(contest.entries).items()]
    found += [(_best_word([getattr(entry, name) for entry in contest.entries], fraud), name) for name in _WORDS]
    return sorted(found, reverse=True)


def _columns(entries: Iterable[Entry]) -> dict[str, list[float]]:
    """Every number of an entry, and how many share each of its words."""
    entries = list(entries)
    columns: dict[str, list[float]] = {
        "number": [entry.number for entry in entries],
        "time of day": [entry.created_at % 86400 for entry in entries],
        "form_seconds": [-1 if entry.form_seconds is None else entry.form_seconds for entry in entries],
        "visits": [len(entry.visits) for entry in entries],
        "visit to entry": [entry.created_at - max(entry.visits, default=0) for entry in entries],
        "came_back": [len(entry.came_back) for entry in entries],
        "answered": [entry.answered for entry in entries],
        "shares": [entry.shares for entry in entries],
        "life": [len(entry.came_back) + entry.answered + entry.shares for entry in entries],
        "to confirm": [_delay(entry) for entry in entries],
        "confirmed_at": [entry.confirmed_at or 2 * ENDS_AT for entry in entries],
        "length of address": [len(entry.email) for entry in entries],
        "digits of address": [sum(letter.isdigit() for letter in entry.email) for entry in entries],
    }
    for name in _SAME:
        shared = Counter(getattr(entry, name) for entry in entries)
        columns[f"same {name}"] = [shared[value] if (value := getattr(entry, name)) else 0 for entry in entries]
    domains = Counter(entry.email.partition("@")[2] for entry in entries)
    columns["same domain"] = [domains[entry.email.partition("@")[2]] for entry in entries]
    return columns


def _delay(entry: Entry) -> float:
    return 2 * ENDS_AT if entry.confirmed_at is None else entry.confirmed_at - entry.created_at


def _best_threshold(values: list[float], fraud: list[bool]) -> float:
    order = sorted(range(len(values)), key=values.__getitem__)
    return max(_sweep(values, fraud, order), _sweep(values, fraud, order[::-1]))


def _sweep(values: list[float], fraud: list[bool], order: list[int]) -> float:
    best, caught, total = 0.0, 0, sum(fraud)
    for taken, index in enumerate(order, 1):
        caught += fraud[index]
        if taken == len(order) or values[order[taken]] != values[index]:
            best = max(best, 2 * caught / (taken + total))
    return best


def _best_word(values: list[Hashable], fraud: list[bool]) -> float:
    """The best that a set of values can do: those taken first in which fraud is most frequent."""
    count = Counter(values)
    bad = Counter(value for value, is_fraud in zip(values, fraud, strict=True) if is_fraud)
    return _best_threshold([bad[value] / count[value] for value in values], fraud)
