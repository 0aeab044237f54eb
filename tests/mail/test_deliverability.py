"""The whole report on a sender: settings, records, one-click headers and what the newest mails tell."""

from __future__ import annotations

import dataclasses
import time
from datetime import timedelta

import pytest
import redis

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core import hot, notes, queue
from leadgen.core import settings as product_settings
from leadgen.core.db import db
from leadgen.core.settings import Settings
from leadgen.mail import deliverability, jobs
from leadgen.mail.sender_dns import Finding, Light
from tests.factories import make_brand, make_entry, make_message
from tests.names import NameServer
from tests.providers.double import sendgrid_double


@pytest.fixture(autouse=True)
def _names(names: NameServer) -> None:
    notes.forget()


@pytest.fixture
def brand(campaign: Campaign) -> Brand:
    return db.session.get_one(Brand, campaign.brand_id)


def found(brand: Brand) -> dict[str, Finding]:
    jobs.check_sender(brand.id)
    report = deliverability.last(brand)
    assert report is not None
    return {finding.key: finding for finding in report.findings}


def sent(campaign: Campaign, number: int, *, status: str = "delivered", reason: str = "") -> None:
    message = make_message(make_entry(campaign, confirmed=True))
    hot.many(
        """INSERT INTO message (intent, brand_id, campaign_id, contact_id, lane, purpose, letter, locale, status,
                                reason, due_at, sent_at, expires_at, created_at)
           SELECT gen_random_uuid()::text, brand_id, campaign_id, contact_id, lane, purpose, letter, locale, %(status)s,
                  %(reason)s, %(now)s, %(now)s, expires_at, created_at
           FROM message, generate_series(1, %(number)s) WHERE id = %(id)s RETURNING id""",
        {"id": message.id, "number": number, "status": status, "reason": reason, "now": product_clock.now()},
    )


def test_before_the_first_check_there_is_no_report(brand: Brand) -> None:
    assert deliverability.last(brand) is None
    assert not deliverability.is_running(brand)


def test_asking_rings_a_job_and_the_page_knows_that_it_runs(brand: Brand, redis_client: redis.Redis) -> None:
    deliverability.request(brand)
    assert deliverability.is_running(brand)
    assert redis_client.exists(queue.rung_key(deliverability.JOB, brand.id))
    jobs.check_sender(brand.id)
    assert not deliverability.is_running(brand)


def test_a_check_that_fails_does_not_run_for_ever(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_sender: object) -> list[Finding]:
        raise RuntimeError("oops")

    monkeypatch.setattr(deliverability.sender_dns, "look", broken)
    deliverability.request(brand)
    with pytest.raises(RuntimeError):
        jobs.check_sender(brand.id)
    assert not deliverability.is_running(brand)


def test_the_report_is_kept_and_says_how_old_it_is(brand: Brand) -> None:
    keys = found(brand)
    assert set(keys) == {
        "settings", "spf", "dkim", "return_path", "dmarc", "mx", "one_click", "complaints", "bounces"
    }  # fmt: skip
    report = deliverability.last(brand)
    assert report is not None
    assert product_clock.now() - report.checked_at < timedelta(minutes=1)
    assert report.light is Light.RED
    assert report.number(Light.RED) >= 2


def test_one_click_needs_https(brand: Brand) -> None:
    assert found(brand)["one_click"].code == "one_click_http"


@pytest.mark.parametrize("provider", ["file", "sendgrid"])
def test_one_click_is_read_from_a_real_marketing_mail(
    brand: Brand, settings: Settings, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    with sendgrid_double() as double:
        keys = {"sendgrid_api_key": "SG.key", "sendgrid_api_base": double.address, "mail_provider": provider}
        product_settings.use(dataclasses.replace(settings, base_url="https://jeu.capsud.example", **keys))
        assert found(brand)["one_click"].code == "one_click"
        monkeypatch.setattr("leadgen.mail.providers.interface.unsubscribe_headers", lambda *_: {})
        monkeypatch.setattr("leadgen.mail.providers.sendgrid.unsubscribe_headers", lambda *_: {})
        monkeypatch.setattr("leadgen.mail.providers.compose.unsubscribe_headers", lambda *_: {})
        assert found(brand)["one_click"].code == "one_click_broken"
    product_settings.use(settings)


def test_a_brand_without_a_campaign_has_no_mail_to_try(settings: Settings, context: None) -> None:
    brand = make_brand()
    product_settings.use(dataclasses.replace(settings, base_url="https://jeu.capsud.example"))
    assert found(brand)["one_click"].code == "one_click_untried"
    product_settings.use(settings)


def test_what_sendgrid_says_of_the_key_and_the_domain(brand: Brand, settings: Settings) -> None:
    with sendgrid_double() as double:
        keys = {"sendgrid_api_key": "SG.key", "sendgrid_api_base": double.address, "mail_provider": "sendgrid"}
        product_settings.use(dataclasses.replace(settings, **keys))
        double.plan.append("401")
        assert found(brand)["settings"].code == "key_refused"
        double.pages["/v3/scopes"] = {"scopes": ["mail.send"]}
        keys_of = found(brand)
        assert keys_of["settings"].code == "sendgrid_works"
        assert keys_of["dkim"].code == "not_authenticated"
    product_settings.use(settings)


@pytest.mark.parametrize(
    ("complaints", "bounces", "lights"),
    [
        (0, 0, ("green", "green")),
        (1, 19, ("amber", "green")),
        (2, 20, ("amber", "amber")),
        (3, 49, ("red", "amber")),
        (9, 50, ("red", "red")),
    ],
)
def test_the_newest_thousand_mails_tell(
    campaign: Campaign, brand: Brand, complaints: int, bounces: int, lights: tuple[str, str]
) -> None:
    """Complaints: amber from 0.1 %, red from 0.3 %. Mailboxes that do not exist: amber from 2 %, red from 5 %."""
    sent(campaign, 500, status="bounced", reason="hard")  # older than the newest thousand
    sent(campaign, 1000 - complaints - bounces)
    sent(campaign, complaints, reason="complaint")
    sent(campaign, bounces, status="bounced", reason="hard")
    report = found(brand)
    assert (report["complaints"].light.value, report["bounces"].light.value) == lights
    assert report["complaints"].values["mails"] == "1000"


def test_a_few_mails_tell_nothing(campaign: Campaign, brand: Brand) -> None:
    sent(campaign, 50, reason="complaint")
    assert found(brand)["complaints"].code == "too_few"


def test_brands_of_one_domain_share_its_reputation(campaign: Campaign, brand: Brand) -> None:
    sibling = make_brand(sender_email=f"autre@{deliverability.domain_of(brand)}")
    sent(campaign, 200)
    assert found(sibling)["complaints"].values["mails"] == "200"
    assert deliverability.last(brand) == deliverability.last(sibling)
    assert (
        list(deliverability.all_brand_ids()).count(brand.id) + list(deliverability.all_brand_ids()).count(sibling.id)
        == 1
    )


def test_every_night_each_domain_is_checked_once(brand: Brand, redis_client: redis.Redis) -> None:
    jobs.check_senders()
    assert redis_client.exists(queue.rung_key(deliverability.JOB, brand.id))


def test_a_silent_dns_ends_too(brand: Brand, names: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadgen.core.dns.SECONDS", 0.2)
    domain = deliverability.domain_of(brand)
    names.silent.update({domain, f"_dmarc.{domain}"})
    begun = time.monotonic()
    assert found(brand)["spf"].code == "dns_unknown"
    assert time.monotonic() - begun < 20
