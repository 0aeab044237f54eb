"""Correcting the address while waiting: the entry moves, the old address hears nothing more."""

from __future__ import annotations

import pytest

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.contacts import address
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound, TooMany
from leadgen.entries import confirming, correcting, entering, person
from leadgen.entries.confirming import Outcome
from leadgen.entries.models import Entry
from leadgen.mail.bounds import MAILS_PER_ADDRESS
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.factories import make_campaign, make_entry


@pytest.fixture
def entry_id(card: CampaignCard) -> int:
    return entering.enter(card, filled()).entry_id


def test_correcting_makes_the_old_link_inert_and_keeps_who_invited(card: CampaignCard, campaign: Campaign) -> None:
    ben = make_entry(campaign, email="ben@mail.example", confirmed=True)
    entered = entering.enter(card, filled("anna@gmial.example", referral_code=ben.code, wants_marketing=True))

    corrected = correcting.correct(card, entered.entry_id, address.parse("anna@gmail.com"))
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

    corrected = correcting.correct(card, entered.entry_id, address.parse("ben@mail.example"))
    db.session.commit()

    assert (corrected.entry_id, corrected.is_own) == (ben.id, False)
    assert rows("SELECT status FROM entry WHERE id = %(id)s", id=ben.id) == [{"status": "confirmed"}]


def test_the_address_can_be_corrected_three_times(card: CampaignCard, entry_id: int) -> None:
    for number in range(3):
        correcting.correct(card, entry_id, address.parse(f"anna{number}@mail.example"))
        db.session.commit()

    with pytest.raises(TooMany):
        correcting.correct(card, entry_id, address.parse("anna9@mail.example"))


def test_a_correction_carries_the_evidence_to_another_contact(card: CampaignCard, campaign: Campaign) -> None:
    other = make_entry(make_other(campaign), email="dora@mail.example", confirmed=True)
    entered = entering.enter(card, filled())

    correcting.correct(card, entered.entry_id, address.parse("dora@mail.example"))
    db.session.commit()

    acts = rows(
        "SELECT action FROM consent WHERE contact_id = %(id)s AND entry_id = %(entry)s ORDER BY id",
        id=other.contact_id,
        entry=entered.entry_id,
    )
    assert [act["action"] for act in acts] == ["given", "refused"]


def test_correcting_away_and_entering_again_never_resets_the_mails_to_an_address(card: CampaignCard) -> None:
    for number in range(7):
        entered = entering.enter(card, filled("victim@mail.example"))
        if entered.is_own:
            correcting.correct(card, entered.entry_id, address.parse(f"x{number}@mail.example"))
            db.session.commit()

    mails = rows(
        "SELECT m.status FROM message m JOIN contact c ON c.id = m.contact_id WHERE c.email = 'victim@mail.example'"
    )
    assert sum(mail["status"] != "suppressed" for mail in mails) <= entering.MAILS_PER_ADDRESS


def make_other(campaign: Campaign) -> Campaign:
    return make_campaign(db.session.get_one(Brand, campaign.brand_id))


def test_an_address_that_had_all_its_mails_is_corrected_to_like_any_other(
    card: CampaignCard, campaign: Campaign, entry_id: int, clock: Clock
) -> None:
    """The answer must not tell that the address is known; the mail that does not leave says why in its row."""
    other = make_entry(make_other(campaign), email="dora@mail.example")
    for number in range(MAILS_PER_ADDRESS):
        rows(
            """INSERT INTO message (intent, brand_id, campaign_id, contact_id, lane, purpose, letter, locale, due_at,
                                    expires_at, created_at, status)
               SELECT %(intent)s, brand_id, campaign_id, contact_id, 'confirmation', 'confirmation', 'confirm', 'en',
                      now(), now(), now(), 'accepted' FROM entry WHERE id = %(entry)s RETURNING id""",
            intent=f"filler:{number}",
            entry=other.id,
        )

    corrected = correcting.correct(card, entry_id, address.parse("dora@mail.example"))

    assert (corrected.entry_id, corrected.is_own, corrected.masked) == (entry_id, True, "d•••@m•••.example")
    latest = rows("SELECT status, reason FROM message WHERE entry_id = %(id)s ORDER BY id DESC LIMIT 1", id=entry_id)
    assert latest == [{"status": "suppressed", "reason": "address_limit"}]
    assert confirming.view(entry_id, 2).outcome is Outcome.READY


