"""The four orders of a waiting list: each a permutation of 1 to n, equal to a plain count (F7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign, Mechanic, WaitlistOrder
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries import lately, points, waitlist
from leadgen.entries.models import Entry, EntryStatus, LedgerKind, LedgerPending, Review
from tests.entries.conftest import rows
from tests.factories import fresh, in_one_go, keep, make_campaign, make_contact, make_entry

_PLAIN = """
SELECT id, row_number() OVER (ORDER BY {order}) AS place FROM (
    SELECT e.*, row_number() OVER (ORDER BY e.id) AS base FROM entry e
    WHERE e.campaign_id = %(campaign)s AND e.status = 'confirmed' AND e.review = 'clear'
) AS e
"""
_ORDERS = {
    WaitlistOrder.BY_REFERRALS: "friends_counted DESC, id",
    WaitlistOrder.SKIP_N: "greatest(1, base - {skip} * friends_counted), friends_counted DESC, id",
    WaitlistOrder.BY_POINTS: "rank_points DESC, reached_at, id",
    WaitlistOrder.BY_SIGNUP: "id",
}


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four people in a block, so that a handful of people fills several."""
    monkeypatch.setattr(waitlist, "BLOCK_BITS", 2)
    for name in ("_CROWD", "_OWN", "_BLOCKS"):
        statement = getattr(waitlist, name)
        monkeypatch.setattr(waitlist, name, statement.replace(">> 8", ">> 2").replace("<< 8", "<< 2"))


def look_anew() -> None:
    cards.forget()
    lately.forget()
    points.forget()


def make_list(order: WaitlistOrder, **values: Any) -> Campaign:
    return make_campaign(mechanics=[Mechanic.WAITLIST], waitlist_order=order, questions=0, **values)


def shown(campaign: Campaign) -> dict[int, int]:
    look_anew()
    card = cards.by_id(campaign.id)
    entry_ids = [row["id"] for row in rows("SELECT id FROM entry WHERE campaign_id = %(id)s", id=campaign.id)]
    found = {entry_id: waitlist.place(card, entry_id) for entry_id in entry_ids}
    return {entry_id: place.number for entry_id, place in found.items() if place}


def plain(campaign: Campaign) -> dict[int, int]:
    order = _ORDERS[fresh(campaign).waitlist_order].format(skip=campaign.skip_places)
    return {row["id"]: row["place"] for row in rows(_PLAIN.format(order=order), campaign=campaign.id)}


_person = st.tuples(
    st.sampled_from([0, 0, 0, 1, 1, 2, 3, 9]),
    st.sampled_from(["confirmed"] * 6 + ["pending", "held", "erased"]),
)


@pytest.mark.parametrize("order", list(WaitlistOrder))
@settings(max_examples=15)
@given(people=st.lists(_person, min_size=1, max_size=24), skip=st.sampled_from([1, 2, 3, 7]))
def test_every_order_is_a_permutation_and_equals_a_plain_count(
    context: None, order: WaitlistOrder, people: list[tuple[int, str]], skip: int
) -> None:
    with in_one_go():
        campaign = make_list(order, skip_places=skip)
        for friends, state in people:
            wait(campaign, friends, state)

    found = shown(campaign)

    assert sorted(found.values()) == list(range(1, len(found) + 1)), "no ties, no gaps"
    assert found == plain(campaign)


def wait(campaign: Campaign, friends: int = 0, state: str = "confirmed") -> Entry:
    contact = make_contact(db.session.get_one(Brand, campaign.brand_id))
    entry = make_entry(campaign, contact, confirmed=state != "pending")
    entry.friends_counted = friends
    if state in {"held", "erased"}:
        points.leave_ranking(entry.id)
    if state == "held":
        entry.review = Review.HELD
    elif state == "erased":
        entry.status = EntryStatus.ERASED
    db.session.commit()
    return entry


@settings(max_examples=15)
@given(
    friends=st.lists(st.sampled_from([0, 0, 1, 2]), min_size=2, max_size=14),
    chosen=st.integers(0, 13),
    skip=st.integers(1, 4),
)
def test_with_skips_a_friend_moves_nobody_but_whoever_brought_them_and_those_they_pass(
    context: None, friends: list[int], chosen: int, skip: int
) -> None:
    campaign = make_list(WaitlistOrder.SKIP_N, skip_places=skip)
    with in_one_go():
        entries = [wait(campaign, number) for number in friends]
    lucky = entries[chosen % len(entries)]
    before = shown(campaign)

    lucky.friends_counted += 1
    db.session.commit()
    after = shown(campaign)

    assert after[lucky.id] <= before[lucky.id]
    for entry in entries:
        if entry is lucky:
            continue
        is_passed = before[entry.id] < before[lucky.id] and after[entry.id] > after[lucky.id]
        assert after[entry.id] == before[entry.id] + is_passed


@pytest.mark.parametrize("order", [WaitlistOrder.BY_REFERRALS, WaitlistOrder.SKIP_N])
def test_ones_own_friend_counts_before_the_fold(context: None, order: WaitlistOrder) -> None:
    campaign = make_list(order, skip_places=1)
    first, second = wait(campaign), wait(campaign)
    assert shown(campaign) == {first.id: 1, second.id: 2}
    pend(second, 1)

    assert shown(campaign)[second.id] == 1


@pytest.mark.parametrize("order", [WaitlistOrder.BY_REFERRALS, WaitlistOrder.SKIP_N])
def test_a_friend_who_is_about_to_be_taken_back_does_not_stand_ahead_of_oneself(
    context: None, order: WaitlistOrder
) -> None:
    campaign = make_list(order, skip_places=1)
    first, second = wait(campaign), wait(campaign, 1)
    assert shown(campaign) == {second.id: 1, first.id: 2}
    pend(second, -1)

    assert shown(campaign)[second.id] == 2


def pend(entry: Entry, friends: int) -> None:
    line: dict[str, Any] = {"campaign_id": entry.campaign_id, "entry_id": entry.id, "points": 0, "chances": 0}
    keep(LedgerPending, line, kind=LedgerKind.REFERRAL, friends=friends, at=clock.now())


def test_the_length_is_not_told_above_the_limit(context: None) -> None:
    campaign = make_list(WaitlistOrder.BY_SIGNUP, waitlist_hide_above=2)
    first, _second = wait(campaign), wait(campaign)
    assert _place(campaign, first) == (1, 0, 1, 2)
    wait(campaign)

    assert _place(campaign, first) == (1, 0, None, None)


def _place(campaign: Campaign, entry: Entry) -> tuple[Any, ...]:
    look_anew()
    place = waitlist.place(cards.by_id(campaign.id), entry.id)
    assert place is not None
    return place.number, place.ahead, place.behind, place.total


def test_whoever_is_unknown_has_no_place(card: CampaignCard) -> None:
    with pytest.raises(NotFound):
        waitlist.place(card, 0)
