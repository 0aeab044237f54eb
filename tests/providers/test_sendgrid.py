"""SendGrid: what we send it, and what each of its answers means."""

from __future__ import annotations

import json
import time

import pytest

from leadgen.mail.providers import sendgrid
from leadgen.mail.providers.interface import Answer, Result
from leadgen.mail.providers.sendgrid import SendGridProvider
from tests.providers.conftest import batch
from tests.providers.double import SendGridDouble


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