def test_the_old_address_gets_nothing_more(card: CampaignCard, entry_id: int) -> None:
    correcting.correct(card, entry_id, address.parse("dora@mail.example"))

    waiting = rows("SELECT p.email FROM message m JOIN contact p ON p.id = m.contact_id WHERE m.status = 'scheduled'")
    assert waiting == [{"email": "dora@mail.example"}]


def test_another_spelling_of_the_same_mailbox_is_taken_over(card: CampaignCard) -> None:
    entered = entering.enter(card, filled("an.na@gmail.com"))

    corrected = correcting.correct(card, entered.entry_id, address.parse("anna@gmail.com"))

    assert corrected.is_own
    assert rows("SELECT email FROM contact") == [{"email": "anna@gmail.com"}]


def test_a_correction_changes_no_contact_that_somebody_else_made(card: CampaignCard, campaign: Campaign) -> None:
    make_entry(make_other(campaign), email="dora@gmail.com")
    entered = entering.enter(card, filled())

    correcting.correct(card, entered.entry_id, address.parse("d.o.r.a@gmail.com"))

    assert {row["email"] for row in rows("SELECT email FROM contact")} == {"anna@mail.example", "dora@gmail.com"}


def test_a_confirmed_or_forgotten_entry_is_not_moved(card: CampaignCard, entry_id: int) -> None:
    confirming.confirm(entry_id, 1, "button_post")
    with pytest.raises(Conflict):
        correcting.correct(card, entry_id, address.parse("other@mail.example"))
    person.erase(entry_id)
    db.session.commit()
    with pytest.raises(NotFound):
        correcting.correct(card, entry_id, address.parse("other@mail.example"))
    with pytest.raises(NotFound):
        correcting.correct(card, entry_id + 1, address.parse("other@mail.example"))
    assert "other@mail.example" not in {row["email"] for row in rows("SELECT email FROM contact")}


def test_an_entry_of_another_contest_is_not_moved(campaign: Campaign, entry_id: int) -> None:
    other = make_other(campaign)
    from_there = cards.by_id(other.id)
    with pytest.raises(Conflict):
        correcting.correct(from_there, entry_id, address.parse("other@mail.example"))


def test_correcting_to_a_known_address_counts_as_a_correction(card: CampaignCard, campaign: Campaign) -> None:
    make_entry(campaign, email="ben@mail.example", confirmed=True)
    entered = entering.enter(card, filled())
    for _ in range(correcting.CORRECTIONS):
        correcting.correct(card, entered.entry_id, address.parse("ben@mail.example"))
    with pytest.raises(TooMany):
        correcting.correct(card, entered.entry_id, address.parse("ben@mail.example"))
    assert rows("SELECT count(*)::int AS told FROM fact WHERE name = 'entry.repeated'") == [{"told": 3}]


def test_correcting_to_the_address_it_has_moves_nothing_and_spends_nothing(card: CampaignCard, entry_id: int) -> None:
    """A second click must not make the link inert that the first one is sending."""
    new = address.parse("zoe.new@mail.example")
    correcting.correct(card, entry_id, new)
    before = rows("SELECT generation, corrections, mails_sent, code_number FROM entry")
    for _click in range(2):
        again = correcting.correct(card, entry_id, new)
        assert (again.entry_id, again.is_own) == (entry_id, True)
    assert rows("SELECT generation, corrections, mails_sent, code_number FROM entry") == before
    mails = rows("SELECT status, reason FROM message ORDER BY id")
    assert [mail["status"] for mail in mails] == ["cancelled", "scheduled"]
