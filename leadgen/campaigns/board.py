"""How places are shown and reckoned: the leaderboard of a race, and the order of a waiting list (F7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from leadgen.campaigns.editing import edited, in_each_language, not_final
from leadgen.campaigns.models import Campaign, Mechanic, WaitlistOrder
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _

MOST_LINES = 100
MOST_FREEZE_HOURS = 168
MOST_PLACES = 100_000
MOST_HIDDEN = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardInput:
    """What the marketer chose. `hide_above`: the length of the list is told up to this number, None: always."""

    is_race: bool
    is_board_shown: bool
    board_size: int
    freeze_hours: int
    is_waitlist: bool
    waitlist_order: WaitlistOrder
    skip_places: int
    hide_above: int | None


def edit_board(campaign: Campaign, chosen: BoardInput) -> None:
    """Whether people compete for places or wait in a list, and how that is shown. Raises Invalid, Conflict (over)."""
    not_final(campaign)
    _check(campaign, chosen)
    mechanics = set(campaign.mechanics) - {Mechanic.RANK, Mechanic.WAITLIST}
    mechanics |= {Mechanic.RANK} if chosen.is_race else set()
    mechanics |= {Mechanic.WAITLIST} if chosen.is_waitlist else set()
    reckoned = (mechanics, chosen.waitlist_order, chosen.skip_places)
    is_material = reckoned != (set(campaign.mechanics), campaign.waitlist_order, campaign.skip_places)
    told = in_each_language("How places are reckoned has changed.")
    with edited(campaign, material=told if is_material else None):
        if mechanics != set(campaign.mechanics):
            campaign.mechanics = [one for one in Mechanic if one in mechanics]
        campaign.is_board_shown = chosen.is_board_shown
        campaign.board_size = chosen.board_size
        campaign.freeze_hours = chosen.freeze_hours
        campaign.waitlist_order = chosen.waitlist_order
        campaign.skip_places = chosen.skip_places
        campaign.waitlist_hide_above = chosen.hide_above


def _check(campaign: Campaign, chosen: BoardInput) -> None:
    bounds = (
        ("board_size", chosen.board_size, 1, MOST_LINES),
        ("freeze_hours", chosen.freeze_hours, 0, MOST_FREEZE_HOURS),
        ("skip_places", chosen.skip_places, 1, MOST_PLACES),
        ("hide_above", chosen.hide_above, 1, MOST_HIDDEN),
    )
    for field, number, least, most in bounds:
        if number is not None and not least <= number <= most:
            raise Invalid(_("Give a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}, field)
    if timedelta(hours=chosen.freeze_hours) >= campaign.ends_at - campaign.starts_at:
        told = _(
            "The board would stand still before anybody has points. Freeze it for less time than the contest lasts."
        )
        raise Invalid(told, "freeze_hours")
    if not chosen.is_race and any(prize.mechanic is Mechanic.RANK for prize in campaign.prizes):
        told = _("A prize is given to the first places. Let a draw give it away before you end the race.")
        raise Invalid(told, "is_race")
