"""A landing page that was really looked at says so, without a cookie."""

from __future__ import annotations

import pytest

from leadgen.core import hot, tokens
from leadgen.core.tokens import Purpose
from leadgen.visits import service as visits
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor


def _ref(visitor: Visitor, scene: Scene, channel: str = "wa") -> str:
    link = visitor.get(f"/r/{scene.code}?ch={channel}").location
    return link.split("ref=")[1].split("&")[0]


def _kinds() -> list[str]:
    visits.flush()
    return [row["kind"] for row in hot.many("SELECT kind FROM visit ORDER BY id", {})]


def test_an_opening_becomes_human_when_the_page_was_seen(visitor: Visitor, scene: Scene) -> None:
    ref = _ref(visitor, scene)
    assert _kinds() == ["candidate"]
    answer = visitor.post("/c/island/seen", {"ref": ref})
    assert answer.status_code == 204
    assert "Set-Cookie" not in answer.headers
    assert _kinds() == ["human"]


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Mozilla/5.0 HeadlessChrome/139.0"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"Sec-Purpose": "prefetch;prerender"},
    ],
)
def test_a_machine_that_runs_scripts_proves_nothing(visitor: Visitor, scene: Scene, headers: dict[str, str]) -> None:
    ref = _ref(visitor, scene)
    assert visitor.post("/c/island/seen", {"ref": ref}, headers=headers).status_code == 204
    assert _kinds() == ["candidate"]


@pytest.mark.parametrize("ref", ["", "forged", tokens])
def test_only_a_ref_that_we_signed_is_taken(visitor: Visitor, scene: Scene, ref: object) -> None:
    word = ref if isinstance(ref, str) else tokens.sign(Purpose.FORM, [scene.code, "wa", "nonce"])
    assert visitor.post("/c/island/seen", {"ref": word}).status_code == 400


def test_filling_in_the_form_proves_it_too(visitor: Visitor, scene: Scene) -> None:
    """F4: only a later beacon or the form turns a candidate into human."""
    visitor.enter(f"/c/island?lang=en&ref={_ref(visitor, scene)}")
    assert _kinds() == ["human"]


def test_a_preview_machine_gets_no_ref(visitor: Visitor, scene: Scene) -> None:
    page = visitor.get(f"/r/{scene.code}", headers={"User-Agent": "facebookexternalhit/1.1"})
    assert "?ref=" not in page.text
    assert _kinds() == ["preview"]


def test_f4_the_owner_of_the_link_is_told_by_their_cookie(visitor: Visitor, scene: Scene) -> None:
    visitor.enter(email="carl@mail.example")
    row = hot.one("SELECT id, code FROM entry ORDER BY id DESC LIMIT 1", {})
    assert row is not None
    hot.many("UPDATE entry SET status = 'confirmed' WHERE id = %(id)s RETURNING id", {"id": row["id"]})
    visitor.get(f"/r/{row['code']}")
    assert _kinds() == ["self"]


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Sec-Purpose": "prefetch"}, "prefetch"),
        ({"Purpose": "prefetch"}, "prefetch"),
        ({"X-Moz": "prefetch"}, "prefetch"),
        ({"X-Purpose": "preview"}, "prefetch"),
        ({"User-Agent": "Microsoft Office/16.0"}, "scanner"),
        ({}, "candidate"),
    ],
)
def test_openings_are_noted_by_kind(visitor: Visitor, scene: Scene, headers: dict[str, str], kind: str) -> None:
    visitor.get(f"/r/{scene.code}", headers=headers)
    visitor.get(f"/r/{scene.code}", headers=headers)
    assert _kinds() == [kind, "duplicate" if kind == "candidate" else kind]
