"""What a letter says to one person: a value for each marker of the compiled letter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from html import escape
from typing import Any

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import clock, i18n, links, text, tokens
from leadgen.core.i18n import gettext as _
from leadgen.letters import words


@dataclass(frozen=True, slots=True)
class Recipient:
    """One claimed message and the person it goes to, as they stand at the moment of sending."""

    id: int
    opaque_id: str
    campaign_id: int
    stream_id: int
    letter: str
    step_id: int | None
    locale: str
    attempts: int
    contact_id: int
    email: str
    first_name: str
    entry_id: int
    generation: int
    code_number: int
    access_version: int
    code: str
    entered_at: datetime
    confirm_until: datetime
    wants_marketing: bool
    reward: str = ""
    reward_code: str = ""
    reward_until: datetime | None = None
    code_until: date | None = None
    is_address_asked: bool = False

    @property
    def is_sample(self) -> bool:
        """Whether this is nobody: links then lead to pages that record nothing."""
        return not self.entry_id


@dataclass(frozen=True, slots=True)
class _Person:
    recipient: Recipient
    card: CampaignCard
    locale: str


def fill(markers: Iterable[str], recipient: Recipient, card: CampaignCard, locale: str) -> dict[str, str]:
    """The value of each marker, `name` for plain text and `name:h` for HTML. Raises ValueError for an unknown one."""
    person = _Person(recipient, card, locale)
    filled: dict[str, str] = {}
    for marker in markers:
        name, _colon, is_html = marker.partition(":")
        value = _VALUES[name](person) if name in _VALUES else _click(name, person)
        filled[marker] = escape(value) if is_html else value
    return filled


def _click(name: str, person: _Person) -> str:
    """The person's address for a link that is led through us (letters.tracking), `go_12_3`."""
    number, _, of = name.removeprefix("go_").partition("_")
    return links.click(person.recipient.id, int(number), int(of), person.recipient.access_version)


def campaign_words(card: CampaignCard, locale: str) -> dict[str, str]:
    """The placeholders that are the same for everybody (kinds.CAMPAIGN_PLACEHOLDERS), in the current language."""
    prize = card.prizes[0] if card.prizes else None
    titles: dict[str, Any] = prize.texts if prize else {}
    title = titles.get(locale) or titles.get(card.default_locale) or {}
    return {
        "brand": card.brand.name,
        "campaign": card.text("title", locale) or card.name,
        "prize": str(title.get("title", "")),
        "prizes_value": i18n.format_money(card.total_value, prize.currency) if prize else "",
        "end_date": i18n.format_date(card.ends_at, card.timezone),
    }


def _link(person: _Person) -> str:
    recipient = person.recipient
    if recipient.letter in {"confirm", "reminder"}:
        return _sample("confirm", person) or links.confirm(recipient.entry_id, recipient.generation)
    return _sample("me", person) or links.status(recipient.entry_id, recipient.access_version)


def _refuse_link(person: _Person) -> str:
    return _sample("refuse", person) or links.refuse(person.recipient.entry_id, person.recipient.generation)


def _unsubscribe_link(person: _Person) -> str:
    return _sample("unsubscribe", person) or links.unsubscribe(person.recipient.contact_id, person.recipient.id)


def _share_link(person: _Person) -> str:
    return _sample("r", person) or links.referral(person.recipient.code, "em")


def _sample(page: str, person: _Person) -> str:
    """The page that stands for the real one in previews and test letters, or nothing for somebody who exists."""
    return links.sample(page, person.card.id, person.locale) if person.recipient.is_sample else ""


def _first_name_after(before: str, person: _Person) -> str:
    name = text.shown_name(person.recipient.first_name)
    return before + name if name else ""


def _days_left(person: _Person) -> str:
    seconds = (person.card.ends_at - clock.now()).total_seconds()
    return str(max(0, math.ceil(seconds / 86400)))


def _moment(moment: datetime, person: _Person) -> str:
    return _formatted(moment.replace(second=0, microsecond=0), person.card.timezone, person.locale)


# Formatting a date costs more than the rest of a letter; whole batches share their minutes.
@lru_cache(maxsize=4096)
def _formatted(moment: datetime, zone: str, locale: str) -> str:
    with i18n.speaking(locale):
        return i18n.format_datetime(moment, zone)


def _marketing_words(person: _Person) -> str:
    """The words that were agreed to besides the rules, on a line of their own; nothing when they were not."""
    if not person.recipient.wants_marketing:
        return ""
    agreed = words.harmless(person.card.text("consent_marketing", person.locale))
    return f"\n«\u00a0{agreed}\u00a0»" if person.locale == "fr" else f"\n“{agreed}”"


def _reward_until(person: _Person) -> str:
    until = person.recipient.reward_until
    return _moment(until, person) if until else ""


def _address_words(person: _Person) -> str:
    """That the person must say where the reward is sent, as a sentence behind others; nothing where nobody asks."""
    if not person.recipient.is_address_asked:
        return ""
    with i18n.speaking(person.locale):
        return " " + _("We need your delivery address: please write it there.")


def _claim_words(person: _Person) -> str:
    """Until when the reward can be claimed, as a sentence behind others; nothing where it waits for ever."""
    if not person.recipient.reward_until:
        return ""
    with i18n.speaking(person.locale):
        return " " + _("You can claim it until %(moment)s.") % {"moment": _reward_until(person)}


def _code_until(person: _Person) -> str:
    """Until when the code is good, behind “your code”; nothing where it is good for ever."""
    if not person.recipient.code_until:
        return ""
    with i18n.speaking(person.locale):
        return ", " + _("good until %(day)s") % {"day": i18n.format_date(person.recipient.code_until)}


def _code(person: _Person) -> str:
    recipient = person.recipient
    return tokens.six_digits(recipient.entry_id, recipient.generation, recipient.code_number)


_VALUES: dict[str, Callable[[_Person], str]] = {
    "first_name": lambda person: text.shown_name(person.recipient.first_name),
    "_first_name": lambda person: _first_name_after(" ", person),
    "_comma_first_name": lambda person: _first_name_after(", ", person),
    "link": _link,
    "share_link": _share_link,
    "days_left": _days_left,
    "code": _code,
    "requested_at": lambda person: _moment(person.recipient.entered_at, person),
    "confirm_until": lambda person: _moment(person.recipient.confirm_until, person),
    "_marketing_words": _marketing_words,
    "reward": lambda person: person.recipient.reward,
    "reward_code": lambda person: person.recipient.reward_code,
    "reward_until": _reward_until,
    "_address_words": _address_words,
    "_claim_words": _claim_words,
    "_code_until": _code_until,
    "refuse_link": _refuse_link,
    "unsubscribe_link": _unsubscribe_link,
}
PERSONAL = frozenset(_VALUES)
