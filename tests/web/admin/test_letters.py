"""The letters of a campaign: own words, how they look, a test to oneself."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from leadgen.core.db import db
from leadgen.letters.models import LetterText
from leadgen.mail import mailbox, service
from leadgen.mail.providers.interface import Answer, Batch, Outcome, Result
from tests import factories
from tests.web.admin.studio import Staff, fields_of
from tests.world import World

Letters = Callable[[str], Iterator[mailbox.Opened]]


@pytest.fixture
def letters_of(app: Flask) -> Letters:
    """What lies in the mailbox of an address."""

    def read(address: str) -> Iterator[mailbox.Opened]:
        with app.app_context():
            yield from mailbox.of_address(address)

    return read


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/letters"


def test_every_letter_stands_with_its_subject(ada: Staff, path: str) -> None:
    page = ada.get(path).text
    for name in ("confirm", "reminder", "welcome", "page_link"):
        assert f'href="{path}/{name}"' in page
    assert f"{path}/sequence" not in page
    assert "Your words" not in page


def test_own_words_replace_the_standard_ones_and_empty_ones_bring_them_back(app: Flask, ada: Staff, path: str) -> None:
    standard = ada.get(f"{path}/welcome/preview?locale=fr&form=text").text.splitlines()[0]
    fields = {"fr-subject": "Bienvenue à bord", "fr-heading": "Bonjour {first_name}", "fr-body": "À bientôt."}
    assert ada.post(f"{path}/welcome", fields).location == f"{path}/welcome"
    assert "Your words" in ada.get(path).text
    assert "À bientôt." in ada.get(f"{path}/welcome/preview?locale=fr").text
    assert ada.get(f"{path}/welcome/preview?locale=fr&form=text").text.startswith("Bienvenue à bord\n")
    ada.post(f"{path}/welcome", dict.fromkeys(fields, ""))
    back = ada.get(f"{path}/welcome/preview?locale=fr&form=text").text
    assert back.splitlines()[0] == standard
    assert "À bientôt." not in back


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"en-subject": "x" * 121}, "at most 120 characters"),
        ({"en-body": "Your {password}"}, "This letter does not know {password}."),
    ],
)
def test_what_is_wrong_is_said(app: Flask, ada: Staff, path: str, wrong: dict[str, str], told: str) -> None:
    answer = ada.post(f"{path}/welcome", {"fr-subject": "Typed"} | wrong)
    assert answer.status_code == 422
    assert told in answer.text
    assert fields_of(answer.text)["fr-subject"] == "Typed"
    with app.app_context():
        assert db.session.query(LetterText).count() == 0


def test_a_letter_that_does_not_exist_is_absent(ada: Staff, path: str) -> None:
    for name in ("nothing", "sequence"):
        assert ada.get(f"{path}/{name}").status_code == 404
        assert ada.get(f"{path}/{name}/preview").status_code == 404
        assert ada.post(f"{path}/{name}/test").status_code == 404


def test_a_preview_runs_nothing_and_stands_only_in_our_frame(ada: Staff, path: str) -> None:
    policy = ada.get(f"{path}/welcome/preview").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert policy.endswith("sandbox")
    assert "script-src" not in policy


def test_a_step_of_the_sequence_is_seen_too(app: Flask, ada: Staff, world: World, path: str) -> None:
    with app.app_context():
        step = factories.make_sequence(db.session.get_one(type(world.campaign), world.campaign.id)).steps[0]
        number = step.id
    assert "Letter 1" in ada.get(f"{path}/sequence/preview?step={number}&locale=en").text


def test_a_test_goes_to_whoever_asks_and_its_fate_is_told(ada: Staff, path: str, letters_of: Letters) -> None:
    answer = ada.post(f"{path}/welcome/test", {"locale": "fr"})
    assert answer.location == f"{path}/welcome"
    assert "The test is sent to ada@staff.example." in ada.get(f"{path}/welcome").text
    (letter,) = letters_of("ada@staff.example")
    assert letter.summary.subject.startswith("[Test] Vous participez")


@pytest.mark.parametrize(
    ("result", "reason", "told"),
    [
        (Result.FAILED, "sender_refused", "was not sent: the provider refused our access."),
        (Result.TEMPORARY, "rate_limited", "was not sent: the provider asked for a pause."),
        (Result.UNCERTAIN, "timeout", "may or may not arrive."),
    ],
)
def test_what_the_provider_refused_is_told(
    ada: Staff, path: str, monkeypatch: pytest.MonkeyPatch, result: Result, reason: str, told: str
) -> None:
    class Stubborn:
        largest = 1

        def send(self, batch: Batch) -> Answer:
            return Answer([Outcome(batch.parcels[0].message_id, result, reason)])

    monkeypatch.setattr(service, "provider", Stubborn)
    ada.post(f"{path}/welcome/test", {"locale": "en"})
    assert told in ada.get(f"{path}/welcome").text
