"""A brand whose people differ in everything that a segment may ask for."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from leadgen.accounts.models import Brand
from leadgen.actions.models import DeedState
from leadgen.campaigns.models import ActionKind, Campaign, QuestionKind
from leadgen.contacts.models import ConsentAction, Contact, SuppressionReason
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.gallery.models import WorkState
from leadgen.letters.models import MailPurpose
from leadgen.mail.models import ClickKind
from leadgen.rewards.models import AwardState
from leadgen.scores import service as scores
from leadgen.scores.models import ContactScore
from leadgen.segments import fields
from leadgen.segments.catalogue import Catalogue
from leadgen.worth import refreshing
from leadgen.worth import service as worth
from tests import factories
from tests.factories_contest import make_action, make_award, make_deed, make_milestone, make_work

PEOPLE = 30
ZONES = ("", "Europe/Paris", "Europe/Brussels", "Asia/Calcutta", "Etc/UTC", "America/New_York")
DOMAINS = ("gmail.com", "Orange.fr", "mail.example", "élan.example")
QUESTIONS = {
    "city": (QuestionKind.TEXT, ["", "Nîmes", "nîmes-sur-mer", "Lyon", 5]),
    "month": (QuestionKind.CHOICE, ["may", "june", "july", ["may"]]),
    "likes": (QuestionKind.MANY, [[], ["sea"], ["sea", "snow"], "sea"]),
    "budget": (QuestionKind.NUMBER, [0, 5, 499.5, 500, "500", True]),
    "arrival": (QuestionKind.DATE, ["2027-05-01", "2027-05-31", "2026-12-31", "soon"]),
    "news": (QuestionKind.YES_NO, [True, False, "yes"]),
}
OPTIONS = {"month": ("may", "june", "july"), "likes": ("sea", "snow", "sun")}


class People(NamedTuple):
    """A brand, its fields, and everybody in it."""

    brand: Brand
    catalogue: Catalogue
    contacts: list[Contact]
    campaigns: list[Campaign]


@pytest.fixture
def people(context: None) -> People:
    """Thirty people of two contests, the same in every run; one more was erased, and one is another brand's."""
    dice = random.Random(7)
    brand = factories.make_brand(timezone="America/Sao_Paulo")
    campaigns = [factories.make_campaign(brand, questions=0, template=name) for name in ("quiz", "prize-draw")]
    for position, (key, (kind, _values)) in enumerate(QUESTIONS.items(), 1):
        options = [{"id": one, "texts": {"en": one.title(), "fr": one.title()}} for one in OPTIONS.get(key, ())]
        factories.make_question(campaigns[0], kind=kind, position=position, key=key, options=options)
    contacts = [_person(dice, brand, campaigns, number) for number in range(PEOPLE)]
    _scores(brand, contacts[: PEOPLE * 2 // 3])
    factories.make_contact(brand, erased_at=clock.now(), mailbox_key=None, address_hash=None)
    factories.make_contact(factories.make_brand())
    worth.set_prices(brand.id, "EUR", {"consent": 50, "entry": 100, "form": 0, "answer": 0, "goal": 0}, 50)
    db.session.commit()
    refreshing.work_out(brand.id)
    return People(brand, fields.of_brand(brand), contacts, campaigns)


def _scores(brand: Brand, contacts: list[Contact]) -> None:
    """Two of three people have numbers by the rules in force; one has some by older ones too."""
    dice, now = random.Random(8), clock.now()
    number = scores.ensure(brand.id).number

    def ago() -> Any:
        return now - timedelta(days=dice.choice([0, 10, 29, 31, 70, 179, 181]), seconds=dice.choice([1, 40_000]))

    for contact in contacts:
        row: dict[str, Any] = {"contact_id": contact.id, "brand_id": brand.id, "number": number, "scored_at": now}
        row |= {"fit": dice.choice([0, 1, 30, 60, 100]), "worth": dice.choice([-60.0, 0.0, 7.25, 41.5, 900.0])}
        row |= {
            "worth_at": ago(),
            "alive_at": ago(),
            "letters": dice.choice([0, 4, 9]),
            "reactions": dice.choice([0, 1]),
        }
        row |= {"fit_band": dice.choice("ABCD"), "engagement_band": dice.choice("1234")}
        db.session.add(ContactScore(**row))
        if contact is contacts[0]:
            db.session.add(ContactScore(**row | {"number": number + 1, "fit": 99, "fit_band": "A"}))


def _person(dice: random.Random, brand: Brand, campaigns: list[Campaign], number: int) -> Contact:
    now = clock.now()

    def ago() -> Any:
        return now - timedelta(days=dice.choice([0, 1, 6, 29, 30, 31, 200]), seconds=dice.choice([0, 40_000]))

    contact = factories.make_contact(
        brand,
        f"p{number}@{dice.choice(DOMAINS)}",
        first_name=dice.choice(["", "Zoé"]),
        locale=dice.choice(["en", "fr"]),
        timezone=dice.choice(ZONES),
        created_at=ago(),
        marketing_at=dice.choice([None, ago()]),
        email_verified_at=dice.choice([None, ago()]),
        last_inbound_at=dice.choice([None, ago()]),
        answers={key: dice.choice(values) for key, (_kind, values) in QUESTIONS.items() if dice.random() < 0.7},
    )
    if dice.random() < 0.3:
        factories.make_suppression(contact, reason=dice.choice(list(SuppressionReason)))
    if dice.random() < 0.3:
        factories.make_consent(contact, action=ConsentAction.WITHDRAWN, at=ago())
    for campaign in campaigns:
        if dice.random() < 0.7:
            _entry(dice, campaign, contact, ago)
    return contact


def _entry(dice: random.Random, campaign: Campaign, contact: Contact, ago: Any) -> None:
    known = db.session.query(Entry).filter_by(campaign_id=campaign.id).order_by(Entry.id.desc()).first()
    entry = factories.make_entry(
        campaign, contact, confirmed=dice.random() < 0.7, referrer=known if dice.random() < 0.5 else None
    )
    for _time in range(dice.choice([0, 0, 1, 3])):
        make_deed(entry, make_action(campaign), state=dice.choice([DeedState.DONE, DeedState.WAITING]))
    if dice.random() < 0.2:
        upload = make_action(campaign, kind=ActionKind.UPLOAD)
        make_work(entry, upload, state=dice.choice([WorkState.PUBLISHED, WorkState.WAITING]))
    if dice.random() < 0.2:
        make_award(entry, make_milestone(campaign), state=dice.choice([AwardState.EARNED, AwardState.REFUSED]))
    for _time in range(dice.choice([0, 1, 2])):
        purpose = dice.choice([MailPurpose.MARKETING, MailPurpose.SERVICE])
        message = factories.make_message(entry, purpose=purpose, sent_at=dice.choice([None, ago()]))
        if dice.random() < 0.5:
            factories.make_click(message, kind=dice.choice(list(ClickKind)), at=ago())
