"""SendGrid: what we send it, and what each of its answers means."""

from __future__ import annotations

import dataclasses
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from leadgen.core.settings import Settings
from leadgen.mail import gates
from leadgen.mail.providers import calls, chosen, interface, sendgrid
from leadgen.mail.providers.account import Record
from leadgen.mail.providers.interface import Answer, Batch, Checked, Parcel, Result
from leadgen.mail.providers.sendgrid import SendGridProvider
from tests.providers.conftest import batch
from tests.providers.double import SendGridDouble, sendgrid_double


@pytest.fixture
def provider(double: SendGridDouble) -> SendGridProvider:
    return SendGridProvider("SG.key", double.address)


def results(answer: Answer) -> dict[int, str]:
    return {outcome.message_id: outcome.result.name for outcome in answer.outcomes}


def reasons(answer: Answer) -> set[str]:
    return {outcome.reason for outcome in answer.outcomes}


def test_one_call_carries_everybody(provider: SendGridProvider, double: SendGridDouble) -> None:
    answer = provider.send(batch(1000))
    assert len(double.calls) == 1
    assert len(double.recipients()) == 1000
    assert {outcome.result for outcome in answer.outcomes} == {Result.ACCEPTED}
    assert answer.outcomes[0].reference == "reference-1"
    assert double.keys == ["Bearer SG.key"]


def test_a_person_is_a_personalization_with_values_of_their_own(
    provider: SendGridProvider, double: SendGridDouble
) -> None:
    provider.send(batch(2))
    (body,) = double.calls
    assert body["subject"] == "Confirmez : été à Lisbonne"
    assert body["from"] == {"email": "jeu@mail.capsud.example", "name": "Cap Sud, voyages"}
    assert body["reply_to"]["email"] == "bonjour@capsud.example"
    assert body["personalizations"][1] == {
        "to": [{"email": "person2@mail.example"}],
        "substitutions": {
            "[[_first_name]]": " L’Été",
            "[[_first_name:h]]": " L’Été",
            "[[link]]": "http://localhost/confirm/2",
        },
        "custom_args": {"m": "00000000-0000-4000-8000-000000000002"},
    }


@pytest.mark.parametrize("letter", ["confirm", "welcome", "sequence"])
def test_tracking_is_off_in_every_payload(provider: SendGridProvider, double: SendGridDouble, letter: str) -> None:
    """Rule 9."""
    provider.send(batch(1, letter=letter))
    tracking = double.calls[0]["tracking_settings"]
    assert set(tracking) >= {"click_tracking", "open_tracking", "subscription_tracking"}
    assert not any(setting["enable"] for setting in tracking.values())
    assert tracking["click_tracking"]["enable_text"] is False


def test_no_personal_data_in_arguments_or_categories(provider: SendGridProvider, double: SendGridDouble) -> None:
    """SendGrid keeps them for long and cannot remove them."""
    provider.send(batch(3, letter="sequence"))
    (body,) = double.calls
    assert "categories" not in body
    assert "custom_args" not in body
    assert all(set(said["custom_args"]) == {"m"} for said in body["personalizations"])
    assert "@" not in json.dumps([said["custom_args"] for said in body["personalizations"]])


def test_marketing_carries_both_unsubscribe_headers_for_each_person(
    provider: SendGridProvider, double: SendGridDouble
) -> None:
    provider.send(batch(2, letter="sequence"))
    first, second = (said["headers"] for said in double.calls[0]["personalizations"])
    assert first["List-Unsubscribe"] != second["List-Unsubscribe"]
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first["List-ID"] == "<ete.localhost>"


def test_other_letters_carry_none(provider: SendGridProvider, double: SendGridDouble) -> None:
    provider.send(batch(1))
    assert "headers" not in double.calls[0]["personalizations"][0]


@pytest.mark.parametrize("names", [True, False])
def test_one_bad_address_fails_alone(provider: SendGridProvider, double: SendGridDouble, names: bool) -> None:
    """On 400 the culprit is taken out when it is named, else found by halving; the others get their mail once."""
    double.bad, double.is_naming_culprits = {"person7@mail.example"}, names
    answer = provider.send(batch(100))
    assert [number for number, result in results(answer).items() if result != "ACCEPTED"] == [7]
    assert results(answer)[7] == "FAILED"
    assert sorted(double.recipients()) == sorted(f"person{n}@mail.example" for n in range(1, 101) if n != 7)
    assert len(double.calls) <= (2 if names else 15)


