"""Who takes part in a simulated campaign: names, languages, invitations, deeds. The same seed gives the same play."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# First and last names, French then English, one list a line.
_FRENCH, _FRENCH_LAST, _ENGLISH, _ENGLISH_LAST = (
    line.split() for line in Path(__file__).with_name("names.txt").read_text().splitlines()
)
# Reserved for examples: should a provider that really delivers be set, no mail can reach anybody.
_DOMAINS = ("courriel.example", "mail.example", "poste.example", "inbox.example", "voyage.example")
_CHANNELS = ("wa", "wa", "wa", "copy", "copy", "fb", "native", "em", "sms", "x", "tg", "li", "qr")
INFLUENCER = 0  # the first person has a large audience


@dataclass(frozen=True, slots=True)
class Person:
    """One simulated person and what they are going to do."""

    number: int
    first_name: str
    email: str
    locale: str
    inviter: int | None  # number of the person whose link they come through
    channel: str
    visits: int  # landing views before the form is sent
    wants_marketing: bool
    confirms: bool
    confirms_elsewhere: bool  # opens the mail in another browser, without the cookie
    shares: bool
    answers: bool
    withdraws: bool  # their consent to news, on their page
    patience: float  # 0…1: how slowly they do things


@dataclass(frozen=True, slots=True)
class Habits:
    """How likely people do things. The defaults are the model campaign: 1.5 views, 80 % confirm, 60 % answer."""

    invited: float = 0.55
    by_influencer: float = 0.18  # of the invited
    second_visit: float = 0.5
    marketing: float = 0.7
    confirms: float = 0.8
    elsewhere: float = 0.25
    shares: float = 0.45
    answers: float = 0.6
    withdraws: float = 0.03


def cast(seed: int, number: int, habits: Habits | None = None) -> Iterator[Person]:
    """The `number` people of a play, in the order in which they arrive.

    An inviter always confirms and shares, and arrives before the friends.
    """
    chance = random.Random(seed)  # noqa: S311 - a play, not a secret
    tag = f"{chance.randrange(36**4):04x}"
    sharers: list[int] = []
    for index in range(number):
        person = _person(chance, index, tag, sharers, habits or Habits())
        if person.confirms and person.shares:
            sharers.append(index)
        yield person


def _person(chance: random.Random, index: int, tag: str, sharers: list[int], habits: Habits) -> Person:
    roll = chance.random
    is_french = roll() < 0.6
    first = chance.choice(_FRENCH if is_french else _ENGLISH)
    last = chance.choice(_FRENCH_LAST if is_french else _ENGLISH_LAST)
    is_influencer = index == INFLUENCER
    inviter = _inviter(chance, sharers, habits) if sharers and roll() < habits.invited else None
    return Person(
        number=index,
        first_name=first,
        email=f"{_plain(first)}.{_plain(last)}.{tag}{index}@{chance.choice(_DOMAINS)}",
        locale="fr" if is_french else "en",
        inviter=inviter,
        channel=chance.choice(_CHANNELS) if inviter is not None else "",
        visits=2 if roll() < habits.second_visit else 1,
        wants_marketing=roll() < habits.marketing,
        confirms=is_influencer or roll() < habits.confirms,
        confirms_elsewhere=roll() < habits.elsewhere,
        shares=is_influencer or roll() < habits.shares,
        answers=roll() < habits.answers,
        withdraws=not is_influencer and roll() < habits.withdraws,
        patience=roll(),
    )


def _inviter(chance: random.Random, sharers: list[int], habits: Habits) -> int:
    """The influencer for some; for the others somebody, early arrivals more often than late ones."""
    if chance.random() < habits.by_influencer:
        return sharers[INFLUENCER]
    return sharers[int(len(sharers) * chance.random() ** 2)]


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())
