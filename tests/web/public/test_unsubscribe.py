"""Leaving."""

from leadgen.core import hot
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def _marketing_since(contact_id: int) -> object:
    row = hot.one("SELECT marketing_at FROM contact WHERE id = %(id)s", {"id": contact_id})
    assert row is not None
    return row["marketing_at"]


def test_looking_changes_nothing(visitor: Visitor, scene: Scene) -> None:
    """Rule 2."""
    page = visitor.get(f"{scene.unsubscribe}?lang=en")
    assert "No more news from us?" in page.text
    assert "Escales" in page.text
    assert "b•••@m•••.example" in page.text
    assert visitor.client.head(scene.unsubscribe).status_code == 200
    assert _marketing_since(scene.contact_id) is not None


def test_pressing_leaves_at_once(visitor: Visitor, scene: Scene) -> None:
    page = visitor.post(f"{scene.unsubscribe}?lang=en")
    assert "You are unsubscribed" in page.text
    assert _marketing_since(scene.contact_id) is None
    assert hot.one("SELECT reason FROM suppression", {}) == {"reason": "unsubscribe"}


def test_coming_back_needs_a_new_tick(visitor: Visitor, scene: Scene) -> None:
    """Rule 1: a consent is never the leftover of an old one."""
    visitor.post(scene.unsubscribe)
    page = visitor.post(f"{scene.unsubscribe}?lang=en", {"action": "return"})
    assert "Tick the box" in page.text
    assert _marketing_since(scene.contact_id) is None
    assert "Welcome back" in visitor.post(f"{scene.unsubscribe}?lang=en", {"action": "return", "marketing": "1"}).text
    assert _marketing_since(scene.contact_id) is not None


def test_one_click_answers_alike_whoever_it_was_for(visitor: Visitor, scene: Scene) -> None:
    """RFC 8058: 200, no redirect, no cookie; for valid, already done and unknown alike."""
    answers = [
        visitor.post(scene.unsubscribe, ONE_CLICK),
        visitor.post(scene.unsubscribe, ONE_CLICK),
        visitor.post("/unsubscribe/made-up", ONE_CLICK),
    ]
    assert {(answer.status_code, answer.data) for answer in answers} == {(200, b"")}
    assert all("Set-Cookie" not in answer.headers for answer in answers)
    assert _marketing_since(scene.contact_id) is None


def test_an_unknown_link_says_so(visitor: Visitor, scene: Scene) -> None:
    assert "This link does not work" in visitor.get("/unsubscribe/made-up?lang=en").text
    assert "This link does not work" in visitor.post("/unsubscribe/made-up?lang=en").text
