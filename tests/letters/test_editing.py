"""A marketer's own words: what is refused, whose words count when two write, and the way back."""

from __future__ import annotations

import pytest

from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.letters import editing
from leadgen.letters.rendering import OwnWords
from leadgen.mail import service as mail


def saved(campaign: Campaign, **words: str) -> None:
    editing.save(campaign, "welcome", {"en": words})
    db.session.commit()


def test_an_empty_text_brings_the_standard_back(campaign: Campaign) -> None:
    for subject in ("Mine", ""):
        saved(campaign, subject=subject)
    assert mail.preview(campaign.id, "welcome", "en").subject == "You are in: Win a week in Lisbon"
    assert editing.own_words(campaign.id, "welcome") == {}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("body", "Hi {frist_name}"),
        ("subject", "{unsubscribe_link}"),
        ("button", "x" * 61),
        ("subject", "x" * 151),
        ("heading", "x" * 151),
        ("body", "x" * 5_001),
        ("body", "x" * 100_000),
    ],
)
def test_words_with_unknown_placeholders_or_too_long_are_refused(campaign: Campaign, field: str, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        saved(campaign, **{field: text})
    assert refused.value.field == f"en-{field}"
    assert editing.own_words(campaign.id, "welcome") == {}


def test_a_confirmation_knows_no_advertising_placeholder(campaign: Campaign) -> None:
    with pytest.raises(Invalid, match="prize"):
        editing.save(campaign, "confirm", {"en": {"body": "Win {prize}"}})


@pytest.mark.parametrize("letter", ["nothing", "sequence", "broadcast"])
def test_only_letters_with_standard_words_are_edited_here(campaign: Campaign, letter: str) -> None:
    with pytest.raises(NotFound):
        editing.save(campaign, letter, {"en": {"subject": "S"}})
    with pytest.raises(NotFound):
        editing.own_words(campaign.id, letter)


def test_the_second_of_two_writers_is_told(campaign: Campaign) -> None:
    seen = editing.fingerprint(editing.own_words(campaign.id, "welcome"))
    saved(campaign, subject="The first one’s")
    with pytest.raises(Conflict):
        editing.save(campaign, "welcome", {"en": {"subject": "The second one’s"}}, seen=seen)
    assert editing.own_words(campaign.id, "welcome")["en"].subject == "The first one’s"
    now = editing.fingerprint(editing.own_words(campaign.id, "welcome"))
    editing.save(campaign, "welcome", {"en": {"subject": "The second one’s"}}, seen=now)
    assert editing.own_words(campaign.id, "welcome")["en"].subject == "The second one’s"


def test_a_reset_can_be_taken_back(campaign: Campaign) -> None:
    saved(campaign, subject="Mine", body="Long " * 900)
    key = editing.reset(campaign, "welcome")
    db.session.commit()
    assert editing.own_words(campaign.id, "welcome") == {}
    editing.restore(campaign, "welcome", key)
    db.session.commit()
    assert editing.own_words(campaign.id, "welcome") == {"en": OwnWords(subject="Mine", body=("Long " * 900).strip())}


def test_the_way_back_is_this_letters_alone(campaign: Campaign) -> None:
    saved(campaign, subject="Mine")
    key = editing.reset(campaign, "welcome")
    for letter, guess in (("confirm", key), ("welcome", "guess")):
        with pytest.raises(Conflict):
            editing.restore(campaign, letter, guess)
