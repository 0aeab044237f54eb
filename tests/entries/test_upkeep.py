"""What happens by itself: one reminder, the end of the deadline, being forgotten."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.contacts import address
from leadgen.core import clock as product_clock
from leadgen.core import notes
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries import confirming, correcting, entering, points, upkeep, waiting
from leadgen.entries.confirming import Outcome
from leadgen.letters.models import Lane
from leadgen.mail import outbox
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.factories import make_campaign


@pytest.fixture(autouse=True)
def _no_notes(context: None) -> None:
    notes.forget()


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


@pytest.mark.parametrize("status", ["scheduled", "uncertain", "bounced", "failed", "expired"])
def test_a_reminder_needs_a_mail_that_arrived(entry_id: int, clock: Clock, status: str) -> None:
    rows("UPDATE message SET status = %(status)s WHERE entry_id = %(id)s RETURNING id", id=entry_id, status=status)
    clock.forward(hours=24, seconds=1)
    assert upkeep.remind() == 0


def test_whoever_opened_the_confirmation_page_is_not_reminded_and_the_timeline_says_so(
    entry_id: int, clock: Clock
) -> None:
    _was_sent(entry_id)
    confirming.note_view(entry_id)
    clock.forward(hours=24, seconds=1)

    assert [upkeep.remind(), upkeep.remind()] == [0, 0]

    said = rows("SELECT status, reason FROM message WHERE letter = 'reminder'")
    assert said == [{"status": "skipped", "reason": "page_viewed"}]


def test_whoever_refused_is_not_reminded(entry_id: int, clock: Clock) -> None:
    _was_sent(entry_id)
    waiting.refuse(entry_id, 1)
    db.session.commit()
    clock.forward(hours=24, seconds=1)
    assert upkeep.remind() == 0
    assert rows("SELECT 1 FROM message WHERE letter = 'reminder'") == []


def test_a_campaign_may_switch_the_reminder_off(campaign: Campaign, entry_id: int, clock: Clock) -> None:
    rows("UPDATE campaign SET is_reminding = false RETURNING id")
    _was_sent(entry_id)
    clock.forward(hours=24, seconds=1)
    assert upkeep.remind() == 0


def test_nobody_is_reminded_beyond_what_an_address_may_get(entry_id: int, clock: Clock) -> None:
    _was_sent(entry_id)
    clock.forward(hours=24, seconds=1)
    for _ in range(2):
        entering.enter(cards.by_id(make_campaign().id), filled())

    assert upkeep.remind() == 0

    said = rows("SELECT status, reason FROM message WHERE letter = 'reminder'")
    assert said == [{"status": "suppressed", "reason": "address_limit"}]


@pytest.mark.parametrize(
    ("zone", "hour", "leaves_at"),
    [
        ("Europe/Paris", 12, 12),
        ("Europe/Paris", 23, 8),
        ("Europe/Paris", 3, 8),
        ("Asia/Tokyo", 15, 8),  # 23 o'clock there
        ("America/Toronto", 12, 8),  # 6 o'clock there
        ("No/Where", 23, 8),  # then the campaign's
    ],
)
def test_nobody_is_reminded_at_night(card: CampaignCard, clock: Clock, zone: str, hour: int, leaves_at: int) -> None:
    paris = product_clock.now().astimezone(ZoneInfo("Europe/Paris"))
    target = (paris + timedelta(days=1)).replace(hour=hour, minute=10, second=0)
    entered = entering.enter(card, filled(timezone=zone))
    _was_sent(entered.entry_id)
    rows("UPDATE entry SET last_mail_at = last_mail_at - interval '2 days' RETURNING id")
    clock.forward(seconds=(target - paris).total_seconds())

    assert upkeep.remind() == 1

    [reminder] = rows("SELECT due_at, expires_at FROM message WHERE letter = 'reminder'")
    known = zone if zone != "No/Where" else "Europe/Paris"
    local = reminder["due_at"].astimezone(ZoneInfo(known))
    assert local.hour == leaves_at
    assert product_clock.now() - timedelta(seconds=60) < reminder["due_at"] < product_clock.now() + timedelta(hours=12)
    assert reminder["expires_at"] - reminder["due_at"] == timedelta(hours=24)


def test_a_reminder_that_would_come_too_late_is_not_sent(entry_id: int, clock: Clock) -> None:
    _was_sent(entry_id)
    rows("UPDATE entry SET expires_at = %(at)s RETURNING id", at=product_clock.now() + timedelta(hours=24, minutes=30))
    clock.forward(hours=24, seconds=1)
    assert upkeep.remind() == 0
    assert rows("SELECT reason FROM message WHERE letter = 'reminder'") == [{"reason": "too_late"}]


def test_i36_a_purge_leaves_the_address_in_no_table(card: CampaignCard, entry_id: int, clock: Clock) -> None:
    """Nor the name, the browser or the network; what refused stays, by keyed hash."""
    correcting.correct(card, entry_id, address.parse("typed-again@mail.example"))
    refused = entering.enter(card, filled("refused@mail.example"))
    waiting.refuse(refused.entry_id, 1)
    db.session.commit()
    planted = (
        "anna@mail.example",
        "typed-again@mail.example",
        "refused@mail.example",
        "192.0.2.7",
        "A browser",
        "Anna",
    )
    assert all(_tables_that_hold(words) for words in planted)

    clock.forward(days=31)
    upkeep.purge()
    clock.forward(days=8)
    upkeep.purge()

    assert [(words, _tables_that_hold(words)) for words in planted if _tables_that_hold(words)] == []
    assert rows("SELECT reason FROM suppression") == [{"reason": "refused"}]


def test_an_address_that_refused_hears_nothing_after_its_purge_either(
    card: CampaignCard, campaign: Campaign, entry_id: int, clock: Clock
) -> None:
    waiting.refuse(entry_id, 1)
    db.session.commit()
    clock.forward(days=15)
    upkeep.purge()
    assert rows("SELECT email FROM contact WHERE email IS NOT NULL") == []

    again = make_campaign(db.session.get_one(Brand, campaign.brand_id))
    entering.enter(cards.by_id(again.id), filled())
    claim = outbox.claim(Lane.CONFIRMATION, 10)
    db.session.commit()

    assert claim.recipients == []
    assert rows("SELECT status, reason FROM message ORDER BY id DESC LIMIT 1") == [
        {"status": "suppressed", "reason": "refused"}
    ]


def _tables_that_hold(words: str) -> list[str]:
    """All tables of the database, with every column as text."""
    tables = rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    statement = 'SELECT 1 AS found FROM "{}" AS t WHERE strpos(t::text, %(words)s) > 0 LIMIT 1'
    return [table["name"] for table in tables if rows(statement.format(table["name"]), words=words)]


def test_a_deadline_that_passed_is_an_act_too(card: CampaignCard, clock: Clock) -> None:
    """What was ticked and never confirmed is no consent, and the record says so."""
    entering.enter(card, filled(wants_marketing=True))
    clock.forward(days=8)
    upkeep.purge()
    upkeep.purge()

    acts = rows("SELECT purpose, channel FROM consent WHERE action = 'expired' ORDER BY purpose")
    assert acts == [{"purpose": "marketing", "channel": "deadline"}, {"purpose": "rules", "channel": "deadline"}]
