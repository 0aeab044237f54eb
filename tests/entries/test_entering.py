"""Entering: what one form leaves in the tables, once, whoever sends it how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.contacts.models import ConsentAction, ConsentPurpose, SuppressionReason
from leadgen.core import clock, hot, ids
from leadgen.core.db import db
from leadgen.core.errors import Conflict
from leadgen.entries import entering
from leadgen.entries.models import Entry, EntryStatus
from tests.entries.conftest import filled, rows
from tests.factories import make_campaign, make_contact, make_entry, make_suppression


def test_it_leaves_contact_entry_evidence_mail_and_fact(card: CampaignCard) -> None:
    entered = entering.enter(card, filled(source={"utm_source": "radio"}, channel="wa"))

    entry = db.session.get_one(Entry, entered.entry_id)
    assert (entry.status, entry.depth, entry.channel, entry.source) == (
        EntryStatus.PENDING,
        0,
        "wa",
        {"utm_source": "radio"},
    )
    assert entered.is_own
    assert entered.masked == "a•••@m•••.example"
    [contact] = rows("SELECT * FROM contact")
    assert (contact["email"], contact["email_verified_at"], contact["marketing_at"]) == (
        "anna@mail.example",
        None,
        None,
    )
    [message] = rows("SELECT * FROM message")
    assert (message["letter"], message["lane"], message["status"]) == ("confirm", "confirmation", "scheduled")
    assert message["context"] == {"entry": entry.id, "generation": 1, "code_number": 1}
    assert [fact["name"] for fact in rows("SELECT name FROM fact")] == ["entry.created"]


def test_rule_1_both_purposes_leave_evidence_and_refusing_marketing_is_kept_too(card: CampaignCard) -> None:
    entering.enter(card, filled(wants_marketing=False))

    acts = {row["purpose"]: row for row in rows("SELECT * FROM consent")}
    assert acts[ConsentPurpose.RULES]["action"] == ConsentAction.GIVEN
    assert acts[ConsentPurpose.MARKETING]["action"] == ConsentAction.REFUSED
    evidence = acts[ConsentPurpose.MARKETING]["evidence"]
    assert evidence["wording"] == card.text("consent_marketing", "fr")
    assert evidence["control"] == "box, unticked by default"
    assert len(evidence["wording_sha256"]) == 64


def test_rule_3_nothing_counts_before_the_address_is_confirmed(card: CampaignCard) -> None:
    ben = make_entry(db.session.get_one(Campaign, card.id), email="ben@mail.example", confirmed=True)
    before = rows("SELECT count(*) AS lines FROM ledger")

    entering.enter(card, filled(referral_code=ben.code))

    assert rows("SELECT count(*) AS lines FROM ledger") == before


def test_f4_the_referrer_is_frozen_with_the_two_above(card: CampaignCard, campaign: Campaign) -> None:
    root = make_entry(campaign, email="root@mail.example", confirmed=True)
    middle = make_entry(campaign, email="middle@mail.example", confirmed=True, referrer=root)
    ben = make_entry(campaign, email="ben@mail.example", confirmed=True, referrer=middle)

    entered = entering.enter(card, filled(referral_code=ben.code))

    anna = db.session.get_one(Entry, entered.entry_id)
    assert (anna.referrer_id, anna.ref2_id, anna.ref3_id) == (ben.id, middle.id, root.id)
    assert (anna.root_id, anna.depth) == (root.id, ben.depth + 1)


@pytest.mark.parametrize("whose", ["another campaign's", "unknown", "waiting"])
def test_f4_a_code_that_does_not_count_is_passed_over_in_silence(
    card: CampaignCard, campaign: Campaign, whose: str
) -> None:
    code = {
        "another campaign's": lambda: make_entry(make_campaign(), confirmed=True).code,
        "unknown": lambda: "ZZZZZZZZ",
        "waiting": lambda: make_entry(campaign, email="ben@mail.example").code,
    }[whose]()

    entered = entering.enter(card, filled(referral_code=code))

    assert db.session.get_one(Entry, entered.entry_id).referrer_id is None


def test_f2_the_second_form_changes_nothing_and_tells_the_worker(card: CampaignCard) -> None:
    first = entering.enter(card, filled("anna.b@gmail.com"))

    second = entering.enter(card, filled("AnnaB+again@googlemail.com", first_name="Mallory", wants_marketing=True))

    assert second.entry_id == first.entry_id
    assert not second.is_own
    [contact] = rows("SELECT * FROM contact")
    assert (contact["email"], contact["first_name"]) == ("anna.b@gmail.com", "Anna")
    assert len(rows("SELECT 1 FROM message")) == 1
    assert [row["name"] for row in rows("SELECT name FROM fact ORDER BY id")] == ["entry.created", "entry.repeated"]


def test_f2_a_confirmed_entry_never_goes_back_to_waiting(card: CampaignCard, campaign: Campaign) -> None:
    ben = make_entry(campaign, email="ben@mail.example", confirmed=True)

    entering.enter(card, filled("ben@mail.example"))

    assert rows("SELECT status FROM entry WHERE id = %(id)s", id=ben.id) == [{"status": "confirmed"}]


def test_i01_a_hundred_forms_at_one_instant_leave_one_entry_and_one_mail(card: CampaignCard) -> None:
    together = Barrier(20)
    spellings = ["ann.a@gmail.com", "anna@gmail.com", "ANNA+x@gmail.com", "anna@googlemail.com"]

    def send(number: int) -> int:
        together.wait()
        try:
            return entering.enter(card, filled(spellings[number % 4])).entry_id
        finally:
            hot.forget()

    with ThreadPoolExecutor(20) as pool:
        entry_ids = set(pool.map(send, range(100)))

    assert len(entry_ids) == 1
    assert len(rows("SELECT 1 FROM entry")) == 1
    assert len(rows("SELECT 1 FROM message")) == 1
    assert len(rows("SELECT 1 FROM fact WHERE name = 'entry.created'")) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"status": CampaignStatus.PAUSED},
        {"status": CampaignStatus.DRAFT},
        {"status": CampaignStatus.CLOSED},
        {"starts_at": clock.now() + timedelta(hours=1)},
        {"ends_at": clock.now() - timedelta(seconds=1)},
    ],
)
def test_i27_no_entry_outside_the_window_even_when_the_page_was_older(context: None, values: dict[str, object]) -> None:
    card = cards.by_id(make_campaign(**values).id)

    with pytest.raises(Conflict):
        entering.enter(card, filled())

    assert rows("SELECT 1 FROM contact") == []


def test_suppressed_addresses_get_the_same_answer(card: CampaignCard, campaign: Campaign) -> None:
    contact = make_contact(email="anna@mail.example", brand_id=campaign.brand_id)
    make_suppression(contact, reason=SuppressionReason.COMPLAINT)

    entered = entering.enter(card, filled())

    assert (entered.is_own, entered.masked) == (True, "a•••@m•••.example")


def test_a_taken_code_is_drawn_again(card: CampaignCard, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["TAKEN234", "TAKEN234", "FREE2346"])
    monkeypatch.setattr(ids, "referral_code", lambda _length: next(drawn))

    entering.enter(card, filled())
    second = entering.enter(card, filled("ben@mail.example"))

    assert db.session.scalar(select(Entry.code).where(Entry.id == second.entry_id)) == "FREE2346"


def test_a_plan_made_while_the_tables_are_empty_looks_for_inviters_by_their_codes(card: CampaignCard) -> None:
    statement, _names = hot._numbered(entering._ENTER)
    with hot._connect() as connection:
        plan = connection.execute(b"EXPLAIN (GENERIC_PLAN) " + statement).fetchall()

    lines = [str(row[0]) for row in plan]
    assert any("uq_entry_code" in line for line in lines)
    assert not [line for line in lines if "Seq Scan on entry" in line]
