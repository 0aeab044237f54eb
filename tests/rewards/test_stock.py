"""The kept numbers of a tier: locked in one order by everybody."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest
from flask import Flask

from leadgen.campaigns.models import Campaign, Delivery
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.rewards import loading, milestones, stock, upkeep
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
