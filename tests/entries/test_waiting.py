"""While waiting: another mail, another address, “it wasn't me”, and what the owner of a known address hears."""

from __future__ import annotations

import pytest

from leadgen.accounts.models import Brand
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.contacts import address
from leadgen.core import tokens
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound, TooMany
from leadgen.entries import confirming, entering, waiting
from leadgen.entries.confirming import Outcome
from leadgen.entries.models import Entry, EntryStatus
from leadgen.journal import service as journal
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.factories import make_campaign, make_entry


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


def test_correcting_makes_the_old_link_inert_and_keeps_who_invited(card: CampaignCard, campaign: Campaign) -> None:
    ben = make_entry(campaign, email="ben@mail.example", confirmed=True)
    entered = entering.enter(card, filled("anna@gmial.example", referral_code=ben.code, wants_marketing=True))

    corrected = waiting.correct(entered.entry_id, address.parse("anna@gmail.com"))
    db.session.commit()

    assert corrected.is_own
    assert confirming.view(entered.entry_id, 1).outcome is Outcome.INERT
    assert confirming.confirm(entered.entry_id, 2, "button_post").outcome is Outcome.CONFIRMED
    entry = db.session.get_one(Entry, entered.entry_id)
    assert entry.referrer_id == ben.id
    mails = rows(
        "SELECT status, intent FROM message WHERE entry_id = %(id)s AND lane = 'confirmation' ORDER BY id", id=entry.id
    )
    assert [mail["status"] for mail in mails] == ["cancelled", "scheduled"]
    emails = [row["email"] for row in rows("SELECT email FROM contact WHERE id = %(id)s", id=entry.contact_id)]
    assert emails == ["anna@gmail.com"]


def test_correcting_to_somebody_who_is_in_leaves_their_entry_alone(card: CampaignCard, campaign: Campaign) -> None:
    ben = make_entry(campaign, email="ben@mail.example", confirmed=True)
    entered = entering.enter(card, filled())

    corrected = waiting.correct(entered.entry_id, address.parse("ben@mail.example"))
    db.session.commit()

    assert (corrected.entry_id, corrected.is_own) == (ben.id, False)
    assert rows("SELECT status FROM entry WHERE id = %(id)s", id=ben.id) == [{"status": "confirmed"}]


def test_the_address_can_be_corrected_three_times(entry_id: int) -> None:
    for number in range(3):
        waiting.correct(entry_id, address.parse(f"anna{number}@mail.example"))
        db.session.commit()

    with pytest.raises(TooMany):
        waiting.correct(entry_id, address.parse("anna9@mail.example"))


def test_a_correction_carries_the_evidence_to_another_contact(card: CampaignCard, campaign: Campaign) -> None:
    other = make_entry(make_other(campaign), email="dora@mail.example", confirmed=True)
    entered = entering.enter(card, filled())

    waiting.correct(entered.entry_id, address.parse("dora@mail.example"))
    db.session.commit()

    acts = rows(
        "SELECT action FROM consent WHERE contact_id = %(id)s AND entry_id = %(entry)s ORDER BY id",
        id=other.contact_id,
        entry=entered.entry_id,
    )
    assert [act["action"] for act in acts] == ["given", "refused"]


def make_other(campaign: Campaign) -> Campaign:
    return make_campaign(db.session.get_one(Brand, campaign.brand_id))


def test_a_confirmed_entry_cannot_be_corrected_or_refused(entry_id: int) -> None:
    confirming.confirm(entry_id, 1, "button_post")

    with pytest.raises(Conflict):
        waiting.correct(entry_id, address.parse("other@mail.example"))
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

    assert len(rows("SELECT 1 FROM message WHERE entry_id = %(id)s", id=entry_id)) == 2


def test_how_an_entry_stands(entry_id: int) -> None:
    assert waiting.status(entry_id) is EntryStatus.PENDING
    confirming.confirm(entry_id, 1, "button_post")
    assert waiting.status(entry_id) is EntryStatus.CONFIRMED
    with pytest.raises(NotFound):
        waiting.status(entry_id + 1)


def test_correcting_away_and_entering_again_never_resets_the_mails_to_an_address(card: CampaignCard) -> None:
    for number in range(7):
        entered = entering.enter(card, filled("victim@mail.example"))
        if entered.is_own:
            waiting.correct(entered.entry_id, address.parse(f"x{number}@mail.example"))
            db.session.commit()

    mails = rows(
        "SELECT m.status FROM message m JOIN contact c ON c.id = m.contact_id WHERE c.email = 'victim@mail.example'"
    )
    assert sum(mail["status"] != "suppressed" for mail in mails) <= entering.MAILS_PER_ADDRESS
