"""Whom a person brought, as the person may see it: state and family of the reason, never an address or a rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadgen.core import hot, text
from leadgen.entries.models import EntryStatus, ReferralReason, ReferralState

PAGE = 50

_FRIENDS = """
SELECT f.id, f.status, f.referral_state, f.referral_reason, f.held_until, f.created_at, f.confirmed_at, c.first_name
FROM entry f JOIN contact c ON c.id = f.contact_id
WHERE f.referrer_id = %(entry)s AND (f.status <> 'erased' OR f.referral_state = 'counted')
  AND (%(before)s::bigint IS NULL OR f.id < %(before)s::bigint)
ORDER BY f.id DESC LIMIT %(limit)s
"""


class Family(StrEnum):
    """What a person is told of a referral: plain, and nothing that teaches how to get around a check."""

    COUNTED = "counted"
    UNCONFIRMED = "unconfirmed"
    CHECKED = "checked"
    WAITING = "waiting"
    MAILBOX_USED = "mailbox_used"
    OVER_LIMIT = "over_limit"
    NOT_POSSIBLE = "not_possible"


@dataclass(frozen=True, slots=True)
class FriendState:
    """Somebody who entered through the person's link. `first_name` is empty until they confirmed, and once erased."""

    entry_id: int
    first_name: str
    state: ReferralState
    reason: ReferralReason
    family: Family
    entered_at: datetime
    confirmed_at: datetime | None
    held_until: datetime | None


def states_of(entry_id: int, *, before_id: int | None = None, limit: int = PAGE) -> list[FriendState]:
    """The friends whom this entrant brought, newest first, at most `limit`; `before_id` continues after a page."""
    rows = hot.many(_FRIENDS, {"entry": entry_id, "before": before_id, "limit": limit})
    return [_friend(row) for row in rows]


def _friend(row: hot.Row) -> FriendState:
    state, reason = ReferralState(row["referral_state"]), ReferralReason(row["referral_reason"])
    return FriendState(
        entry_id=row["id"],
        first_name=text.shown_name(row["first_name"]) if row["status"] == EntryStatus.CONFIRMED else "",
        state=state,
        reason=reason,
        family=family(state, reason),
        entered_at=row["created_at"],
        confirmed_at=row["confirmed_at"],
        held_until=row["held_until"] if state is ReferralState.ON_HOLD else None,
    )


def family(state: ReferralState, reason: ReferralReason) -> Family:
    """What the person is told of a state and its reason."""
    match state:
        case ReferralState.COUNTED:
            return Family.COUNTED
        case ReferralState.ON_HOLD:
            return Family.WAITING if reason is ReferralReason.DELAY else Family.CHECKED
        case ReferralState.NOT_COUNTED | ReferralState.REVERSED:
            known = {
                ReferralReason.EXPIRED: Family.UNCONFIRMED,
                ReferralReason.DUPLICATE: Family.MAILBOX_USED,
                ReferralReason.OVER_CAP: Family.OVER_LIMIT,
            }
            return known.get(reason, Family.NOT_POSSIBLE)
        case _:
            return Family.UNCONFIRMED
