"""The mailbox of development: what MAIL_PROVIDER=file wrote, for people and for the simulator; absent in production."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from leadgen.app import create_app
from leadgen.core import settings as product_settings
from leadgen.core.settings import Environment, Settings
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail import jobs
from leadgen.mail.providers.file import _MAGIC, PLAYS
from tests.factories import make_campaign, make_entry, make_message


def deliver(app: Flask, email: str = "anna@mail.example") -> None:
    with app.app_context():
        entry = make_entry(make_campaign(), email=email)
        make_message(entry, letter="confirm", lane=Lane.CONFIRMATION, purpose=MailPurpose.CONFIRMATION)
        jobs.pump_confirmations()


def test_an_empty_mailbox_says_what_to_do(client: FlaskClient) -> None:
    page = client.get("/dev/mailbox")
    assert page.status_code == 200
    assert "No letter yet" in page.text


def test_the_newest_letter_stands_first(app: Flask, client: FlaskClient) -> None:
    deliver(app, "anna@mail.example")
    deliver(app, "ben@mail.example")
    text = client.get("/dev/mailbox").text
    assert text.index("ben@mail.example") < text.index("anna@mail.example")


def test_a_search_finds_by_address_and_by_part(app: Flask, client: FlaskClient) -> None:
    deliver(app, "anna@mail.example")
    deliver(app, "ben@mail.example")
    for search in ("anna@mail.example", "ANNA@mail.example", "anna"):
        text = client.get("/dev/mailbox", query_string={"to": search}).text
        assert "anna@mail.example" in text
        assert "ben@mail.example" not in text
    assert "No letter matches" in client.get("/dev/mailbox?to=nobody").text


def test_one_letter_shows_every_side_of_itself(app: Flask, client: FlaskClient) -> None:
    deliver(app)
    (mail,) = client.get("/dev/mailbox.json?to=anna@mail.example").json["mails"]
    at = f"/dev/mailbox/{mail['id']}"
    letter = client.get(at)
    assert 'sandbox="allow-popups' in letter.text
    assert "letter-phone" in client.get(f"{at}?width=phone").text
    assert "Bonjour Anna" in client.get(f"{at}?view=text").text
    assert "Message-ID" in client.get(f"{at}?view=headers").text
    assert mail["links"]["confirm"] in client.get(f"{at}?view=links").text
    assert "Content-Transfer-Encoding" in client.get(f"{at}?view=source").text


def test_a_letter_cannot_run_or_load_anything(app: Flask, client: FlaskClient) -> None:
    deliver(app)
    (mail,) = client.get("/dev/mailbox.json?to=anna@mail.example").json["mails"]
    policy = client.get(f"/dev/mailbox/{mail['id']}/html").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy


def test_the_simulator_reads_links_and_code(app: Flask, client: FlaskClient) -> None:
    deliver(app)
    (mail,) = client.get("/dev/mailbox.json?to=anna@mail.example").json["mails"]
    assert set(mail["links"]) == {"confirm", "refuse"}
    assert mail["links"]["confirm"].startswith("http://localhost/confirm/")
    assert len(mail["code"]) == 6
    assert mail["code"] in mail["text"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "..%2f..%2fconfig.py", "20260101T000000.000000-x-1.eml", ".eml"])
def test_only_letters_are_shown(client: FlaskClient, name: str) -> None:
    assert client.get(f"/dev/mailbox/{name}").status_code == 404


def test_the_mailbox_speaks_french(client: FlaskClient) -> None:
    assert "Boîte aux lettres" in client.get("/dev/mailbox?lang=fr").text


@pytest.fixture
def production(settings: Settings) -> Iterator[Flask]:
    yield create_app(dataclasses.replace(settings, environment=Environment.PRODUCTION, clock_file=None))
    product_settings.use(settings)


def test_production_has_no_mailbox(production: Flask) -> None:
    rules = [rule.rule for rule in production.url_map.iter_rules()]
    assert not [rule for rule in rules if rule.startswith("/dev")]
    assert production.test_client().get("/dev/mailbox").status_code == 404


def test_older_letters_are_on_further_pages(client: FlaskClient, settings: Settings, context: None) -> None:
    _write_many(settings, 120)
    seen: list[str] = []
    address = "/dev/mailbox"
    for _page in range(3):
        page = client.get(address).text
        seen += re.findall(r"person(\d+)@mail\.example</span>", page)
        address = unescape(found[1]) if (found := re.search(r'href="([^"]*before=[^"]+)"', page)) else ""
    assert seen == [str(number) for number in reversed(range(120))]
    assert address == ""


def test_ten_thousand_letters_are_no_burden(client: FlaskClient, settings: Settings, context: None) -> None:
    """A list, an address and a word in a subject are found in the time that a person takes no notice of."""
    _write_many(settings, 10_000)
    client.get("/dev/mailbox")
    seconds = []
    for search in ("", "person5@mail.example", "Subject 9990"):
        begun = time.thread_time()
        assert client.get("/dev/mailbox", query_string={"to": search}).status_code == 200
        seconds.append(time.thread_time() - begun)
    assert seconds[0] < 0.5
    assert max(seconds) < 3


def test_the_addresses_that_play_trouble_are_explained(client: FlaskClient) -> None:
    page = client.get("/dev/mailbox").text
    assert all(f"<code>{play}-1@simulator.example.com</code>" in page for play in PLAYS)
    assert all(_MAGIC.fullmatch(f"{play}-1@simulator.example.com") for play in PLAYS)


def _write_many(settings: Settings, number: int) -> None:
    folder = Path(settings.mail_dir)
    folder.mkdir(parents=True, exist_ok=True)
    for one in range(number):
        moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=one)
        name = f"{moment:%Y%m%dT%H%M%S.%f}-00000000-0000-4000-8000-{one:012d}-1.eml"
        content = f"From: a@b.example\r\nTo: person{one}@mail.example\r\nSubject: Subject {one}\r\n\r\nText\r\n"
        (folder / name).write_text(content)
