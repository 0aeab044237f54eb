"""The life of a campaign: publish, pause, resume, archive, and the moves that the clock makes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from leadgen.campaigns import cards, rules
from leadgen.campaigns.checking import missing_before_launch
from leadgen.campaigns.editing import lock
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName

S = CampaignStatus
# A paused campaign moves too: its end is public, and people who entered before it may still confirm.
_MOVED_BY_CLOCK = (S.SCHEDULED, S.LIVE, S.PAUSED, S.CLOSING)
_OVER = (S.CLOSED, S.AWARDED)


def publish(campaign: Campaign) -> None:
    """Make a draft public: scheduled, or live at once when its start has come; its rules become version 1.

    Raises Conflict when it is no draft, Invalid with the first sentence of what is missing.
    """
    lock(campaign)
    if campaign.status is not S.DRAFT:
        raise Conflict(_("This campaign is published already."))
    if problems := missing_before_launch(campaign):
        raise Invalid(problems[0].sentence, problems[0].where)
    campaign.published_at = clock.now()
    rules.refresh(campaign)
    rules.write_version(campaign, [])
    journal.record(FactName.CAMPAIGN_PUBLISHED, brand_id=campaign.brand_id, campaign_id=campaign.id)
    _move(campaign, due_status(campaign, S.SCHEDULED, clock.now()))


def pause(campaign: Campaign) -> None:
    """Take no entries for a while; the page says so, and links keep working. Raises Conflict."""
    lock(campaign)
    if campaign.status not in {S.LIVE, S.SCHEDULED}:
        raise Conflict(_("Only a live or scheduled campaign can be paused."))
    _move(campaign, S.PAUSED)


def resume(campaign: Campaign) -> None:
    """Take entries again, as far as the dates allow. Raises Conflict."""
    lock(campaign)
    if campaign.status is not S.PAUSED:
        raise Conflict(_("Only a paused campaign can be resumed."))
    _move(campaign, due_status(campaign, S.SCHEDULED, clock.now()))


def archive(campaign: Campaign) -> None:
    """Put a campaign that is over out of the way; nothing of it is deleted. Raises Conflict for any other."""
    lock(campaign)
    if campaign.status not in _OVER:
        raise Conflict(_("Only a contest that is over can be archived."))
    _move(campaign, S.ARCHIVED)


def due_status(campaign: Campaign, status: CampaignStatus, now: datetime) -> CampaignStatus:
    """Where the clock leads a campaign from `status`; a paused one stays paused until its end (F1)."""
    if status not in _MOVED_BY_CLOCK:
        return status
    if now >= campaign.ends_at + timedelta(seconds=campaign.grace_seconds):
        return S.CLOSED
    if now >= campaign.ends_at:
        return S.CLOSING
    if status is S.PAUSED or now < campaign.starts_at:
        return status
    return S.LIVE


def move_on(campaign: Campaign) -> None:
    """Move the campaign to where the clock wants it; calling it again changes nothing."""
    _move(campaign, due_status(campaign, campaign.status, clock.now()))


def move_all_on() -> int:
    """Move every campaign whose time has come; answers how many moved."""
    statement = select(Campaign).where(Campaign.status.in_(_MOVED_BY_CLOCK)).order_by(Campaign.id)
    statement = statement.with_for_update(key_share=True)  # entries, which point to the campaign, go on meanwhile
    before = {campaign: campaign.status for campaign in db.session.scalars(statement)}
    for campaign in before:
        move_on(campaign)
    return sum(campaign.status is not status for campaign, status in before.items())


def _move(campaign: Campaign, status: CampaignStatus) -> None:
    if status is campaign.status:
        return
    ids = {"brand_id": campaign.brand_id, "campaign_id": campaign.id}
    journal.record(FactName.CAMPAIGN_MOVED, **ids, before=campaign.status.value, after=status.value)
    if campaign.status is S.PAUSED:
        campaign.resumed_at = clock.now()
    campaign.status = status
    campaign.version += 1
    db.session.flush()
    cards.forget()
