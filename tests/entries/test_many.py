"""What is done to many at once leaves the rows that one by one leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from leadgen.campaigns.models import CampaignStatus
from leadgen.core import clock, hot
from leadgen.core.db import db
from leadgen.entries import confirming, many, points, referrals
from leadgen.entries.models import Entry, EntryStatus, ReferralReason, ReferralState, Review
from tests.factories import fresh, make_campaign, make_entry

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
    assert once == twice
    assert once != _left([], people)


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


@contextmanager
def _confirming(entry: Entry, database_url: str) -> Iterator[None]:
    """Their confirmation is written inside, and committed at the end."""
    values = {"entry": entry.id, "now": clock.now(), "generation": entry.generation}
    values |= {"method": "button", "channel": "web", "traces": "{}"}
    statement, names = hot._numbered(confirming._CONFIRM)
    db.session.rollback()
    with psycopg.connect(database_url) as connection:
        psycopg.RawCursor(connection).execute(statement, [values.get(name) for name in names])
        yield


def _beside_a_confirmation(
    app: Flask, cleaner: psycopg.Connection[Any], database_url: str, friend: Entry, verb: Callable[[int], Any]
) -> None:
    """Let `verb` wait for a confirmation of this friend that is not committed yet."""
    friend_id = friend.id

    def work() -> None:
        with app.app_context():
            verb(friend_id)
            db.session.commit()

    with _confirming(friend, database_url):
        thread = threading.Thread(target=work)
        thread.start()
        for _ in range(1_000):
            if cleaner.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                break
            time.sleep(0.01)
        else:
            pytest.fail("nothing waits for the confirmation")
    thread.join(20)
    assert not thread.is_alive()
    while points.fold():
        pass


@pytest.fixture
def friend(context: None) -> Entry:
    """Somebody who was brought along and confirms in a moment."""
    campaign = make_campaign()
    head = make_entry(campaign, confirmed=True)
    made = make_entry(campaign, referrer=head, referral_state=ReferralState.AWAITING)
    db.session.commit()
    while points.fold():
        pass
    return made


@pytest.mark.parametrize("verb", [lambda one: referrals.hold(one, ReferralReason.RISK), lambda one: many.hold([one])])
def test_a_hold_takes_back_what_a_confirmation_beside_it_gave(
    app: Flask, cleaner: psycopg.Connection[Any], database_url: str, friend: Entry, verb: Callable[[int], Any]
) -> None:
    _beside_a_confirmation(app, cleaner, database_url, friend, verb)
    assert fresh(friend).referral_state is ReferralState.ON_HOLD
    given = db.session.execute(text("SELECT count(*), sum(points) FROM ledger WHERE source_entry_id IS NOT NULL"))
    assert [tuple(row) for row in given] == [(2, 0)]
    assert points.audit() == []


@pytest.mark.parametrize(
    "verb",
    [
        lambda one: referrals.set_review(one, Review.HELD, risk=70),
        lambda one: many.review({one: 70}, Review.HELD),
    ],
)
def test_a_review_counts_a_confirmation_beside_it_out_of_the_ranking(
    app: Flask, cleaner: psycopg.Connection[Any], database_url: str, friend: Entry, verb: Callable[[int], Any]
) -> None:
    _beside_a_confirmation(app, cleaner, database_url, friend, verb)
    assert fresh(friend).review is Review.HELD
    ranked = db.session.execute(text("SELECT sum(entrants) FROM points_bucket")).scalar_one()
    assert ranked == 1  # whoever brought them
    assert points.audit() == []
