"""How friends count: who is credited, when, how often, and for what besides the friend's confirmation (F4, F5)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from leadgen.campaigns.editing import POINTS_LIMIT, edited, in_each_language, not_final
from leadgen.campaigns.models import Campaign, TouchModel
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _

MOST_HOURS = 30 * 24
MOST_FRIENDS = 1_000_000
MOST_DAYS = 365
_BOUNDS = {
    "hold_hours": (0, MOST_HOURS),
    "cap_per_day": (1, MOST_FRIENDS),
    "cap_total": (1, MOST_FRIENDS),
    "indirect_points": (0, POINTS_LIMIT),
    "profile_points": (0, POINTS_LIMIT),
    "stay_points": (0, POINTS_LIMIT),
    "stay_days": (1, MOST_DAYS),
    "declared_cap": (0, 100),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadingInput:
    """What the marketer chose; the names are those of Campaign. No cap is None, no points are 0, no delay is 0 h."""

    touch_model: TouchModel
    is_remembering_touch: bool
    hold_hours: int
    cap_per_day: int | None
    cap_total: int | None
    indirect_points: int
    profile_points: int
    stay_points: int
    stay_days: int
    declared_cap: int


def edit_spreading(campaign: Campaign, chosen: SpreadingInput) -> None:
    """Change how friends count from now on; lines already in the ledger stay. Raises Invalid, Conflict (over).

    All but the cookie changes what people play for: after publication that is a new version of the rules.
    """
    not_final(campaign)
    values = asdict(chosen)
    for field, (least, most) in _BOUNDS.items():
        _check(values[field], field, least, most)
    is_material = any(values[name] != getattr(campaign, name) for name in values if name != "is_remembering_touch")
    told = in_each_language("How friends count has changed. Points already earned stay.")
    with edited(campaign, material=told if is_material else None):
        for name, value in values.items():
            setattr(campaign, name, value)


def _check(number: Any, field: str, least: int, most: int) -> None:
    if number is not None and not least <= number <= most:
        raise Invalid(_("Give a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}, field)
