"""Mail providers behind one small interface: a batch goes in, an outcome for each recipient comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from leadgen.letters.rendering import Compiled


class Result(StrEnum):
    """What became of one mail, as the status that its message gets; TEMPORARY puts it back."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    TEMPORARY = "scheduled"


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
    """The same compiled letter to several people, no address twice."""

    letter: Compiled
    parcels: Sequence[Parcel]


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
    """The outcomes of a batch, and for how many seconds nobody should call this provider (0: go on)."""

    outcomes: list[Outcome] = field(default_factory=list)
    pause_seconds: float = 0.0
    pause_reason: str = ""


class Provider(Protocol):
    """Takes batches of at most `largest` mails. It never raises for what a provider answers or fails to answer."""

    largest: int

    def send(self, batch: Batch) -> Answer:
        """Hand the batch over and say for each parcel what became of it."""


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
