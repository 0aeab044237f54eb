"""What the person's page shows besides the common: each section asks its room and answers what its part needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leadgen.actions import forgetting as actions
from leadgen.campaigns.cards import CampaignCard
from leadgen.entries import held
from leadgen.entries.person import Standing
from leadgen.forms import forgetting as forms
from leadgen.fraud import appeals
from leadgen.fraud import held as checks
from leadgen.gallery import forgetting as gallery
from leadgen.nurture import forgetting as sequences
from leadgen.rewards import mine
from leadgen.scores import explaining as scores
from leadgen.visits import reading as visits
from leadgen.web.public import appeal, asking, board, friends, my_works, rewards, share, ways
from leadgen.worth import service as worth

# A section is given who stands where, in which campaign, and the token of the page; it answers names for its template.
Section = Callable[[Standing, CampaignCard, str], dict[str, Any]]
SECTIONS: tuple[Section, ...] = (
    board.section,
    board.waiting_section,
    share.section,
    ways.section,
    asking.section,
    friends.section,
    my_works.section,
    rewards.section,
    appeal.section,
)
# What rooms above the entries hold about a contact, for the file that people download: names beside those of held.data.
Held = Callable[[int], dict[str, Any]]
HELD: tuple[Held, ...] = (
    actions.held,
    forms.held,
    gallery.held,
    mine.held,
    appeals.held,
    checks.held,
    visits.held,
    scores.held,
    worth.held,
    sequences.held,
)


def of(standing: Standing, card: CampaignCard, token: str) -> dict[str, Any]:
    """The names of all sections together."""
    found: dict[str, Any] = {}
    for section in SECTIONS:
        found |= section(standing, card, token)
    return found


def held_by_all(contact_id: int) -> dict[str, Any]:
    """Everything held about a contact, in every room. Raises NotFound for whoever is erased or unknown."""
    found = held.data(contact_id)
    for more in HELD:
        found |= more(contact_id)
    return found
