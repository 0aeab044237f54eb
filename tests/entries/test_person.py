"""The person's page: standing, friends, and being forgotten."""

from __future__ import annotations

import pytest

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries import confirming, entering, person, points
from leadgen.entries.models import Entry, EntryStatus
from tests.entries.conftest import filled, rows
from tests.factories import make_click, make_entry, make_message, make_provider_event

CANARY = "Zyxwvutsrq"


def confirmed(card: CampaignCard, email: str, **values: object) -> int:
    entry_id = entering.enter(card, filled(email, **values)).entry_id
    confirming.confirm(entry_id, 1, "button_post")
    return entry_id


def code_of(entry_id: int) -> str:
    return str(rows("SELECT code FROM entry WHERE id = %(id)s", id=entry_id)[0]["code"])


def test_points_are_right_before_and_after_the_fold(card: CampaignCard) -> None:
    ben = confirmed(card, "ben@mail.example", first_name="Ben")
    confirmed(card, "anna@mail.example", referral_code=code_of(ben))
    entering.enter(card, filled("zoe@mail.example", first_name="Zoe", referral_code=code_of(ben)))
    expected = card.entry_points + card.referral_points

    before_fold = person.standing(ben, 1)
    assert before_fold.place is not None
    assert before_fold.place.entrants == 1
    assert (before_fold.points, before_fold.friends_counted) == (expected, 1)
    points.fold()
    points.forget()

    shown = person.standing(ben, 1)
    assert shown.place is not None
    assert (shown.points, shown.place.number, shown.place.entrants) == (expected, 1, 2)
    assert [(friend.first_name, friend.status) for friend in shown.friends] == [
        ("", EntryStatus.PENDING),
        ("Anna", EntryStatus.CONFIRMED),
    ]
    assert (shown.friends_counted, shown.friends_waiting) == (1, 1)


def test_an_older_access_version_opens_nothing(card: CampaignCard) -> None:
    ben = confirmed(card, "ben@mail.example")
    person.renew_access(ben)
    db.session.commit()

    with pytest.raises(NotFound):
        person.standing(ben, 1)
    assert person.standing(ben, 2).entry_id == ben


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Ben", "Ben"), ("  Marie  Ève ", "Marie Ève"), ("win at evil.example", ""), ("x" * 41, ""), ("a@b", "")],
)
def test_only_names_fit_for_strangers_are_shown_to_them(card: CampaignCard, name: str, shown: str) -> None:
    ben = confirmed(card, "ben@mail.example", first_name=name)

    card_of_ben = person.referrer(code_of(ben).lower())

    assert card_of_ben is not None
    assert (card_of_ben.first_name, card_of_ben.campaign_slug) == (shown, card.slug)


def test_a_waiting_person_is_nobodys_referrer(card: CampaignCard) -> None:
    entry_id = entering.enter(card, filled()).entry_id

    assert person.referrer(code_of(entry_id)) is None


def test_i13_after_erasure_nothing_personal_is_in_any_table(card: CampaignCard) -> None:
    entry_id = confirmed(
        card, f"{CANARY}@mail.example", first_name=CANARY, user_agent=CANARY, source={"utm_source": CANARY}, page=CANARY
    )

    _add_everything_that_names_them(entry_id)
    person.erase(entry_id)
    db.session.commit()

    tables = [row["name"] for row in rows("SELECT relname AS name FROM pg_stat_user_tables")]
    for table in tables:
        found = rows(f'SELECT 1 FROM "{table}" AS t WHERE t::text ILIKE %(word)s', word=f"%{CANARY}%")
        assert found == [], table
    with pytest.raises(NotFound):
        person.standing(entry_id, 2)


def _add_everything_that_names_them(entry_id: int) -> None:
    entry = db.session.get_one(Entry, entry_id)
    contacts.suppress_by_hand(entry.contact_id, by="Ada", note=f"{CANARY} wrote")
    contact = contacts.get(entry.contact_id)
    assert contact.address_hash is not None
    refusal = f"550 <{contact.email}> unknown"
    contacts.suppress(entry.brand_id, contact.address_hash, SuppressionReason.HARD_BOUNCE, refusal)
    message = make_message(entry)
    make_provider_event(message, payload={"reason": refusal, "email": contact.email}, applied_at=clock.now())
    make_click(message, evidence={"network": CANARY, "family": "Chromium"})


def test_an_erased_address_may_enter_again_as_somebody_new(card: CampaignCard) -> None:
    old = confirmed(card, "anna@mail.example")
    person.erase(old)
    db.session.commit()

    entered = entering.enter(card, filled("anna@mail.example"))

    assert entered.is_own
    assert entered.entry_id != old


def test_i21_unsubscribing_is_effective_at_once_and_may_be_repeated(card: CampaignCard, campaign: Campaign) -> None:
    entry = make_entry(campaign, email="ben@mail.example", confirmed=True, marketing=True)

    for _ in range(2):
        contacts.unsubscribe(entry.contact_id, "one-click")
        db.session.commit()

    assert rows("SELECT marketing_at FROM contact WHERE id = %(id)s", id=entry.contact_id) == [{"marketing_at": None}]
    assert len(rows("SELECT 1 FROM consent WHERE action = 'withdrawn'")) == 1
    assert rows("SELECT reason FROM suppression") == [{"reason": "unsubscribe"}]

    contacts.resubscribe(entry.contact_id, "my page", {"wording": "Yes"})
    db.session.commit()
    assert rows("SELECT 1 FROM suppression") == []
