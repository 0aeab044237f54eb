"""While waiting: another mail, another address, “it wasn't me”, and what the owner of a known address hears."""

from __future__ import annotations

import pytest

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.contacts import address
from leadgen.core import tokens
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, TooMany
from leadgen.entries import confirming, correcting, entering, waiting
from leadgen.entries.confirming import Outcome
from leadgen.entries.models import EntryStatus
from leadgen.entries.waiting import Look
from leadgen.journal import service as journal
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.factories import make_entry


@pytest.fixture
def entry_id(card: CampaignCard) -> int:
    return entering.enter(card, filled()).entry_id


def test_resending_waits_sixty_seconds_then_five_minutes_then_an_hour_and_ends(entry_id: int, clock: Clock) -> None:
    for pause in (60, 300, 3600):
        with pytest.raises(TooMany) as early:
            waiting.resend(entry_id)
        assert pause - 2 <= early.value.retry_after <= pause
        clock.forward(seconds=pause)
        waiting.resend(entry_id)
        db.session.commit()

    clock.forward(days=1)
    with pytest.raises(TooMany) as over:
        waiting.resend(entry_id)
    assert over.value.retry_after == 0
    intents = [row["intent"] for row in rows("SELECT intent FROM message ORDER BY id")]
    assert intents == [f"doi:{entry_id}:1:{number}" for number in (1, 2, 3, 4)]


def test_a_new_mail_brings_a_new_code_and_leaves_the_old_link_good(entry_id: int, clock: Clock) -> None:
    clock.forward(seconds=61)
    waiting.resend(entry_id)
    db.session.commit()

    with pytest.raises(Invalid):
        confirming.confirm_by_code(entry_id, waiting_code(entry_id, 1))
    assert confirming.confirm(entry_id, 1, "button_post").outcome is Outcome.CONFIRMED


def waiting_code(entry_id: int, number: int) -> str:
    return tokens.six_digits(entry_id, 1, number)


def test_an_expired_entry_gets_a_new_deadline_while_the_campaign_runs(entry_id: int, clock: Clock) -> None:
    clock.forward(days=8)

    waiting.resend(entry_id)
    db.session.commit()

    assert confirming.view(entry_id, 1).outcome is Outcome.READY


def test_a_confirmed_entry_cannot_be_corrected_or_refused(card: CampaignCard, entry_id: int) -> None:
    confirming.confirm(entry_id, 1, "button_post")

    with pytest.raises(Conflict):
        correcting.correct(card, entry_id, address.parse("other@mail.example"))
    with pytest.raises(Conflict):
        waiting.refuse(entry_id, 1)


def test_it_was_not_me_ends_the_entry_and_blocks_the_address(entry_id: int) -> None:
    waiting.refuse(entry_id, 1)
    waiting.refuse(entry_id, 1)
    db.session.commit()

    assert confirming.confirm(entry_id, 1, "button_post").outcome is Outcome.REFUSED
    assert rows("SELECT reason FROM suppression") == [{"reason": "refused"}]


def test_f2_the_owner_of_a_confirmed_address_gets_the_link_to_their_page_once_a_day(
    card: CampaignCard, campaign: Campaign, clock: Clock
) -> None:
    ben = make_entry(campaign, email="ben@mail.example", confirmed=True)
    for days in (0, 0, 1):
        clock.forward(days=days)
        entering.enter(card, filled("ben@mail.example"))
        waiting.answer_repeated(journal.claim_unannounced())
        db.session.commit()

    mails = rows("SELECT letter FROM message WHERE entry_id = %(id)s", id=ben.id)
    assert [mail["letter"] for mail in mails] == ["page_link", "page_link"]


def test_f2_the_owner_of_a_waiting_address_gets_the_confirmation_again_within_its_limits(
    card: CampaignCard, entry_id: int, clock: Clock
) -> None:
    for seconds in (0, 61, 1):
        clock.forward(seconds=seconds)
        entering.enter(card, filled())
        waiting.answer_repeated(journal.claim_unannounced())
        db.session.commit()

    mails = rows("SELECT status, reason FROM message WHERE entry_id = %(id)s ORDER BY id", id=entry_id)
    assert [(mail["status"], mail["reason"]) for mail in mails] == [
        ("scheduled", ""),
        ("scheduled", ""),
        ("suppressed", "address_limit"),
    ]


def test_how_an_entry_stands(entry_id: int) -> None:
    assert waiting.look(entry_id) == Look(EntryStatus.PENDING, "")
    confirming.confirm(entry_id, 1, "button_post")
    assert waiting.look(entry_id) == Look(EntryStatus.CONFIRMED, "")
    assert waiting.look(entry_id + 1) is None
