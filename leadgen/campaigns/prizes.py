"""The prizes of a campaign: add, edit, remove, move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from babel import Locale

from leadgen.campaigns.editing import check_locale, check_picture, edited, in_each_language, line, not_final
from leadgen.campaigns.models import Campaign, Mechanic, Milestone, Prize
from leadgen.core import i18n
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _

QUANTITY_LIMIT = 100_000
VALUE_LIMIT = 100_000_000_00  # minor units


@dataclass(frozen=True, slots=True, kw_only=True)
class PrizeInput:
    """A prize as the marketer describes it; `value` of one piece in minor units, `texts` as in PrizeCard."""

    texts: Mapping[str, Mapping[str, str]]
    quantity: int
    value: int
    currency: str = "EUR"
    picture: str = ""
    mechanic: Mechanic | None = None  # which one gives it away; None: as it is, or the campaign's first


# What can give a prize away by itself; milestones and codes do it through a tier (campaigns.milestones).
_FREE = (Mechanic.DRAW, Mechanic.RANK, Mechanic.QUIZ, Mechanic.VOTES)


def add_prize(campaign: Campaign, prize: PrizeInput) -> Prize:
    """Put a prize at the end of the list. Raises Invalid."""
    not_final(campaign)
    added = Prize(position=max((p.position for p in campaign.prizes), default=0) + 1, **_checked(campaign, prize))
    added.mechanic = _mechanic(campaign, prize.mechanic, None)
    with edited(campaign, material=in_each_language("A prize was added: %(title)s.", title=title_of(added))):
        campaign.prizes.append(added)
    return added


def edit_prize(campaign: Campaign, prize_id: int, prize: PrizeInput) -> Prize:
    """Replace what is said of a prize. Raises NotFound, Invalid."""
    not_final(campaign)
    found = _find(campaign, prize_id)
    checked = _checked(campaign, prize) | {"mechanic": _mechanic(campaign, prize.mechanic, found)}
    holder = holder_of(campaign, found)
    if holder is not None and (holder.stock or 0) > prize.quantity:
        sentence = _("A reward promises %(number)d of this prize. Lower the stock of the reward first.")
        raise Invalid(sentence % {"number": holder.stock}, "quantity")
    is_material = any(checked[key] != getattr(found, key) for key in checked if key != "picture")
    told = in_each_language("A prize was changed: %(title)s.", title=title_of(Prize(texts=checked["texts"])))
    with edited(campaign, material=told if is_material else None):
        for key, value in checked.items():
            setattr(found, key, value)
        if holder is not None:
            holder.value, holder.currency = prize.value, prize.currency
    return found


def remove_prize(campaign: Campaign, prize_id: int) -> None:
    """Take a prize away. Raises NotFound; Invalid for one that a reward holds and the last of a published campaign."""
    not_final(campaign)
    found = _find(campaign, prize_id)
    if holder := holder_of(campaign, found):
        raise Invalid(held_sentence(holder), "prizes")
    if campaign.rules_version and len(campaign.prizes) == 1:
        raise Invalid(_("A published contest needs at least one prize."), "prizes")
    with edited(campaign, material=in_each_language("A prize was taken away: %(title)s.", title=title_of(found))):
        campaign.prizes.remove(found)


def move_prize(campaign: Campaign, prize_id: int, *, by: int) -> None:
    """Move a prize up (`by` = −1) or down (1) in the list: the order in which winners receive them."""
    not_final(campaign)
    found = _find(campaign, prize_id)
    with edited(campaign, material=in_each_language("The order of the prizes has changed.")):
        move(list(campaign.prizes), found, by)


def move(rows: list[Any], row: Any, by: int) -> None:
    """Move `row` by so many places among `rows`, which are in order, and number all anew."""
    place = rows.index(row)
    rows.insert(max(0, min(len(rows) - 1, place + by)), rows.pop(place))
    for position, each in enumerate(rows, 1):
        each.position = position


def _find(campaign: Campaign, prize_id: int) -> Prize:
    found = next((prize for prize in campaign.prizes if prize.id == prize_id), None)
    if found is None:
        raise NotFound
    return found


def _checked(campaign: Campaign, prize: PrizeInput) -> dict[str, Any]:
    texts = {}
    for locale, words in prize.texts.items():
        check_locale(locale)
        texts[locale] = {
            "title": line(words.get("title", ""), "title", limit=90, is_needed=False),
            "description": line(words.get("description", ""), "description", limit=500, is_needed=False),
        }
    if not any(words["title"] for words in texts.values()):
        raise Invalid(_("Give the prize a name."), "title")
    if not 1 <= prize.quantity <= QUANTITY_LIMIT:
        raise Invalid(_("Say how many there are: 1 or more."), "quantity")
    if not 0 <= prize.value <= VALUE_LIMIT:
        raise Invalid(_("Give the value of one piece, as a number that is not negative."), "value")
    if prize.currency not in Locale.parse("en").currencies:
        raise Invalid(_("Choose a currency from the list, such as EUR."), "currency")
    return {
        "texts": texts,
        "quantity": prize.quantity,
        "value": prize.value,
        "currency": prize.currency,
        "picture": check_picture(prize.picture, campaign.brand_id),
    }


def free_mechanics(campaign: Campaign) -> list[Mechanic]:
    """What may give a prize of this campaign away by itself; at least the draw."""
    return [mechanic for mechanic in _FREE if mechanic.value in campaign.mechanics] or [Mechanic.DRAW]


def holder_of(campaign: Campaign, prize: Prize) -> Milestone | None:
    """The tier that gives this prize away."""
    return next((milestone for milestone in campaign.milestones if milestone.prize_id == prize.id), None)


def held_sentence(holder: Milestone) -> str:
    """Why a prize that a tier gives away cannot be given away otherwise."""
    sentence = _("This prize is given away by the reward “%(title)s”; a prize sits in one place only.")
    return sentence % {"title": title_of(holder)()}


def _mechanic(campaign: Campaign, wanted: Mechanic | None, found: Prize | None) -> Mechanic:
    """Where the prize sits from now on. Raises Invalid when that would be two places, or none (F1)."""
    now = found.mechanic if found else free_mechanics(campaign)[0]
    if wanted is None or wanted is now:
        return now
    if found is not None and (holder := holder_of(campaign, found)):
        raise Invalid(held_sentence(holder), "mechanic")
    if wanted not in _FREE:
        raise Invalid(_("Choose this prize in a reward, on the page “Rewards”."), "mechanic")
    if wanted not in free_mechanics(campaign):
        raise Invalid(_("This contest does not give prizes away in this way."), "mechanic")
    return wanted


def title_of(thing: Prize | Milestone) -> Callable[[], str]:
    """Its name in the language that is spoken when it is asked for, else in any."""
    titles = {locale: str(words["title"]) for locale, words in thing.texts.items() if words.get("title")}
    return lambda: titles.get(i18n.locale()) or next(iter(titles.values()), "")
