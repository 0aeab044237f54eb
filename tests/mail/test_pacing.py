"""The pace: buckets that all workers share, and the warm-up plan of a sending domain."""

from __future__ import annotations

import threading
import time
from datetime import date, timedelta

import pytest
import redis
from flask import Flask

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.mail import outbox, pacing
from leadgen.mail.models import Pace, SendingDay, WarmUp
from tests.conftest import Clock
from tests.mail.conftest import claimed, confirmation, nurture

GMAIL = "gmail"


@pytest.fixture(autouse=True)
def _fresh_limits(redis_client: redis.Redis) -> None:
    pacing.forget()


def pace(bucket: str, per_second: int) -> None:
    db.session.add(Pace(bucket=bucket, per_second=per_second, changed_at=product_clock.now()))
    db.session.commit()
    pacing.forget()


def taken(wanted: int, *, lane: Lane = Lane.BULK, group: str = GMAIL) -> int:
    mails = pacing.grant(lane, group, "jeu@brand.example", wanted).mails
    db.session.commit()
    return mails


def test_without_limits_everything_is_granted(context: None) -> None:
    assert taken(1_000) == 1_000


@pytest.mark.parametrize("bucket", ["provider", "lane:bulk", "group:gmail"])
def test_a_bucket_holds_one_seconds_worth(context: None, bucket: str) -> None:
    pace(bucket, 50)
    started = time.monotonic()
    granted = [taken(30) for _time in range(4)]
    flowed_in = 50 * (time.monotonic() - started) + 1  # a slow machine lets more flow in between the calls
    assert granted[:2] >= [30, 20]
    assert 50 <= sum(granted) <= 50 + flowed_in


def test_the_smallest_bucket_decides(context: None) -> None:
    pace("provider", 100)
    pace("group:gmail", 10)
    assert taken(80) == 10
    assert taken(80, group="other") >= 80


def test_confirmations_are_never_held_and_leave_a_debt_to_bulk(context: None) -> None:
    pace("provider", 10)
    assert taken(200, lane=Lane.CONFIRMATION, group="") == 200
    assert taken(5) == 0


def test_what_a_claim_does_not_need_goes_back(campaign: Campaign) -> None:
    message = nurture(campaign)
    pace("lane:nurture", 100)
    assert claimed(Lane.NURTURE) == [message.id]
    assert pacing.grant(Lane.NURTURE, "other", "", 100).mails >= 99


def test_a_dry_bucket_is_said_and_holds_the_mail(campaign: Campaign) -> None:
    message = nurture(campaign)
    pace("provider", 1)
    assert pacing.grant(Lane.NURTURE, "other", "", 1).mails == 1
    claim = outbox.claim(Lane.NURTURE, 100)
    assert (claim.decided, claim.is_dry) == (0, True)
    assert message.status == "scheduled"


def plan(first_day: int, growth: int = 50, ceiling: int = 1_000) -> WarmUp:
    return WarmUp(
        domain="brand.example", started_on=date(2026, 3, 1), first_day=first_day, growth=growth, ceiling=ceiling
    )


def test_a_plan_grows_each_day_and_ends_at_its_ceiling() -> None:
    caps = [pacing.daily_cap(plan(100), date(2026, 3, day)) for day in range(1, 9)]
    assert caps == [100, 150, 225, 337, 506, 759, None, None]


def test_a_plan_tells_how_many_days_a_blast_takes() -> None:
    today = date(2026, 3, 1)
    assert pacing.days_for(plan(100), 100, 0, today) == 1
    assert pacing.days_for(plan(100), 101, 0, today) == 2
    assert pacing.days_for(plan(100), 100, 40, today) == 2
    assert pacing.days_for(plan(100), 1_000_000, 0, today) == 7


def test_the_days_mails_are_counted_in_the_database_and_shared(campaign: Campaign, clock: Clock) -> None:
    sender = db.session.get_one(Brand, campaign.brand_id).sender_email
    warm = plan(2, growth=100)
    warm.domain, warm.started_on = sender.rpartition("@")[2], product_clock.now().date()
    db.session.add(warm)
    db.session.commit()
    pacing.forget()
    later = product_clock.now() + timedelta(days=3)
    messages = [nurture(campaign, message={"expires_at": later}) for _ in range(3)]
    waiting = confirmation(campaign)
    assert claimed(Lane.NURTURE) == [message.id for message in messages[:2]]
    assert claimed(Lane.NURTURE) == []
    assert claimed(Lane.CONFIRMATION) == [waiting.id]  # counted, never held
    assert db.session.scalars(db.select(SendingDay.mails)).one() == 3

    clock.forward(days=1)
    assert claimed(Lane.NURTURE) == [messages[2].id]


def test_the_first_claims_of_a_day_share_one_cap(app: Flask, campaign: Campaign) -> None:
    """Two workers begin the day at once: there is no row yet, and nothing that is absent can be locked."""
    warm = plan(50)
    warm.started_on = product_clock.now().date()
    db.session.add(warm)
    db.session.commit()
    pacing.forget()
    got: list[int] = []
    begin = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            pacing.limits()
            begin.wait(10)
            granted = pacing.grant(Lane.BULK, GMAIL, "jeu@brand.example", 40).mails
            time.sleep(0.05)  # the others come while this transaction is open
            db.session.commit()
            got.append(granted)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(got) == [0, 0, 10, 40]
