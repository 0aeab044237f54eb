"""Rules, privacy and the home page."""

from flask import Flask

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core.db import db
from tests.factories import make_rules_version
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, text_of


def test_rules_show_version_fingerprint_and_changes(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """F14."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        make_rules_version(campaign, sha256="a" * 64)
        change = {"en": "It closes on 15 December.", "fr": "Il se termine le 15 décembre."}
        make_rules_version(campaign, number=2, sha256="b" * 64, changes=[change])
    words = text_of(visitor.get("/c/island/rules?lang=en"))
    for part in ("No purchase necessary.", "The winner is drawn at random.", "b" * 64, "It closes on 15 December."):
        assert part in words
    assert "Il se termine le 15 décembre." in visitor.get("/c/island/rules?lang=fr").text


def test_privacy_says_what_is_held_and_by_whom(visitor: Visitor, scene: Scene) -> None:
    words = text_of(visitor.get("/c/island/privacy?lang=en"))
    for part in (
        "Escales SAS",
        "three years",
        "erase everything",
        "no cookie before you send the form",
        "series of letters",
    ):
        assert part in words


def test_a_draft_has_no_pages(app: Flask, visitor: Visitor, scene: Scene) -> None:
    with app.app_context():
        db.session.get_one(Campaign, scene.campaign_id).status = CampaignStatus.DRAFT
        db.session.commit()
    cards.forget()
    for path in ("/c/island", "/c/island/rules", "/c/island/privacy", "/og/island-en-1.png"):
        assert visitor.get(path).status_code == 404, path


def test_the_home_page_lists_what_is_open(visitor: Visitor, scene: Scene) -> None:
    page = visitor.get("/?lang=en")
    assert 'href="/c/island"' in page.text
    assert "Win a week in Lisbon" in page.text
    visitor.clock.forward(days=30)
    assert "No contest is open at the moment" in visitor.get("/?lang=en").text
