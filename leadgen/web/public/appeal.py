"""What the person's page shows of a message about a check, and of our answer."""

from __future__ import annotations

from typing import Any

from leadgen.campaigns.cards import CampaignCard
from leadgen.entries.models import Review
from leadgen.entries.person import Standing
from leadgen.fraud import appeals


def section(standing: Standing, _card: CampaignCard, _token: str) -> dict[str, Any]:
    """What the person's page shows of it: nothing, and no statement, where everybody who confirmed is counted."""
    is_disputed = standing.friends_provisional or len(standing.friends) > standing.friends_counted
    if standing.review is Review.CLEAR and not is_disputed:
        return {"appealing": None}
    found = appeals.standing(standing.entry_id)
    return {"appealing": found if found.may_appeal or found.appeal else None, "appeal_limit": appeals.LONGEST}
