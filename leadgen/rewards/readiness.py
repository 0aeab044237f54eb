"""What rewards lack before a contest can be launched."""

from __future__ import annotations

from leadgen.campaigns.checking import Problem
from leadgen.campaigns.models import Campaign, Delivery
from leadgen.core.i18n import gettext as _
from leadgen.rewards import stock


def missing_before_launch(campaign: Campaign) -> list[Problem]:
    """Rewards that promise a code while their vault has none that is good; in the current language."""
    by_code = [one.id for one in campaign.milestones if one.delivery is Delivery.CODE]
    left = stock.of(by_code)  # kept numbers: every page of a draft asks, and a vault may hold half a million
    sentence = _("No codes are loaded for reward %(number)d; people would wait for what was promised.")
    return [
        Problem("codes", sentence % {"number": number}, one.id)
        for number, one in enumerate(campaign.milestones, 1)
        if one.id in by_code and not left[one.id].total
    ]
