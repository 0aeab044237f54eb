"""Staff approve, refuse, deliver, keep, take back and undo, one or many at once (F8)."""

from __future__ import annotations

import pytest

from leadgen.campaigns.models import Approval, Campaign, Delivery
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.rewards import desk, vault
from leadgen.rewards.desk import Deed
from leadgen.rewards.models import AwardState
from tests.factories import fresh, make_campaign
from tests.factories_contest import make_coupon
from tests.rewards.conftest import ben, look, rows, state, tier

S = AwardState


def _ids() -> list[int]:
    return [row["id"] for row in rows("SELECT id FROM award ORDER BY id")]


def _do(campaign: Campaign, deed: Deed, award_ids: list[int] | None = None) -> list[int]:
    changed = desk.decide(campaign.id, award_ids or _ids(), deed, "ada@staff.example")
    db.session.commit()
    return changed


def test_many_are_approved_and_delivered_at_once(campaign: Campaign) -> None:
    reward = tier(campaign, 1, approval=Approval.MANUAL)
    people = [ben(campaign, friends=1) for _ in range(3)]
    look(*people)

    assert _do(campaign, Deed.APPROVE) == _ids()
    assert _do(campaign, Deed.APPROVE) == []
    assert {state(one, reward) for one in people} == {S.APPROVED}
    assert _do(campaign, Deed.DELIVER) == _ids()
    assert {state(one, reward) for one in people} == {S.DELIVERED}
    assert rows("SELECT count(*) AS n FROM message WHERE letter = 'reward_ready'") == [{"n": 3}]


@pytest.mark.parametrize(
    ("deeds", "expected"),
    [
        ([Deed.APPROVE, Deed.UNDO], S.EARNED),
        ([Deed.REFUSE, Deed.UNDO], S.EARNED),
        ([Deed.APPROVE, Deed.REFUSE, Deed.UNDO], S.APPROVED),
        ([Deed.APPROVE, Deed.DELIVER, Deed.UNDO], S.APPROVED),
        ([Deed.REFUSE, Deed.APPROVE], S.REFUSED),
        ([Deed.DELIVER], S.EARNED),
    ],
)
def test_each_decision_can_be_undone(campaign: Campaign, deeds: list[Deed], expected: AwardState) -> None:
    reward, anna = tier(campaign, 1, approval=Approval.MANUAL), ben(campaign, friends=1)
    look(anna)
    for deed in deeds:
        _do(campaign, deed)

    assert state(anna, reward) is expected


def test_a_refusal_serves_the_reserve_list_and_stays(campaign: Campaign) -> None:
    reward = tier(campaign, 1, stock=1)
    anna, cleo = ben(campaign, friends=1), ben(campaign, friends=1)
    look(anna)
    look(cleo)
    _do(campaign, Deed.REFUSE, [_ids()[0]])
    assert (state(anna, reward), state(cleo, reward)) == (S.REFUSED, S.APPROVED)

    look(anna)
    assert state(anna, reward) is S.REFUSED
    _do(campaign, Deed.UNDO, [_ids()[0]])
    assert state(anna, reward) is S.RESERVE, "what was given to the next is theirs"


def _reviewed(campaign: Campaign) -> Entry:
    reward, anna = tier(campaign, 1, delivery=Delivery.CODE, stock=None), ben(campaign, friends=1)
    make_coupon(reward, "ONE")
    look(anna)
    fresh(anna).friends_counted = 0
    db.session.commit()
    look(anna)
    return anna


def test_what_is_kept_after_a_review_is_not_asked_again(campaign: Campaign) -> None:
    anna = _reviewed(campaign)
    assert rows("SELECT state FROM award") == [{"state": "review"}]
    _do(campaign, Deed.KEEP)
    look(anna)
    assert rows("SELECT state FROM award") == [{"state": "delivered"}]

    _do(campaign, Deed.UNDO)
    assert rows("SELECT state FROM award") == [{"state": "review"}]


def test_the_code_of_what_is_taken_back_is_void(campaign: Campaign) -> None:
    anna = _reviewed(campaign)
    _do(campaign, Deed.TAKE_BACK)
    look(anna)

    assert rows("SELECT state, reason FROM award") == [{"state": "reclaimed", "reason": "staff"}]
    assert rows("SELECT status FROM coupon") == [{"status": "void"}]


def test_another_campaign_s_awards_are_left_alone(campaign: Campaign) -> None:
    tier(campaign, 1)
    look(ben(campaign, friends=1))

    assert desk.decide(make_campaign().id, _ids(), Deed.REFUSE, "eve") == []


def test_the_list_tells_by_state_and_tier(campaign: Campaign) -> None:
    low, high = tier(campaign, 1), tier(campaign, 2, approval=Approval.MANUAL, delivery=Delivery.CODE, stock=None)
    make_coupon(high, "ONE")
    anna = ben(campaign, friends=2)
    look(anna)

    assert {row.title: row.state for row in desk.listed(campaign.id, "en")} == {
        low.texts["en"]["title"]: S.APPROVED,
        high.texts["en"]["title"]: S.EARNED,
    }
    assert desk.counts(campaign.id) == {low.id: {S.APPROVED: 1}, high.id: {S.EARNED: 1}}
    assert [row.state for row in desk.listed(campaign.id, "en", tier=high.id)] == [S.EARNED]
    _do(campaign, Deed.APPROVE)
    [row] = desk.export(campaign.id, "en", state=S.DELIVERED)
    assert (row.first_name, row.code) == ("Ben", "ONE")
    assert vault.code_of(high.id, anna.id) == "ONE"
