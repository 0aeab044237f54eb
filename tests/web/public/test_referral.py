"""A person's link."""

import pytest

from leadgen.core import hot
from leadgen.journal import counters
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor


def test_people_go_on_to_the_landing_page_without_a_cookie(visitor: Visitor, scene: Scene) -> None:
    answer = visitor.get(f"/r/{scene.code}?ch=wa")
    assert answer.status_code == 302
    assert answer.location.startswith("/c/island?ref=")
    assert "Set-Cookie" not in answer.headers
    assert "Ben vous invite" in visitor.get(f"{answer.location}&lang=fr").text


def test_a_code_may_be_typed_in_small_letters(visitor: Visitor, scene: Scene) -> None:
    assert visitor.get(f"/r/{scene.code.lower()}").status_code == 302


@pytest.mark.parametrize("agent", ["facebookexternalhit/1.1", "WhatsApp/2.23", "Twitterbot/1.0", "curl/8.0", ""])
def test_preview_machines_get_the_tags(visitor: Visitor, scene: Scene, agent: str) -> None:
    """F12: served on the referral address too, so that a crawler gets tags, not only a redirect."""
    answer = visitor.get(f"/r/{scene.code}", headers={"User-Agent": agent, "Accept-Language": "en"})
    assert answer.status_code == 200
    assert f'<meta property="og:url" content="http://localhost/r/{scene.code}">' in answer.text
    assert 'content="Win a week in Lisbon"' in answer.text


def test_machines_and_people_are_counted_apart(visitor: Visitor, scene: Scene) -> None:
    """Rule 9: machine visits are stored and never counted as people."""
    visitor.get(f"/r/{scene.code}?ch=fb")
    visitor.get(f"/r/{scene.code}?ch=fb", headers={"User-Agent": "facebookexternalhit/1.1"})
    visitor.client.head(f"/r/{scene.code}?ch=made-up")
    counters.flush()
    found = {(row["name"], row["channel"]): row["number"] for row in hot.many("SELECT * FROM counter", {})}
    assert found == {("ref_visit", "fb"): 1, ("machine_visit", "fb"): 1, ("machine_visit", ""): 1}


def test_an_unknown_code_gets_a_friendly_page(visitor: Visitor, scene: Scene) -> None:
    answer = visitor.get("/r/NOTACODE?lang=en")
    assert answer.status_code == 404
    assert "We do not know this invitation" in answer.text


def test_a_ref_is_good_for_a_day(visitor: Visitor, scene: Scene) -> None:
    link = visitor.get(f"/r/{scene.code}").location
    visitor.clock.forward(hours=25)
    page = visitor.get(f"{link}&lang=en")
    assert page.status_code == 200
    assert "invites you" not in page.text


def test_the_link_comes_as_a_qr_code(visitor: Visitor, scene: Scene) -> None:
    answer = visitor.get(f"/qr/{scene.code}.svg")
    assert answer.mimetype == "image/svg+xml"
    assert b"<svg" in answer.data
    assert visitor.get("/qr/NOTACODE.svg").status_code == 404
