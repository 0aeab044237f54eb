"""The phases of a contest of works: handing in, looking at them, voting, and the result."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from leadgen.campaigns.cards import ActionCard, CampaignCard
from leadgen.campaigns.models import ActionKind, CampaignStatus, Mechanic
from leadgen.core import clock

_STOPPED = frozenset({CampaignStatus.DRAFT, CampaignStatus.PAUSED, CampaignStatus.ARCHIVED})
_COUNTED = frozenset({CampaignStatus.DRAWING, CampaignStatus.AWARDED})


class Phase(StrEnum):
    """Where a contest of works stands. `shown` is the end of a gallery without votes."""

    BEFORE = "before"
    PAUSED = "paused"
    ENTRY = "entry"
    MODERATION = "moderation"
    VOTING = "voting"
    OVER = "over"
    SHOWN = "shown"


def has_gallery(card: CampaignCard) -> bool:
    """Whether this campaign has works at all."""
    return Mechanic.VOTES in card.mechanics or bool(uploads(card))


def uploads(card: CampaignCard) -> list[ActionCard]:
    """The actions by which people hand in works."""
    return [action for action in card.actions if action.kind is ActionKind.UPLOAD]


def has_votes(card: CampaignCard) -> bool:
    """Whether people vote, and it is said when."""
    return card.votes_start_at is not None and card.votes_end_at is not None


def phase_of(card: CampaignCard) -> Phase:
    """The phase by status and clock together; nothing is handed in and nobody votes while a contest is paused."""
    now = clock.now()
    if card.status in _STOPPED:
        return Phase.PAUSED
    if now < card.starts_at:
        return Phase.BEFORE
    if card.votes_start_at is None or card.votes_end_at is None:
        return Phase.ENTRY if _may_hand_in(card, now) else Phase.SHOWN
    if now >= card.votes_end_at or card.status in _COUNTED:
        return Phase.OVER
    if now >= card.votes_start_at:
        return Phase.VOTING
    return Phase.ENTRY if _may_hand_in(card, now) else Phase.MODERATION


def takes(card: CampaignCard, action: ActionCard) -> bool:
    """Whether works are taken for this action now: within its own dates, while entries are open, before the votes."""
    now = clock.now()
    has_begun = action.starts_at is None or action.starts_at <= now
    return card.is_open(now) and has_begun and now < hand_in_until(card, action)


def hand_in_until(card: CampaignCard, action: ActionCard) -> datetime:
    """When the last work is taken. What comes in while others are voted on would be at a disadvantage."""
    ends = (card.ends_at, card.votes_start_at, action.ends_at)
    return min(moment for moment in ends if moment is not None)


def _may_hand_in(card: CampaignCard, now: datetime) -> bool:
    return card.is_open(now) and any(now < hand_in_until(card, action) for action in uploads(card))
