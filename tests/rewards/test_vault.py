"""The vault hands each code to one person, and one code of a tier to each person (M7, F20, I09)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from leadgen.campaigns.models import Campaign, Delivery, Milestone
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound
from leadgen.rewards import stock, vault
from leadgen.rewards.models import Coupon, CouponStatus
from tests.factories import make_brand, make_campaign, make_entry
from tests.factories_contest import make_coupon, make_milestone
from tests.rewards.conftest import rows

ASKERS, CODES, AT_ONCE = 300, 200, 30


def _pool(campaign: Campaign, codes: int) -> Milestone:
    tier = make_milestone(campaign, delivery=Delivery.CODE, stock=None)
    db.session.add_all([Coupon(milestone_id=tier.id, code=f"CODE-{n}") for n in range(codes)])
    db.session.commit()
    return tier


def _all_at_once(app: Flask, asks: list[Callable[[], None]]) -> None:
    """Every thread stands ready before the first one may go."""
    barrier = Barrier(len(asks))
    failed: list[BaseException] = []

    def run(ask: Callable[[], None]) -> None:
        with app.app_context():
            try:
                barrier.wait(30)
                ask()
            except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
                failed.append(error)

    threads = [Thread(target=run, args=[ask]) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_two_hundred_codes_for_three_hundred_askers(app: Flask, campaign: Campaign) -> None:
    """F20: two hundred get a distinct one, a hundred are told that none is left."""
    tier_id = _pool(campaign, CODES).id
    askers = [make_entry(campaign, confirmed=True).id for _ in range(ASKERS)]
    got: dict[int, str | None] = {}

    def asking(mine: list[int]) -> Callable[[], None]:
        def ask() -> None:
            for entry_id in mine:
                got[entry_id] = vault.hand_out(tier_id, entry_id)
                db.session.commit()

        return ask

    _all_at_once(app, [asking(askers[place::AT_ONCE]) for place in range(AT_ONCE)])

    codes = [code for code in got.values() if code]
    assert (len(codes), len(set(codes)), len(got) - len(codes)) == (CODES, CODES, ASKERS - CODES)
    owners = rows("SELECT code, entry_id FROM coupon WHERE status = 'assigned'")
    assert {row["entry_id"]: row["code"] for row in owners} == {who: code for who, code in got.items() if code}
    assert vault.counts([tier_id])[tier_id] == vault.Counts(loaded=CODES, handed=CODES)


def test_one_person_in_twenty_tabs_gets_one_code(app: Flask, campaign: Campaign) -> None:
    tier_id, anna = _pool(campaign, 50).id, make_entry(campaign, confirmed=True).id
    got: list[str | None] = []

    def ask() -> None:
        got.append(vault.hand_out(tier_id, anna))
        db.session.commit()

    _all_at_once(app, [ask] * 20)

    assert len(set(got)) == 1
    assert vault.counts([tier_id])[tier_id].handed == 1


def test_asking_again_gives_the_same_code(campaign: Campaign) -> None:
    tier, anna = _pool(campaign, 5), make_entry(campaign, confirmed=True)

    assert vault.hand_out(tier.id, anna.id) == vault.hand_out(tier.id, anna.id) == vault.code_of(tier.id, anna.id) != ""


def test_each_tier_has_codes_of_its_own(campaign: Campaign) -> None:
    first, second, anna = _pool(campaign, 1), _pool(campaign, 0), make_entry(campaign, confirmed=True)

    assert vault.hand_out(second.id, anna.id) is None
    assert vault.hand_out(first.id, anna.id) == "CODE-0"


deeds = st.lists(
    st.tuples(st.sampled_from(["load", "hand", "use", "void"]), st.integers(0, 9), st.integers(0, 1)), max_size=40
)


@settings(max_examples=25)
@given(play=deeds)
def test_handed_and_free_and_used_and_void_are_what_was_loaded(
    campaign: Campaign, play: list[tuple[str, int, int]]
) -> None:
    """I09, whatever happens in which order: nothing is lost, and nobody has two."""
    tiers = [make_milestone(campaign, delivery=Delivery.CODE, stock=None) for _ in range(2)]
    people = [make_entry(campaign, confirmed=True) for _ in range(4)]
    expected: Counter[tuple[int, str]] = Counter()
    where: dict[int, tuple[int, str]] = {}
    for deed, number, side in play:
        tier = tiers[side]
        if deed == "load":
            where[make_coupon(tier).id] = (tier.id, "free")
        elif deed == "hand":
            code = vault.hand_out(tier.id, people[number % 4].id)
            taken = db.session.query(Coupon).filter_by(milestone_id=tier.id, code=code).one_or_none() if code else None
            if taken and where[taken.id][1] == "free":
                where[taken.id] = (tier.id, "handed")
        elif where:
            coupon_id = sorted(where)[number % len(where)]
            try:
                (vault.mark_used(coupon_id, "Ada") if deed == "use" else vault.void(coupon_id))
                where[coupon_id] = (where[coupon_id][0], "used" if deed == "use" else "void")
            except Conflict:
                pass
        db.session.commit()
    expected.update(where.values())

    for tier_id, counts in vault.counts([tier.id for tier in tiers]).items():
        assert counts.free + counts.handed + counts.used + counts.void == counts.loaded
        assert stock.free_codes([tier_id]) == {tier_id: counts.free}, "the number that is kept"
        assert vault.is_empty(tier_id) == (counts.loaded == 0)
        for state in ("free", "handed", "used", "void"):
            assert getattr(counts, state) == expected[tier_id, state]
    doubles = rows(
        "SELECT 1 FROM coupon WHERE status IN ('assigned', 'used') GROUP BY milestone_id, entry_id HAVING count(*) > 1"
    )
    assert doubles == []


def test_a_code_is_used_once_and_the_second_counter_hears_of_the_first(campaign: Campaign) -> None:
    tier, anna = _pool(campaign, 1), make_entry(campaign, confirmed=True, first_name="Anna")
    vault.hand_out(tier.id, anna.id)
    [found] = vault.find([campaign.brand_id], "code-0 ", "en")
    assert (found.first_name, found.status) == ("Anna", CouponStatus.ASSIGNED)

    vault.mark_used(found.coupon_id, "Ada")
    with pytest.raises(Conflict, match=r"used on .* noted by Ada"):
        vault.mark_used(found.coupon_id, "Bob")


def test_two_counters_at_one_instant_use_a_code_once(app: Flask, campaign: Campaign) -> None:
    tier, anna = _pool(campaign, 1), make_entry(campaign, confirmed=True)
    vault.hand_out(tier.id, anna.id)
    coupon_id = db.session.query(Coupon.id).filter_by(milestone_id=tier.id).scalar()
    db.session.commit()
    refused: list[str] = []

    def use() -> None:
        try:
            vault.mark_used(coupon_id, "Ada")
            db.session.commit()
        except Conflict as error:
            db.session.rollback()
            refused.append(str(error))

    _all_at_once(app, [use] * 8)

    assert len(refused) == 7


@pytest.mark.parametrize("status", [CouponStatus.FREE, CouponStatus.VOID])
def test_a_code_that_nobody_has_is_not_honoured(campaign: Campaign, status: CouponStatus) -> None:
    coupon = make_coupon(make_milestone(campaign), status=status)

    with pytest.raises(Conflict, match="must not be honoured"):
        vault.mark_used(coupon.id, "Ada")


def test_a_void_code_is_not_handed_out_and_a_used_one_stays_used(campaign: Campaign) -> None:
    tier, anna = _pool(campaign, 1), make_entry(campaign, confirmed=True)
    coupon = db.session.query(Coupon).filter_by(milestone_id=tier.id).one()
    vault.void(coupon.id)
    assert vault.hand_out(tier.id, anna.id) is None

    used = make_coupon(tier, status=CouponStatus.USED, entry_id=anna.id)
    with pytest.raises(Conflict):
        vault.void(used.id)


def test_another_brand_s_code_is_not_found(campaign: Campaign) -> None:
    make_coupon(make_milestone(make_campaign(make_brand())), "SECRET")

    assert vault.find([campaign.brand_id], "SECRET", "en") == []
    with pytest.raises(NotFound):
        vault.void(0)
