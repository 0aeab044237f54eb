"""The one cookie of public pages: set when the form is sent, it proves later that the same browser is back.

It holds which entry this browser made and a random number of its own. The number tells whether one browser sends form
after form; it is made of nothing that the device is or has, and ends with the cookie.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from flask import g, request
from werkzeug.wrappers import Response

from leadgen.core import sealed, settings
from leadgen.core.errors import TokenInvalid
from leadgen.core.tokens import Purpose

LIFE_SECONDS = 7 * 24 * 3600
_NOBODY = 0


class _Kept(NamedTuple):
    entry_id: int
    device: str


def remember(response: Response, campaign_id: int, entry_id: int | None) -> None:
    """Let this browser prove that it made the entry. None sets a cookie that looks the same and proves nothing."""
    response.set_cookie(
        _name(campaign_id),
        sealed.seal(Purpose.BROWSER, [entry_id or _NOBODY, device(campaign_id)]),
        max_age=LIFE_SECONDS,
        secure=settings.get().is_https,
        httponly=True,
        samesite="Lax",
    )


def made(entry_id: int, campaign_id: int) -> bool:
    """Whether this browser made that entry."""
    return bool(entry_id) and _kept(campaign_id).entry_id == entry_id


def device(campaign_id: int) -> str:
    """The random number of this browser in this contest: the cookie's, else a new one, the same for all of a request.

    Nothing is set by asking; a browser that sends no form keeps nothing.
    """
    if "device" not in g:
        g.device = _kept(campaign_id).device or secrets.token_hex(8)
    found: str = g.device
    return found


def _kept(campaign_id: int) -> _Kept:
    cookie = request.cookies.get(_name(campaign_id))
    if not cookie:
        return _Kept(_NOBODY, "")
    try:
        entry_id, number = sealed.unseal(Purpose.BROWSER, cookie, max_age=LIFE_SECONDS)
        return _Kept(int(entry_id), str(number))
    except (TokenInvalid, TypeError, ValueError):
        return _Kept(_NOBODY, "")


def _name(campaign_id: int) -> str:
    return f"{'__Host-' if settings.get().is_https else ''}lead-{campaign_id}"
