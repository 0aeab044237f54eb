"""The life of a referral: held, let go, refused, restored, settled, in any order and repeated (F5, I33)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from leadgen import reactions
from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core import clock as clock_of
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.entries import attribution, auditing, confirming, credits, entering, person, points, referrals, upkeep
from leadgen.entries.models import Entry, LedgerKind, ReferralReason, Review
from leadgen.fraud import desk, rulings
from leadgen.fraud.models import Decision
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.factories_contest import make_verdict

pytestmark = pytest.mark.usefixtures("context")


def _come(card: CampaignCard, name: str, by: int | None = None, *, is_confirmed: bool = True) -> int:
    code = rows("SELECT code FROM entry WHERE id = %(id)s", id=by)[0]["code"] if by else ""
    entered = entering.enter(card, filled(f"{name}@mail.example", referral_code=code))
    if is_confirmed:
        confirming.confirm(entered.entry_id, 1, "button_post")
    return entered.entry_id


def _do(verb: Any, *values: Any, **named: Any) -> Any:
    found = verb(*values, **named)
    db.session.commit()
    return found


def _set(card: CampaignCard, **columns: Any) -> CampaignCard:
    for name, value in columns.items():
        rows(f"UPDATE campaign SET {name} = %(value)s WHERE id = %(id)s RETURNING id", value=value, id=card.id)
    db.session.rollback()
    cards.forget()
    return cards.by_id(card.id)


def _state(entry_id: int) -> tuple[str, str]:
    [row] = rows("SELECT referral_state, referral_reason FROM entry WHERE id = %(id)s", id=entry_id)
    return row["referral_state"], row["referral_reason"]


def _points(entry_id: int) -> tuple[int, int]:
    """Points and friends counted, whatever is folded."""
    while points.fold():
        pass
    assert auditing.audit() == {}
    [row] = rows("SELECT points, friends_counted FROM entry WHERE id = %(id)s", id=entry_id)
    return row["points"], row["friends_counted"]


def _facts(entry_id: int) -> list[str]:
    found = rows("SELECT name FROM fact WHERE entry_id = %(id)s AND name LIKE 'referral.%%' ORDER BY id", id=entry_id)
    return [row["name"] for row in found]


def _standing(entry_id: int) -> dict[str, Any]:
    while points.fold():
        pass
    [row] = rows("SELECT points, rank_points, friends_counted, reached_at FROM entry WHERE id = %(id)s", id=entry_id)
    return row


def test_f5_a_friend_awaits_and_then_counts(card: CampaignCard) -> None:
    ben = _come(card, "ben")
    anna = _come(card, "anna", ben, is_confirmed=False)
    assert _state(anna) == ("awaiting", "")

    confirming.confirm(anna, 1, "button_post")

    assert _state(anna) == ("counted", "")
    assert _points(ben) == (6, 1)


def test_f5_a_hold_takes_back_and_a_release_gives_back_as_of_the_first_time(card: CampaignCard, clock: Clock) -> None:
    ben = _come(card, "ben")
    anna = _come(card, "anna", ben)
    before = _standing(ben)
    clock.forward(hours=2)

    assert _do(referrals.hold, anna, ReferralReason.RISK)
    assert not _do(referrals.hold, anna, ReferralReason.RISK)
    assert _points(ben) == (1, 0)
    assert _state(anna) == ("on_hold", "risk")

    assert _do(referrals.release, anna)
    assert not _do(referrals.release, anna)
    assert _standing(ben) == before  # I33: the tie-break too
    assert _facts(ben) == ["referral.counted", "referral.held", "referral.counted"]


def test_f5_refused_referrals_are_reversed_and_restored(card: CampaignCard) -> None:
    ben = _come(card, "ben")
    anna = _come(card, "anna", ben)
    before = _standing(ben)

    for _time in range(3):
        assert _do(referrals.refuse, anna, ReferralReason.MANUAL)
        assert not _do(referrals.refuse, anna, ReferralReason.MANUAL)
        assert _state(anna) == ("reversed", "manual")
        assert _points(ben) == (1, 0)
        assert _do(referrals.restore, anna)
        assert not _do(referrals.restore, anna)
    assert _standing(ben) == before


def test_f5_what_is_decided_before_the_confirmation_stays(card: CampaignCard) -> None:
    ben = _come(card, "ben")
    held, refused = (_come(card, name, ben, is_confirmed=False) for name in ("anna", "eve"))
    _do(referrals.hold, held, ReferralReason.RISK)
    _do(referrals.refuse, refused, ReferralReason.SAME_PERSON)

    confirming.confirm(held, 1, "button_post")
    confirming.confirm(refused, 1, "button_post")

    assert _state(held) == ("on_hold", "risk")
    assert _state(refused) == ("not_counted", "same_person")
    assert _points(ben) == (1, 0)
    _do(referrals.release, held)
    _do(referrals.restore, refused)
    assert _points(ben) == (11, 2)


def test_f5_a_delay_is_waited_for_and_counts_as_of_the_confirmation(card: CampaignCard, clock: Clock) -> None:
    card = _set(card, hold_hours=24)
    ben = _come(card, "ben")
    anna = _come(card, "anna", ben)
    assert _state(anna) == ("on_hold", "delay")
    assert referrals.settle() == 0
    assert not _do(referrals.release, anna)  # a delay is not shortened

    clock.forward(hours=25)
    assert referrals.settle() == 1

    assert _state(anna) == ("counted", "")
    assert _points(ben) == (6, 1)
    [row] = rows("SELECT e.confirmed_at, l.at FROM entry e JOIN ledger l ON l.source_entry_id = e.id")
    assert row["at"] == row["confirmed_at"]


def test_f5_caps_never_block_the_friend(card: CampaignCard, clock: Clock) -> None:
    card = _set(card, cap_per_day=1, cap_total=2)
    ben = _come(card, "ben")
    friends = [_come(card, f"friend{number}", ben) for number in range(3)]
    clock.forward(days=1)
    friends += [_come(card, f"later{number}", ben) for number in range(2)]
    clock.forward(days=1)
    friends.append(_come(card, "last", ben))
    referrals.settle()

    over, counted = ("not_counted", "over_cap"), ("counted", "")
    assert [_state(friend) for friend in friends] == [counted, over, over, counted, over, over]
    assert _points(ben) == (11, 2)
    assert {row["status"] for row in rows("SELECT status FROM entry")} == {"confirmed"}


def test_f4_friends_of_friends_bring_points_where_the_campaign_says_so(card: CampaignCard) -> None:
    card = _set(card, indirect_points=2)
    ben = _come(card, "ben")
    anna = _come(card, "anna", ben)
    carl = _come(card, "carl", anna)
    assert _points(ben) == (1 + 5 + 2, 1)

    _do(referrals.refuse, carl, ReferralReason.VELOCITY)
    assert (_points(ben), _points(anna)) == ((6, 1), (1, 0))
    _do(referrals.restore, carl)
    assert (_points(ben), _points(anna)) == ((8, 1), (6, 1))


def test_f5_a_friend_who_stays_brings_more_and_loses_it_with_the_referral(card: CampaignCard, clock: Clock) -> None:
    card = _set(card, stay_points=3, stay_days=7)
    ben = _come(card, "ben")
    anna = _come(card, "anna", ben)
    referrals.settle()
    assert _points(ben) == (6, 1)

    clock.forward(days=8)
    referrals.settle()
    referrals.settle()
    assert _points(ben) == (9, 1)

    _do(referrals.hold, anna, ReferralReason.RISK)
    assert _points(ben) == (1, 0)
    _do(referrals.release, anna)
    referrals.settle()
    assert _points(ben) == (9, 1)


def test_f4_friends_of_an_excluded_referrer_wait_and_count_when_it_was_a_mistake(card: CampaignCard) -> None:
    ben = _come(card, "ben")
    _come(card, "anna", ben)
    _do(referrals.set_review, ben, Review.EXCLUDED, risk=80)
    carl = _come(card, "carl", ben)
    assert _state(carl) == ("on_hold", "ineligible")
    assert _points(ben) == (6, 1)  # what friends honestly brought stays

    assert _do(referrals.set_review, ben, Review.CLEAR)
    referrals.settle()

    assert _points(ben) == (11, 2)


def test_i08_held_people_leave_the_ranking_and_come_back_to_their_place(card: CampaignCard) -> None:
    ben = _come(card, "ben")
    _points(ben)
    before = rows("SELECT * FROM points_bucket WHERE entrants <> 0")

    for review in (Review.HELD, Review.HELD, Review.EXCLUDED):
        _do(referrals.set_review, ben, review)
        assert rows("SELECT * FROM points_bucket WHERE entrants <> 0") == []
    _do(referrals.set_review, ben, Review.CLEAR)

    assert rows("SELECT * FROM points_bucket WHERE entrants <> 0") == before


def test_m6_the_same_mailbox_counts_once_for_ever(card: CampaignCard) -> None:
    ben = _come(card, "ben")
    _do(person.erase, _come(card, "anna", ben))

    again = _come(card, "anna", ben)

    assert _state(again) == ("not_counted", "duplicate")
    assert _points(ben) == (6, 1)


def test_a_line_is_given_taken_and_given_back_once_each(card: CampaignCard) -> None:
    ben = _come(card, "ben")
    assert _do(credits.credit, ben, kind=LedgerKind.MANUAL, points=7, key="manual:1")
    assert not _do(credits.credit, ben, kind=LedgerKind.MANUAL, points=7, key="manual:1")
    for _time in range(2):
        assert _do(credits.take_back, "manual:1", reason="a mistake")
        assert not _do(credits.take_back, "manual:1", reason="a mistake")
        assert _points(ben) == (1, 0)
        assert not _do(credits.credit, ben, kind=LedgerKind.MANUAL, points=7, key="manual:1")
        assert _do(credits.give_back, "manual:1")
        assert not _do(credits.give_back, "manual:1")
        assert _points(ben) == (8, 0)
    assert not _do(credits.take_back, "unknown", reason="a mistake")
    assert not _do(credits.give_back, "unknown")


def test_rule_3_nothing_is_credited_before_the_confirmation(card: CampaignCard) -> None:
    ben = _come(card, "ben", is_confirmed=False)

    assert not _do(credits.credit, ben, kind=LedgerKind.MANUAL, points=7, key="manual:1")
    assert rows("SELECT id FROM ledger") == []


def test_f4_staff_can_say_who_invited_with_a_reason(card: CampaignCard) -> None:
    ben, carl = _come(card, "ben"), _come(card, "carl")
    anna = _come(card, "anna", ben)
    dora = _come(card, "dora", anna)
    codes = {row["id"]: row["code"] for row in rows("SELECT id, code FROM entry")}

    for wrong, note in (("N0B0DY", "why"), (codes[dora], "why"), (codes[ben], "why"), (codes[carl], " ")):
        with pytest.raises(Invalid):
            attribution.reattribute(anna, wrong, by="Ada", note=note)
        db.session.rollback()

    for owner, loser in ((carl, ben), (ben, carl), (carl, ben)):
        _do(attribution.reattribute, anna, codes[owner], by="Ada", note="Carl told her")
        assert (_points(owner), _points(loser)) == ((6, 1), (1, 0))
        assert _state(anna) == ("counted", "")
    [row] = rows("SELECT referrer_id, ref2_id, root_id, depth FROM entry WHERE id = %(id)s", id=dora)
    assert tuple(row.values()) == (anna, carl, carl, 2)
    _do(referrals.hold, anna, ReferralReason.RISK)
    assert _points(carl) == (1, 0)
    _do(referrals.release, anna)
    assert _points(carl) == (6, 1)
    assert len(rows("SELECT id FROM fact WHERE name = 'entry.reattributed' AND data ->> 'by' = 'Ada'")) == 3


def _suppress(entry_id: int, reason: SuppressionReason) -> None:
    [row] = rows(
        "SELECT c.brand_id, c.address_hash FROM contact c JOIN entry e ON e.contact_id = c.id WHERE e.id = %(id)s",
        id=entry_id,
    )
    contacts.suppress(row["brand_id"], bytes(row["address_hash"]), reason)
    db.session.commit()
    while reactions.drain():
        pass


@pytest.mark.parametrize("is_rejected_first", [True, False])
def test_f11_a_rejection_that_is_taken_back_brings_back_nobody_who_complained(
    card: CampaignCard, is_rejected_first: bool
) -> None:
    ben = _come(card, "ben")
    anna = _come(card, "anna", ben)
    while reactions.drain():
        pass
    if not is_rejected_first:
        _suppress(anna, SuppressionReason.COMPLAINT)
    ruling = _do(rulings.rule, card.id, [anna], Decision.REJECTED, reason="a script", by="Ada")
    if is_rejected_first:
        _suppress(anna, SuppressionReason.COMPLAINT)
    assert _state(anna) == ("reversed", "bounce")

    _do(rulings.undo, card.id, ruling.id, by="Ada")

    assert _state(anna) == ("reversed", "bounce")
    assert _points(ben) == (1, 0)


@pytest.mark.parametrize("is_rejected_first", [True, False])
def test_f11_nor_whoever_left_in_the_delay(card: CampaignCard, clock: Clock, is_rejected_first: bool) -> None:
    card = _set(card, hold_hours=24)
    ben = _come(card, "ben")
    anna = _come(card, "anna", ben)
    if is_rejected_first:
        ruling = _do(rulings.rule, card.id, [anna], Decision.REJECTED, reason="a script", by="Ada")
    _suppress(anna, SuppressionReason.UNSUBSCRIBE)
    clock.forward(hours=25)
    referrals.settle()
    if not is_rejected_first:
        ruling = _do(rulings.rule, card.id, [anna], Decision.REJECTED, reason="a script", by="Ada")

    _do(rulings.undo, card.id, ruling.id, by="Ada")

    assert _state(anna) == ("not_counted", "unsubscribed_in_hold")
    assert _points(ben) == (1, 0)


def test_f4_who_complained_counts_for_nobody_else_either(card: CampaignCard) -> None:
    ben, carl = _come(card, "ben"), _come(card, "carl")
    anna = _come(card, "anna", ben)
    _suppress(anna, SuppressionReason.COMPLAINT)
    codes = {row["id"]: row["code"] for row in rows("SELECT id, code FROM entry")}

    for owner in (carl, ben):
        _do(attribution.reattribute, anna, codes[owner], by="Ada", note="Carl told her")
        assert _state(anna) == ("reversed", "bounce")
    assert (_points(ben), _points(carl)) == ((1, 0), (1, 0))


@pytest.mark.parametrize("deed", [Decision.ACCEPTED, Decision.REJECTED])
def test_i14_erased_while_held_can_still_be_decided(card: CampaignCard, deed: Decision) -> None:
    ben = _come(card, "ben")
    anna = _come(card, "anna", ben)
    make_verdict(db.session.get_one(Entry, anna), score=60)
    _do(referrals.hold, anna, ReferralReason.RISK)
    _do(person.erase, anna)
    [row] = [row for row in desk.queue(card.id) if row.entry_id == anna]
    assert (row.first_name, row.email, row.stake) == ("", None, 5)
    assert [one.id for one in desk.members_of(ben)] == [anna]

    ruling = _do(rulings.rule, card.id, [anna], deed, reason="looked at", by="Ada")

    assert _points(ben) == ((6, 1) if deed is Decision.ACCEPTED else (1, 0))
    assert desk.queue(card.id) == []
    if deed is Decision.REJECTED:
        assert _state(anna) == ("reversed", "manual")
        _do(rulings.undo, card.id, ruling.id, by="Ada")
        _do(rulings.rule, card.id, [anna], Decision.ACCEPTED, reason="looked at again", by="Ada")
        assert _points(ben) == (6, 1)


def test_f11_a_decision_before_the_confirmation_holds_at_once(card: CampaignCard) -> None:
    ben = _come(card, "ben")
    anna, eve = (_come(card, name, ben, is_confirmed=False) for name in ("anna", "eve"))
    ruling = _do(rulings.rule, card.id, [anna], Decision.REJECTED, reason="a script", by="Ada")
    _do(rulings.rule, card.id, [eve], Decision.HELD, reason="look again", by="Ada")
    assert (_state(anna), _state(eve)) == (("not_counted", "manual"), ("on_hold", "risk"))

    for one in (anna, eve):
        confirming.confirm(one, 1, "button_post")

    assert (_state(anna), _state(eve)) == (("not_counted", "manual"), ("on_hold", "risk"))
    assert _points(ben) == (1, 0)
    assert "referral.counted" not in _facts(ben)
    _do(rulings.undo, card.id, ruling.id, by="Ada")
    assert _state(anna) == ("counted", "")


def test_f11_a_decision_before_the_confirmation_can_be_taken_back_then(card: CampaignCard, clock: Clock) -> None:
    ben = _come(card, "ben")
    anna, eve = (_come(card, name, ben, is_confirmed=False) for name in ("anna", "eve"))
    ruling = _do(rulings.rule, card.id, [anna], Decision.REJECTED, reason="a script", by="Ada")
    _do(rulings.undo, card.id, ruling.id, by="Ada")
    assert _state(anna) == ("awaiting", "")
    _do(rulings.rule, card.id, [eve], Decision.HELD, reason="look again", by="Ada")
    clock.forward(days=60)

    db.session.execute(text(upkeep._EXPIRE), {"now": clock_of.now(), "batch": 1000})
    db.session.commit()

    assert _state(eve) == ("not_counted", "expired")  # nobody waits for somebody who never came


@pytest.mark.parametrize("status", ["drawing", "awarded", "archived"])
def test_m9_from_the_draw_on_points_places_and_decisions_stand_still(card: CampaignCard, status: str) -> None:
    ben = _come(card, "ben")
    _do(credits.credit, ben, kind=LedgerKind.MANUAL, points=7, key="manual:1")
    ruling = _do(rulings.rule, card.id, [ben], Decision.ACCEPTED, reason="known", by="Ada")
    before = _standing(ben)
    _set(card, status=status)

    assert not _do(credits.credit, ben, kind=LedgerKind.MANUAL, points=7, key="manual:2")
    assert not _do(credits.take_back, "manual:1", reason="a mistake")
    assert not _do(referrals.set_review, ben, Review.EXCLUDED)
    with pytest.raises(Conflict, match="final"):
        rulings.rule(card.id, [ben], Decision.REJECTED, reason="a script", by="Ada")
    with pytest.raises(Conflict, match="final"):
        rulings.undo(card.id, ruling.id, by="Ada")
    db.session.rollback()

    assert _standing(ben) == before
    assert rows("SELECT review FROM entry WHERE id = %(id)s", id=ben) == [{"review": "clear"}]
