"""The address of a waiting page: sealed, so that it does not tell whether the typed address had entered before."""

from __future__ import annotations

from typing import NamedTuple

from leadgen.core import clock, sealed
from leadgen.core.tokens import Purpose

LIFE_SECONDS = 7 * 24 * 3600
_ENTRY_DIGITS = 12


class Seat(NamedTuple):
    """What a waiting page knows. An entry that is not this browser's own is never shown, only imitated."""

    entry_id: int
    is_own: bool
    masked: str
    first_name: str
    wants_marketing: bool
    domain: str  # of the typed address, for the shortcut to its mailbox
    referral_code: str
    channel: str
    # What was asked for on this page, and when last: counted here and not in the row, so that it tells nothing.
    resends: int = 0
    corrections: int = 0
    asked_at: int = 0


def seal(seat: Seat) -> str:
    """The token of a waiting page."""
    asked_at = seat.asked_at or int(clock.now().timestamp())
    values = seat._replace(asked_at=asked_at)
    return sealed.seal(Purpose.WAITING, [str(values.entry_id).zfill(_ENTRY_DIGITS), int(values.is_own), *values[2:]])


def unseal(token: str) -> Seat:
    """What the token of a waiting page says. Raises TokenInvalid."""
    entry_id, is_own, *rest = sealed.unseal(Purpose.WAITING, token, max_age=LIFE_SECONDS)
    return Seat(int(entry_id), bool(is_own), *rest)
