"""A provider in trouble is left in peace, longer each time; one mail goes first then, and the operator is told."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from leadgen.campaigns.models import Campaign
from leadgen.core import hot, notes
from leadgen.core import settings as product_settings
from leadgen.core.db import db
from leadgen.core.settings import Settings
from leadgen.letters.models import Lane
from leadgen.mail import delivery, jobs, outbox, pauses
from leadgen.mail.providers.interface import Answer, Outcome, Result
from tests.conftest import Clock
from tests.mail.conftest import confirmation, nurture, row, state
from tests.providers.double import SendGridDouble, sendgrid_double


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


def end_the_pause(clock: Clock) -> None:
    """A pause is Redis's own time, which no clock of ours moves."""
    notes.drop(pauses.PAUSED)
    clock.forward(minutes=10)


def trouble(*, seconds: float = 5.0, reason: str = "provider_away") -> float:
    lost = [Outcome(1, Result.UNCERTAIN, "answer_500")]
    return pauses.after(Answer(lost, seconds, reason, is_trouble=True), was_in_trouble=False)


def test_pauses_grow_from_five_seconds_to_five_minutes_and_are_never_quite_alike() -> None:
    waited = [trouble() for _ in range(12)]
    assert all(5 <= seconds <= 6.25 for seconds in waited[:3])
    assert waited[3] >= 10
    assert waited[5] >= 40
    assert 300 <= waited[-1] <= 375
    assert len(set(waited)) > 1


def test_two_lost_answers_are_forgiven_and_the_third_is_not() -> None:
    """A provider that takes connections and never answers would make a whole list uncertain."""
    assert [trouble(seconds=0, reason="") for _ in range(2)] == [0, 0]
    assert trouble(seconds=0, reason="") >= 5
    assert pauses.current() is not None


def test_one_mail_goes_first_after_trouble(campaign: Campaign, double: SendGridDouble, clock: Clock) -> None:
    double.plan.extend(["500"])
    confirmation(campaign)
    jobs.pump_confirmations()
    assert len(double.calls) == 1
    end_the_pause(clock)
    for _ in range(5):
        confirmation(campaign)
    jobs.pump_confirmations()
    assert [len(call["personalizations"]) for call in double.calls[1:]] == [1, 4]
    assert not pauses.is_in_trouble()


def test_a_probe_that_fails_costs_one_mail_and_the_pause_begins_again(
    campaign: Campaign, double: SendGridDouble, clock: Clock
) -> None:
    double.plan.extend(["503", "drop_after", "drop_after"])
    messages = [confirmation(campaign) for _ in range(5)]
    jobs.pump_confirmations()
    assert {state(message) for message in messages} == {("scheduled", "provider_away")}
    end_the_pause(clock)
    jobs.pump_confirmations()
    assert sorted(state(message)[0] for message in messages) == ["scheduled"] * 3 + ["uncertain"] * 2
    assert pauses.current() is not None


def test_only_one_process_probes(campaign: Campaign, double: SendGridDouble, clock: Clock) -> None:
    double.plan.append("503")
    waiting = confirmation(campaign)
    jobs.pump_confirmations()
    end_the_pause(clock)
    assert pauses.may_probe()  # another process does
    jobs.pump_confirmations()
    assert len(double.calls) == 1
    assert (state(waiting), row(waiting)["attempts"]) == (("scheduled", "provider_away"), 0)


def test_without_redis_a_process_probes_by_itself(settings: Settings) -> None:
    product_settings.use(dataclasses.replace(settings, redis_url="redis://127.0.0.1:1/0"))
    assert trouble() >= 5
    assert pauses.current() is not None
    assert pauses.may_probe()
    assert not pauses.may_probe()


