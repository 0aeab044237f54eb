"""A made-up person, as whom the marketer sees each letter before anybody else does."""

from __future__ import annotations

from datetime import timedelta

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import clock, i18n
from leadgen.core.i18n import gettext as _
from leadgen.letters.values import Recipient


def person(card: CampaignCard, letter: str, locale: str, stream_id: int = 0) -> Recipient:
    """Anna, who is in no table: her numbers are 0, so links that are signed for her open nobody's page."""
    now = clock.now()
    return Recipient(
        id=0,
        opaque_id="",
        campaign_id=card.id,
        stream_id=stream_id,
        letter=letter,
        step_id=None,
        locale=locale,
        attempts=1,
        contact_id=0,
        email="anna@example.com",
        first_name="Anna",
        entry_id=0,
        generation=0,
        code_number=0,
        access_version=0,
        code="ANNA2026",
        entered_at=now,
        confirm_until=now + timedelta(days=7),
        wants_marketing=True,
        reward=_reward(card, locale),
        reward_code="SUMMER-4F2K",
        reward_until=now + timedelta(days=2),
        is_address_asked=any(tier.is_address_asked for tier in card.milestones),
        code_until=next((tier.codes_until for tier in card.milestones if tier.codes_until), None),
    )


def _reward(card: CampaignCard, locale: str) -> str:
    """The name of the first reward; of a contest without any, what stands for one."""
    for milestone in card.milestones:
        words = milestone.texts.get(locale) or milestone.texts.get(card.default_locale) or {}
        if words.get("title"):
            return str(words["title"])
    with i18n.speaking(locale):
        return _("A reward")
