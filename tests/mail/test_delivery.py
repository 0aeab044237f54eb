"""From the outbox to SendGrid and back: batches, poison, pauses, lost answers, with the database and Redis real."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from flask import Flask

from leadgen.campaigns.models import Campaign
from leadgen.core import hot, notes
from leadgen.core import settings as product_settings
from leadgen.core.settings import Settings
from leadgen.letters.models import Lane
from leadgen.mail import delivery, jobs
from tests.conftest import Clock
from tests.factories import make_entry, make_message
from tests.mail.conftest import claimed, confirmation, nurture, row, state
from tests.providers.double import SendGridDouble, sendgrid_double

_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"


@pytest.fixture(autouse=True)
def double(app: Flask, settings: Settings) -> Iterator[SendGridDouble]:
    """Mail goes to a SendGrid on this machine."""
    notes.forget()
    with sendgrid_double() as running:
        key = {"mail_provider": "sendgrid", "sendgrid_api_key": "SG.key", "sendgrid_api_base": running.address}
        product_settings.use(dataclasses.replace(settings, **key))
        yield running
        product_settings.use(settings)
    notes.forget()


def addressed(double: SendGridDouble) -> list[str]:
    return sorted(double.recipients())


def test_one_call_for_each_letter_and_language(campaign: Campaign, double: SendGridDouble) -> None:
    for number in range(6):
        confirmation(campaign, email=f"person{number}@mail.example", locale="en" if number % 2 else "fr")
    english = {"id": campaign.id}
    hot.many("UPDATE message SET locale = 'en' WHERE id %% 2 = 0 AND campaign_id = %(id)s RETURNING id", english)
    jobs.pump_confirmations()
    assert [len(call["personalizations"]) for call in double.calls] == [3, 3]
    assert {call["subject"].split(":")[0].strip() for call in double.calls} == {
        "Confirm your entry",
        "Confirmez votre participation",
    }


def test_every_person_gets_values_of_their_own(campaign: Campaign, double: SendGridDouble) -> None:
    for name in ("Anna", "Ben"):
        confirmation(campaign, email=f"{name.lower()}@mail.example", first_name=name)
    jobs.pump_confirmations()
    said = [person["substitutions"] for person in double.calls[0]["personalizations"]]
    assert [values["[[_first_name]]"] for values in said] == [" Anna", " Ben"]
    assert len({values["[[link]]"] for values in said}) == 2
    assert len({values["[[code]]"] for values in said}) == 2


def test_the_provider_learns_our_opaque_id_only(campaign: Campaign, double: SendGridDouble) -> None:
    message = confirmation(campaign)
    jobs.pump_confirmations()
    assert double.calls[0]["personalizations"][0]["custom_args"] == {"m": str(message.opaque_id)}
    assert row(message)["provider_reference"] == "reference-1"
    assert state(message) == ("accepted", "")


def test_a_poison_row_fails_alone(campaign: Campaign, double: SendGridDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot be rendered among many stops only itself, and says why."""
    good, bad = confirmation(campaign), confirmation(campaign, first_name="Poison")
    filled = delivery.values.fill

    def fill(markers: tuple[str, ...], person: delivery.Recipient, *more: object) -> dict[str, str]:
        if person.first_name == "Poison":
            raise ValueError("cannot be read")
        return filled(markers, person, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(delivery.values, "fill", fill)
    jobs.pump_confirmations()
    assert state(good) == ("accepted", "")
    assert state(bad) == ("failed", "cannot_render: ValueError cannot be read")


def test_a_broken_letter_does_not_stop_the_others(campaign: Campaign, double: SendGridDouble) -> None:
    entry = make_entry(campaign, confirmed=True)
    broken = make_message(entry, letter="absent")
    stepless = nurture(campaign, message={"step_id": 999_999})
    welcome = make_message(make_entry(campaign, confirmed=True))
    jobs.pump_mail()
    assert state(welcome) == ("accepted", "")
    assert state(broken)[0] == "failed"
    assert state(stepless) == ("failed", "cannot_render: NotFound step")


def test_a_refused_address_fails_alone(campaign: Campaign, double: SendGridDouble) -> None:
    double.bad = {"bad@mail.example"}
    bad = confirmation(campaign, email="bad@mail.example")
    good = [confirmation(campaign) for _ in range(7)]
    jobs.pump_confirmations()
    assert [state(message)[0] for message in good] == ["accepted"] * 7
    assert state(bad)[0] == "failed"
    assert len(double.recipients()) == 7


def end_the_pause() -> None:
    """A pause is Redis's own time, which no clock of ours moves."""
    notes.leave(delivery.PAUSED, "over", 0.001)
    while delivery.pause():
        time.sleep(0.001)


def test_too_many_requests_pause_all_workers_and_lose_nothing(
    campaign: Campaign, double: SendGridDouble, clock: Clock
) -> None:
    """Waits for the reset, no hammering, no attempt counted."""
    double.plan.append("429:20")
    message = confirmation(campaign)
    jobs.pump_confirmations()
    jobs.pump_confirmations()
    jobs.pump_mail()
    assert len(double.calls) == 1
    assert state(message) == ("scheduled", "rate_limited")
    assert row(message)["attempts"] == 0
    end_the_pause()
    clock.forward(seconds=21)
    jobs.pump_confirmations()
    assert state(message) == ("accepted", "")


def test_a_pause_holds_the_rest_of_a_claim(campaign: Campaign, double: SendGridDouble) -> None:
    double.plan.append("429:20")
    confirmation(campaign)
    other = confirmation(campaign)
    hot.many("UPDATE message SET locale = 'en' WHERE id = %(id)s RETURNING id", {"id": other.id})
    jobs.pump_confirmations()
    assert len(double.calls) == 1
    assert state(other) == ("scheduled", "rate_limited")


def test_a_refused_key_stops_everything_and_says_so(campaign: Campaign, double: SendGridDouble) -> None:
    """No attempt is used up, and /readyz shows it."""
    double.plan.append("401")
    message = confirmation(campaign)
    jobs.pump_confirmations()
    jobs.pump_mail()
    assert len(double.calls) == 1
    assert row(message)["attempts"] == 0
    pause = delivery.pause()
    assert pause is not None
    assert pause.text == "sender_refused"


def test_a_lost_answer_is_not_sent_again(campaign: Campaign, double: SendGridDouble, clock: Clock) -> None:
    """The mail left, the answer did not come."""
    double.plan.append("drop_after")
    message = nurture(campaign)
    jobs.pump_mail()
    clock.forward(hours=1)
    jobs.pump_mail()
    assert state(message) == ("uncertain", "no_answer")
    assert len(double.recipients()) == 1


def test_an_answer_outlives_a_database_that_goes_away_meanwhile(
    campaign: Campaign, double: SendGridDouble, database_url: str, cleaner: psycopg.Connection
) -> None:
    message = confirmation(campaign)
    double.plan.append("hang:2")
    name = urlsplit(database_url).path.lstrip("/")
    with psycopg.connect(urlsplit(database_url)._replace(path="/postgres").geturl(), autocommit=True) as outside:

        def go_away() -> None:
            while not double.calls:
                time.sleep(0.01)
            outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            outside.execute(_CUT, [name, cleaner.info.backend_pid])
            while not double.taken:
                time.sleep(0.01)
            time.sleep(0.6)  # the answer is there, and cannot be written down
            outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

        absence = threading.Thread(target=go_away, daemon=True)
        absence.start()
        jobs.pump_confirmations()
        absence.join()
    assert state(message) == ("accepted", "")
    assert len(double.calls) == 1


def test_unavailable_is_tried_again_until_it_works(campaign: Campaign, double: SendGridDouble, clock: Clock) -> None:
    double.plan.append("503")
    message = confirmation(campaign)
    jobs.pump_confirmations()
    assert state(message) == ("scheduled", "provider_away")
    end_the_pause()
    clock.forward(minutes=20)
    jobs.pump_confirmations()
    assert state(message) == ("accepted", "")
    assert len(double.recipients()) == 1


def test_confirmations_go_before_everything_else(campaign: Campaign, double: SendGridDouble) -> None:
    nurture(campaign, email="nurture@mail.example")
    confirmation(campaign, email="waiting@mail.example")
    jobs.pump_mail()
    assert double.recipients() == ["waiting@mail.example", "nurture@mail.example"]


def test_two_pumps_at_once_send_each_mail_once(campaign: Campaign, double: SendGridDouble) -> None:
    """A claim that another worker has not committed is passed over, not waited for."""
    messages = [confirmation(campaign) for _ in range(5)]
    assert claimed(Lane.CONFIRMATION, 2) == [message.id for message in messages[:2]]
    jobs.pump_confirmations()
    assert len(double.recipients()) == 3
