"""What happens by itself: one reminder, the end of the deadline, being forgotten."""

from __future__ import annotations

import pytest

from leadgen.campaigns.cards import CampaignCard
from leadgen.contacts import address
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries import confirming, correcting, entering, points, upkeep, waiting
from leadgen.entries.confirming import Outcome
from tests.conftest import Clock
from tests.entries.conftest import filled, rows


@pytest.fixture
def entry_id(card: CampaignCard) -> int:
    return entering.enter(card, filled()).entry_id


def test_one_reminder_after_a_day_and_never_another(entry_id: int, clock: Clock) -> None:
    clock.forward(hours=24, seconds=1)
    assert upkeep.remind() == 0  # its confirmation has not left yet
    _was_sent(entry_id)

    assert [upkeep.remind(), upkeep.remind()] == [1, 0]

    clock.forward(days=2)
    assert upkeep.remind() == 0
    assert rows("SELECT letter FROM message WHERE entry_id = %(id)s ORDER BY id", id=entry_id) == [
        {"letter": "confirm"},
        {"letter": "reminder"},
    ]


def test_who_confirmed_is_not_reminded(entry_id: int, clock: Clock) -> None:
    confirming.confirm(entry_id, 1, "button_post")
    clock.forward(days=2)

    assert upkeep.remind() == 0


def test_i36_who_never_confirmed_is_forgotten_a_week_after_the_deadline(entry_id: int, clock: Clock) -> None:
    clock.forward(days=7, hours=1)
    upkeep.purge()
    assert rows("SELECT status FROM entry WHERE id = %(id)s", id=entry_id) == [{"status": "expired"}]
    assert rows("SELECT email FROM contact") == [{"email": "anna@mail.example"}]

    clock.forward(days=7)
    upkeep.purge()
    db.session.rollback()

    assert rows("SELECT email, mailbox_key FROM contact") == [{"email": None, "mailbox_key": None}]


def test_who_confirmed_stays(entry_id: int, clock: Clock) -> None:
    confirming.confirm(entry_id, 1, "button_post")
    clock.forward(days=60)

    upkeep.purge()

    assert rows("SELECT email FROM contact") == [{"email": "anna@mail.example"}]


def test_i36_who_is_silent_for_three_years_is_forgotten(entry_id: int, clock: Clock) -> None:
    confirming.confirm(entry_id, 1, "button_post")
    points.fold()
    clock.forward(days=3 * 365 - 1)
    assert upkeep.purge() == 0

    clock.forward(days=2)
    assert upkeep.purge() == 1

    assert rows("SELECT email FROM contact") == [{"email": None}]
    assert rows("SELECT status FROM entry") == [{"status": "erased"}]
    assert rows("SELECT sum(entrants)::int AS ranked FROM points_bucket") == [{"ranked": 0}]


def test_a_corrected_address_is_forgotten_too(card: CampaignCard, entry_id: int, clock: Clock) -> None:
    correcting.correct(card, entry_id, address.parse("anna@other.example.com"))
    db.session.commit()
    confirming.confirm(entry_id, 2, "button_post")

    clock.forward(days=31)
    upkeep.purge()
    db.session.rollback()

    assert [row["email"] for row in rows("SELECT email FROM contact ORDER BY id")] == [None, "anna@other.example.com"]


def test_an_old_link_brings_nobody_back_who_was_forgotten(entry_id: int, clock: Clock) -> None:
    clock.forward(days=8)
    upkeep.purge()
    clock.forward(days=7)
    upkeep.purge()

    with pytest.raises(NotFound):
        waiting.resend(entry_id)
    assert confirming.confirm(entry_id, 1, "button_post").outcome is Outcome.ERASED


def _was_sent(entry_id: int) -> None:
    rows("UPDATE message SET status = 'accepted' WHERE entry_id = %(id)s RETURNING id", id=entry_id)
