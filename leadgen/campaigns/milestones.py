"""The tiers of a campaign: what whoever reaches a number of friends or points, or just confirms, receives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel import Locale
from sqlalchemy.exc import IntegrityError

from leadgen.campaigns import prizes
from leadgen.campaigns.editing import check_locale, check_picture, edited, in_each_language, line, not_final
from leadgen.campaigns.models import Approval, Campaign, Delivery, Mechanic, Metric, Milestone, Prize
from leadgen.core import clock
from leadgen.core import text as words
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _

THRESHOLD_LIMIT = 1_000_000
STOCK_LIMIT = 1_000_000
CLAIM_LIMIT = 365  # days
_HERE = {Mechanic.MILESTONES.value, Mechanic.CODES.value}
_UNTOLD = frozenset({"picture", "is_address_asked"})  # no rule: changing it makes no new version


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneInput:
    """A tier as the marketer describes it; see campaigns.models.Milestone. `value` of one piece in minor units.

    `is_address_asked` asks whoever earned it where to send it; it holds for delivery by hand only. `codes_until` is the
    last day on which its codes are good, in the campaign's time zone.
    `prize_id` takes a prize of the list over with its value: this tier, and nothing else, gives it away (F1).
    """

    texts: Mapping[str, Mapping[str, str]]
    metric: Metric = Metric.FRIENDS
    threshold: int = 1
    stock: int | None = None
    delivery: Delivery = Delivery.MANUAL
    approval: Approval = Approval.SEMI
    claim_days: int | None = None
    is_only_highest: bool = False
    file_url: str = ""
    is_address_asked: bool = False
    codes_until: date | None = None
    value: int = 0
    currency: str = "EUR"
    picture: str = ""
    prize_id: int | None = None


def add_milestone(campaign: Campaign, milestone: MilestoneInput) -> Milestone:
    """Put a tier at the end of the list. Raises Invalid, Conflict (contest over)."""
    not_final(campaign)
    position = max((m.position for m in campaign.milestones), default=0) + 1
    added = Milestone(position=position, **_checked(campaign, milestone, None))
    before = played(campaign)
    with edited(campaign, material=in_each_language("A reward was added: %(title)s.", title=prizes.title_of(added))):
        campaign.milestones.append(added)
        settle(campaign, before)
    return added


def edit_milestone(campaign: Campaign, milestone_id: int, milestone: MilestoneInput) -> Milestone:
    """Replace what is said of a tier; who has earned it keeps it, even when the threshold is raised.

    What it counts stays as it is once the contest is published. Raises NotFound, Invalid, Conflict.
    """
    not_final(campaign)
    found = find(campaign, milestone_id)
    if campaign.rules_version and milestone.metric is not found.metric:
        raise Conflict(_("What this reward counts is public; it cannot be changed any more. Add another reward."))
    checked = _checked(campaign, milestone, found)
    is_material = any(checked[key] != getattr(found, key) for key in checked if key not in _UNTOLD)
    told = in_each_language(
        "A reward was changed: %(title)s.", title=prizes.title_of(Milestone(texts=checked["texts"]))
    )
    before = played(campaign)
    with edited(campaign, material=told if is_material else None):
        for key, value in checked.items():
            setattr(found, key, value)
        settle(campaign, before)
    return found


def remove_milestone(campaign: Campaign, milestone_id: int) -> None:
    """Take a tier away with its unused codes. Raises NotFound; Conflict once somebody has earned it."""
    not_final(campaign)
    found = find(campaign, milestone_id)
    before = played(campaign)
    with edited(
        campaign, material=in_each_language("A reward was taken away: %(title)s.", title=prizes.title_of(found))
    ):
        try:
            with db.session.begin_nested():  # the foreign key of awards knows, even while somebody is earning it
                db.session.delete(found)
        except IntegrityError:
            raise Conflict(
                _("Somebody has earned this reward already, so it stays. Set its stock to 0 to give no more of it.")
            ) from None
        db.session.refresh(campaign, ["milestones"])
        settle(campaign, before)


def move_milestone(campaign: Campaign, milestone_id: int, *, by: int) -> None:
    """Move a tier up (`by` = −1) or down (1) in the studio's list; people see the lowest threshold first."""
    found = find(campaign, milestone_id)
    with edited(campaign):
        prizes.move(list(campaign.milestones), found, by)


def find(campaign: Campaign, milestone_id: int) -> Milestone:
    """The tier of this campaign. Raises NotFound."""
    found = next((m for m in campaign.milestones if m.id == milestone_id), None)
    if found is None:
        raise NotFound
    return found


def settle(campaign: Campaign, before: Collection[str] = ()) -> None:
    """Let each prize and the campaign say which mechanic gives what away: a prize sits in exactly one (F1).

    `before` are the mechanics that the tiers played before the edit; one that none of them plays any more is off.
    """
    db.session.flush()
    holders = {m.prize_id: m for m in campaign.milestones if m.prize_id}
    own = played(campaign)
    kept = [m for m in campaign.mechanics if m in own or m not in before]
    campaign.mechanics = kept + sorted(own - set(kept))
    for prize in campaign.prizes:
        if prize.id in holders:
            holder = holders[prize.id]
            prize.mechanic = mechanic_of(holder)
            holder.value, holder.currency = prize.value, prize.currency
        elif prize.mechanic not in campaign.mechanics or prize.mechanic in _HERE:  # a word of a template is as good
            prize.mechanic = prizes.free_mechanics(campaign)[0]


