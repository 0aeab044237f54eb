"""The one cookie of public pages: set when the form is sent, it proves later that the same browser is back."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from leadgen.core import sealed, settings
from leadgen.core.errors import TokenInvalid
from leadgen.core.tokens import Purpose

LIFE_SECONDS = 7 * 24 * 3600
_NOBODY = 0


def remember(response: Response, campaign_id: int, entry_id: int | None) -> None:
    """Let this browser prove that it made the entry. None sets a cookie that looks the same and proves nothing."""
    response.set_cookie(
        _name(campaign_id),
        sealed.seal(Purpose.BROWSER, entry_id or _NOBODY),
        max_age=LIFE_SECONDS,
        secure=settings.get().is_https,
        httponly=True,
        samesite="Lax",
    )


def made(entry_id: int, campaign_id: int) -> bool:
    """Whether this browser made that entry."""
    return bool(entry_id) and _remembered(campaign_id) == entry_id


def _remembered(campaign_id: int) -> int:
    cookie = request.cookies.get(_name(campaign_id))
    if not cookie:
        return _NOBODY
    try:
        return int(sealed.unseal(Purpose.BROWSER, cookie, max_age=LIFE_SECONDS))
    except TokenInvalid:
        return _NOBODY


def _name(campaign_id: int) -> str:
    return f"{'__Host-' if settings.get().is_https else ''}lead-{campaign_id}"
