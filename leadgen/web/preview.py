"""The address under which the studio sees a campaign's page before the public does, and what it says."""

from __future__ import annotations

from leadgen.core import tokens
from leadgen.core.tokens import Purpose

LIFE_SECONDS = 12 * 3600  # as long as a session of the studio


def address(campaign_id: int) -> str:
    """The path of the preview; good for twelve hours, for this campaign alone."""
    return f"/preview/{tokens.sign(Purpose.PREVIEW, campaign_id)}"


def campaign_id_of(token: str) -> int:
    """The campaign that a preview address shows. Raises TokenInvalid."""
    return int(tokens.read(Purpose.PREVIEW, token, max_age=LIFE_SECONDS))
