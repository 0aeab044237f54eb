"""The provider's lists, read each night: what an event did not tell is learnt from them, once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from flask import Flask

from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core import hot, queue
from leadgen.core import settings as product_settings
from leadgen.core.db import db
from leadgen.core.settings import Settings
from leadgen.mail import jobs, pulls
from leadgen.mail.models import ProviderPull
from leadgen.mail.providers import account
from leadgen.mail.providers.calls import CALL_SECONDS
from tests.conftest import Clock
from tests.factories import make_brand, make_campaign, make_entry
from tests.providers.double import SendGridDouble, sendgrid_double

LISTS = ("bounces", "invalid_emails", "spam_reports", "unsubscribes")


@pytest.fixture(autouse=True)
def double(app: Flask, settings: Settings) -> Iterator[SendGridDouble]:
    with sendgrid_double() as running:
        key = {"mail_provider": "sendgrid", "sendgrid_api_key": "SG.key", "sendgrid_api_base": running.address}
        product_settings.use(dataclasses.replace(settings, **key))
        running.pages = {f"/v3/suppression/{name}": [] for name in LISTS}
        yield running
        product_settings.use(settings)


def listed(double: SendGridDouble, name: str, *emails: str, hours_ago: float = 2) -> None:
    created = int((product_clock.now() - timedelta(hours=hours_ago)).timestamp())
    double.pages[f"/v3/suppression/{name}"] += [
        {"created": created, "email": email, "reason": "550 5.1.1", "status": "5.1.1"} for email in emails
    ]


def suppressions() -> list[tuple[str, int]]:
    rows = hot.many("SELECT reason, brand_id FROM suppression ORDER BY brand_id, reason", {})
    return [(row["reason"], row["brand_id"]) for row in rows]


@pytest.mark.parametrize(
    ("name", "reason"), [("bounces", "hard_bounce"), ("invalid_emails", "hard_bounce"), ("spam_reports", "complaint")]
)
def test_every_brand_that_knows_the_address_is_told(
    campaign: Campaign, double: SendGridDouble, name: str, reason: str
) -> None:
    other = make_campaign(brand=make_brand(name="Cap Nord"), slug="hiver")
    for one in (campaign, other):
        make_entry(one, email="Gone@mail.example")
    listed(double, name, "gone@mail.example", "stranger@mail.example", "no address")
    jobs.pull_suppressions()
    assert suppressions() == [(reason, campaign.brand_id), (reason, other.brand_id)]


def test_a_global_unsubscribe_ends_marketing(campaign: Campaign, double: SendGridDouble) -> None:
    make_entry(campaign, email="anna@mail.example", confirmed=True, marketing=True)
    hot.many("UPDATE contact SET marketing_at = now() - interval '1 day' RETURNING id", {})
    listed(double, "unsubscribes", "anna@mail.example")
    jobs.pull_suppressions()
    assert suppressions() == [("unsubscribe", campaign.brand_id)]
    assert hot.many("SELECT marketing_at FROM contact", {}) == [{"marketing_at": None}]


def test_reading_twice_is_the_same_as_once(campaign: Campaign, double: SendGridDouble) -> None:
    make_entry(campaign, email="gone@mail.example")
    listed(double, "bounces", "gone@mail.example")
    jobs.pull_suppressions()
    before = hot.many("SELECT * FROM fact ORDER BY id", {}), hot.many("SELECT * FROM suppression", {})
    db.session.execute(db.delete(ProviderPull))
    jobs.pull_suppressions()
    assert (hot.many("SELECT * FROM fact ORDER BY id", {}), hot.many("SELECT * FROM suppression", {})) == before


def test_what_the_person_did_since_is_stronger(campaign: Campaign, double: SendGridDouble) -> None:
    """An address that was confirmed after it bounced exists; a tick after an unsubscribe is wanted."""
    make_entry(campaign, email="anna@mail.example", confirmed=True, marketing=True)
    hot.many("UPDATE contact SET marketing_at = now(), email_verified_at = now() RETURNING id", {})
    for name in ("bounces", "unsubscribes"):
        listed(double, name, "anna@mail.example", hours_ago=48)
    jobs.pull_suppressions()
    assert suppressions() == []
    listed(double, "spam_reports", "anna@mail.example", hours_ago=0.5)
    jobs.pull_suppressions()
    assert suppressions() == [("complaint", campaign.brand_id)]


def test_long_lists_are_read_page_by_page(
    campaign: Campaign, double: SendGridDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "PAGE", 10)
    monkeypatch.setattr(pulls, "PAGE", 10)
    make_entry(campaign, email="last@mail.example")
    listed(double, "bounces", *(f"person{number}@mail.example" for number in range(34)), "last@mail.example")
    (first, *_others) = pulls.pull()
    assert (first.read, first.found, first.is_complete) == (35, 1, True)
    asked = [values for path, values in double.reads if path.endswith("/bounces")]
    assert {int(values["limit"]) for values in asked} == {10}
    assert [values["offset"] for values in asked][-4:] == ["0", "10", "20", "30"]


def test_the_next_night_reads_only_what_is_new(campaign: Campaign, double: SendGridDouble, clock: Clock) -> None:
    jobs.pull_suppressions()
    first = db.session.get_one(ProviderPull, "bounces").pulled_at
    clock.forward(days=1)
    double.reads.clear()
    jobs.pull_suppressions()
    (asked,) = [values for path, values in double.reads if path.endswith("/bounces")]
    assert int(asked["start_time"]) == int((first - timedelta(hours=1)).timestamp())


def test_a_list_that_fails_is_read_again_and_stops_no_other(campaign: Campaign, double: SendGridDouble) -> None:
    make_entry(campaign, email="gone@mail.example")
    listed(double, "bounces", "gone@mail.example")
    listed(double, "spam_reports", "gone@mail.example")
    double.broken.add("/v3/suppression/bounces")
    assert [one.is_complete for one in pulls.pull()] == [False, True, True, True]
    assert suppressions() == [("complaint", campaign.brand_id)]
    assert db.session.get(ProviderPull, "bounces") is None
    double.broken.clear()
    jobs.pull_suppressions()
    assert suppressions() == [("complaint", campaign.brand_id), ("hard_bounce", campaign.brand_id)]


def test_a_reading_that_broke_off_goes_on_with_its_span(campaign: Campaign, double: SendGridDouble) -> None:
    now = product_clock.now()
    db.session.add(ProviderPull(name="bounces", pulled_at=now - timedelta(days=20)))
    db.session.commit()
    double.plan.extend(["200", "500"])
    assert not pulls.pull()[0].is_complete
    noted: Any = db.session.get_one(ProviderPull, "bounces").pulled_at
    assert timedelta(days=12) < now - noted < timedelta(days=14)


def test_a_span_that_is_too_long_is_halved(
    campaign: Campaign, double: SendGridDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a job which ends in the middle goes on where it was."""
    monkeypatch.setattr(account, "PAGE", 10)
    monkeypatch.setattr(pulls, "PAGE", 10)
    monkeypatch.setattr(pulls, "_MOST_PAGES", 2)
    make_entry(campaign, email="person5@mail.example")
    make_entry(campaign, email="person49@mail.example")
    for number in range(50):
        listed(double, "bounces", f"person{number}@mail.example", hours_ago=24 * 40 + number * 100)
    (bounces, *_others) = pulls.pull()
    assert (bounces.found, bounces.is_complete) == (2, True)


def test_a_pull_ends_before_its_job_does_and_goes_on(
    campaign: Campaign, double: SendGridDouble, monkeypatch: pytest.MonkeyPatch, redis_client: redis.Redis
) -> None:
    assert pulls._WORK_SECONDS + CALL_SECONDS < queue.JOB_SECONDS
    monkeypatch.setattr(pulls, "_WORK_SECONDS", -1)
    jobs.pull_suppressions()
    assert double.reads == []
    assert redis_client.exists(queue.rung_key("leadgen.mail.jobs.pull_suppressions"))


def test_odd_answers_are_no_lists(campaign: Campaign, double: SendGridDouble) -> None:
    double.pages["/v3/suppression/bounces"] = {"errors": "odd"}
    assert not pulls.pull()[0].is_complete


def test_a_provider_without_lists_has_none(campaign: Campaign, settings: Settings) -> None:
    product_settings.use(settings)
    assert pulls.pull() == []
