"""Security headers: one set for each kind of answer, put together once, added to every answer as it leaves.

They are added below Flask, where an answer is a list of pairs: its own hook made them a fifth of a landing view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar

from flask import Flask, abort, request
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.wrappers import Response as AnyResponse

from leadgen.core import settings

R = TypeVar("R", bound=AnyResponse)
Pairs = list[tuple[str, str]]
_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), browsing-topics=(), camera=(), geolocation=(), gyroscope=(), "
    "microphone=(), payment=(), usb=()",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
# Pages hold no inline script or style, so no nonce is needed and a rendered page can be kept.
_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
_PICTURE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"  # an SVG opened by itself has styles
_YEAR = 31_536_000
_PICTURES = ("/static/", "/og/", "/qr/", "/embed/")  # shown or loaded by other sites
_STATIC = "/static/"


def register(app: Flask) -> None:
    """Add the headers to every answer of the application, and refuse foreign Host headers."""
    app.wsgi_app = _dressed(app.wsgi_app)  # type: ignore[method-assign]
    app.before_request(_refuse_foreign_hosts)


def trusted_hosts() -> list[str]:
    """The only hosts that we answer for: that of BASE_URL; outside production loopback too."""
    current = settings.get()
    host = current.base_url.split("://", 1)[1]
    name = host.rsplit(":", 1)[0] if ":" in host and not host.endswith("]") else host
    return [name] if current.is_production else [name, "localhost", "127.0.0.1", "[::1]"]


def private(response: R) -> R:
    """Mark an answer as somebody's own: kept nowhere, told to nobody, in no index."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def as_page(response: R, *origins: str) -> R:
    """Let an error under an address of pictures or of the widget have its styles; these sites may frame it."""
    ancestors = " ".join(("'self'", *origins)) if origins else "'none'"
    response.headers["Content-Security-Policy"] = _PAGE.format(ancestors=ancestors)
    return response


def frameable_by_us(response: R) -> R:
    """Let the studio show this page in a frame of its own (live preview)."""
    return frameable_by(response)


def frameable_by(response: R, *origins: str) -> R:
    """Let these sites, and ourselves, show this page in a frame."""
    response.headers["Content-Security-Policy"] = _PAGE.format(ancestors=" ".join(("'self'", *origins)))
    return response


def playing(response: R, sources: list[str]) -> R:
    """Let this page play films from these origins (https://host); nothing else of theirs is loaded."""
    policy = _PAGE.format(ancestors="'none'")
    response.headers["Content-Security-Policy"] = f"{policy}; media-src {' '.join(sources)}"
    return response


def _refuse_foreign_hosts() -> None:
    if not _is_ours(request.host, settings.get().base_url):
        abort(400)


@lru_cache(maxsize=64)
def _is_ours(host: str, _base_url: str) -> bool:
    return host_is_trusted(host, trusted_hosts())


def _dressed(inner: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application, its answers with the headers of their kind; what an answer says itself stays."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        pairs = _set_for(path.startswith(_PICTURES), settings.get().is_https)

        def start(status: str, sent: Pairs, exc_info: Any = None) -> Any:
            named = {name.lower() for name, _ in sent}
            sent = [*sent, *[pair for lower, pair in pairs if lower not in named]]
            if path.startswith(_STATIC) and "v=" in environ["QUERY_STRING"] and status[:3] in {"200", "304"}:
                sent = [pair for pair in sent if pair[0] != "Cache-Control"]
                sent.append(("Cache-Control", f"public, max-age={_YEAR}, immutable"))
            return start_response(status, sent, exc_info) if exc_info else start_response(status, sent)

        return inner(environ, start)

    return application


@lru_cache(maxsize=4)
def _set_for(is_picture: bool, is_https: bool) -> list[tuple[str, tuple[str, str]]]:  # noqa: FBT001 - keys of a cache
    values = _COMMON | {
        "Content-Security-Policy": _PICTURE if is_picture else _PAGE.format(ancestors="'none'"),
        "Cross-Origin-Resource-Policy": "cross-origin" if is_picture else "same-origin",
    }
    if is_https:
        values["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"
    return [(name.lower(), (name, value)) for name, value in values.items()]
