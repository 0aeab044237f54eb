"""Creating, finding, copying and deleting campaigns."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from leadgen.authoring import pausing
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, CampaignStatus, Prize
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.letters.models import LetterText
from leadgen.mail import streams
from leadgen.mail.models import StreamState
from leadgen.nurture import sequences, versions
from leadgen.nurture.definition import to_data
from leadgen.reactions import drain
from tests.factories import make_brand, make_campaign, make_entry, make_letter_text, make_sequence
from tests.nurture.audience import make_tested

pytestmark = pytest.mark.usefixtures("context")


def test_a_new_campaign_is_a_draft_that_starts_tomorrow_at_nine_of_its_own_time() -> None:
    campaign = campaigns.create_from_template(make_brand(timezone="Indian/Reunion"), "prize-draw", name="Été à la mer")

    assert campaign.status is CampaignStatus.DRAFT
    assert campaign.slug == "ete-a-la-mer"
    assert campaign.rules_version == 0
    assert campaign.starts_at.isoformat().endswith("T09:00:00+04:00")
    assert campaign.ends_at.isoformat().endswith("T23:59:00+04:00")
    assert timedelta(0) < campaign.starts_at - clock.now() < timedelta(days=2)


def test_slugs_made_from_names_are_unique_among_all_brands() -> None:
    slugs = [campaigns.create_from_template(make_brand(), "prize-draw", name="Summer!").slug for _ in range(3)]

    assert slugs == ["summer", "summer-2", "summer-3"]


@pytest.mark.parametrize("slug", ["a", "Summer contest", "été", "-summer", "x" * 61, "a/b"])
def test_a_slug_that_is_no_slug(slug: str) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.create_from_template(make_brand(), "prize-draw", name="Summer", slug=slug)
    assert refused.value.field == "slug"


def test_a_slug_that_is_taken() -> None:
    make_campaign(slug="summer")

    with pytest.raises(Invalid, match="taken") as refused:
        campaigns.create_from_template(make_brand(), "prize-draw", name="Summer", slug="summer")
    assert refused.value.field == "slug"


def test_a_campaign_needs_a_name() -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.create_from_template(make_brand(), "prize-draw", name=" ")
    assert refused.value.field == "name"
    db.session.commit()
    assert db.session.scalars(select(Campaign)).all() == []


def test_a_brand_sees_its_own_campaigns_only() -> None:
    """Rule 8: another brand's record answers exactly as an absent one."""
    brand, other = make_brand(), make_brand()
    own, foreign = make_campaign(brand), make_campaign(other)

    assert campaigns.list_for([brand.id]) == [own]
    assert campaigns.get([brand.id], own.id) is own
    for absent in (foreign.id, 0):
        with pytest.raises(NotFound):
            campaigns.get([brand.id], absent)


def test_the_newest_campaign_comes_first() -> None:
    brand = make_brand()
    first, second = make_campaign(brand), make_campaign(brand)

    assert campaigns.list_for([brand.id]) == [second, first]


def test_the_new_campaign_gets_the_sequence_of_its_template() -> None:
    campaign = campaigns.create_from_template(make_brand(), "prize-draw", name="Summer")
    db.session.commit()

    drain()

    sequence = sequences.sequence_of(campaign.id)
    assert sequence is not None
    assert [step.key for step in sequence.steps] == ["welcome", "questions", "offers"]
    published = versions.published(sequence)
    assert published is not None
    assert [letter.when for letter in published.letters()][2] == {
        "field": "answer.interest",
        "op": "eq",
        "value": "offers",
    }


def test_the_reaction_may_run_twice() -> None:
    campaign = campaigns.create_from_template(make_brand(), "prize-draw", name="Summer")
    db.session.commit()
    fact = db.session.scalars(select(Fact).filter_by(name=FactName.CAMPAIGN_CREATED.value)).one()

    sequences.set_up_created([fact, fact])

    assert sequences.sequence_of(campaign.id) is not None


def test_a_copy_has_everything_but_people_and_a_life_of_its_own() -> None:
    """F1: duplicating copies everything but people, codes, ledger, statistics."""
    original = make_campaign(prizes=2, questions=2)
    make_entry(original, confirmed=True)
    sequence = make_sequence(original)
    make_letter_text(original, letter="welcome", locale="en", subject="Hello")
    original.questions[1].is_active = False

    twin = campaigns.duplicate(original, name="Summer again")
    db.session.commit()
    drain()

    assert (twin.status, twin.rules_version, twin.published_at) == (CampaignStatus.DRAFT, 0, None)
    assert twin.slug == "summer-again"
    assert [prize.texts for prize in twin.prizes] == [prize.texts for prize in original.prizes]
    assert [question.key for question in twin.questions] == [original.questions[0].key]
    assert twin.ends_at - twin.starts_at == original.ends_at - original.starts_at
    assert len(original.prizes) == 2
    copied = sequences.sequence_of(twin.id)
    assert copied is not None
    assert db.session.scalars(select(LetterText.subject).filter_by(campaign_id=twin.id)).all() == ["Hello"]
    assert [step.texts for step in copied.steps] == [step.texts for step in sequence.steps]


def test_a_copied_sequence_draws_its_tests_anew_and_stays_paused() -> None:
    """With the old seeds the same people would get the same side of both tests."""
    original = make_tested("a", "b")
    pausing.pause(original, "Ada")
    twin = campaigns.duplicate(db.session.get_one(Campaign, original.campaign_id), name="Summer again")
    db.session.commit()
    drain()

    copied = sequences.sequence_of(twin.id)
    assert copied is not None
    published = versions.published(copied)
    assert published is not None
    (letter,) = published.letters()
    assert letter.experiment not in {"", "e1"}
    assert copied.draft == to_data(published), "nothing is left to publish"
    assert copied.paused_at is not None
    assert streams.get(copied.stream_id).state is StreamState.PAUSED


def test_a_draft_can_be_deleted_with_its_parts() -> None:
    campaign = campaigns.create_from_template(make_brand(), "prize-draw", name="Summer")
    sequences.set_up(campaign)
    db.session.commit()

    campaigns.delete_draft(campaign)
    db.session.commit()

    assert db.session.scalars(select(Campaign)).all() == []
    assert db.session.scalars(select(Prize)).all() == []


@pytest.mark.parametrize("status", [status for status in CampaignStatus if status is not CampaignStatus.DRAFT])
def test_nothing_but_a_draft_can_be_deleted(status: CampaignStatus) -> None:
    """F1: only a draft can be deleted, others are archived."""
    with pytest.raises(Conflict):
        campaigns.delete_draft(make_campaign(status=status))
