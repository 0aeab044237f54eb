"""The file provider: one whole `.eml` for each mail, and addresses that play trouble."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from leadgen.mail.providers.file import INDEX, FileProvider, address_key
from leadgen.mail.providers.interface import Outcome, Parcel, Result
from tests.providers.conftest import batch


@pytest.fixture
def told() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def provider(tmp_path: Path, told: list[dict[str, Any]]) -> FileProvider:
    return FileProvider(str(tmp_path / "mail"), lambda events, at: told.extend({**event, "at": at} for event in events))


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "mail").glob("*.eml"))


def play(provider: FileProvider, to: str, *, attempt: int = 1) -> Outcome:
    prepared = batch(1, to=to)
    parcel: Parcel = prepared.parcels[0]
    changed = type(parcel)(1, parcel.opaque_id, to, attempt, parcel.filled)
    return provider.send(type(prepared)(prepared.letter, [changed])).outcomes[0]


def test_each_mail_is_a_file_in_order(provider: FileProvider, tmp_path: Path) -> None:
    answer = provider.send(batch(3))
    assert {outcome.result for outcome in answer.outcomes} == {Result.DELIVERED}
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files(tmp_path)]
    assert [mail["To"] for mail in mails] == [f"person{number}@mail.example" for number in (1, 2, 3)]


def test_no_half_file_is_left_behind(provider: FileProvider, tmp_path: Path) -> None:
    provider.send(batch(3))
    assert not list((tmp_path / "mail").rglob("*.draft"))


def test_the_mails_of_an_address_are_found_by_it(provider: FileProvider, tmp_path: Path) -> None:
    provider.send(batch(3))
    own = tmp_path / "mail" / INDEX / address_key("Person2@mail.example ")
    assert len(list(own.glob("*.eml"))) == 1


def test_headers_of_a_marketing_mail_stay_readable(provider: FileProvider, tmp_path: Path) -> None:
    """A long List-Unsubscribe must be neither folded nor an encoded word, or one-click does not work (RFC 8058)."""
    provider.send(batch(1, letter="sequence"))
    raw = files(tmp_path)[0].read_bytes()
    line = next(line for line in raw.split(b"\r\n") if line.startswith(b"List-Unsubscribe:"))
    assert line.startswith(b"List-Unsubscribe: <http://localhost/unsubscribe/")
    assert line.endswith(b">")
    assert b"=?" not in line
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in raw


def test_values_are_put_in_and_text_survives(provider: FileProvider, tmp_path: Path) -> None:
    provider.send(batch(1))
    mail: Any = message_from_bytes(files(tmp_path)[0].read_bytes(), policy=policy.default)
    assert mail["Subject"] == "Confirmez : été à Lisbonne"
    assert "Bonjour L’Été" in mail.get_body(("plain",)).get_content()
    assert 'href="http://localhost/confirm/1"' in mail.get_body(("html",)).get_content()
    assert mail["Message-ID"] == "<00000000-0000-4000-8000-000000000001@mail.capsud.example>"


def test_bounce_is_accepted_and_told_later(provider: FileProvider, told: list[dict[str, Any]]) -> None:
    assert play(provider, "bounce@simulator.example.com").result is Result.ACCEPTED
    assert [event["event"] for event in told] == ["bounce"]


def test_complain_is_told_later(provider: FileProvider, told: list[dict[str, Any]]) -> None:
    play(provider, "complain-7@simulator.example.com")
    assert [event["event"] for event in told] == ["delivered", "spamreport"]
    assert len({event["sg_event_id"] for event in told}) == 2


def test_timeout_writes_the_mail_and_loses_the_answer(provider: FileProvider, tmp_path: Path) -> None:
    assert play(provider, "timeout@simulator.example.com").result is Result.UNCERTAIN
    assert len(files(tmp_path)) == 1


def test_429_goes_through_at_the_second_attempt(provider: FileProvider, tmp_path: Path) -> None:
    assert play(provider, "429@simulator.example.com").result is Result.TEMPORARY
    assert files(tmp_path) == []
    assert play(provider, "429@simulator.example.com", attempt=2).result is Result.DELIVERED


def test_refuse_is_refused_for_good(provider: FileProvider) -> None:
    outcome = play(provider, "refuse@simulator.example.com")
    assert (outcome.result, outcome.is_address_fault) == (Result.FAILED, True)


@pytest.mark.parametrize("address", ["bounce@example.com", "bouncer@simulator.example.com", "a-bounce@simulator.x.com"])
def test_other_addresses_play_nothing(provider: FileProvider, address: str) -> None:
    assert play(provider, address).result is Result.DELIVERED


def test_soft_is_a_mailbox_that_refuses_for_now(provider: FileProvider, told: list[dict[str, Any]]) -> None:
    for address in ("soft@simulator.example.com", "blocked-2@simulator.example.com"):
        assert play(provider, address).result is Result.ACCEPTED
    assert [(event["event"], event["type"]) for event in told] == [("bounce", "blocked")] * 2


def test_a_complaint_may_come_later(provider: FileProvider, told: list[dict[str, Any]]) -> None:
    play(provider, "complain-later-3@simulator.example.com")
    delivered, complaint = told
    assert (delivered["event"], complaint["event"]) == ("delivered", "spamreport")
    assert complaint["at"] - delivered["at"] == timedelta(hours=1)
    assert complaint["timestamp"] - delivered["timestamp"] == 3600


def test_a_full_disk_blames_no_mail(provider: FileProvider, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")
    answer = provider.send(batch(3))
    assert {(one.result, one.is_free) for one in answer.outcomes} == {(Result.TEMPORARY, True)}
    assert answer.pause_reason == "provider_away"
    assert provider.check("").code == "folder_not_writable"


def test_the_folder_is_tried(provider: FileProvider, tmp_path: Path) -> None:
    assert provider.check("").is_ok
    assert not list((tmp_path / "mail").rglob("*.probe"))


def test_what_cannot_be_a_mail_fails_alone(provider: FileProvider) -> None:
    prepared, odd = batch(2), batch(1, start=9, to="no address").parcels
    answer = provider.send(type(prepared)(prepared.letter, [*odd, *prepared.parcels]))
    assert [one.result for one in answer.outcomes] == [Result.FAILED, Result.DELIVERED, Result.DELIVERED]
