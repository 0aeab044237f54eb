"""Mail providers behind one small interface: a batch goes in, an outcome for each recipient comes out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from leadgen.letters.rendering import Compiled

# A claim is leased for two minutes. Who calls a slow provider stops asking before half of that is over, so that no
# mail is handed over whose lease somebody else may already have given up.
BUDGET_SECONDS = 45.0


class Result(StrEnum):
    """What became of one mail, as the status that its message gets; TEMPORARY puts it back."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    TEMPORARY = "scheduled"
    # not handed over after all, because a gate closed since the claim
    SKIPPED = "skipped"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One recipient's share of a batch. `opaque_id` is all that a provider is told about who this is to us."""

    message_id: int
    opaque_id: str
    to: str
    attempt: int
    filled: Mapping[str, str]
    unsubscribe: str = ""  # the RFC 8058 address; marketing only


@dataclass(frozen=True, slots=True)
class Batch:
    """The same compiled letter to several people. No call is begun after `until`, in seconds of `time.monotonic`."""

    letter: Compiled
    parcels: Sequence[Parcel]
    until: float = field(default_factory=lambda: time.monotonic() + BUDGET_SECONDS)

    @property
    def is_late(self) -> bool:
        """Whether the time for this batch is over; what was not tried goes back free of charge."""
        return time.monotonic() >= self.until


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mail. `is_free` outcomes do not count as an attempt; `is_address_fault` suppresses it."""

    message_id: int
    result: Result
    reason: str = ""
    reference: str | None = None
    is_free: bool = False
    is_address_fault: bool = False
    delay: float | None = None  # seconds until the next attempt; None: the usual back-off


@dataclass(slots=True)
class Answer:
    """The outcomes of a batch, and for how many seconds nobody should call this provider (0: go on).

    `is_trouble`: the provider was away, broken or silent; many of these in a row make the pauses grow (mail.pauses).
    """

    outcomes: list[Outcome] = field(default_factory=list)
    pause_seconds: float = 0.0
    pause_reason: str = ""
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What trying the settings showed: a code for `reasons.check_in_words`, and what the other side said."""

    is_ok: bool
    code: str
    detail: str = ""


class Provider(Protocol):
    """Takes batches of at most `largest` mails. It never raises for what a provider answers or fails to answer."""

    largest: int

    def send(self, batch: Batch) -> Answer:
        """Hand the batch over and say for each parcel what became of it."""

    def check(self, sender: str) -> Checked:
        """Try the settings without sending anything to anybody; takes seconds, so only jobs ask."""

    def headers_of(self, batch: Batch) -> Mapping[str, str]:
        """The headers beside subject and addresses that the first parcel's mail is handed over with."""


def all_of(parcels: Sequence[Parcel], result: Result, reason: str = "", **more: object) -> list[Outcome]:
    """The same outcome for all these parcels."""
    return [Outcome(parcel.message_id, result, reason, **more) for parcel in parcels]  # type: ignore[arg-type]


def unsubscribe_headers(parcel: Parcel, letter: Compiled) -> dict[str, str]:
    """The headers of RFC 8058 and RFC 2919 for marketing mails; none for others."""
    if not parcel.unsubscribe:
        return {}
    return {
        "List-Unsubscribe": f"<{parcel.unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-ID": letter.list_id,
    }


def out_of_time(parcels: Sequence[Parcel]) -> list[Outcome]:
    """These were not tried before the time was over; somebody claims them again at once."""
    return all_of(parcels, Result.TEMPORARY, "out_of_time", is_free=True, delay=0.0)


def poisoned(parcel: Parcel, error: Exception) -> Outcome:
    """A mail that cannot be written down as the provider wants it fails alone."""
    return Outcome(parcel.message_id, Result.FAILED, f"cannot_render: {type(error).__name__} {error}"[:200])
