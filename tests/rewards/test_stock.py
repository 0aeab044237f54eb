"""The kept numbers of a tier: locked in one order by everybody, and what is counted, whatever happens (I09)."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import text

from leadgen.campaigns.models import Campaign, Delivery
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.rewards import jobs, loading, milestones, readiness, stock, upkeep, vault
from leadgen.rewards.models import AwardState
from tests.factories import make_entry
from tests.factories_contest import make_award, make_coupon
from tests.rewards.conftest import ben, rows, state, tier

_WAITS = "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND objid = %(lock)s AND NOT granted"


def _load(tier_id: int) -> None:
    loading.load(tier_id, io.BytesIO(b"NEW1\nNEW2\n"))


def _expire(_tier_id: int) -> None:
    upkeep.expire()


@pytest.mark.parametrize("verb", [_load, _expire])
def test_whoever_moves_many_waits_for_the_stock_before_it_takes_the_numbers(
    app: Flask, campaign: Campaign, verb: Callable[[int], None]
) -> None:
    """Awards are given while codes are loaded and claims end: nobody holds what the other one waits for."""
    reward = tier(campaign, 1, delivery=Delivery.CODE, stock=None, claim_days=3)
    make_coupon(reward, "OLD")
    over = {"claim_until": clock.now() - timedelta(days=1), "approved_at": clock.now()}
    make_award(make_entry(campaign, confirmed=True), reward, state=AwardState.APPROVED, **over)
    make_coupon(reward, "OLDER")
    anna = ben(campaign, friends=1)
    db.session.commit()
    tier_id, failed = reward.id, list[BaseException]()

    def run() -> None:
        with app.app_context():
            try:
                verb(tier_id)
                db.session.commit()
            except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
                failed.append(error)

    stock.lock()
    thread = Thread(target=run)
    thread.start()
    until = time.monotonic() + 20
    while not (waits := rows(_WAITS, lock=stock.LOCK)[0]["n"]) and thread.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    milestones.evaluate([anna.id])
    db.session.commit()
    thread.join(20)

    assert (waits, failed, thread.is_alive()) == (1, [], False)
    assert state(anna, reward) is AwardState.APPROVED


def _of(*tier_ids: int) -> list[stock.Stock]:
    found = stock.of(tier_ids)
    return [found[key] for key in tier_ids]


def test_codes_that_move_to_a_tier_without_any_are_counted_there(campaign: Campaign) -> None:
    first, second = (tier(campaign, delivery=Delivery.CODE, stock=None) for _ in range(2))
    make_coupon(first, "ONE")
    db.session.execute(text("UPDATE coupon SET milestone_id = :to"), {"to": second.id})

    assert [one.left for one in _of(first.id, second.id)] == [0, 1]


def test_tables_that_are_emptied_at_one_blow_are_counted(campaign: Campaign) -> None:
    reward = tier(campaign, 1, delivery=Delivery.CODE, stock=10)
    make_coupon(reward, "ONE")
    make_award(make_entry(campaign, confirmed=True), reward, state=AwardState.EARNED)
    db.session.commit()
    db.session.execute(text("TRUNCATE award CASCADE"))
    assert _of(reward.id) == [stock.Stock(1, 1, 0)]
    db.session.execute(text("TRUNCATE coupon CASCADE"))
    assert _of(reward.id) == [stock.Stock(0, 0, 0)]
    db.session.commit()


@pytest.mark.parametrize("harm", ["UPDATE stock_count SET free = 7, reserve = 3", "DELETE FROM stock_count"])
def test_a_wrong_number_does_not_outlive_the_night(
    campaign: Campaign, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    reward = tier(campaign, 1, delivery=Delivery.CODE, stock=None)
    make_coupon(reward, "ONE")
    db.session.execute(text(harm))
    db.session.commit()

    jobs.audit()
    db.session.rollback()

    assert f"the stock of tiers [{reward.id}] was not what is counted" in caplog.text
    assert _of(reward.id) == [stock.Stock(1, 1, 0)]
    assert stock.audit() == []


def test_a_contest_is_ready_when_codes_are_loaded_and_its_vault_is_not_counted_for_that(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launch bar stands on every page of a draft."""
    monkeypatch.setattr(vault, "counts", None)
    reward = tier(campaign, 1, delivery=Delivery.CODE, stock=None)
    db.session.refresh(campaign)
    assert [one.part for one in readiness.missing_before_launch(campaign)] == [reward.id]
    coupon = make_coupon(reward, "ONE")
    assert readiness.missing_before_launch(campaign) == []
    vault.void(coupon.id)
    assert len(readiness.missing_before_launch(campaign)) == 1, "none that is good"
