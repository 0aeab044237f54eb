"""Where the links of previews and test letters lead: the real pages, with a banner, and nothing behind them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from time_machine import travel

from leadgen.campaigns.models import Campaign
from leadgen.core import clock, hot, links
from leadgen.letters import kinds
from leadgen.letters.rendering import OwnWords
from leadgen.mail import service as mail
from tests import texts
from tests.factories import make_broadcast, make_campaign

BANNER = "This is a preview: nothing is recorded."
PRESSED = "This was a preview: nothing was recorded, and nobody was written to."


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign()


def preview_of(campaign: Campaign, letter: str) -> str:
    own = OwnWords.of(texts.step(1)["en"]) if letter == "sequence" else None
    stream = make_broadcast(campaign).stream_id if letter == "broadcast" else 0
    return mail.preview(campaign.id, letter, "en", stream_id=stream, own=own).text


def path_of(page: str, campaign: Campaign, locale: str = "en") -> str:
    return links.sample(page, campaign.id, locale).removeprefix("http://localhost")


def content() -> dict[str, Any]:
    tables = hot.many("SELECT relname FROM pg_stat_user_tables ORDER BY relname", {})
    names = [row["relname"] for row in tables if row["relname"] != "counter"]
    rows = (hot.one(f"SELECT count(*) AS number, max(xmin::text::bigint) AS last FROM {name}", {}) for name in names)
    return dict(zip(names, rows, strict=True))


@pytest.mark.parametrize("letter", kinds.ALL)
def test_every_link_of_a_preview_opens(app: Flask, client: FlaskClient, campaign: Campaign, letter: str) -> None:
    found = re.findall(r"http://localhost(/\S+)", preview_of(campaign, letter))
    assert len(found) > 1
    for path in found:
        answer = client.get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        assert "not valid" not in answer.text
        assert (BANNER in answer.text) == (path.startswith("/sample/") and not path.startswith("/sample/r/")), path


@pytest.mark.parametrize("page", ["confirm", "refuse", "me", "unsubscribe"])
def test_pressing_changes_nothing_and_says_so(client: FlaskClient, campaign: Campaign, page: str) -> None:
    path = path_of(page, campaign)
    before = content()
    for address in re.findall(r'<form method="post"(?: action="([^"]+)")?', client.get(path).text):
        assert not address or address.startswith("/sample/")
        answer = client.post(address or path, data={"marketing": "withdraw"})
        assert answer.status_code == 200
        assert PRESSED in answer.text
    assert content() == before


def test_one_click_of_a_test_letter_is_answered_as_always(client: FlaskClient, campaign: Campaign) -> None:
    before = content()
    answer = client.post(path_of("unsubscribe", campaign), data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert content() == before


def test_links_within_a_sample_stay_among_samples(client: FlaskClient, campaign: Campaign) -> None:
    page = client.get(path_of("me", campaign)).text
    token = path_of("me", campaign).rsplit("/", 1)[1].split(".")[0]
    assert re.findall(rf'"(/me/{re.escape(token)}[^"]*)"', page) == []
    inside = re.findall(rf'href="(/sample/me/{re.escape(token)}[^"]*)"', page)
    assert inside
    for path in inside:
        assert BANNER in client.get(path).text


def test_a_sample_speaks_the_language_of_its_letter(client: FlaskClient, campaign: Campaign) -> None:
    assert "Ceci est un aperçu" in client.get(path_of("me", campaign, "fr")).text
    assert BANNER in client.get(path_of("me", campaign, "fr") + "?lang=en").text


@pytest.mark.parametrize("page", ["confirm", "refuse", "me", "unsubscribe"])
def test_a_sample_opens_no_real_page(client: FlaskClient, campaign: Campaign, page: str) -> None:
    """Its token has a salt of its own."""
    token = path_of(page, campaign).rsplit("/", 1)[1]
    for answer in (client.get(f"/{page}/{token}"), client.post(f"/{page}/{token}")):
        assert answer.status_code in {200, 404, 405}
        assert "Anna" not in answer.text
        assert BANNER not in answer.text


def test_a_real_link_opens_no_sample(client: FlaskClient, campaign: Campaign) -> None:
    token = links.status(1, 1).rsplit("/", 1)[1]
    for path in (f"/sample/me/{token}", "/sample/me/forged", path_of("c", campaign)):
        assert client.get(path).status_code == 404
        assert client.post(path).status_code == 404


def test_a_sample_ends_after_a_month(client: FlaskClient, campaign: Campaign) -> None:
    path = path_of("me", campaign)
    with travel(clock.now() + timedelta(days=31), tick=True):
        assert client.get(path).status_code == 404


def test_a_sample_is_private(client: FlaskClient, campaign: Campaign) -> None:
    headers = client.get(path_of("me", campaign)).headers
    assert headers["Cache-Control"] == "no-store"
    assert "noindex" in headers["X-Robots-Tag"]
    assert "Set-Cookie" not in headers
