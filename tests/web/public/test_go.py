"""The address that links of marketing letters lead through."""

import pytest
from flask import Flask

from leadgen.campaigns.models import Campaign
from leadgen.core import hot, links, tokens
from leadgen.core.db import db
from leadgen.core.tokens import Purpose
from leadgen.entries.models import Entry
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail.models import MailLink
from tests.factories import make_entry, make_message
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor

URL = "https://brand.example/offer"


@pytest.fixture
def link(app: Flask, scene: Scene) -> str:
    """The path of a stored address's link, in a letter that was sent."""
    with app.app_context():
        campaign = db.session.scalars(db.select(Campaign)).first()
        assert campaign is not None
        entry: Entry = make_entry(campaign, confirmed=True, marketing=True)
        message = make_message(
            entry, letter="sequence", lane=Lane.NURTURE, purpose=MailPurpose.MARKETING, status="delivered"
        )
        stored = MailLink(campaign_id=campaign.id, url=URL)
        db.session.add(stored)
        db.session.commit()
        return links.click(message.id, stored.id, 2, entry.access_version).removeprefix("http://localhost")


def test_it_leads_on_and_tells_nobody(visitor: Visitor, link: str) -> None:
    answer = visitor.get(link)
    assert (answer.status_code, answer.location) == (302, URL)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers
    assert "brand.example" not in link


def test_it_writes_down_the_click_and_nothing_else(visitor: Visitor, link: str) -> None:
    """Rule 2: a GET or HEAD changes nothing but counters; the list of clicks is one."""
    visitor.get(link, headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/128.0"})
    visitor.client.head(link)
    visitor.get(link, headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/128.0", "Sec-Purpose": "prefetch"})
    found = [(row["kind"], row["reason"]) for row in hot.many("SELECT kind, reason FROM click ORDER BY id", {})]
    assert found == [("human", ""), ("machine", "head"), ("machine", "prefetch")]


@pytest.mark.parametrize(
    "payload", [[0, 0, 1, 1], [10**12, 1, 1, 1], ["x"], [1, 2, 3], {"url": URL}, URL, None, [1] * 9]
)
def test_what_leads_nowhere_gets_a_friendly_page(visitor: Visitor, link: str, payload: object) -> None:
    answer = visitor.get(f"/go/{tokens.sign(Purpose.CLICK, payload)}?lang=en")
    assert answer.status_code == 404
    assert "This link does not work" in answer.text


def test_nobody_can_make_a_link_of_ours(visitor: Visitor, link: str) -> None:
    """H40–H42: no address in a link, no link without our signature, none of another purpose."""
    for path in (link[:-4] + "AAAA", f"/go/{URL}", f"/go/{tokens.sign(Purpose.STATUS, [1, 1, 1, 1])}", "/go/%00"):
        answer = visitor.get(path)
        assert answer.status_code == 404, path
        assert "Location" not in answer.headers
    assert visitor.get(f"{link}?url=https://elsewhere.example&next=//elsewhere.example").location == URL
    assert hot.many("SELECT id FROM click", {}) != []


def test_after_a_year_it_is_over(visitor: Visitor, link: str) -> None:
    visitor.clock.forward(days=401)
    answer = visitor.get(f"{link}?lang=fr")
    assert answer.status_code == 404
    assert "Ce lien ne fonctionne pas" in answer.text
