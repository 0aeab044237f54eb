"""Confirming: what counts from then on, exactly once, and what a link says before and after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.contacts import address
from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core import hot, tokens
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound, TooMany
from leadgen.entries import confirming, correcting, entering, person, points, waiting
from leadgen.entries.confirming import Outcome
from leadgen.entries.models import Entry
from leadgen.mail import receipts
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.factories import fresh, make_contact, make_entry, make_suppression


def test_f3_it_counts_the_person_the_referrer_and_wants_a_welcome(card: CampaignCard, campaign: Campaign) -> None:
    ben = make_entry(campaign, email="ben@mail.example", confirmed=True)
    entered = entering.enter(card, filled(referral_code=ben.code, wants_marketing=True))

    done = confirming.confirm(entered.entry_id, 1, "button_post")

    assert done.outcome is Outcome.CONFIRMED
    lines = rows(
        "SELECT * FROM ledger WHERE source_entry_id = %(id)s OR entry_id = %(id)s ORDER BY id", id=done.entry_id
    )
    assert [(line["entry_id"], line["kind"], line["points"]) for line in lines] == [
        (done.entry_id, "entry", campaign.entry_points),
        (ben.id, "referral", campaign.referral_points),
    ]
    [contact] = rows("SELECT * FROM contact WHERE email = 'anna@mail.example'")
    assert contact["email_verified_at"] is not None
    assert contact["marketing_at"] is not None
    assert [row["letter"] for row in rows("SELECT letter FROM message WHERE lane = 'service'")] == ["welcome"]
    told = [row["name"] for row in rows("SELECT name FROM fact ORDER BY id")]
    assert told == ["entry.created", "entry.confirmed", "referral.counted"]


def test_rule_1_confirming_without_the_tick_is_no_consent(card: CampaignCard) -> None:
    entered = entering.enter(card, filled(wants_marketing=False))

    confirming.confirm(entered.entry_id, 1, "button_post")

    [contact] = rows("SELECT * FROM contact")
    assert contact["email_verified_at"] is not None
    assert contact["marketing_at"] is None
    acts = rows("SELECT purpose, action FROM consent WHERE action = 'confirmed'")
    assert acts == [{"purpose": "rules", "action": "confirmed"}]


def test_the_second_press_changes_nothing(card: CampaignCard) -> None:
    entered = entering.enter(card, filled())
    confirming.confirm(entered.entry_id, 1, "button_post")
    before = [rows(f"SELECT * FROM {table} ORDER BY id") for table in ("ledger", "message", "fact", "consent", "entry")]

    again = confirming.confirm(entered.entry_id, 1, "cookie_post")

    assert again.outcome is Outcome.ALREADY
    after = [rows(f"SELECT * FROM {table} ORDER BY id") for table in ("ledger", "message", "fact", "consent", "entry")]
    assert after == before


def test_i06_a_thousand_confirmations_for_one_referrer_credit_exactly_a_thousand(
    card: CampaignCard, campaign: Campaign
) -> None:
    ben = make_entry(campaign, email="ben@mail.example", confirmed=True)
    friends = [
        entering.enter(card, filled(f"friend{number}@mail.example", referral_code=ben.code)).entry_id
        for number in range(1000)
    ]
    held = fresh(ben).points

    def press(entry_id: int) -> None:
        confirming.confirm(entry_id, 1, "button_post")

    def worker(entry_ids: list[int]) -> None:
        try:
            for entry_id in entry_ids:
                press(entry_id)
        finally:
            hot.forget()

    each_twice = friends + friends
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(worker, [each_twice[start::16] for start in range(16)]))
    while points.fold():
        pass

    assert fresh(ben).points == held + 1000 * campaign.referral_points
    assert points.audit() == []


@pytest.mark.parametrize(
    ("prepare", "outcome"),
    [
        (lambda entry, campaign: None, Outcome.READY),
        (lambda entry, campaign: setattr(entry, "generation", 2), Outcome.INERT),
        (lambda entry, campaign: setattr(campaign, "status", CampaignStatus.CLOSED), Outcome.CLOSED),
        (lambda entry, campaign: setattr(entry, "status", "refused"), Outcome.REFUSED),
        (lambda entry, campaign: setattr(entry, "status", "erased"), Outcome.ERASED),
    ],
)
def test_what_a_link_leads_to(card: CampaignCard, campaign: Campaign, prepare: object, outcome: Outcome) -> None:
    entered = entering.enter(card, filled())
    assert callable(prepare)
    prepare(db.session.get_one(Entry, entered.entry_id), db.session.get_one(Campaign, campaign.id))
    db.session.commit()

    assert confirming.view(entered.entry_id, 1).outcome is outcome
    if outcome is not Outcome.READY:
        assert confirming.confirm(entered.entry_id, 1, "button_post").outcome is outcome
        assert rows("SELECT 1 FROM ledger") == []


def test_rule_2_looking_changes_nothing(card: CampaignCard) -> None:
    entered = entering.enter(card, filled())
    before = rows("SELECT * FROM entry")

    confirming.view(entered.entry_id, 1)

    assert rows("SELECT * FROM entry") == before


def test_after_seven_days_the_link_has_expired(card: CampaignCard, clock: Clock) -> None:
    entered = entering.enter(card, filled())

    clock.forward(days=7, seconds=1)

    assert confirming.confirm(entered.entry_id, 1, "button_post").outcome is Outcome.EXPIRED


def test_an_unknown_entry_is_not_found(context: None) -> None:
    with pytest.raises(NotFound):
        confirming.view(4711, 1)


def test_the_six_digits_confirm(card: CampaignCard) -> None:
    entered = entering.enter(card, filled())
    digits = tokens.six_digits(entered.entry_id, 1, 1)

    done = confirming.confirm_by_code(entered.entry_id, f"{digits[:3]} {digits[3:]}")

    assert done.outcome is Outcome.CONFIRMED
    assert rows("SELECT confirm_method FROM entry") == [{"confirm_method": "code"}]


def test_five_wrong_codes_and_even_the_right_one_is_refused(card: CampaignCard) -> None:
    entered = entering.enter(card, filled())
    right = tokens.six_digits(entered.entry_id, 1, 1)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"

    for _ in range(5):
        with pytest.raises(Invalid):
            confirming.confirm_by_code(entered.entry_id, wrong)

    with pytest.raises(TooMany):
        confirming.confirm_by_code(entered.entry_id, right)


def test_a_code_is_good_for_fifteen_minutes(card: CampaignCard, clock: Clock) -> None:
    entered = entering.enter(card, filled())

    clock.forward(minutes=15, seconds=1)

    with pytest.raises(TooMany):
        confirming.confirm_by_code(entered.entry_id, tokens.six_digits(entered.entry_id, 1, 1))


@pytest.mark.parametrize(
    ("reason", "stays"), [(SuppressionReason.UNSUBSCRIBE, False), (SuppressionReason.COMPLAINT, True)]
)
def test_a_new_tick_takes_back_an_unsubscribe_but_never_a_complaint(
    card: CampaignCard, campaign: Campaign, reason: SuppressionReason, stays: bool
) -> None:
    make_suppression(make_contact(email="anna@mail.example", brand_id=campaign.brand_id), reason=reason)
    entered = entering.enter(card, filled(wants_marketing=True))

    confirming.confirm(entered.entry_id, 1, "button_post")

    assert bool(rows("SELECT 1 FROM suppression")) is stays


def test_one_mailbox_brings_its_referrer_points_once_however_often_it_is_erased(
    card: CampaignCard, campaign: Campaign
) -> None:
    ben = make_entry(campaign, email="ben@mail.example", confirmed=True)
    for _ in range(3):
        entered = entering.enter(card, filled(referral_code=ben.code))
        confirming.confirm(entered.entry_id, 1, "button_post")
        person.erase(entered.entry_id)
        db.session.commit()

    lines = rows("SELECT 1 FROM ledger WHERE entry_id = %(id)s AND kind = 'referral'", id=ben.id)
    assert len(lines) == 1
    assert len(rows("SELECT 1 FROM fact WHERE name = 'referral.counted'")) == 1


def test_a_tick_from_before_an_unsubscribe_does_not_undo_it(card: CampaignCard, campaign: Campaign) -> None:
    make_contact(email="anna@mail.example", brand_id=campaign.brand_id)
    entered = entering.enter(card, filled(wants_marketing=True))
    contacts.unsubscribe(db.session.get_one(Entry, entered.entry_id).contact_id, "one-click")
    db.session.commit()

    confirming.confirm(entered.entry_id, 1, "button_post")

    assert rows("SELECT reason FROM suppression") == [{"reason": "unsubscribe"}]
    assert rows("SELECT marketing_at FROM contact") == [{"marketing_at": None}]


def test_an_answered_mail_shows_that_the_mailbox_lives(card: CampaignCard, campaign: Campaign) -> None:
    make_suppression(
        make_contact(email="anna@mail.example", brand_id=campaign.brand_id), reason=SuppressionReason.HARD_BOUNCE
    )
    entered = entering.enter(card, filled())

    confirming.confirm(entered.entry_id, 1, "button_post")

    assert rows("SELECT 1 FROM suppression") == []


def _evidence() -> dict[str, object]:
    [row] = rows("SELECT channel, evidence FROM consent WHERE action = 'confirmed' AND purpose = 'rules'")
    return {"channel": row["channel"]} | row["evidence"]


def test_mail_27_the_evidence_names_the_mail_when_it_left_and_when_it_arrived(card: CampaignCard, clock: Clock) -> None:
    entered = entering.enter(card, filled())
    [message] = rows("UPDATE message SET status = 'delivered', sent_at = created_at RETURNING opaque_id, sent_at")
    clock.forward(seconds=30)
    event = {"event": "delivered", "m": str(message["opaque_id"]), "sg_event_id": "one"}
    receipts.store([event])
    clock.forward(minutes=4)

    confirming.confirm(entered.entry_id, 1, "cookie_post")

    evidence = _evidence()
    assert (evidence["channel"], evidence["method"], evidence["generation"]) == ("confirm page", "cookie_post", 1)
    assert evidence["doi_message"] == str(message["opaque_id"])
    sent, arrived = (datetime.fromisoformat(str(evidence[key])) for key in ("doi_sent_at", "doi_delivered_at"))
    assert sent == message["sent_at"]
    assert timedelta(seconds=29) < arrived - sent < timedelta(seconds=60)
    [entry] = rows("SELECT created_at, confirmed_at FROM entry")
    assert datetime.fromisoformat(str(evidence["asked_at"])) == entry["created_at"]
    assert entry["confirmed_at"] - sent > timedelta(minutes=4)


def test_of_several_mails_the_evidence_names_the_latest_that_left(card: CampaignCard, clock: Clock) -> None:
    entered = entering.enter(card, filled())
    for _ in range(2):
        rows("UPDATE message SET status = 'accepted', sent_at = created_at RETURNING id")
        clock.forward(minutes=6)
        waiting.resend(entered.entry_id)
        db.session.commit()

    confirming.confirm(entered.entry_id, 1, "button_post")

    mails = rows("SELECT opaque_id FROM message WHERE lane = 'confirmation' ORDER BY id")
    assert _evidence()["doi_message"] == str(mails[1]["opaque_id"])
    assert "doi_delivered_at" not in _evidence()


def test_a_mail_to_the_address_before_the_correction_proves_nothing(card: CampaignCard) -> None:
    entered = entering.enter(card, filled())
    rows("UPDATE message SET status = 'delivered', sent_at = created_at RETURNING id")
    correcting.correct(card, entered.entry_id, address.parse("dora@mail.example"))

    confirming.confirm(entered.entry_id, 2, "code")

    assert "doi_message" not in _evidence()
    assert (_evidence()["channel"], _evidence()["generation"]) == ("code", 2)


def test_a_link_from_before_brings_nobody_back_and_records_no_consent(card: CampaignCard) -> None:
    entered = entering.enter(card, filled(wants_marketing=True))
    contacts.unsubscribe(db.session.get_one(Entry, entered.entry_id).contact_id, "one-click")
    db.session.commit()

    confirming.confirm(entered.entry_id, 1, "button_post", {"ip": "192.0.2.9", "user_agent": "A phone"})

    acts = rows("SELECT purpose, evidence FROM consent WHERE action = 'confirmed'")
    assert [act["purpose"] for act in acts] == ["rules"]
    assert rows("SELECT marketing_at FROM contact") == [{"marketing_at": None}]
    said = acts[0]["evidence"]
    assert (said["ip"], said["user_agent"], said["email"]) == ("192.0.2.9", "A phone", "anna@mail.example")
    assert said["email_hash"] == address.address_hash("anna@mail.example").hex()
