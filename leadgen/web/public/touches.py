"""The first link that a visitor followed, remembered in a cookie where a campaign has switched that on (F4).

Off by default: then the address alone says who invited, and nothing is kept in the browser before the form is sent.
"""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import clock, settings

LIFE_SECONDS = 30 * 24 * 3600


def first(card: CampaignCard) -> str:
    """The signed ref of the first link, or nothing."""
    return request.cookies.get(_name(card), "") if card.is_remembering_touch else ""


def remember(response: Response, card: CampaignCard, token: str) -> None:
    """Keep the ref of the link that led here, unless an earlier one is kept: thirty days, or until the contest ends."""
    if not card.is_remembering_touch or not token or _name(card) in request.cookies:
        return
    left = int((card.ends_at - clock.now()).total_seconds())
    if left <= 0:
        return
    response.set_cookie(
        _name(card),
        token,
        max_age=min(LIFE_SECONDS, left),
        path=f"/c/{card.slug}",
        secure=settings.get().is_https,
        httponly=True,
        samesite="Lax",
    )


def _name(card: CampaignCard) -> str:
    return f"touch_{card.id}"
