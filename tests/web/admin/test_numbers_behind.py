"""Every number of the pages of spreading opens the list behind it, and equals a plain count of its rows (I34)."""

from __future__ import annotations

import html
import re

from flask import Flask

from leadgen.actions.models import DeedState
from leadgen.campaigns.models import ActionKind, Campaign, Delivery
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries import referrals
from leadgen.entries.models import Entry, ReferralReason
from leadgen.rewards.models import AwardState, CouponStatus
from tests.factories import make_entry
from tests.factories_contest import make_action, make_award, make_coupon, make_deed, make_milestone, make_verdict
from tests.web.admin.studio import Staff
from tests.world import World


def _behind(ada: Staff, page: str, address: str) -> tuple[int, int]:
    """The first number in the words of this link, and how many rows the list has to which it leads."""
    words, *_more = re.findall(
        rf'href="{re.escape(html.escape(address))}"[^>]*>(.*?)</a>', ada.get(page).text, re.DOTALL
    )
    number = re.search(r"\d+", re.sub(r"<[^>]+>", "", words))
    assert number is not None
    body = re.findall(r"<tbody>(.*?)</tbody>", ada.get(address).text, re.DOTALL)
    return int(number[0]), len(re.findall(r"<tr[ >]", body[-1])) if body else 0


def _campaign(world: World) -> Campaign:
    return db.session.get_one(Campaign, world.campaign.id)


def test_codes_by_where_they_are(app: Flask, ada: Staff, world: World, base: str) -> None:
    with app.app_context():
        tier = make_milestone(_campaign(world), delivery=Delivery.CODE, stock=None)
        ben = db.session.get_one(Entry, world.ben.id)
        make_coupon(tier, status=CouponStatus.ASSIGNED, entry_id=ben.id)
        for number in range(9):
            make_coupon(tier, status=(CouponStatus.FREE, CouponStatus.FREE, CouponStatus.VOID)[number % 3])
        page = f"{base}/rewards/{tier.id}/codes"
    for status in CouponStatus:
        number, rows = _behind(ada, page, f"{page}?status={status.value}#list")
        counted = hot.many("SELECT 1 FROM coupon WHERE status = %(status)s", {"status": status.value})
        assert number == rows == len(counted), status
    assert _behind(ada, f"{base}/rewards", f"{page}?status=free#list") == (6, 6)


def test_awards_by_state_the_reserve_included(app: Flask, ada: Staff, world: World, base: str) -> None:
    with app.app_context():
        campaign = _campaign(world)
        tier = make_milestone(campaign, stock=1)
        for state in (AwardState.DELIVERED, AwardState.RESERVE, AwardState.RESERVE):
            make_award(make_entry(campaign, confirmed=True), tier, state=state)
        tier_id = tier.id
    page = ada.get(f"{base}/rewards").text
    assert page.count(f"state=reserve&amp;tier={tier_id}") == 2, "the badge and the sentence"
    assert "2 people on the reserve list" in page
    assert ada.get(f"{base}/awards?state=reserve&tier={tier_id}").text.count("<tr>") - 1 == 2
    assert _behind(ada, f"{base}/rewards", f"{base}/awards?state=delivered&tier={tier_id}") == (1, 1)


def test_actions_done_and_waiting(app: Flask, ada: Staff, world: World, base: str) -> None:
    with app.app_context():
        campaign = _campaign(world)
        action = make_action(campaign, kind=ActionKind.CUSTOM, settings={"approval": True, "asks": True})
        for state in (DeedState.DONE, DeedState.DONE, DeedState.WAITING, DeedState.REFUSED):
            make_deed(make_entry(campaign, confirmed=True), action, state=state)
        people = f"{base}/actions/{action.id}/people"
    assert _behind(ada, f"{base}/actions", f"{people}?state=done") == (2, 2)
    assert _behind(ada, f"{base}/actions", f"{people}?state=waiting") == (1, 1)


def test_friends_who_wait_in_the_review(app: Flask, ada: Staff, world: World, base: str) -> None:
    with app.app_context():
        campaign = _campaign(world)
        head = make_entry(campaign, confirmed=True)
        for number in range(3):
            friend = make_entry(campaign, confirmed=True, referrer=head)
            if number:
                referrals.hold(friend.id, ReferralReason.RISK)
        make_verdict(head, score=10)
        db.session.commit()
        address = f"{base}/virality/people?who=checked&of={head.id}&level=1"
    assert _behind(ada, f"{base}/review", address) == (2, 2)
