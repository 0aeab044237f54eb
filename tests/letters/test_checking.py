"""What keeps a letter from being activated, and what only earns advice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import i18n
from leadgen.core.i18n import LOCALES
from leadgen.letters import checking, kinds, rendering
from leadgen.letters.checking import Finding, Level, warnings
from leadgen.letters.rendering import OwnWords

GOOD = OwnWords(
    subject="A week in Lisbon, and what it holds",
    preheader="Seven mornings by the river.",
    heading="Seven mornings by the river",
    body="Hello {first_name},\n\nhere is what the week holds: a boat, a kitchen, and a tram that climbs. {share_link}",
    button="See the week",
    url="https://capsud.example/lisbon",
)
BOTH = dict.fromkeys(LOCALES, GOOD)


def found(card: CampaignCard, letter: str = "broadcast", **changes: Any) -> list[Finding]:
    """What is said about the English words once they are changed."""
    return warnings(card, letter, {**BOTH, "en": replace(GOOD, **changes)})


def levels(findings: list[Finding]) -> list[tuple[str, str, Level]]:
    return [(finding.field, finding.locale, finding.level) for finding in findings]


@pytest.mark.parametrize("letter", [name for name, letter in kinds.ALL.items() if letter.editable])
def test_standard_words_are_faultless(card: CampaignCard, letter: str) -> None:
    assert warnings(card, letter, {}) == []


@pytest.mark.parametrize("letter", ["sequence", "broadcast"])
def test_good_words_are_faultless(card: CampaignCard, letter: str) -> None:
    assert warnings(card, letter, BOTH) == []


@pytest.mark.parametrize("field", ["subject", "heading", "body", "button"])
def test_a_missing_translation_blocks_where_there_are_no_standard_words(card: CampaignCard, field: str) -> None:
    assert levels(found(card, **{field: " "})) == [(field, "en", Level.ERROR)]


def test_a_language_without_any_words_is_missing(card: CampaignCard) -> None:
    findings = warnings(card, "broadcast", {"fr": GOOD})
    assert {finding.locale for finding in findings} == {"en"}
    assert [finding.field for finding in checking.errors(findings)] == ["subject", "heading", "body", "button"]
    assert warnings(card, "broadcast", {"fr": GOOD}, locales=("fr",)) == []


def test_own_words_in_one_language_only_are_told(card: CampaignCard) -> None:
    findings = warnings(card, "welcome", {"en": OwnWords(subject="You made it")})
    assert levels(findings) == [("subject", "fr", Level.WARNING)]


@pytest.mark.parametrize(
    ("changes", "field", "level"),
    [
        ({"subject": "x" * 151}, "subject", Level.ERROR),
        ({"subject": "A subject that goes on and on until no telephone shows the end of it"}, "subject", Level.WARNING),
        ({"subject": "WIN A WEEK NOW"}, "subject", Level.WARNING),
        ({"subject": "Win!!!"}, "subject", Level.WARNING),
        ({"heading": "ÉTÉ À LISBONNE"}, "heading", Level.WARNING),
        ({"heading": "{first_name}"}, "heading", Level.WARNING),
        ({"preheader": ""}, "preheader", Level.WARNING),
        ({"body": GOOD.body + " {frist_name}"}, "body", Level.ERROR),
        ({"button": "{code}"}, "button", Level.ERROR),
        ({"body": GOOD.body + " [Say here what the offer is.]"}, "body", Level.ERROR),
        ({"body": GOOD.body + " {{ contact.name }}"}, "body", Level.WARNING),
        ({"body": "Look here."}, "body", Level.WARNING),
        ({"body": GOOD.body + " http://capsud.example/x"}, "body", Level.WARNING),
        ({"url": "http://capsud.example/x"}, "url", Level.WARNING),
        ({"url": "https://bit.ly/x"}, "url", Level.WARNING),
        ({"url": "https://192.0.2.7/x"}, "url", Level.WARNING),
        ({"url": "https://capsud.example@evil.example/"}, "url", Level.WARNING),
        ({"url": "javascript:alert(1)"}, "url", Level.ERROR),
        ({"body": "word " * 25_000}, "letter", Level.ERROR),
    ],
)
def test_what_is_wrong_is_found_where_it_is(card: CampaignCard, changes: Any, field: str, level: Level) -> None:
    assert (field, "en", level) in levels(found(card, **changes))
    assert {finding.locale for finding in found(card, **changes)} == {"en"}


def test_a_placeholder_that_this_campaign_leaves_empty_is_told(card: CampaignCard) -> None:
    poor = replace(card, prizes=(), version=card.version + 1)
    findings = warnings(poor, "broadcast", BOTH | {"en": replace(GOOD, heading="Win {prize} this week")})
    assert levels(findings) == [("heading", "en", Level.WARNING)]


def test_errors_stand_first(card: CampaignCard) -> None:
    findings = found(card, preheader="", button="")
    assert [finding.level for finding in findings] == [Level.ERROR, Level.WARNING]
    assert checking.errors(findings) == findings[:1]


@pytest.mark.parametrize(
    ("letter", "marker"),
    [("confirm", "[[link]]"), ("confirm", "[[code]]"), ("reminder", "[[refuse_link]]"),
     ("welcome", "[[link]]"), ("sequence", "[[unsubscribe_link]]"), ("broadcast", "[[unsubscribe_link]]")],
)  # fmt: skip
@pytest.mark.parametrize("part", ["html", "text"])
def test_a_letter_that_lost_what_it_must_carry_is_held(
    card: CampaignCard, monkeypatch: pytest.MonkeyPatch, letter: str, marker: str, part: str
) -> None:
    """A marketing mail without its way out, or a confirmation without its link, never leaves."""
    compiled = rendering.compiled

    def broken(*arguments: Any) -> rendering.Compiled:
        whole = compiled(*arguments)
        return replace(whole, **{part: getattr(whole, part).replace(marker, "")})

    own = {} if kinds.ALL[letter].editable else BOTH
    monkeypatch.setattr(rendering, "compiled", broken)
    assert levels(warnings(card, letter, own)) == [("letter", code, Level.ERROR) for code in LOCALES]


def test_a_picture_needs_words(card: CampaignCard, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = rendering.compiled

    def pictured(*arguments: Any) -> rendering.Compiled:
        whole = compiled(*arguments)
        return replace(whole, html=whole.html.replace("</h1>", '</h1><img src="x.png" alt="">'))

    monkeypatch.setattr(rendering, "compiled", pictured)
    assert levels(warnings(card, "broadcast", BOTH)) == [("letter", code, Level.ERROR) for code in LOCALES]


def test_sentences_name_field_and_language_in_the_readers_own(card: CampaignCard) -> None:
    with i18n.speaking("fr"):
        (finding,) = found(card, button="")
    assert finding.sentence.startswith("Bouton en anglais\u00a0: ")
