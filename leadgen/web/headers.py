"""Security headers: one set for each kind of answer, put together once, added to every answer."""

from __future__ import annotations

from typing import TypeVar

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response as AnyResponse

from leadgen.core import settings

R = TypeVar("R", bound=AnyResponse)
_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), browsing-topics=(), camera=(), geolocation=(), gyroscope=(), "
    "microphone=(), payment=(), usb=()",
}
# Pages hold no inline script or style, so no nonce is needed and a rendered page can be kept.
_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
_STATIC = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"  # an SVG opened by itself has styles
_YEAR = 31_536_000
_WHEN_SHARED = {"public.og_image", "public.qr", "static"}  # shown by other sites' previews


def register(app: Flask) -> None:
    """Add the headers to every answer of the application, and refuse foreign Host headers."""
    app.after_request(_secure)
    app.config["TRUSTED_HOSTS"] = trusted_hosts()


def trusted_hosts() -> list[str] | None:
    """The only hosts that we answer for: that of BASE_URL; outside production loopback too."""
    current = settings.get()
    host = current.base_url.split("://", 1)[1]
    name = host.rsplit(":", 1)[0] if ":" in host and not host.endswith("]") else host
    own = [host, name]
    return own if current.is_production else [*own, "localhost", "127.0.0.1", "[::1]"]


def _secure(response: Response) -> Response:
    headers = response.headers
    kind = "static" if request.endpoint == "static" else "page"
    for name, value in _set_for(kind, is_https=settings.get().is_https):
        if name not in headers:
            headers[name] = value
    if request.endpoint in _WHEN_SHARED:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if kind == "static" and "v" in request.args and response.status_code == 200:
        headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return response


def _set_for(kind: str, *, is_https: bool) -> list[tuple[str, str]]:
    return _SETS[kind, is_https]


def private(response: R) -> R:
    """Mark an answer as somebody's own: kept nowhere, told to nobody, in no index."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def frameable_by_us(response: R) -> R:
    """Let the studio show this page in a frame of its own (live preview)."""
    response.headers["Content-Security-Policy"] = _PAGE.format(ancestors="'self'")
    return response


def _build() -> dict[tuple[str, bool], list[tuple[str, str]]]:
    sets = {}
    for kind, policy in (("page", _PAGE.format(ancestors="'none'")), ("static", _STATIC)):
        for is_https in (True, False):
            values = _COMMON | {
                "Content-Security-Policy": policy,
                "Referrer-Policy": "strict-origin-when-cross-origin",
            }
            if is_https:
                values["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"
            sets[kind, is_https] = list(Headers(values).items())
    return sets


_SETS = _build()
