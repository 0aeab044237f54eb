"""What rewards lack before a contest can be launched."""

from __future__ import annotations

from leadgen.campaigns.checking import Problem
from leadgen.campaigns.models import Campaign, Delivery
from leadgen.core.i18n import gettext as _
from leadgen.rewards import vault


def missing_before_launch(campaign: Campaign) -> list[Problem]:
    """Rewards that promise a code while their vault is empty; in the current language."""
    sentence = _("No codes are loaded for reward %(number)d; people would wait for what was promised.")
    return [
        Problem("codes", sentence % {"number": number}, one.id)
        for number, one in enumerate(campaign.milestones, 1)
        if one.delivery is Delivery.CODE and vault.is_empty(one.id)
    ]
