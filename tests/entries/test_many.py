"""What is done to many at once leaves the rows that one by one leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from leadgen.campaigns.models import CampaignStatus
from leadgen.core.db import db
from leadgen.entries import many, points, referrals
from leadgen.entries.models import Entry, EntryStatus, ReferralReason, ReferralState, Review
from tests.factories import make_campaign, make_entry

_ROWS = {
    "entry": "SELECT id, referral_state, referral_reason, held_until, review, risk FROM entry ORDER BY id",
    # What is given back has the time of what it restores; when it was taken, and by which number, may differ.
    "ledger": """SELECT entry_id, kind, points, chances, source_entry_id, proof, rules_version, reverses_id IS NULL,
        CASE WHEN kind <> 'reversal' THEN at END, regexp_replace(idempotency_key, '^(again|back):.*', '')
        FROM ledger ORDER BY 1, 2, 3, 5, 9, 10""",
    "pending": """SELECT entry_id, kind, points, chances, proof, friends, CASE WHEN kind <> 'reversal' THEN at END
        FROM ledger_pending ORDER BY 1, 2, 3, 7""",
    "bucket": "SELECT * FROM points_bucket WHERE entrants <> 0 ORDER BY 1, 2, 3",
    "fact": "SELECT name, brand_id, campaign_id, contact_id, entry_id, data FROM fact ORDER BY 1, 5, 6::text",
}


@pytest.fixture
def people(context: None) -> list[int]:
    """Friends in every state, of contests of every kind, and whoever brought them."""
    plain, generous, over = make_campaign(), make_campaign(indirect_points=2, profile_points=1), make_campaign()
    made: list[Entry] = []
    for campaign in (plain, generous, over):
        top = make_entry(campaign, confirmed=True)
        head = make_entry(campaign, confirmed=True, referrer=top, referral_state=ReferralState.COUNTED)
        made += [top, head]
        for state, reason in (
            (ReferralState.COUNTED, ReferralReason.NONE),
            (ReferralState.COUNTED, ReferralReason.NONE),
            (ReferralState.ON_HOLD, ReferralReason.RISK),  # held before it ever counted
            (ReferralState.ON_HOLD, ReferralReason.DELAY),
            (ReferralState.NOT_COUNTED, ReferralReason.MANUAL),
            (ReferralState.REVERSED, ReferralReason.BOUNCE),
        ):
            values = {"referral_state": state, "referral_reason": reason}
            made.append(make_entry(campaign, confirmed=True, referrer=head, **values))
        made.append(make_entry(campaign, referrer=head, referral_state=ReferralState.AWAITING))
        made.append(make_entry(campaign, confirmed=True, review=Review.EXCLUDED))
    made[2].status = EntryStatus.CONFIRMED
    over.status = CampaignStatus.DRAWING
    db.session.commit()
    while points.fold():
        pass
    return [entry.id for entry in made]


def _one_by_one(verb: Callable[..., Any], *args: Any) -> Callable[[Sequence[int]], None]:
    def all_of(entry_ids: Sequence[int]) -> None:
        for entry_id in entry_ids:
            verb(entry_id, *args)

    return all_of


_HOLD = (many.hold, _one_by_one(referrals.hold, ReferralReason.RISK))
_RELEASE = (many.release, _one_by_one(referrals.release))


def _review(target: Review) -> tuple[Callable[[Sequence[int]], None], Callable[[Sequence[int]], None]]:
    def together(entry_ids: Sequence[int]) -> None:
        many.review(dict.fromkeys(entry_ids, 70), target)

    def alone(entry_ids: Sequence[int]) -> None:
        for entry_id in entry_ids:
            if db.session.get_one(Entry, entry_id).review is not Review.EXCLUDED:
                before = db.session.get_one(Entry, entry_id).review
                referrals.set_review(entry_id, target, risk=70 if before is not target else None)

    return together, alone


_STEPS = {
    "held": [_HOLD],
    "held and released": [_HOLD, _RELEASE],
    "held, released and held again": [_HOLD, _RELEASE, _HOLD, _RELEASE],
    "reviewed": [_review(Review.HELD)],
    "reviewed and cleared": [_review(Review.HELD), _review(Review.CLEAR)],
}


def _left(verbs: Sequence[Callable[[Sequence[int]], None]], entry_ids: Sequence[int]) -> dict[str, list[Any]]:
    with db.session.begin_nested() as once:
        for verb in verbs:
            verb(entry_ids)
        db.session.flush()
        found = {name: [tuple(row) for row in db.session.execute(text(rows))] for name, rows in _ROWS.items()}
        once.rollback()
    db.session.expire_all()
    return found


@pytest.mark.parametrize("steps", _STEPS)
def test_many_at_once_are_as_one_after_the_other(people: list[int], steps: str) -> None:
    together, alone = zip(*_STEPS[steps], strict=True)
    before = _left([], people)
    one_by_one = _left(alone, people)
    assert _left(together, people) == one_by_one
    assert one_by_one != before


def test_doing_it_twice_does_nothing(people: list[int]) -> None:
    once = _left([many.hold, many.release], people)
    twice = _left([many.hold, many.hold, many.release, many.release], people)
    assert {name: len(found) for name, found in once.items()} == {name: len(found) for name, found in twice.items()}


def test_holds_leave_the_totals_as_the_ledger_says(people: list[int]) -> None:
    many.hold(people)
    db.session.commit()
    while points.fold():
        pass
    assert points.audit() == []
    many.release(people)
    db.session.commit()
    while points.fold():
        pass
    assert points.audit() == []
