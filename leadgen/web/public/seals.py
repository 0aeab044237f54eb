"""The address of a waiting page: sealed, so that it does not tell whether the typed address had entered before."""

from __future__ import annotations

from typing import NamedTuple

from leadgen.core import clock, sealed
from leadgen.core.errors import TokenInvalid
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


def seal(seat: Seat, campaign_id: int) -> str:
    """The token of a waiting page; it is good for this campaign only."""
    asked_at = seat.asked_at or int(clock.now().timestamp())
    values = seat._replace(asked_at=asked_at)
    entry = str(values.entry_id).zfill(_ENTRY_DIGITS)
    return sealed.seal(Purpose.WAITING, [campaign_id, entry, int(values.is_own), *values[2:]])


def unseal(token: str, campaign_id: int) -> Seat:
    """What the token of a waiting page of this campaign says. Raises TokenInvalid, for one of another campaign too."""
    campaign, entry_id, is_own, *rest = sealed.unseal(Purpose.WAITING, token, max_age=LIFE_SECONDS)
    if campaign != campaign_id:
        raise TokenInvalid("of another campaign")
    return Seat(int(entry_id), bool(is_own), *rest)
