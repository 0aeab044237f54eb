"""The seeded sequence, from the confirmation to the mailbox: who gets which letter, when, and who gets none."""

from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from leadgen import seed
from leadgen.campaigns.models import Campaign
from leadgen.contacts import address
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.core.settings import Settings
from leadgen.entries.models import Entry
from leadgen.journal.vocabulary import FactName
from leadgen.mail import jobs as mail
from leadgen.nurture import jobs
from leadgen.reactions import drain
from tests.conftest import Clock
from tests.factories import make_entry, make_fact

pytestmark = pytest.mark.usefixtures("context")

WELCOME = "Bienvenue à bord : qui se cache derrière Escales"
INSPIRATION = "Sept jours à La Réunion, heure par heure"
THIS_YEAR = "Vous partez dans l’année : trois voyages à regarder dès maintenant"
SOME_DAY = "Les beaux voyages savent attendre, en voici un à garder"


@pytest.fixture
def campaign(context: None, clock: Clock) -> Campaign:
    """The seeded contest, seen at ten in the morning in Paris."""
    address.forget_installation()
    local = product_clock.now().astimezone(ZoneInfo("Europe/Paris"))
    ten = (local + timedelta(days=1)).replace(hour=10, minute=0, second=0)
    clock.forward(seconds=(ten - local).total_seconds())
    seed.seed_when_empty()
    db.session.commit()
    return db.session.scalars(select(Campaign)).one()


def _confirmed(campaign: Campaign) -> Entry:
    entry = make_entry(campaign, confirmed=True, marketing=True)
    make_fact(entry, FactName.ENTRY_CONFIRMED)
    return entry


def _live(clock: Clock, *, days: int) -> None:
    """Let the days pass as the scheduler would: look every twelve hours."""
    for _ in range(days * 2):
        drain()
        jobs.plan()
        mail.pump_mail()
        clock.forward(hours=12)


def _subjects(settings: Settings, entry: Entry) -> list[str]:
    db.session.expire_all()
    contact = db.session.get_one(Contact, entry.contact_id)
    letters = [message_from_bytes(p.read_bytes(), policy=policy.default) for p in Path(settings.mail_dir).glob("*.eml")]
    return sorted(str(letter["Subject"]) for letter in letters if str(contact.email) in str(letter["To"]))


def test_three_letters_follow_the_confirmation(campaign: Campaign, clock: Clock, settings: Settings) -> None:
    entry = _confirmed(campaign)
    _live(clock, days=2)
    assert _subjects(settings, entry) == [WELCOME]

    _live(clock, days=8)
    assert _subjects(settings, entry) == sorted([WELCOME, INSPIRATION, SOME_DAY])


def test_the_answer_decides_which_letter_is_the_third(campaign: Campaign, clock: Clock, settings: Settings) -> None:
    entry = _confirmed(campaign)
    _live(clock, days=3)
    db.session.get_one(Contact, entry.contact_id).answers = {"when": "this_year"}
    db.session.commit()

    _live(clock, days=7)
    assert _subjects(settings, entry) == sorted([WELCOME, INSPIRATION, THIS_YEAR])


def test_who_unsubscribes_gets_nothing_more(campaign: Campaign, clock: Clock, settings: Settings) -> None:
    entry = _confirmed(campaign)
    _live(clock, days=2)
    contacts.unsubscribe(entry.contact_id, "unsubscribe page")
    db.session.commit()

    _live(clock, days=8)
    assert _subjects(settings, entry) == [WELCOME]


def test_who_did_not_agree_gets_nothing(campaign: Campaign, clock: Clock, settings: Settings) -> None:
    entry = make_entry(campaign, confirmed=True, marketing=False)
    make_fact(entry, FactName.ENTRY_CONFIRMED)

    _live(clock, days=3)
    assert _subjects(settings, entry) == []
