"""The draft of a form for those who look at it without changing it."""

from __future__ import annotations

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import hot
from leadgen.forms import definition as documents
from leadgen.forms import projecting
from leadgen.forms.definition import Definition

_DRAFT = """
SELECT coalesce(
    (SELECT draft FROM form WHERE campaign_id = %(campaign)s),
    (SELECT definition FROM form_version WHERE campaign_id = %(campaign)s ORDER BY number DESC LIMIT 1)
) AS draft
"""


def draft(card: CampaignCard) -> Definition:
    """The form as it is being edited; of a campaign whose form nobody edited, what its questions say."""
    row = hot.one(_DRAFT, {"campaign": card.id})
    if row is None or row["draft"] is None:
        return projecting.derived(list(card.questions))
    return documents.from_data(row["draft"])
