"""What is told of a reward: the fact in the journal, and the letter to its owner."""

from __future__ import annotations

from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName
from leadgen.rewards.grounds import Ground
from leadgen.rewards.models import Award


def record(name: FactName, ground: Ground, award: Award, **data: str | int) -> None:
    """Write down what happened to an award."""
    journal.record(
        name,
        brand_id=ground.brand_id,
        campaign_id=ground.campaign_id,
        contact_id=ground.contact_id,
        entry_id=ground.entry_id,
        milestone=award.milestone_id,
        **data,
    )


def write(ground: Ground, award: Award, letter: str, *, code: str = "") -> None:
    """Want the letter to the owner of this award, once for each kind."""
