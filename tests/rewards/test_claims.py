"""A reward with a deadline: claimed in time, reminded once, expired, passed on (F8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadgen.campaigns import cards
from leadgen.campaigns.models import Approval, Campaign, Delivery, Metric, Milestone
from leadgen.core import clock as clock_of
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound
from leadgen.entries import referrals
from leadgen.entries.models import Entry, Review
from leadgen.rewards import jobs, mine, stock, upkeep
from leadgen.rewards.mine import Look, Mine
from leadgen.rewards.models import AwardState
from tests.conftest import Clock
from tests.factories import make_entry
from tests.factories_contest import make_award, make_award_address, make_coupon
from tests.rewards.conftest import ben, look, rows, state, tier

S = AwardState


def _seen(entry: Entry, friends: int) -> list[Mine]:
    cards.forget()
    stock.forget()
    card = cards.by_id(entry.campaign_id)
    return mine.of(entry.id, card, friends=friends, points=0, is_confirmed=True)


def _award(entry: Entry) -> int:
    return int(rows("SELECT id FROM award WHERE entry_id = %(entry)s", entry=entry.id)[0]["id"])


def _claim(entry: Entry, award_id: int) -> None:
    mine.claim(entry.id, award_id)
    db.session.commit()


def _with_code(campaign: Campaign) -> Milestone:
    reward = tier(campaign, 1, claim_days=7, delivery=Delivery.CODE, stock=None)
    make_coupon(reward, "ONE")
    return reward


def test_claiming_stops_the_deadline_and_gives_the_code(campaign: Campaign, clock: Clock) -> None:
    reward, anna = _with_code(campaign), ben(campaign, friends=1)
    look(anna)
    [shown] = _seen(anna, 1)
    assert (shown.look, shown.code) == (Look.CLAIM, "")

    _claim(anna, _award(anna))
    _claim(anna, _award(anna))
    [shown] = _seen(anna, 1)
    assert (shown.look, shown.code, shown.claim_until) == (Look.DELIVERED, "ONE", None)
    clock.forward(days=30)
    jobs.keep_time()
    assert state(anna, reward) is S.DELIVERED


def test_what_is_not_claimed_is_reminded_of_once_then_goes_to_the_next(campaign: Campaign, clock: Clock) -> None:
    reward, anna = _with_code(campaign), ben(campaign, friends=1)
    look(anna)
    cleo = ben(campaign, friends=1)
    look(cleo)
    assert state(cleo, reward) is S.RESERVE
    clock.forward(days=4)
    jobs.keep_time()
    assert _letters() == ["reward_ready"]
    [told] = rows("SELECT context ->> 'reward_until' AS until FROM message WHERE letter = 'reward_ready'")
    assert told["until"], "the letter says until when"

    clock.forward(days=1, minutes=1)
    jobs.keep_time()
    jobs.keep_time()
    assert _letters() == ["reward_ready", "reward_expiring"]

    clock.forward(days=2)
    assert _seen(anna, 1)[0].look is Look.EXPIRED, "even before the job says so"
    with pytest.raises(Conflict, match="is over"):
        mine.claim(anna.id, _award(anna))
    db.session.rollback()
    jobs.keep_time()
    assert (state(anna, reward), state(cleo, reward)) == (S.EXPIRED, S.APPROVED)
    look(anna)
    assert state(anna, reward) is S.EXPIRED


def test_many_are_reminded_and_expire_in_one_run(
    campaign: Campaign, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many: batch after batch, and nobody who has the letter is asked about again."""
    monkeypatch.setattr(upkeep, "_BATCH", 2)
    reward = tier(campaign, 1, claim_days=7)
    people = [ben(campaign, friends=1) for _ in range(5)]
    look(*people)
    clock.forward(days=5, minutes=1)
    assert upkeep.remind() == len(people)
    assert upkeep._ending(0) == []
    clock.forward(days=2)
    assert upkeep.expire() == len(people)
    assert {state(one, reward) for one in people} == {S.EXPIRED}


def _letters() -> list[str]:
    return [row["letter"] for row in rows("SELECT letter FROM message ORDER BY id")]


def test_nobody_claims_for_somebody_else(campaign: Campaign) -> None:
    _with_code(campaign)
    anna, eve = ben(campaign, friends=1), ben(campaign)
    look(anna)

    with pytest.raises(NotFound):
        mine.claim(eve.id, _award(anna))


