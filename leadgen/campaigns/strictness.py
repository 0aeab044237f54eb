"""How strict the bands of the fraud score are for one contest."""

from __future__ import annotations

from leadgen.campaigns.editing import edited
from leadgen.campaigns.models import Campaign, FraudPreset


def edit_strictness(campaign: Campaign, preset: FraudPreset) -> None:
    """Choose the preset (F11). The rules name what is looked at, not where the bands lie, so they stay as they are."""
    with edited(campaign):
        campaign.fraud_preset = preset
