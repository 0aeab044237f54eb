"""Whatever people do and in whatever order: news only with a standing consent, and what blocks outlives erasure."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign
from leadgen.contacts import address, evidence
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact, SuppressionReason
from leadgen.core import ids
from leadgen.core.db import db
from leadgen.entries import confirming, entering, person
from leadgen.entries.models import Entry, EntryStatus
from leadgen.letters.models import Lane, MailPurpose
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.factories import make_campaign, make_message
from tests.mail.conftest import claimed, noon

__all__ = ["noon"]
DEEDS = ("sign_up", "sign_up_for_news", "confirm", "leave", "complain", "bounce", "refuse", "come_back", "erase")


class Life:
    """One mailbox, what it did, and what a careful clerk would have noted about it.

    The clerk knows the rules in their simplest form: a tick counts when its own entry is confirmed and nobody left
    between the two; leaving, complaining and refusing end it; some noes are for good.
    """

    def __init__(self, campaigns: list[Campaign]) -> None:
        self.email = f"life-{ids.public_id()}@mail.example".lower()
        self.hash = address.address_hash(address.parse(self.email).mailbox_key)
        self.campaigns = campaigns
        self.brand_id = campaigns[0].brand_id
        self.agreed = False  # a standing consent
        self.ticks: dict[int, bool] = {}  # waiting entry → may its tick still become consent?
        self.for_good: set[SuppressionReason] = set()

    def contact(self) -> Contact | None:
        return db.session.query(Contact).filter_by(brand_id=self.brand_id, address_hash=self.hash).one_or_none()

    def entries(self) -> list[Entry]:
        contact = self.contact()
        return db.session.query(Entry).filter_by(contact_id=contact.id).order_by(Entry.id).all() if contact else []

    def do(self, deed: str) -> None:
        getattr(self, deed)()
        db.session.commit()

    def sign_up(self, *, wants_marketing: bool = False) -> None:
        taken = {entry.campaign_id for entry in self.entries()}
        free = next((one for one in self.campaigns if one.id not in taken), None)
        if free is None:
            return
        entered = entering.enter(cards.by_id(free.id), filled(self.email, wants_marketing=wants_marketing))
        self.ticks[entered.entry_id] = wants_marketing

    def sign_up_for_news(self) -> None:
        self.sign_up(wants_marketing=True)

    def confirm(self) -> None:
        for entry in self.entries():
            if entry.status in {EntryStatus.PENDING, EntryStatus.BOUNCED}:
                confirming.confirm(entry.id, entry.generation, "button_post")
                self.agreed = self.agreed or self.ticks.pop(entry.id, False)
                return

    def leave(self) -> None:
        if contact := self.contact():
            contacts.unsubscribe(contact.id, "one-click")
            self.agreed = False
            self.ticks = dict.fromkeys(self.ticks, False)

    def complain(self) -> None:
        self._suppress(SuppressionReason.COMPLAINT)

    def refuse(self) -> None:
        self._suppress(SuppressionReason.REFUSED)

    def bounce(self) -> None:
        contacts.suppress(self.brand_id, self.hash, SuppressionReason.HARD_BOUNCE)

    def _suppress(self, reason: SuppressionReason) -> None:
        contacts.suppress(self.brand_id, self.hash, reason)
        self.agreed = False
        self.for_good.add(reason)

    def come_back(self) -> None:
        contact = self.contact()
        if contact is not None and contact.email_verified_at is not None:
            contacts.resubscribe(contact.id, "my page", {"wording": "Yes"})
            self.agreed = True

    def erase(self) -> None:
        if found := self.entries():
            person.erase(found[0].id)
            self.agreed, self.ticks = False, {}

    def kept(self) -> set[str]:
        found = rows("SELECT reason FROM suppression WHERE address_hash = %(hash)s", hash=self.hash)
        return {row["reason"] for row in found}

    def gets_news(self) -> bool:
        """Plan one letter for each confirmed entry and see whether the claim lets any of them go."""
        db.session.expire_all()
        going = False
        for entry in self.entries():
            if entry.status is EntryStatus.CONFIRMED:
                letter = make_message(entry, letter="sequence", lane=Lane.NURTURE, purpose=MailPurpose.MARKETING)
                going = going or letter.id in claimed(Lane.NURTURE)
                db.session.execute(text("DELETE FROM message WHERE lane = 'nurture'"))
                db.session.commit()
        return going


@pytest.fixture
def contests(context: None, noon: Clock) -> list[Campaign]:
    first = make_campaign()
    brand = db.session.get_one(Brand, first.brand_id)
    return [first, *(make_campaign(brand) for _ in range(3))]


@settings(max_examples=40)
@given(deeds=st.lists(st.sampled_from(DEEDS), min_size=3, max_size=9))
def test_news_only_with_a_standing_consent(contests: list[Campaign], clock: Clock, deeds: list[str]) -> None:
    life = Life(contests)
    for deed in deeds:
        clock.forward(seconds=1)
        life.do(deed)
        goes = life.gets_news()
        if goes:
            assert life.agreed, f"{deeds}: news without consent after {deed}"
            assert not life.for_good, f"{deeds}: news in spite of {life.for_good}"
        elif life.agreed and not life.for_good:
            assert life.kept() == {"hard_bounce"}, f"{deeds}: no news after {deed} because of {life.kept()}"
        kept = life.kept()
        assert life.for_good <= kept, f"{deeds}: {life.for_good - kept} lost after {deed}"
    while evidence.seal() is not None:
        db.session.commit()
    db.session.commit()
    assert evidence.verify(life.brand_id).is_whole


def test_what_blocks_outlives_erasure_and_a_new_sign_up(contests: list[Campaign], clock: Clock) -> None:
    life = Life(contests)
    for deed in ("sign_up_for_news", "confirm", "complain", "erase", "sign_up_for_news", "confirm"):
        clock.forward(seconds=1)
        life.do(deed)
    assert not life.gets_news()
    assert life.kept() == {"complaint"}


def test_leaving_is_taken_back_by_a_new_tick_that_is_confirmed_alone(contests: list[Campaign], clock: Clock) -> None:
    life = Life(contests)
    expected = [
        ("sign_up_for_news", False),
        ("confirm", True),
        ("leave", False),
        ("sign_up", False),
        ("confirm", False),
        ("sign_up_for_news", False),
        ("confirm", True),
    ]
    for deed, goes in expected:
        clock.forward(seconds=1)
        life.do(deed)
        assert life.gets_news() is goes, deed
