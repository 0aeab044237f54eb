"""Rewards on the person's page: the way to the next tier, what they have earned, claiming it, and its file."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.campaigns.cards import CampaignCard
from leadgen.core.db import db
from leadgen.core.errors import Conflict
from leadgen.entries.models import EntryStatus
from leadgen.entries.person import Standing
from leadgen.rewards import addresses, mine
from leadgen.rewards.addresses import Address
from leadgen.rewards.mine import Look, Mine
from leadgen.web import headers
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import me


def section(standing: Standing, card: CampaignCard, token: str) -> dict[str, Any]:
    """Every tier as it stands for this person; nothing is asked where there is none."""
    shown = mine.of(
        standing.entry_id,
        card,
        friends=standing.friends_counted,
        points=standing.rank_points,
        is_confirmed=standing.status is EntryStatus.CONFIRMED,
    )
    asks = any(one.asks_address for one in shown)
    return {
        "rewards": shown,
        "reward_next": _next(shown),
        "rewards_token": token,
        "reward_countries": addresses.country_choices(card.countries) if asks else [],
    }


def _next(shown: list[Mine]) -> Mine | None:
    """The tier that is nearest by what is missing, of those that can still be reached."""
    locked = [one for one in shown if one.look is Look.LOCKED and one.missing]
    return min(locked, key=lambda one: (one.missing / one.tier.threshold, one.tier.threshold), default=None)


@guarded_by(Guard.SIGNED_LINK)
def me_claim(token: str, award_id: int) -> ResponseReturnValue:
    """The person wants their reward, and says where it is sent if that is asked; too late is said on the page."""
    standing, card = me.opened(token)
    address = None
    if mine.tier_of(standing.entry_id, award_id).is_address_asked:
        address, wrong = addresses.read(request.form, card.countries)
        if wrong:
            return _asked_again(token, award_id, address, wrong)
    said = "claimed" if address is None else "addressed"
    try:
        mine.claim(standing.entry_id, award_id, address)
        db.session.commit()
    except Conflict:
        db.session.rollback()
        said = "late"
    values: dict[str, Any] = {"lang": request.args["lang"]} if "lang" in request.args else {}
    return headers.private(redirect(url_for("public.me", token=token, reward=said, _anchor="rewards", **values), 303))


def _asked_again(token: str, award_id: int, typed: Address, wrong: dict[str, str]) -> ResponseReturnValue:
    """The page with what was typed, and a sentence at each field that needs another look."""
    problem = {"award": award_id, "typed": typed, "wrong": wrong}
    return me.shown(token, *me.opened(token), status=400, address_problem=problem)


@guarded_by(Guard.SIGNED_LINK)
def me_file(token: str, award_id: int) -> ResponseReturnValue:
    """Lead to the file of a reward that was delivered; its address stands on no page."""
    standing, _card = me.opened(token)
    return headers.private(redirect(mine.file_of(award_id, standing.entry_id), 302))
