"""Works on the person's page: their own with what became of them, what can be handed in, and the way to the vote."""

from __future__ import annotations

from typing import Any

from leadgen.campaigns.cards import ActionCard, CampaignCard
from leadgen.core import tokens
from leadgen.core.tokens import Purpose
from leadgen.entries.models import EntryStatus
from leadgen.entries.person import Standing
from leadgen.gallery import forgetting, kinds, phases, works


def section(standing: Standing, card: CampaignCard, token: str) -> dict[str, Any]:
    """What the person's page shows of works: their own, what can be handed in, and the way to the gallery."""
    if not phases.has_gallery(card):
        return {"works": None}
    is_confirmed = standing.status is EntryStatus.CONFIRMED
    own = works.own(standing.entry_id)
    open_for = [(action, left_of(own, action)) for action in phases.uploads(card) if phases.takes(card, action)]
    return {
        "works": own,
        "works_open": open_for if is_confirmed else [],
        "works_phase": phases.phase_of(card),
        "works_link": f"/c/{card.slug}/works?v={voter_token(standing)}" if is_confirmed else f"/c/{card.slug}/works",
        "works_words": kinds,
        "picture_path": forgetting.picture_path,
        "works_token": token,
        "works_left": lambda action: left_of(own, action),
    }


def left_of(own: list[works.Own], action: ActionCard) -> int:
    """How many more works may be handed in for an action by whom these works belong to."""
    shown = [work for work in own if work.action_id == action.id and work.state != "refused"]
    return max(0, kinds.most_of(action) - len(shown))


def voter_token(standing: Standing) -> str:
    """Lets its bearer vote as this entrant, and nothing else; good for as long as the links of their page are."""
    return tokens.sign(Purpose.VOTER, standing.entry_id)
