"""Health pages tell the truth: what waits, for how long, and who is away."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from leadgen.core import hot, notes
from leadgen.core import settings as product_settings
from leadgen.core.settings import Settings
from leadgen.mail import delivery
from tests.conftest import Clock
from tests.factories import make_entry, make_message


@pytest.fixture(autouse=True)
def _no_notes() -> Iterator[None]:
    yield
    notes.forget()


def test_the_process_answers(client: FlaskClient) -> None:
    assert client.get("/healthz").text == "ok\n"


def test_ready_in_peace(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json["database"] == answer.json["redis"] == answer.json["mail"] == "ok"


def test_ready_tells_the_age_of_what_waits(app: Flask, client: FlaskClient, clock: Clock) -> None:
    with app.app_context():
        make_message(make_entry(confirmed=True))
    clock.forward(minutes=2)
    assert 120 <= client.get("/readyz").json["oldest_wanted_message_seconds"] < 180


def test_a_pause_of_the_provider_is_told(client: FlaskClient) -> None:
    notes.leave(delivery.PAUSED, "sender_refused", 30)
    assert client.get("/readyz").json["mail"] == "sender_refused"


@pytest.fixture
def away(settings: Settings) -> Iterator[Settings]:
    """Settings that may be changed to lead nowhere."""
    hot.forget()
    yield settings
    product_settings.use(settings)
    hot.forget()


def test_without_the_database_nobody_can_be_served(client: FlaskClient, away: Settings) -> None:
    nowhere = away.database_url.rsplit("/", 1)[0] + "/absent"
    product_settings.use(dataclasses.replace(away, database_url=nowhere))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["database"] == "away"


def test_without_redis_we_go_on_and_say_so(client: FlaskClient, away: Settings) -> None:
    product_settings.use(dataclasses.replace(away, redis_url="redis://127.0.0.1:1/0"))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json["redis"] == "away"


def test_metrics_for_prometheus(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_message(make_entry(confirmed=True))
    answer = client.get("/metrics")
    assert answer.content_type.startswith("text/plain")
    assert 'leadgen_mail_due{lane="service"} 1.0' in answer.text
    assert "leadgen_database_up 1.0" in answer.text
    assert 'leadgen_queue_jobs{queue="urgent"}' in answer.text
