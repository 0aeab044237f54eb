"""Links of marketing letters: the click is written down, then the reader goes on to where the letter said."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.core import tokens
from leadgen.core.errors import TokenExpired, TokenInvalid
from leadgen.core.tokens import Purpose
from leadgen.mail import clicks
from leadgen.mail.clicks import Asking, Link
from leadgen.web import headers, language
from leadgen.web.guards import Guard, guarded_by

LINK_SECONDS = 400 * 24 * 3600
_FETCHING = ("prefetch", "prerender", "preview")
_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


@guarded_by(Guard.SIGNED_LINK)
def go(token: str) -> ResponseReturnValue:
    """Lead on. Besides the list of clicks nothing changes (rule 2), whoever asks and however often."""
    try:
        link = Link(*(int(part) for part in tokens.read(Purpose.CLICK, token, max_age=LINK_SECONDS)))
    except (TokenExpired, TokenInvalid, TypeError, ValueError):
        return _unknown()
    destination = clicks.follow(link, _asking())
    if destination is None:
        return _unknown()
    return headers.private(redirect(destination, 302, Response))


def _asking() -> Asking:
    said = " ".join(request.headers.get(name, "") for name in _PURPOSES).lower()
    return Asking(
        address=request.remote_addr or "",
        agent=request.headers.get("User-Agent", ""),
        is_head=request.method == "HEAD",
        is_prefetch=any(word in said for word in _FETCHING),
    )


def _unknown() -> Response:
    language.speak()
    return headers.private(make_response(render_template("public/unknown_link.html"), 404))
