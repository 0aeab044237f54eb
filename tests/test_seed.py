"""The seed: a complete, live, bilingual contest and a first login, once."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from leadgen import seed
from leadgen.accounts import service as accounts
from leadgen.accounts.models import Brand, Membership
from leadgen.broadcasts import audiences
from leadgen.broadcasts.audiences import Audience
from leadgen.campaigns import cards
from leadgen.campaigns.checking import missing_before_launch
from leadgen.campaigns.models import Campaign, CampaignStatus, QuestionKind, RulesVersion
from leadgen.contacts.models import Contact
from leadgen.core import clock, i18n
from leadgen.core import settings as product_settings
from leadgen.core.db import db
from leadgen.core.errors import NotAllowed
from leadgen.core.settings import Environment, Settings
from leadgen.entries import points
from leadgen.journal.models import Fact
from leadgen.mail import gates
from leadgen.nurture import sequences, versions

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def seeded(context: None) -> seed.Seeded:
    made = seed.seed_when_empty()
    assert made is not None
    db.session.commit()
    return made


def test_the_contest_is_live_and_nothing_is_missing(seeded: seed.Seeded) -> None:
    campaign = db.session.scalars(select(Campaign)).one()

    assert campaign.status is CampaignStatus.LIVE
    assert missing_before_launch(campaign) == []
    assert cards.by_slug(seeded.slug).is_open()
    assert (campaign.ends_at - campaign.starts_at).days in {60, 61}


def test_it_has_one_question_of_each_kind_and_three_prizes_with_a_value(seeded: seed.Seeded) -> None:
    card = cards.by_slug(seeded.slug)

    assert sorted(question.kind for question in card.questions) == sorted(QuestionKind)
    assert [prize.picture for prize in card.prizes] == ["prize-island", "prize-train", "prize-suitcase"]
    assert card.total_value == 1_306_000


def test_rules_and_versions_are_published(seeded: seed.Seeded) -> None:
    version = db.session.scalars(select(RulesVersion)).one()

    assert version.number == 1
    assert "Escales Voyages SAS" in version.snapshot["rules"]["fr"]
    assert "Une semaine à deux à La Réunion" in version.snapshot["rules"]["fr"]


def test_every_text_is_there_in_both_languages(seeded: seed.Seeded) -> None:
    campaign = db.session.scalars(select(Campaign)).one()
    sequence = sequences.sequence_of(campaign.id)

    assert set(campaign.texts) == set(i18n.LOCALES)
    assert all(campaign.texts["en"][key] and campaign.texts["fr"][key] for key in campaign.texts["en"])
    assert sequence is not None
    assert sequences.missing(sequence) == []
    published = versions.published(sequence)
    assert published is not None
    assert [letter.when for letter in published.letters()][2:] == [
        {"field": "answer.when", "op": "eq", "value": "this_year"},
        {"field": "answer.when", "op": "ne", "value": "this_year"},
    ]


def test_the_first_login_works_and_owns_the_brand(seeded: seed.Seeded) -> None:
    user = accounts.authenticate(seeded.email, seeded.password)

    assert user is not None
    assert db.session.scalars(select(Membership.user_id)).one() == user.id


def test_a_database_with_a_brand_is_left_alone(seeded: seed.Seeded) -> None:
    assert seed.seed_when_empty() is None
    assert db.session.scalar(select(func.count()).select_from(Brand)) == 1


def test_made_up_people_pass_the_audits_and_can_be_written_to(seeded: seed.Seeded) -> None:
    campaign = db.session.scalars(select(Campaign)).one()
    assert list(seed.add_people(25)) == [25]
    assert list(seed.add_people(5)) == [5]

    assert points.audit() == []
    points.forget()
    assert points.histogram(campaign.id).entrants == 30
    assert audiences.size(campaign.id, Audience()).people == 30
    assert db.session.scalar(select(func.count()).select_from(Fact).where(Fact.entry_id.is_not(None))) == 0
    emails = db.session.scalars(select(Contact.email)).all()
    assert all(str(email).endswith("@example.com") for email in emails)
    zone = db.session.scalars(select(Contact.timezone)).first()
    assert zone is not None
    assert gates.opening(clock.now(), ZoneInfo(zone)) is None


def test_nobody_is_made_up_in_production(seeded: seed.Seeded, settings: Settings) -> None:
    product_settings.use(replace(settings, environment=Environment.PRODUCTION))
    try:
        with pytest.raises(NotAllowed):
            list(seed.add_people(1))
    finally:
        product_settings.use(settings)
