"""Bands by preset, decisions that hold, and that flagging and unflagging leave nothing (I33)."""

from __future__ import annotations

import pytest

from leadgen.campaigns.models import Campaign, FraudPreset
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries.models import Entry, ReferralState, Review
from leadgen.fraud import bands, preview
from leadgen.fraud.bands import Standing, Wanted
from leadgen.fraud.models import Decision, Verdict
from tests.entries.conftest import rows
from tests.factories import fresh, make_entry
from tests.factories_contest import make_signal, make_verdict

OK = Wanted(Decision.ACCEPTED, Review.CLEAR)
CREDIT_HELD = Wanted(Decision.HELD, Review.CLEAR)
ALL_HELD = Wanted(Decision.HELD, Review.HELD)


@pytest.mark.parametrize(
    ("preset", "by_score"),
    [
        (FraudPreset.RELAXED, {33: OK, 34: OK, 67: OK, 100: OK}),
        (FraudPreset.BALANCED, {33: OK, 34: CREDIT_HELD, 66: CREDIT_HELD, 67: ALL_HELD, 100: ALL_HELD}),
        (FraudPreset.STRICT, {33: OK, 34: CREDIT_HELD, 49: CREDIT_HELD, 50: ALL_HELD, 100: ALL_HELD}),
    ],
)
def test_f11_bands(preset: FraudPreset, by_score: dict[int, Wanted]) -> None:
    found = {score: bands.wanted(Standing(score, Decision.NONE, has_news=True), preset) for score in by_score}
    assert found == by_score


def test_no_score_excludes_anybody() -> None:
    for preset in FraudPreset:
        assert bands.wanted(Standing(100, Decision.NONE, has_news=True), preset).review is not Review.EXCLUDED


def test_an_acceptance_holds_until_a_new_code_appears() -> None:
    accepted = Standing(90, Decision.ACCEPTED, has_news=False)
    assert bands.wanted(accepted, FraudPreset.BALANCED) == OK
    news = Standing(90, Decision.ACCEPTED, has_news=True)
    assert bands.wanted(news, FraudPreset.BALANCED) == ALL_HELD


def test_a_rejection_is_taken_back_by_people_only() -> None:
    rejected = Standing(0, Decision.REJECTED, has_news=True)
    assert bands.wanted(rejected, FraudPreset.RELAXED) == Wanted(Decision.REJECTED, Review.EXCLUDED)


@pytest.fixture
def friend(campaign: Campaign) -> Entry:
    head = make_entry(campaign, confirmed=True)
    return make_entry(campaign, confirmed=True, referrer=head, referral_state=ReferralState.COUNTED)


def _scored(friend: Entry, score: int, *codes: str) -> None:
    for code in codes:
        make_signal(friend, code, points=score)
    make_verdict(friend, score=score)


def _apply(friend: Entry) -> int:
    changed = bands.apply([friend.id])
    db.session.commit()
    return changed


def test_i33_holding_and_releasing_leave_points_and_tie_breaks_as_they_were(friend: Entry) -> None:
    # What was taken back and given back carries its first time, so the tie-break stays.
    standing = """
        SELECT sum(points)::int AS points, array_agg(DISTINCT at ORDER BY at) FILTER (WHERE points > 0) AS at
        FROM ledger WHERE entry_id = %(id)s
    """
    before = rows(standing, id=friend.referrer_id)
    _scored(friend, 90, "crowded_device")
    assert _apply(friend) == 1
    assert (fresh(friend).referral_state, fresh(friend).review) == (ReferralState.ON_HOLD, Review.HELD)
    sums = "SELECT sum(points)::int AS points FROM ledger WHERE entry_id = %(id)s"
    assert rows(sums, id=friend.referrer_id)[0]["points"] < before[0]["points"]
    verdict = db.session.get_one(Verdict, friend.id)
    verdict.score = 0
    db.session.commit()
    assert _apply(friend) == 1
    assert (fresh(friend).referral_state, fresh(friend).review) == (ReferralState.COUNTED, Review.CLEAR)
    assert rows(standing, id=friend.referrer_id) == before
    assert _apply(friend) == 0


def test_a_decision_is_sticky_in_the_tables_too(friend: Entry) -> None:
    _scored(friend, 50, "crowded_device")
    verdict = db.session.get_one(Verdict, friend.id)
    verdict.decision, verdict.decided_codes, verdict.decided_at = Decision.ACCEPTED, ["crowded_device"], clock.now()
    db.session.commit()
    assert _apply(friend) == 0
    make_signal(friend, "circle", points=34)
    assert _apply(friend) == 1
    assert fresh(friend).referral_state is ReferralState.ON_HOLD


def test_a_rejection_and_its_end(friend: Entry) -> None:
    _scored(friend, 50, "crowded_device")
    verdict = db.session.get_one(Verdict, friend.id)
    verdict.decision = Decision.REJECTED
    db.session.commit()
    _apply(friend)
    assert (fresh(friend).referral_state, fresh(friend).review) == (ReferralState.REVERSED, Review.EXCLUDED)
    fresh_verdict = db.session.get_one(Verdict, friend.id, populate_existing=True)
    fresh_verdict.decision, fresh_verdict.decided_codes = Decision.ACCEPTED, ["crowded_device"]
    db.session.commit()
    _apply(friend)
    assert (fresh(friend).referral_state, fresh(friend).review) == (ReferralState.COUNTED, Review.CLEAR)


def test_a_preview_says_who_would_stand_otherwise_and_writes_nothing(friend: Entry) -> None:
    make_signal(friend, "circle", points=34)
    make_signal(friend, "one_line", points=20)
    make_verdict(friend, score=54)
    kept = preview.stored(friend.campaign_id)
    moved = preview.compare(kept, FraudPreset.RELAXED, FraudPreset.STRICT)
    assert [(one.entry_id, one.before, one.after) for one in moved] == [(friend.id, OK, ALL_HELD)]
    assert preview.compare(kept, FraudPreset.BALANCED, FraudPreset.BALANCED) == []
    assert fresh(friend).review is Review.CLEAR