def test_what_waits_for_staff_cannot_be_claimed(campaign: Campaign) -> None:
    tier(campaign, 1, approval=Approval.MANUAL, claim_days=7)
    anna = ben(campaign, friends=1)
    look(anna)

    with pytest.raises(Conflict):
        mine.claim(anna.id, _award(anna))


@pytest.mark.parametrize("review", [Review.HELD, Review.EXCLUDED])
def test_who_is_checked_or_excluded_claims_nothing(campaign: Campaign, review: Review) -> None:
    """Also in the moment before the awards are looked at again."""
    reward, anna = _with_code(campaign), ben(campaign, friends=1)
    look(anna)
    referrals.set_review(anna.id, review)
    db.session.commit()

    with pytest.raises(Conflict):
        mine.claim(anna.id, _award(anna))
    db.session.rollback()
    assert state(anna, reward) is S.APPROVED
    assert rows("SELECT status FROM coupon") == [{"status": "free"}]


def test_what_is_sold_out_does_not_depend_on_who_looked_first(campaign: Campaign) -> None:
    tier(campaign, 1, stock=1)
    tier(campaign, 5, stock=5)
    anna, cleo = ben(campaign, friends=1), ben(campaign)
    look(anna)

    assert [one.look for one in _seen(anna, 1)] == [Look.READY, Look.LOCKED]
    card = cards.by_id(campaign.id)
    seen = mine.of(cleo.id, card, friends=0, points=0, is_confirmed=True)
    assert [one.look for one in seen] == [Look.SOLD_OUT, Look.LOCKED]


def test_the_file_is_theirs_once_it_is_delivered(campaign: Campaign) -> None:
    tier(campaign, 1, delivery=Delivery.FILE, file_url="https://files.example/guide.pdf", claim_days=7)
    anna, eve = ben(campaign, friends=1), ben(campaign)
    look(anna)
    with pytest.raises(NotFound):
        mine.file_of(_award(anna), anna.id)

    _claim(anna, _award(anna))
    assert mine.file_of(_award(anna), anna.id) == "https://files.example/guide.pdf"
    with pytest.raises(NotFound):
        mine.file_of(_award(anna), eve.id)


def test_every_tier_is_shown_as_it_stands(campaign: Campaign) -> None:
    tier(campaign, 1, metric=Metric.ENTRY)
    tier(campaign, 2, approval=Approval.MANUAL)
    tier(campaign, 3, stock=0)
    tier(campaign, 4, stock=0)
    tier(campaign, 5)
    anna = ben(campaign, friends=3)
    look(anna)

    shown = _seen(anna, 3)
    assert [one.look for one in shown] == [Look.READY, Look.CHECKING, Look.RESERVE, Look.SOLD_OUT, Look.LOCKED]
    assert shown[4].missing == 2


def test_a_contest_without_tiers_asks_nothing(campaign: Campaign) -> None:
    assert _seen(ben(campaign), 0) == []


@pytest.mark.parametrize(
    ("moments", "is_kept"),
    [
        ({"state": S.DELIVERED, "delivered_at": -30}, False),
        ({"state": S.DELIVERED, "delivered_at": -29}, True),
        ({"state": S.REVIEW, "delivered_at": -30, "approved_at": -29}, False),
        ({"state": S.RECLAIMED, "delivered_at": -31}, False),
        ({"state": S.REFUSED}, False),
        ({"state": S.REFUSED, "approved_at": -29}, True),
        ({"state": S.EXPIRED, "claim_until": -30}, False),
        ({"state": S.EXPIRED, "claim_until": -29}, True),
        ({"state": S.APPROVED, "approved_at": -300}, True),
        ({"state": S.EARNED}, True),
        ({"state": S.RESERVE}, True),
    ],
)
def test_an_address_is_deleted_thirty_days_after_it_served(
    campaign: Campaign, moments: dict[str, AwardState | int], *, is_kept: bool
) -> None:
    """As the person is told where they write it."""
    now = clock_of.now() - timedelta(minutes=1)
    values = {key: now + timedelta(days=value) if isinstance(value, int) else value for key, value in moments.items()}
    award = make_award(make_entry(campaign, confirmed=True), tier(campaign, 1), **values)
    make_award_address(award, given_at=now - timedelta(days=100))
    db.session.commit()

    jobs.keep_time()

    assert len(rows("SELECT 1 FROM award_address")) == is_kept
