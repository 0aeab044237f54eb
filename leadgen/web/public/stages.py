"""Where a campaign stands for its visitors, and how much time is left."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import CampaignStatus
from leadgen.core import clock
from leadgen.core.errors import NotFound
from leadgen.core.i18n import ngettext


class Stage(StrEnum):
    """What a visitor finds: each has its own page."""

    BEFORE = "before"
    OPEN = "open"
    PAUSED = "paused"
    CLOSING = "closing"
    CLOSED = "closed"


def stage_of(card: CampaignCard) -> Stage:
    """The stage by status and clock together: the job that moves it may be late. Raises NotFound for a draft."""
    now = clock.now()
    if card.status is CampaignStatus.DRAFT:
        raise NotFound
    if card.is_open(now):
        return Stage.OPEN
    if card.status not in {
        CampaignStatus.LIVE,
        CampaignStatus.SCHEDULED,
        CampaignStatus.PAUSED,
        CampaignStatus.CLOSING,
    }:
        return Stage.CLOSED
    if now >= card.ends_at:
        return Stage.CLOSING if now < card.ends_at + timedelta(seconds=card.grace_seconds) else Stage.CLOSED
    if card.status is CampaignStatus.PAUSED:
        return Stage.PAUSED
    return Stage.BEFORE if now < card.starts_at else Stage.CLOSING


def left(until: datetime) -> tuple[int, int, int]:
    """Days, hours and minutes left until a moment; zeros when it has passed."""
    minutes = max(0, int((until - clock.now()).total_seconds()) // 60)
    return minutes // 1440, minutes // 60 % 24, minutes % 60


def left_in_words(until: datetime) -> str:
    """The time left as one says it: the two largest parts."""
    days, hours, minutes = left(until)
    parts = []
    if days:
        parts.append(ngettext("%(n)s day", "%(n)s days", days) % {"n": days})
    if hours and len(parts) < 2:
        parts.append(ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours})
    if len(parts) < 2 and not days:
        parts.append(ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes})
    return " ".join(parts)
