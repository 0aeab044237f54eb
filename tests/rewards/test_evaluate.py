"""Whoever reaches a tier earns it once; what is scarce goes to who was first; what lost its ground goes back (F8)."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask

from leadgen.campaigns import cards
from leadgen.campaigns.models import Approval, Campaign, Delivery, Metric, Proof
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries import points
from leadgen.entries.models import Entry, EntryStatus, ReferralReason, ReferralState, Review
from leadgen.rewards import jobs, milestones, mine, stock, watch
from leadgen.rewards.models import AwardState
from tests.factories import fresh, make_campaign, make_entry, make_pending_points
from tests.factories_contest import make_coupon
from tests.rewards.conftest import ben, bring, look, rows, state, tier

S = AwardState


def test_a_tier_is_earned_when_it_is_reached_and_only_once(campaign: Campaign) -> None:
    reward, anna = tier(campaign, 2), ben(campaign, friends=1)
    assert look(anna) == 0
    assert state(anna, reward) is None

    bring(campaign, anna)
    assert look(anna) == 1
    assert state(anna, reward) is S.APPROVED
    assert look(anna) == 0
    assert len(rows("SELECT 1 FROM award")) == 1


def test_points_that_are_not_folded_yet_count(campaign: Campaign) -> None:
    reward, anna = tier(campaign, 6, metric=Metric.POINTS), ben(campaign)
    make_pending_points(anna, 5)

    look(anna)
    assert state(anna, reward) is S.APPROVED


def test_points_on_somebodys_own_word_reach_no_tier(campaign: Campaign) -> None:
    """As they do not rank (F6, F7): folded or not, and in the nightly comparison."""
    reward, anna = tier(campaign, 6, metric=Metric.POINTS), ben(campaign)
    make_pending_points(anna, 50, proof=Proof.DECLARED)
    look(anna)
    assert state(anna, reward) is None
    points.fold()
    look(anna)
    assert watch.audit() == []
    assert state(anna, reward) is None
    (shown,) = mine.of(anna.id, cards.by_id(campaign.id), friends=0, points=1, is_confirmed=True)
    assert shown.missing == 5

    make_pending_points(anna, 5)
    look(anna)
    assert state(anna, reward) is S.APPROVED


def test_no_point_is_missed_that_arrives_by_the_fold(campaign: Campaign) -> None:
    """The fold notes whom it moved; the job looks at them, and a crash in between leaves the note."""
    reward, anna = tier(campaign, 6, metric=Metric.POINTS), ben(campaign)
    make_pending_points(anna, 5)
    points.fold()
    assert [row["entry_id"] for row in rows("SELECT entry_id FROM points_moved")] == [anna.id]

    jobs.award()
    assert state(anna, reward) is S.APPROVED
    assert rows("SELECT 1 FROM points_moved") == []


def test_a_campaign_without_tiers_leaves_no_note(campaign: Campaign) -> None:
    make_pending_points(ben(campaign), 5)
    points.fold()

    assert rows("SELECT 1 FROM points_moved") == []


def test_several_tiers_at_once_are_all_earned(campaign: Campaign) -> None:
    low, high = tier(campaign, 1), tier(campaign, 2)
    anna = ben(campaign, friends=2)

    look(anna)
    assert (state(anna, low), state(anna, high)) == (S.APPROVED, S.APPROVED)


def test_a_tier_gives_way_to_a_higher_one_when_it_is_set(campaign: Campaign) -> None:
    low, high = tier(campaign, 1, is_only_highest=True), tier(campaign, 2)
    anna, cleo = ben(campaign, friends=2), ben(campaign, friends=1)

    look(anna, cleo)
    assert (state(anna, low), state(anna, high)) == (None, S.APPROVED)
    assert state(cleo, low) is S.APPROVED


def test_confirming_is_enough_for_a_giveaway(campaign: Campaign) -> None:
    reward = tier(campaign, 1, metric=Metric.ENTRY, delivery=Delivery.CODE, stock=None)
    make_coupon(reward, "HELLO")
    anna, waiting = ben(campaign), make_entry(campaign)

    look(anna, waiting)
    assert state(anna, reward) is S.DELIVERED
    assert state(waiting, reward) is None
    assert rows("SELECT entry_id FROM coupon WHERE status = 'assigned'") == [{"entry_id": anna.id}]


@pytest.mark.parametrize(
    ("approval", "is_held", "expected"),
    [
        (Approval.AUTO, True, S.APPROVED),
        (Approval.SEMI, False, S.APPROVED),
        (Approval.SEMI, True, S.EARNED),
        (Approval.MANUAL, False, S.EARNED),
    ],
)
def test_semi_waits_only_while_a_friend_is_being_checked(
    campaign: Campaign, approval: Approval, *, is_held: bool, expected: AwardState
) -> None:
    reward, anna = tier(campaign, 2, approval=approval), ben(campaign, friends=2)
    if is_held:
        _set(bring(campaign, anna)[0], review=Review.HELD)

    look(anna)
    assert state(anna, reward) is expected


def test_semi_goes_on_when_the_friend_is_cleared(campaign: Campaign) -> None:
    reward, anna = tier(campaign, 2, approval=Approval.SEMI), ben(campaign, friends=2)
    [friend] = bring(campaign, anna)
    _set(friend, review=Review.HELD)
    look(anna)

    _set(friend, review=Review.CLEAR)
    look(anna)
    assert state(anna, reward) is S.APPROVED


def test_a_friend_who_waits_for_the_delay_holds_nothing_up(campaign: Campaign) -> None:
    reward, anna = tier(campaign, 2, approval=Approval.SEMI), ben(campaign, friends=2)
    waiting = make_entry(campaign, referrer=anna)
    _set(waiting, referral_state=ReferralState.ON_HOLD, referral_reason=ReferralReason.DELAY)

    look(anna)
    assert state(anna, reward) is S.APPROVED


@pytest.mark.parametrize("review", [Review.HELD, Review.EXCLUDED])
def test_who_is_being_checked_earns_nothing_meanwhile(campaign: Campaign, review: Review) -> None:
    reward, anna = tier(campaign), ben(campaign, friends=2)
    _set(anna, review=review)

    look(anna)
    assert state(anna, reward) is None


@pytest.mark.parametrize(
    ("values", "before", "below"),
    [
        ({"approval": Approval.MANUAL}, S.EARNED, S.RECLAIMED),
        ({}, S.APPROVED, S.RECLAIMED),
        ({"delivery": Delivery.FILE, "file_url": "https://files.example/a.pdf"}, S.DELIVERED, S.REVIEW),
    ],
)
def test_a_reversal_below_the_threshold_and_back(
    campaign: Campaign, values: dict[str, Any], before: AwardState, below: AwardState
) -> None:
    """Not delivered: taken back. Delivered: reviewed, never taken. Restored: as before (I33)."""
    reward, anna = tier(campaign, 2, **values), ben(campaign, friends=2)
    look(anna)
    kept = rows("SELECT state, reason, earned_at, approved_at, delivered_at, claim_until FROM award")
    assert kept[0]["state"] == before

    _set(anna, friends_counted=1)
    look(anna)
    look(anna)
    assert state(anna, reward) is below

    _set(anna, friends_counted=2)
    look(anna)
    assert rows("SELECT state, reason, earned_at, approved_at, delivered_at, claim_until FROM award") == kept


def test_a_friend_who_is_being_checked_is_not_lost_yet(campaign: Campaign) -> None:
    reward, anna = tier(campaign, 2, stock=1), ben(campaign, friends=2)
    look(anna)
    [friend] = rows("SELECT max(id) AS id FROM entry WHERE referrer_id = %(anna)s", anna=anna.id)
    held = db.session.get_one(Entry, friend["id"])
    _set(held, referral_state=ReferralState.ON_HOLD, referral_reason=ReferralReason.RISK)
    _set(anna, friends_counted=1)
    cleo = ben(campaign, friends=2)
    look(anna, cleo)
    assert (state(anna, reward), state(cleo, reward)) == (S.EARNED, S.RESERVE)

    _set(held, referral_state=ReferralState.COUNTED, referral_reason=ReferralReason.NONE)
    _set(anna, friends_counted=2)
    look(anna)
    assert (state(anna, reward), state(cleo, reward)) == (S.APPROVED, S.RESERVE)


def test_who_leaves_loses_what_was_not_delivered_and_frees_it(campaign: Campaign) -> None:
    reward, anna, cleo = tier(campaign, 2, stock=1), ben(campaign, friends=2), ben(campaign, friends=2)
    look(anna)
    look(cleo)
    assert state(cleo, reward) is S.RESERVE

    _set(anna, status=EntryStatus.ERASED)
    look(anna)
    assert (state(anna, reward), state(cleo, reward)) == (S.RECLAIMED, S.APPROVED)


def test_a_raised_threshold_takes_nothing_from_who_had_reached_it(campaign: Campaign) -> None:
    reward, anna = tier(campaign, 2), ben(campaign, friends=2)
    look(anna)
    reward.threshold = 5
    db.session.commit()

    assert look(anna) == 0
    assert state(anna, reward) is S.APPROVED


def test_the_reserve_list_keeps_its_order(campaign: Campaign) -> None:
    """Who reached it first is served first, whoever was looked at first."""
    reward = tier(campaign, 1, stock=1)
    first, second, third = (ben(campaign) for _ in range(3))
    for entry in (first, second, third):
        bring(campaign, entry)
    look(third, second, first)
    assert [state(one, reward) for one in (first, second, third)] == [S.APPROVED, S.RESERVE, S.RESERVE]

    reward.stock = 2
    db.session.commit()
    assert milestones.fill_reserve([reward.id]) == 1
    db.session.commit()
    assert [state(one, reward) for one in (first, second, third)] == [S.APPROVED, S.APPROVED, S.RESERVE]


def test_codes_that_arrive_serve_the_reserve_list(campaign: Campaign) -> None:
    reward = tier(campaign, 1, delivery=Delivery.CODE, stock=None)
    make_coupon(reward)
    first, second = ben(campaign, friends=1), ben(campaign, friends=1)
    look(first, second)
    assert (state(first, reward), state(second, reward)) == (S.DELIVERED, S.RESERVE)

    make_coupon(reward)
    milestones.fill_reserve([reward.id])
    db.session.commit()
    assert state(second, reward) is S.DELIVERED
    assert rows("SELECT count(DISTINCT entry_id) AS n FROM coupon WHERE status = 'assigned'") == [{"n": 2}]


def test_the_alarm_is_recorded_at_a_fifth_and_at_nothing(campaign: Campaign) -> None:
    tier(campaign, 1, stock=5)
    people = [ben(campaign, friends=1) for _ in range(6)]
    for person in people:
        look(person)

    told = rows("SELECT data ->> 'left' AS left FROM fact WHERE name = 'stock.lowered' ORDER BY id")
    assert [row["left"] for row in told] == ["1", "0"]


def test_stock_is_exact_when_many_are_looked_at_at_once(app: Flask, campaign: Campaign) -> None:
    reward = tier(campaign, 1, stock=7)
    reward_id, people = reward.id, [ben(campaign, friends=1).id for _ in range(24)]
    barrier = Barrier(8)

    def run(mine: list[int]) -> None:
        with app.app_context():
            barrier.wait(30)
            for entry_id in mine:
                milestones.evaluate([entry_id])
                db.session.commit()

    threads = [Thread(target=run, args=[people[place::8]]) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    counted = {row["state"]: row["n"] for row in rows("SELECT state, count(*) AS n FROM award GROUP BY state")}
    assert counted == {"approved": 7, "reserve": 17}
    assert stock.of([reward_id])[reward_id].left == 0


def test_the_moment_of_earning_is_that_of_the_line_that_reached_it(campaign: Campaign) -> None:
    tier(campaign, 2)
    anna = ben(campaign, friends=3)
    moments = rows("SELECT at FROM ledger WHERE entry_id = %(anna)s AND kind = 'referral' ORDER BY id", anna=anna.id)

    look(anna)
    assert rows("SELECT earned_at FROM award") == [{"earned_at": moments[1]["at"]}]


def test_a_claim_has_its_deadline(campaign: Campaign) -> None:
    reward, anna = tier(campaign, 1, claim_days=7, delivery=Delivery.CODE), ben(campaign, friends=1)
    make_coupon(reward)

    look(anna)
    [award] = rows("SELECT state, claim_until FROM award")
    assert award["state"] == "approved"
    assert timedelta(days=6, hours=23) < award["claim_until"] - clock.now() <= timedelta(days=7)


def _set(entry: Entry, **values: Any) -> None:
    row = fresh(entry)
    for name, value in values.items():
        setattr(row, name, value)
    db.session.commit()


def test_a_tier_of_another_campaign_does_not_matter(campaign: Campaign) -> None:
    anna, foreign = ben(campaign, friends=2), tier(make_campaign(), 1)

    assert look(anna) == 0
    assert state(anna, foreign) is None


def test_nothing_is_counted_for_who_earns_nothing(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock that everybody waits for is not held while codes and awards are counted for nobody."""
    reward = tier(campaign, 1, delivery=Delivery.CODE, stock=100)
    anna, cleo = ben(campaign, friends=1), ben(campaign)
    counted: list[list[int]] = []
    count = stock.of
    monkeypatch.setattr(stock, "of", lambda ids: counted.append(list(ids)) or count(ids))
    look(cleo)
    assert counted == []
    look(anna)
    assert counted == [[reward.id]]