def played(campaign: Campaign) -> set[str]:
    """The mechanics that the tiers play."""
    return {mechanic_of(milestone).value for milestone in campaign.milestones}


def mechanic_of(milestone: Milestone) -> Mechanic:
    """A code for everybody who confirms is a giveaway of codes; all else is a milestone."""
    is_giveaway = milestone.metric is Metric.ENTRY and milestone.delivery is Delivery.CODE
    return Mechanic.CODES if is_giveaway else Mechanic.MILESTONES


def _checked(campaign: Campaign, milestone: MilestoneInput, found: Milestone | None) -> dict[str, Any]:
    _check_numbers(milestone)
    if milestone.delivery is Delivery.API:
        raise Invalid(_("Delivery by another system is not offered yet. Choose delivery by hand."), "delivery")
    url = milestone.file_url.strip()
    if milestone.delivery is Delivery.FILE and not _is_safe_address(url):
        raise Invalid(_("Give the address of the file, beginning with https://."), "file_url")
    _check_prize(campaign, milestone, found)
    return {
        "texts": _texts(milestone.texts),
        "metric": milestone.metric,
        "threshold": 1 if milestone.metric is Metric.ENTRY else milestone.threshold,
        "stock": milestone.stock,
        "delivery": milestone.delivery,
        "approval": milestone.approval,
        "claim_days": milestone.claim_days,
        "is_only_highest": milestone.is_only_highest,
        "file_url": url if milestone.delivery is Delivery.FILE else "",
        "is_address_asked": milestone.is_address_asked and milestone.delivery is Delivery.MANUAL,
        "codes_until": _codes_until(campaign, milestone, found),
        "value": milestone.value,
        "currency": milestone.currency,
        "picture": check_picture(milestone.picture, campaign.brand_id),
        "prize_id": milestone.prize_id,
    }


def _check_numbers(milestone: MilestoneInput) -> None:
    if not 1 <= milestone.threshold <= THRESHOLD_LIMIT:
        raise Invalid(_("Say how many it takes: 1 or more."), "threshold")
    if milestone.stock is not None and not 0 <= milestone.stock <= STOCK_LIMIT:
        raise Invalid(_("Say how many there are: 0 or more, or nothing when there is no limit."), "stock")
    if milestone.claim_days is not None and not 1 <= milestone.claim_days <= CLAIM_LIMIT:
        raise Invalid(_("Give from 1 to %(limit)d days.") % {"limit": CLAIM_LIMIT}, "claim_days")
    if not 0 <= milestone.value <= prizes.VALUE_LIMIT:
        raise Invalid(_("Give the value of one piece, as a number that is not negative."), "value")
    if milestone.currency not in Locale.parse("en").currencies:
        raise Invalid(_("Choose a currency from the list, such as EUR."), "currency")


def _codes_until(campaign: Campaign, milestone: MilestoneInput, found: Milestone | None) -> date | None:
    """The last good day of a tier of codes; one that is over may stay, but nobody chooses it."""
    until = milestone.codes_until if milestone.delivery is Delivery.CODE else None
    if until and until < clock.today(campaign.timezone) and not (found and found.codes_until == until):
        raise Invalid(_("This day is over already. Choose today or a later one."), "codes_until")
    return until


def _is_safe_address(url: str) -> bool:
    parts = words.address_parts(url)
    return (
        parts.scheme == "https" and bool(parts.hostname) and len(url) <= 2000 and url.isprintable() and " " not in url
    )


def _check_prize(campaign: Campaign, milestone: MilestoneInput, found: Milestone | None) -> None:
    """The conflict rule: a prize is given away in one way only."""
    if milestone.prize_id is None:
        return
    prize = next((p for p in campaign.prizes if p.id == milestone.prize_id), None)
    if prize is None:
        raise Invalid(_("Choose a prize of this contest."), "prize_id")
    holder = next((m for m in campaign.milestones if m.prize_id == prize.id and m is not found), None)
    if holder is not None:
        raise Invalid(prizes.held_sentence(holder), "prize_id")
    if milestone.stock is None or milestone.stock > prize.quantity:
        sentence = _("There are %(number)d of this prize; the reward cannot promise more.")
        raise Invalid(sentence % {"number": prize.quantity}, "stock")


def _texts(given: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    texts = {}
    for locale, said in given.items():
        check_locale(locale)
        texts[locale] = {
            "title": line(said.get("title", ""), "title", limit=90, is_needed=False),
            "description": line(said.get("description", ""), "description", limit=500, is_needed=False),
        }
    if not any(said["title"] for said in texts.values()):
        raise Invalid(_("Give the reward a name."), "title")
    return texts


def free_prizes(campaign: Campaign, milestone_id: int | None) -> list[Prize]:
    """The prizes that a tier may take over: those that no other tier holds."""
    held = {m.prize_id for m in campaign.milestones if m.id != milestone_id}
    return [prize for prize in campaign.prizes if prize.id not in held]
