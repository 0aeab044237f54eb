"""Health pages tell the truth: what waits, for how long, and who is away."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core import hot, notes
from leadgen.core import settings as product_settings
from leadgen.core.db import db
from leadgen.core.settings import Settings
from leadgen.letters.models import Lane
from leadgen.mail import delivery
from leadgen.mail.models import MessageStatus
from tests.conftest import Clock
from tests.factories import make_entry, make_message, make_stream


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


def test_what_waits_is_told_by_lane_and_a_paused_stream_does_not_wait(app: Flask, client: FlaskClient) -> None:
    """A pause by hand is no trouble; a stop by a breaker is counted, because somebody has to look."""
    early = product_clock.now() - timedelta(minutes=5)
    with app.app_context():
        entry = make_entry(confirmed=True, marketing=True)
        campaign = db.session.get_one(Campaign, entry.campaign_id)
        for state in ("open", "paused", "stopped"):
            stream = make_stream(campaign, lane=Lane.BULK, state=state)
            make_message(entry, lane=Lane.BULK, stream_id=stream.id, domain_group="gmail", due_at=early)
        make_message(entry, status=MessageStatus.UNCERTAIN)
    body = client.get("/readyz").json
    assert 300 <= body["oldest_by_lane"]["bulk"] < 400
    assert body["oldest_by_lane"]["confirmation"] == 0
    assert (body["streams_stopped"], body["uncertain"]) == (1, 1)
    metrics = client.get("/metrics").text
    assert 'leadgen_mail_due{lane="bulk"} 1.0' in metrics
    assert "leadgen_streams_stopped 1.0" in metrics