def test_a_letter_that_is_refused_is_not_halved(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.plan.extend(["400:content.1.value"] * 100)
    answer = provider.send(batch(100))
    assert len(double.calls) == 1
    assert reasons(answer) == {"content"}


def test_looking_for_culprits_is_bounded(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.plan.extend(["400"] * 10_000)
    answer = provider.send(batch(1000))
    assert len(double.calls) <= 40
    assert len(results(answer)) == 1000
    assert set(results(answer).values()) == {"FAILED", "TEMPORARY"}


def test_a_gateways_page_instead_of_json_is_survived(provider: SendGridProvider) -> None:
    assert sendgrid._fields(b"<html>413</html>") == []
    assert sendgrid._fields(b'{"errors": null}') == []
    assert sendgrid._fields(b"[]") == []


def test_too_large_a_batch_is_halved(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.plan.append("413")
    answer = provider.send(batch(10))
    assert set(results(answer).values()) == {"ACCEPTED"}
    assert [len(call["personalizations"]) for call in double.calls] == [10, 5, 5]


def test_one_mail_that_is_too_large_fails(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.plan.append("413")
    assert reasons(provider.send(batch(1))) == {"too_large"}


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_refused_key_stops_the_sender(provider: SendGridProvider, double: SendGridDouble, status: str) -> None:
    double.plan.append(status)
    answer = provider.send(batch(3))
    assert set(results(answer).values()) == {"TEMPORARY"}
    assert all(outcome.is_free for outcome in answer.outcomes)
    assert (answer.pause_reason, answer.pause_seconds) == ("sender_refused", 60)


def test_too_many_requests_wait_for_the_reset(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.plan.append("429:20")
    answer = provider.send(batch(3))
    assert (answer.pause_reason, answer.pause_seconds) == ("rate_limited", 20)
    assert set(results(answer).values()) == {"TEMPORARY"}
    assert len(double.calls) == 1


def test_the_reset_may_be_a_moment() -> None:
    at = int(time.time()) + 30
    assert 28 <= sendgrid._seconds_until_reset({"X-RateLimit-Reset": str(at)}) <= 30
    assert sendgrid._seconds_until_reset({}) == 60
    assert sendgrid._seconds_until_reset({"Retry-After": "999999999"}) == 3600


def test_what_is_left_of_a_halved_batch_waits_too(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.plan.extend(["413", "202", "429:5"])
    answer = provider.send(batch(10))
    assert sorted(results(answer).values()) == ["ACCEPTED"] * 5 + ["TEMPORARY"] * 5


def test_unavailable_is_temporary(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.plan.append("503")
    answer = provider.send(batch(2))
    assert set(results(answer).values()) == {"TEMPORARY"}
    assert answer.pause_reason == "provider_away"


def test_another_server_error_is_uncertain(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.plan.append("500")
    assert set(results(provider.send(batch(2))).values()) == {"UNCERTAIN"}


def test_an_answer_lost_after_sending_is_uncertain(provider: SendGridProvider, double: SendGridDouble) -> None:
    """The provider took the mail and hung up."""
    double.plan.append("drop_after")
    answer = provider.send(batch(2))
    assert set(results(answer).values()) == {"UNCERTAIN"}
    assert len(double.recipients()) == 2


def test_a_time_out_is_uncertain(double: SendGridDouble) -> None:
    """The library by itself would wait for ever."""
    provider = SendGridProvider("SG.key", double.address)
    assert provider.client.timeout == 10
    provider.client.timeout = 0.2
    double.plan.append("hang:1")
    assert set(results(provider.send(batch(2))).values()) == {"UNCERTAIN"}


def test_a_refused_connection_is_temporary() -> None:
    answer = SendGridProvider("SG.key", "http://127.0.0.1:1").send(batch(2))
    assert set(results(answer).values()) == {"TEMPORARY"}
    assert all(outcome.is_free for outcome in answer.outcomes)
    assert answer.pause_reason == "provider_away"


def test_an_empty_batch_calls_nobody(provider: SendGridProvider, double: SendGridDouble) -> None:
    assert provider.send(batch(0)).outcomes == []
    assert double.calls == []


def test_an_address_twice_goes_in_two_calls(provider: SendGridProvider, double: SendGridDouble) -> None:
    """SendGrid refuses a whole call that names somebody twice, in whatever letters."""
    people = [*batch(3).parcels, *batch(1, start=9, to="PERSON2@mail.example").parcels]
    answer = provider.send(Batch(batch(1).letter, people))
    assert set(results(answer).values()) == {"ACCEPTED"}
    assert [len(call["personalizations"]) for call in double.taken] == [3, 1]


def test_a_call_carries_a_thousand_people_at_most(provider: SendGridProvider, double: SendGridDouble) -> None:
    answer = provider.send(batch(2_500))
    assert sorted(len(call["personalizations"]) for call in double.taken) == [500, 1000, 1000]
    assert len(results(answer)) == 2_500


def test_a_call_stays_under_thirty_megabytes(
    provider: SendGridProvider, double: SendGridDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sendgrid.LARGEST_BYTES == 30_000_000
    monkeypatch.setattr(sendgrid, "LARGEST_BYTES", 3_000)
    answer = provider.send(batch(20))
    assert set(results(answer).values()) == {"ACCEPTED"}
    assert len(double.taken) > 1
    assert max(len(json.dumps(call)) for call in double.taken) < 3_000


def test_arguments_stay_far_under_ten_thousand_bytes(provider: SendGridProvider, double: SendGridDouble) -> None:
    provider.send(batch(2, letter="sequence"))
    sizes = [len(json.dumps(said["custom_args"])) for said in double.calls[0]["personalizations"]]
    assert max(sizes) < 100


def test_nothing_personal_leaves_the_two_fields_that_may_hold_it(
    provider: SendGridProvider, double: SendGridDouble
) -> None:
    """What is taken out of `to` and `substitutions` names nobody."""
    provider.send(batch(2, letter="sequence"))
    (body,) = double.calls
    for said in body["personalizations"]:
        del said["to"], said["substitutions"]
    left = json.dumps(body)
    assert "person1@" not in left
    assert "Été" not in json.loads(json.dumps(left.replace("été à Lisbonne", "")))


def test_several_bad_addresses_are_found_exactly(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.bad = {f"person{number}@mail.example" for number in (1, 500)}
    answer = provider.send(batch(500))
    assert sorted(number for number, said in results(answer).items() if said == "FAILED") == [1, 500]
    assert len(double.recipients()) == len(set(double.recipients())) == 498
    assert len(double.calls) <= 40


def test_culprits_that_are_named_wrongly_blame_nobody(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.plan.append("400:personalizations.7.to.0.email")
    assert set(results(provider.send(batch(3))).values()) == {"ACCEPTED"}
    double.plan.append("400:personalizations.7.to.0.email")
    assert reasons(provider.send(batch(1))) == {"refused"}


def test_a_gateways_page_for_413_is_halved(provider: SendGridProvider, double: SendGridDouble) -> None:
    """The body is HTML, not JSON (sendgrid-nodejs 370)."""
    double.html = "<html><body>413 Request Entity Too Large</body></html>"
    double.plan.append("413")
    assert set(results(provider.send(batch(4))).values()) == {"ACCEPTED"}


def test_what_cannot_be_written_down_fails_alone(provider: SendGridProvider, double: SendGridDouble) -> None:
    good = batch(3)
    bad: Any = {"link": b"bytes are no JSON"}
    answer = provider.send(Batch(good.letter, [*good.parcels, Parcel(9, "opaque", "nine@mail.example", 1, bad)]))
    assert results(answer) == {1: "ACCEPTED", 2: "ACCEPTED", 3: "ACCEPTED", 9: "FAILED"}
    assert len(double.calls) == 1


def test_a_key_that_is_no_header_blames_no_mail(double: SendGridDouble) -> None:
    answer = SendGridProvider("SG.key\nX: y", double.address).send(batch(2))
    assert set(results(answer).values()) == {"TEMPORARY"}
    assert answer.pause_reason == "sender_refused"


@pytest.mark.parametrize("said", ["200", "204"])
def test_only_202_means_taken(provider: SendGridProvider, double: SendGridDouble, said: str) -> None:
    """A gateway's own page is often a 200."""
    double.plan.append(said)
    assert set(results(provider.send(batch(2))).values()) == {"UNCERTAIN"}


def test_one_byte_after_the_other_ends_too(
    provider: SendGridProvider, double: SendGridDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F17: a time-out of the socket never strikes when a byte comes every few seconds."""
    assert calls.CALL_SECONDS == 15
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.3)
    double.plan.append("drip:20")
    begun = time.monotonic()
    answer = provider.send(batch(2))
    assert time.monotonic() - begun < 5
    assert set(results(answer).values()) == {"UNCERTAIN"}


def test_what_there_is_no_time_for_goes_back_free(provider: SendGridProvider, double: SendGridDouble) -> None:
    """The lease must not end while a call is under way."""
    assert interface.BUDGET_SECONDS + calls.CALL_SECONDS <= gates.LEASE_SECONDS / 2
    prepared = batch(3)
    answer = provider.send(Batch(prepared.letter, prepared.parcels, until=time.monotonic() - 1))
    assert {(one.result, one.reason, one.is_free) for one in answer.outcomes} == {
        (Result.TEMPORARY, "out_of_time", True)
    }
    assert double.calls == []


def test_a_connection_that_is_never_made_is_temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time-out while connecting: nothing left us, unlike one while waiting for the answer."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        filling = [socket.socket() for _ in range(3)]
        for waiting in filling:
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        provider = SendGridProvider("SG.key", f"http://127.0.0.1:{full.getsockname()[1]}")
        provider.client.timeout = 0.3
        answer = provider.send(batch(2))
        for waiting in filling:
            waiting.close()
    assert {(one.result, one.is_free) for one in answer.outcomes} == {(Result.TEMPORARY, True)}
    assert answer.pause_reason == "provider_away"


def test_a_false_certificate_is_never_trusted(certificate: tuple[Path, Path]) -> None:
    """F35: no fall-back to an unverified connection."""
    with sendgrid_double(certificate) as encrypted:
        answer = SendGridProvider("SG.key", encrypted.address).send(batch(2))
        assert encrypted.calls == []
    assert set(results(answer).values()) == {"TEMPORARY"}
    assert answer.pause_reason == "not_trusted"


def test_a_trusted_certificate_is_served(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with sendgrid_double(certificate) as encrypted:
        assert set(results(SendGridProvider("SG.key", encrypted.address).send(batch(1))).values()) == {"ACCEPTED"}


def test_the_european_address_is_one_setting(settings: Settings) -> None:
    europe = "https://api.eu.sendgrid.com"
    chosen_one = chosen._made(
        dataclasses.replace(settings, mail_provider="sendgrid", sendgrid_api_key="k", sendgrid_api_base=europe), 0
    )
    assert isinstance(chosen_one, SendGridProvider)
    assert chosen_one.client.mail.send._build_url(None) == "https://api.eu.sendgrid.com/v3/mail/send"


def test_the_settings_are_tried_without_writing_to_anybody(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.pages["/v3/scopes"] = {"scopes": ["mail.send", "suppression.read"]}
    assert provider.check("jeu@mail.example") == Checked(is_ok=True, code="sendgrid_works")
    assert double.tried[0]["mail_settings"] == {"sandbox_mode": {"enable": True}}
    assert double.taken == []


def test_trying_the_settings_says_what_is_wrong(provider: SendGridProvider, double: SendGridDouble) -> None:
    double.pages["/v3/scopes"] = {"scopes": ["suppression.read"]}
    assert provider.check("jeu@mail.example").code == "key_may_not_send"
    double.plan.append("401")
    assert provider.check("jeu@mail.example") == Checked(is_ok=False, code="key_refused", detail="planned")
    assert SendGridProvider("SG.key", "http://127.0.0.1:1").check("a@b.example").code == "no_connection"


def test_the_records_that_sendgrid_wants(provider: SendGridProvider, double: SendGridDouble) -> None:
    host, data = "s1._domainkey.capsud.example", "s1.domainkey.u7.wl.sendgrid.net"
    dns = {"dkim1": {"host": host, "data": data, "type": "cname", "valid": True}}
    double.pages["/v3/whitelabel/domains"] = [
        {"domain": "other.example", "dns": {}},
        {"domain": "capsud.example", "dns": dns},
    ]
    assert provider.records("mail.capsud.example") == [Record("dkim", "CNAME", host, data)]
    assert provider.records("notcapsud.example") == []
    double.broken.add("/v3/whitelabel/domains")
    assert provider.records("mail.capsud.example") is None
