"""The review desk: the queue by points at stake, what belongs to which list, a case, and what a decision would do."""

from __future__ import annotations

import pytest

from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries import places, points, referrals
from leadgen.entries.models import Entry, ReferralReason, Review
from leadgen.fraud import desk, rulings
from leadgen.fraud.desk import Shown
from leadgen.fraud.models import Decision
from tests.factories import make_campaign, make_entry
from tests.factories_contest import make_sighting, make_signal, make_verdict


@pytest.fixture
def campaign(context: None) -> Campaign:
    points.forget()
    return make_campaign(referral_points=5, entry_points=1)


def _friend(campaign: Campaign, head: Entry, *, score: int = 0, is_held: bool = False, **seen: object) -> Entry:
    friend = make_entry(campaign, confirmed=True, referrer=head, first_name="Friend")
    make_sighting(friend, **seen)
    if score:
        make_signal(friend, points=score)
        make_verdict(friend, score=score)
    if is_held:
        referrals.hold(friend.id, ReferralReason.RISK)
        db.session.commit()
    return friend


def test_the_queue_begins_with_most_points_at_stake(campaign: Campaign) -> None:
    """By what a decision would move, not by the score."""
    zoe = make_entry(campaign, confirmed=True, first_name="Zoé")
    make_verdict(zoe, score=20)
    friends = [_friend(campaign, zoe, score=90, is_held=True) for _ in range(3)]
    alone = make_entry(campaign, confirmed=True, first_name="Alone")
    make_verdict(alone, score=99)

    found = desk.queue(campaign.id)

    assert found[0].entry_id == zoe.id
    assert (found[0].stake, found[0].held_friends) == (15, 3)
    assert [row.stake for row in found] == [15, 5, 5, 5, 0]
    assert {row.entry_id for row in found[1:4]} == {friend.id for friend in friends}
    assert found[4].entry_id == alone.id
    assert found[1].signals[0].points == 90


def test_a_decided_case_leaves_the_list_until_something_new_is_found(campaign: Campaign) -> None:
    """Decisions are sticky: a new signal of the same code does not reopen, a new code does (F11)."""
    zoe = make_entry(campaign, confirmed=True)
    make_signal(zoe, "same_device")
    make_verdict(zoe, score=60)
    assert desk.counts(campaign.id)[Shown.OPEN] == 1
    rulings.rule(campaign.id, [zoe.id], Decision.ACCEPTED, reason="known", by="Ada")
    db.session.commit()
    assert desk.queue(campaign.id) == []
    assert [row.entry_id for row in desk.queue(campaign.id, Shown.ACCEPTED)] == [zoe.id]

    make_signal(zoe, "clockwork", points=24)

    assert [row.entry_id for row in desk.queue(campaign.id)] == [zoe.id]


def test_another_campaigns_case_is_absent_and_search_finds_as_typed(campaign: Campaign) -> None:
    zoe = make_entry(campaign, confirmed=True, first_name="Zo_é", email="zoe@mail.example")
    make_verdict(zoe, score=60)
    other = make_campaign()
    with pytest.raises(NotFound):
        desk.case(other.id, zoe.id)
    assert len(desk.queue(campaign.id, Shown.ALL, typed="zoe@")) == 1
    assert len(desk.queue(campaign.id, Shown.ALL, typed="o_")) == 1
    assert desk.queue(campaign.id, Shown.ALL, typed="%") == []


def test_a_case_shows_the_group_and_honest_people_beside_it(campaign: Campaign) -> None:
    zoe = make_entry(campaign, confirmed=True, first_name="Zoé")
    for _ in range(4):
        _friend(campaign, zoe, score=70, network=b"one", device="d1")
    honest = make_entry(campaign, confirmed=True, first_name="Hugo")
    for number in range(3):
        _friend(campaign, honest, network=bytes([number]), returns=2)
    doubtful = make_entry(campaign, confirmed=True, first_name="Ines")
    for _ in range(4):
        _friend(campaign, doubtful, score=50)

    found = desk.case(campaign.id, zoe.id)

    assert len(found.members) == 4
    assert found.numbers
    assert (found.numbers.friends, found.numbers.networks, found.numbers.came_back) == (4, 1, 0)
    assert [group.name for group in found.similar] == ["Hugo"]
    assert found.similar[0].came_back == 3


def test_the_effect_is_what_the_decision_then_does(campaign: Campaign) -> None:
    """“Zoé moves from 3rd to 41st” must be true."""
    for _ in range(2):
        leader = make_entry(campaign, confirmed=True)
        _friend(campaign, leader)
    zoe = make_entry(campaign, confirmed=True, first_name="Zoé")
    friend = _friend(campaign, zoe, score=70)
    second = _friend(campaign, zoe)
    assert second
    found = desk.case(campaign.id, friend.id)

    effect = desk.effect(campaign, found, Decision.REJECTED)
    [own, head] = effect.moves

    assert (effect.review, effect.referral) == (Review.EXCLUDED, "refuse")
    assert (own.name, own.place_then) == ("Friend", None)
    assert (head.name, head.points_now, head.points_then) == ("Zoé", 11, 6)
    assert (head.place_now, head.place_then) == (1, 3)  # behind both who had six before
    accepted = desk.effect(campaign, found, Decision.ACCEPTED)
    assert (accepted.review, accepted.referral, accepted.moves) == (None, "", [])


@pytest.mark.parametrize("deed", [Decision.REJECTED, Decision.HELD])
def test_places_told_beforehand_are_the_places_of_the_board_afterwards(campaign: Campaign, deed: Decision) -> None:
    """Equal points do not share a place: who reached them first stands before, as on the board."""
    for _ in range(3):
        _friend(campaign, make_entry(campaign, confirmed=True))
    zoe = make_entry(campaign, confirmed=True, first_name="Zoé")
    friend = _friend(campaign, zoe, score=20)
    _friend(campaign, friend)
    _friend(campaign, friend)  # the friend has brought more than whoever invited them

    for there in (deed, Decision.ACCEPTED):
        found = desk.case(campaign.id, friend.id)
        told = {move.name: (move.place_now, move.place_then) for move in desk.effect(campaign, found, there).moves}
        assert set(told) == {"Friend", "Zoé"}
        before = [_place(friend), _place(zoe)]
        rulings.rule(campaign.id, [friend.id], there, reason="looked at", by="Ada")
        db.session.commit()
        while points.fold():
            pass
        points.forget()
        after = [_place(friend), _place(zoe)]
        assert [told["Friend"], told["Zoé"]] == list(zip(before, after, strict=True))


def _place(entry: Entry) -> int | None:
    place = places.place_of(entry.id)
    return place.number if place else None
