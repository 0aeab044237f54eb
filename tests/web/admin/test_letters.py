"""The letters of a campaign: own words, how they look, a test to oneself."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from leadgen.campaigns.models import CampaignStatus
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
        ({"en-subject": "x" * 151}, "at most 150 characters"),
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
        assert ada.post(f"{path}/{name}/preview").status_code == 404
        assert ada.post(f"{path}/{name}/test").status_code == 404
        assert ada.post(f"{path}/{name}/reset").status_code == 404


def test_a_preview_runs_nothing_and_stands_only_in_our_frame(ada: Staff, path: str) -> None:
    policy = ada.get(f"{path}/welcome/preview").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "allow-scripts" not in policy
    assert "script-src" not in policy


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


def test_a_test_can_go_to_a_colleague_in_both_languages(ada: Staff, path: str, letters_of: Letters) -> None:
    ada.post(f"{path}/welcome/test", {"locale": "both", "to": "bob@staff.example"})
    subjects = [letter.summary.subject for letter in letters_of("bob@staff.example")]
    assert sorted(subjects) == [
        "[Test] Vous participez\u00a0: Gagnez une semaine à Lisbonne",
        "[Test] You are in: Win a week in Lisbon",
    ]


@pytest.mark.parametrize("to", ["cleo@staff.example", "victim@mail.example", "nobody"])
def test_a_test_goes_to_nobody_else(ada: Staff, path: str, letters_of: Letters, to: str) -> None:
    ada.post(f"{path}/welcome/test", {"locale": "en", "to": to})
    assert "Tests go to people who work for this brand only." in ada.get(f"{path}/welcome").text
    assert list(letters_of(to)) == []


def test_words_are_seen_before_they_are_saved(ada: Staff, path: str) -> None:
    typed = {"locale": "fr", "fr-subject": "Essayé", "fr-body": "Pas encore <b>enregistré</b> {prize}", "en-body": "No"}
    shown = ada.post(f"{path}/welcome/preview", typed).text
    assert "Pas encore &lt;b&gt;enregistré&lt;/b&gt; une semaine" in shown
    assert ada.post(f"{path}/welcome/preview", typed | {"form": "text"}).text.startswith("Essayé\n")
    assert "Pas encore" not in ada.get(f"{path}/welcome/preview?locale=fr").text


def test_a_letter_is_seen_as_light_dark_and_headers(ada: Staff, path: str) -> None:
    assert "@media all" in ada.get(f"{path}/welcome/preview?scheme=dark").text
    assert "@media not all" in ada.get(f"{path}/welcome/preview?scheme=light").text
    headers = ada.get(f"{path}/welcome/preview?form=headers").text
    assert "From: Cap Sud <" in headers
    assert "List-Unsubscribe" not in headers


def test_the_second_tab_does_not_overwrite_the_first(ada: Staff, path: str) -> None:
    seen = fields_of(ada.get(f"{path}/welcome").text)
    ada.post(f"{path}/welcome", seen | {"en-subject": "From the first tab"})
    answer = ada.post(f"{path}/welcome", seen | {"en-subject": "From the second tab"})
    assert answer.status_code == 422
    assert "Somebody else saved this letter" in answer.text
    assert "From the second tab" in answer.text
    assert "From the first tab" in answer.text
    assert "From the first tab" in ada.get(f"{path}/welcome").text
    again = fields_of(answer.text)
    assert ada.post(f"{path}/welcome", again).status_code == 303
    assert "From the second tab" in ada.get(f"{path}/welcome").text


def test_a_reset_can_be_taken_back(ada: Staff, path: str) -> None:
    ada.post(f"{path}/welcome", {"en-body": "Mine alone. " * 300})
    ada.post(f"{path}/welcome/reset")
    page = ada.get(f"{path}/welcome").text
    assert "The standard words are back." in page
    key = re.search(r'name="key" value="([0-9a-f]+)"', page)
    assert key is not None
    ada.post(f"{path}/welcome/reset", {"undo": "1", "key": key[1]})
    page = ada.get(f"{path}/welcome").text
    assert "Your words are back." in page
    assert "Mine alone." in page


def test_hints_are_counted_and_told(ada: Staff, path: str) -> None:
    assert "hint" not in ada.get(path).text
    ada.post(f"{path}/welcome", {"en-subject": "WELCOME TO US!!!", "fr-subject": "Bienvenue"})
    assert "2 hints" in ada.get(path).text
    page = ada.get(f"{path}/welcome").text
    assert '<a href="#en-subject">Subject in English: so many exclamation marks look like spam.</a>' in page


def test_placeholders_stand_with_meaning_and_example(ada: Staff, path: str) -> None:
    page = ada.get(f"{path}/welcome").text
    for told in ("{prize}", "name of the first prize", "A week in Lisbon 1", 'data-insert="{share_link}"'):
        assert told in page
    assert "{code}" not in page


def test_a_letter_with_an_error_keeps_the_campaign_from_its_launch(app: Flask, ada: Staff, world: World) -> None:
    with app.app_context():
        brand = db.session.get_one(type(world.brand), world.brand.id)
        draft = factories.make_campaign(brand, status=CampaignStatus.DRAFT)
        draft_id = draft.id
    path = f"/admin/campaigns/{draft_id}"
    ada.post(f"{path}/letters/welcome", {"en-body": "Hello, [say here what they get] and more words for the filters."})
    ada.post(f"{path}/publish")
    assert "a note to yourself is still there" in ada.get(path).text
    ada.post(f"{path}/letters/welcome/reset")
    ada.post(f"{path}/publish")
    assert "The campaign is published." in ada.get(path).text
