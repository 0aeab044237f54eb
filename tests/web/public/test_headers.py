"""Security headers, for each kind of answer."""

import dataclasses

import pytest

from leadgen.core import settings
from leadgen.core.settings import Environment, Settings
from leadgen.web import headers
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, fields_of, payload


@pytest.mark.parametrize("path", ["/", "/c/island", "/c/island/rules", "/nowhere", "/healthz"])
def test_every_page_is_closed_to_others(visitor: Visitor, scene: Scene, path: str) -> None:
    """ASVS 3.4."""
    found = visitor.get(path).headers
    policy = found["Content-Security-Policy"]
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
    ):
        assert part in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert found["X-Content-Type-Options"] == "nosniff"
    assert found["Cross-Origin-Opener-Policy"] == "same-origin"
    assert found["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in found["Permissions-Policy"]
    assert "Strict-Transport-Security" not in found


def test_static_files_with_their_content_in_the_address_are_kept_for_a_year(visitor: Visitor, scene: Scene) -> None:
    with visitor.get("/static/tokens.css?v=1") as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    with visitor.get("/static/tokens.css") as answer:
        assert "immutable" not in answer.headers["Cache-Control"]


def test_pictures_may_be_shown_by_previews(visitor: Visitor, scene: Scene) -> None:
    assert visitor.get("/og/island-en-1.png").headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.fixture
def https(settings: Settings) -> Settings:
    return dataclasses.replace(
        settings, environment=Environment.PRODUCTION, base_url="https://play.example", clock_file=None
    )


def test_https_is_kept_to_and_cookies_carry_the_prefix(
    visitor: Visitor, scene: Scene, https: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ASVS 3.3.1, 3.4.1."""
    monkeypatch.setattr(settings, "_current", https)
    page = visitor.get("/c/island", base_url="https://play.example")
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    visitor.clock.forward(seconds=5)
    answer = visitor.post("/c/island", payload(**fields_of(page)), base_url="https://play.example")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-lead-")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_only_our_own_host_is_answered_in_production(https: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_current", https)
    assert set(headers.trusted_hosts() or ()) == {"play.example"}


def test_a_foreign_host_is_refused(visitor: Visitor, scene: Scene) -> None:
    assert visitor.get("/c/island", headers={"Host": "evil.example"}).status_code == 400
    assert visitor.get("/c/island", headers={"Host": "127.0.0.1:8000"}).status_code == 200
