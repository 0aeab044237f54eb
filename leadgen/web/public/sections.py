"""What the person's page shows besides the common: each section asks its room and answers what its part needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leadgen.campaigns.cards import CampaignCard
from leadgen.entries.person import Standing

# A section is given who stands where, in which campaign, and the token of the page; it answers names for its template.
Section = Callable[[Standing, CampaignCard, str], dict[str, Any]]
SECTIONS: tuple[Section, ...] = ()


def of(standing: Standing, card: CampaignCard, token: str) -> dict[str, Any]:
    """The names of all sections together."""
    found: dict[str, Any] = {}
    for section in SECTIONS:
        found |= section(standing, card, token)
    return found