def test_a_reset_is_waited_for_by_all_workers(
    app: Flask, campaign: Campaign, double: SendGridDouble, clock: Clock
) -> None:
    """F15: at most one call in each reset window and worker, and confirmations first afterwards."""
    double.plan.extend(["429:@30"] * 2)
    for _ in range(6):
        nurture(campaign)
    confirmation(campaign, email="urgent@mail.example")
    workers = [threading.Thread(target=_pump_often, args=(app,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert 1 <= len(double.calls) <= 2
    note = delivery.pause()
    assert note is not None
    assert 20 < note.seconds <= 30
    double.plan.clear()
    end_the_pause(clock)
    jobs.pump_mail()
    assert double.recipients()[0] == "urgent@mail.example"


def _pump_often(app: Flask) -> None:
    with app.app_context():
        for _ in range(10):
            jobs.pump_mail()
    hot.forget()  # the thread's own connection


def test_a_refused_key_is_told_once_and_shown_until_it_works(
    campaign: Campaign, double: SendGridDouble, client: FlaskClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """F16: the sender stops, no attempt is used up, and the operator hears of it once, not once a minute."""
    double.plan.extend(["401"] * 3)
    message = confirmation(campaign)
    with caplog.at_level(logging.ERROR, "leadgen.mail.pauses"):
        for _ in range(3):
            jobs.pump_confirmations()
            notice = pauses.operator_notice()
            end_the_pause(clock)
    assert len(double.calls) == 3
    assert len(caplog.records) == 1
    assert row(message)["attempts"] == 0
    assert notice is not None
    assert notice.code == "sender_refused"
    assert client.get("/readyz").json["mail"] == "sender_refused"
    assert "leadgen_mail_refused 1.0" in client.get("/metrics").text
    jobs.pump_confirmations()
    assert state(message) == ("accepted", "")
    assert pauses.operator_notice() is None
    assert client.get("/readyz").json["mail"] == "ok"
    assert "leadgen_mail_refused 0.0" in client.get("/metrics").text


def test_a_slow_provider_does_not_outlive_the_leases(
    campaign: Campaign, double: SendGridDouble, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F17: letters that there was no time for go back untouched, and are claimed again at once."""
    monkeypatch.setattr(delivery, "BUDGET_SECONDS", 0.3)
    double.plan.append("hang:0.5")
    messages = [confirmation(campaign), confirmation(campaign)]
    hot.many("UPDATE message SET locale = 'en' WHERE id = %(id)s RETURNING id", {"id": messages[1].id})
    claim = outbox.claim(Lane.CONFIRMATION, 10)
    db.session.commit()
    for outcomes in delivery.deliver(claim.recipients):
        outbox.settle(outcomes)
        db.session.commit()
    assert len(double.calls) == 1
    assert sorted(state(message) for message in messages) == [("accepted", ""), ("scheduled", "out_of_time")]
    late = next(message for message in messages if state(message)[0] == "scheduled")
    assert row(late)["attempts"] == 0
    jobs.pump_confirmations()
    assert state(late) == ("accepted", "")


def test_code_of_ours_that_fails_leaves_the_mails_uncertain(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider promises not to raise; when it does, nobody knows how far it came, and nobody waits for a lease."""

    class Broken:
        largest = 1000

        def send(self, _batch: object) -> Answer:
            raise RuntimeError("oops")

    monkeypatch.setattr(delivery, "provider", Broken)
    message = nurture(campaign)
    jobs.pump_mail()
    assert state(message) == ("uncertain", "no_answer")


def test_nothing_is_tried_for_longer_than_three_days() -> None:
    outcome = Outcome(1, Result.TEMPORARY, "smtp_450 4.2.1")
    assert delivery._timed(outcome, {1: 287}, 0).result is Result.TEMPORARY
    late = delivery._timed(outcome, {1: 288}, 0)
    assert (late.result, late.reason) == (Result.FAILED, "tried_too_long: smtp_450 4.2.1")
    free = dataclasses.replace(outcome, is_free=True)
    assert delivery._timed(free, {1: 288}, 0).result is Result.TEMPORARY
