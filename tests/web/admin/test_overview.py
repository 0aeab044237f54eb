"""A campaign's first page, and the rules that hold for every page of the studio."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event

from leadgen.campaigns.models import Campaign, CampaignStatus, Delivery
from leadgen.core.db import db
from leadgen.journal.vocabulary import CounterName
from leadgen.mail.models import MessageStatus
from tests import factories, factories_contest
from tests.web.admin.studio import Staff
from tests.world import World

MOST_QUERIES = 20
PAGES = (
    "", "/numbers", "/page", "/prizes", "/prizes/new", "/dates", "/questions", "/questions/new", "/letters",
    "/letters/confirm", "/nurture", "/entrants", "/delete",
    "/virality", "/virality/people", "/virality/openings",
)  # fmt: skip


@pytest.fixture
def busy(app: Flask, world: World) -> None:
    """A week of life in the campaign."""
    with app.app_context():
        campaign = db.session.get_one(type(world.campaign), world.campaign.id)
        factories.make_sequence(campaign)
        factories.make_counter(campaign, number=40)
        factories.make_counter(campaign, name=CounterName.REFERRAL_VISIT, number=7)
        for number in range(30):
            entry = factories.make_entry(campaign, confirmed=number % 2 == 0)
            factories.make_message(entry, status=MessageStatus.DELIVERED)


@contextmanager
def _statements(app: Flask) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_figures_have_their_definition_and_their_list(ada: Staff, busy: None, base: str) -> None:
    """Every figure has a definition and a link to the people behind it, where there is a list."""
    page = ada.get(base).text
    for words in ("40", "32", "16", "0.03", "Visits", "Funnel"):
        assert words in page, words
    assert f'href="{base}/entrants?status=confirmed"' in page
    assert "Referred confirmed people divided by all confirmed people." in page
    assert "<svg" in page
    assert "Show as a table" in page


def test_the_figures_alone_are_the_same(ada: Staff, busy: None, base: str) -> None:
    part = ada.get(f"{base}/numbers", headers={"X-Background": "1"}).text
    assert "Funnel" in part
    assert "<html" not in part


def test_an_empty_campaign_shows_dashes_not_errors(app: Flask, ada: Staff, world: World) -> None:
    with app.app_context():
        empty = factories.make_campaign(db.session.get_one(type(world.brand), world.brand.id)).id
    page = ada.get(f"/admin/campaigns/{empty}").text
    assert "Nobody has entered yet." in page
    assert "–" in page


@pytest.mark.parametrize("page", PAGES)
def test_looking_changes_nothing_and_asks_little(app: Flask, ada: Staff, busy: None, base: str, page: str) -> None:
    """Nothing is written, and at most twenty statements a page."""
    with _statements(app) as seen:
        assert ada.get(f"{base}{page}").status_code == 200
    assert len(seen) <= MOST_QUERIES
    assert [statement for statement in seen if not statement.lstrip().startswith("SELECT")] == []


def test_the_list_asks_as_much_for_many_campaigns_as_for_one(app: Flask, ada: Staff, world: World) -> None:
    with _statements(app) as before:
        ada.get("/admin/")
    with app.app_context():
        brand = db.session.get_one(type(world.brand), world.brand.id)
        for _one in range(5):
            factories.make_campaign(brand)
    with _statements(app) as after:
        ada.get("/admin/")
    assert len(after) == len(before)


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_every_page_speaks_one_language(ada: Staff, busy: None, base: str, locale: str) -> None:
    ada.post("/admin/language", {"locale": locale})
    for page in PAGES:
        assert f'<html lang="{locale}">' in ada.get(f"{base}{page}").text or page == "/numbers"


def test_what_a_draft_misses_leads_to_the_very_thing(app: Flask, ada: Staff, world: World, base: str) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        campaign.status = CampaignStatus.DRAFT
        prize = campaign.prizes[0]
        prize.value = 0
        tier = factories_contest.make_milestone(campaign, delivery=Delivery.CODE)
        action = factories_contest.make_action(campaign, texts={"en": {"title": "Share"}, "fr": {"title": ""}})
        db.session.commit()
        addresses = (f"{base}/prizes/{prize.id}", f"{base}/rewards/{tier.id}/codes", f"{base}/actions/{action.id}")
    page = ada.get(base).text
    for address in addresses:
        assert f'href="{address}"' in page, address
    other = ada.get(f"{base}/questions").text
    assert "3 things are missing before launch" in other
    assert f'Next: <a href="{addresses[0]}"' in " ".join(re.sub(r"</?span>", "", other).split())
    assert "The action" in ada.post(f"{base}/publish", {}, follow_redirects=True).text
    with app.app_context():
        assert db.session.get_one(Campaign, world.campaign.id).status is CampaignStatus.DRAFT


def test_a_live_campaign_is_not_told_what_a_draft_misses(ada: Staff, base: str) -> None:
    assert "launch-bar" not in ada.get(f"{base}/questions").text
