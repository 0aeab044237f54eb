"""Letters speak of what people take part in: a waiting list has places, a giveaway codes, a photo contest works."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Mechanic
from leadgen.core import i18n
from leadgen.core.i18n import LOCALES
from leadgen.letters import kinds, rendering, samples
from leadgen.letters.rendering import OwnWords

# What has no place in a letter of this kind, as whole words.
FOREIGN = {
    Mechanic.WAITLIST: {
        "en": "contest|rank|points?|entry|draw|prizes?",
        "fr": "jeu|concours|rang|points?|participation|lots?",
    },
    Mechanic.CODES: {"en": "contest|rank|points?|draw", "fr": "jeu|concours|rang|points?|tirage"},
    Mechanic.QUIZ: {"en": "contest|rank", "fr": "jeu|concours|rang"},
    Mechanic.VOTES: {"en": "rank|draw|points?", "fr": "jeu|rang|tirage|points?"},
    Mechanic.MILESTONES: {"en": "rank|draw|points?", "fr": "rang|tirage|points?"},
    Mechanic.DRAW: {"en": "rank", "fr": "rang"},
}
OWN = {
    Mechanic.WAITLIST: {"en": "place in line", "fr": "place dans la file"},
    Mechanic.CODES: {"en": "your code", "fr": "votre code"},
    Mechanic.QUIZ: {"en": "The quiz is on your page", "fr": "Le quiz est sur votre page"},
    Mechanic.VOTES: {"en": "how many votes", "fr": "combien de votes"},
    Mechanic.MILESTONES: {"en": "the next reward", "fr": "la prochaine récompense"},
    Mechanic.DRAW: {"en": "chances in the draw", "fr": "chances au tirage"},
    Mechanic.RANK: {"en": "your rank", "fr": "votre rang"},
}


def of_kind(card: CampaignCard, mechanic: Mechanic) -> CampaignCard:
    """The same contest played with one mechanic; its own words are made neutral, so that only ours are looked at."""
    texts = {code: {**found, "title": "Cap Sud", "consent_rules": "Cap Sud"} for code, found in card.texts.items()}
    quiz = frozenset({mechanic, Mechanic.DRAW} if mechanic is Mechanic.QUIZ else {mechanic})
    points = 0 if mechanic in {Mechanic.CODES, Mechanic.MILESTONES} else card.referral_points
    return replace(card, id=-len(mechanic), mechanics=quiz, texts=texts, referral_points=points)


def said(card: CampaignCard, letter: str, locale: str) -> str:
    person = samples.person(card, letter, locale)
    done = rendering.render(rendering.compiled(card, letter, locale, OwnWords()), card, person)
    return "\n".join((done.subject, done.text, re.sub(r"(?s)<style.*?</style>|<[^>]+>", " ", done.html)))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("mechanic", FOREIGN)
def test_no_letter_speaks_of_another_kind_of_contest(card: CampaignCard, mechanic: Mechanic, locale: str) -> None:
    foreign = re.compile(rf"\b({FOREIGN[mechanic][locale]})\b", re.IGNORECASE)
    played = of_kind(card, mechanic)
    found = {letter: foreign.findall(re.sub(r"https?://\S+", "", said(played, letter, locale))) for letter in kinds.ALL}
    assert {letter: words for letter, words in found.items() if words} == {}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("mechanic", OWN)
def test_the_welcome_says_what_the_page_shows(card: CampaignCard, mechanic: Mechanic, locale: str) -> None:
    assert OWN[mechanic][locale].casefold() in said(of_kind(card, mechanic), "welcome", locale).casefold()


def test_one_point_is_no_points(card: CampaignCard) -> None:
    letter = said(replace(card, id=-1, referral_points=1), "welcome", "en")
    assert "brings you 1 point." in letter
    assert "brings you 0" not in said(replace(card, id=-2, referral_points=0), "welcome", "en")


@pytest.mark.parametrize(
    ("locale", "until"), [("en", "You can claim it until "), ("fr", "Vous pouvez la demander jusqu’au ")]
)
def test_the_letter_says_until_when_the_reward_can_be_claimed(card: CampaignCard, locale: str, until: str) -> None:
    """In the reader's form of dates; nothing is said where a reward waits for ever."""
    person = samples.person(card, "reward_ready", locale)
    letter = rendering.compiled(card, "reward_ready", locale, OwnWords())

    for_ever = rendering.render(letter, card, replace(person, reward_until=None))
    timed = rendering.render(letter, card, person)
    with i18n.speaking(locale):
        assert person.reward_until is not None
        told = until + i18n.format_datetime(person.reward_until, card.timezone)
    assert told in timed.text
    assert told in timed.html
    assert until not in for_ever.text + for_ever.html


@pytest.mark.parametrize(
    ("locale", "good"),
    [("en", "Your code, good until 31 August 2090"), ("fr", "Votre code, valable jusqu’au 31 août 2090")],
)
def test_the_letter_says_until_when_the_code_is_good(card: CampaignCard, locale: str, good: str) -> None:
    """Beside the code, where no words of the marketer replace it; nothing is said of a code that stays good."""
    person = samples.person(card, "reward_code", locale)
    letter = rendering.compiled(card, "reward_code", locale, OwnWords())

    timed = rendering.render(letter, card, replace(person, code_until=date(2090, 8, 31)))
    for_ever = rendering.render(letter, card, replace(person, code_until=None))
    assert good in timed.text
    assert good in timed.html
    assert good.partition(", ")[2] not in for_ever.text + for_ever.html


@pytest.mark.parametrize(
    ("locale", "asks"), [("en", "We need your delivery address"), ("fr", "votre adresse de livraison")]
)
def test_the_letter_says_that_an_address_is_needed(card: CampaignCard, locale: str, asks: str) -> None:
    person = samples.person(card, "reward_ready", locale)
    letter = rendering.compiled(card, "reward_ready", locale, OwnWords())

    asked = rendering.render(letter, card, replace(person, is_address_asked=True))
    other = rendering.render(letter, card, replace(person, is_address_asked=False))
    assert asks in asked.text
    assert asks in asked.html
    assert asks not in other.text + other.html
