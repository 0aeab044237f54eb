"""Letters as people get them: what must stand in each, and what must never get into one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign
from leadgen.core.i18n import LOCALES
from leadgen.letters import kinds, rendering, samples
from leadgen.letters.rendering import OwnWords, Rendered
from leadgen.mail import service as mail
from tests import texts
from tests.factories import fresh, make_broadcast

UNCONFIRMED = ("confirm", "reminder")


def look(campaign: Campaign, letter: str, locale: str) -> Rendered:
    own = OwnWords.of(texts.step(1)[locale]) if letter == "sequence" else None
    stream_id = make_broadcast(campaign).stream_id if letter == "broadcast" else 0
    return mail.preview(campaign.id, letter, locale, stream_id=stream_id, own=own)


def of(name: str, campaign: Campaign, *, first_name: str, **own: Any) -> Rendered:
    card = cards.by_id(campaign.id)
    sample = samples.person(card, name, "en")
    person = type(sample)(**{slot: getattr(sample, slot) for slot in sample.__slots__} | {"first_name": first_name})
    return rendering.render(rendering.compiled(card, name, "en", OwnWords(**own)), card, person)


@pytest.mark.parametrize("letter", kinds.ALL)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_letter_is_whole(campaign: Campaign, letter: str, locale: str) -> None:
    rendered = look(campaign, letter, locale)
    for part in (rendered.subject, rendered.html, rendered.text):
        assert not re.search(r"\[\[|\{\{|\{%|\bNone\b", part)
    assert "\n" not in rendered.subject
    assert f'<html lang="{locale}"' in rendered.html
    assert "Cap Sud SAS, 12 quai des Brumes" in rendered.html
    assert "12 quai des Brumes" in rendered.text
    assert len(rendered.html.encode()) < 100_000


@pytest.mark.parametrize("letter", kinds.ALL)
@pytest.mark.parametrize("locale", LOCALES)
def test_the_styles_are_inlined_and_dark_mode_is_kept(campaign: Campaign, letter: str, locale: str) -> None:
    html = look(campaign, letter, locale).html
    assert re.search(r'<h1[^>]* style="', html)
    assert "prefers-color-scheme: dark" in html
    assert "max-width: 560px" in html


@pytest.mark.parametrize("letter", kinds.ALL)
@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_loaded_and_nothing_is_tracked(campaign: Campaign, letter: str, locale: str) -> None:
    html = look(campaign, letter, locale).html
    assert not re.search(r"<img|<script|<link|url\(|@import|src=", html)


@pytest.mark.parametrize("letter", kinds.ALL)
def test_the_button_is_a_link_and_stands_again_as_text(campaign: Campaign, letter: str) -> None:
    html = look(campaign, letter, "en").html
    button = re.search(r'<a class="button" href="([^"]+)"', html)
    assert button is not None
    assert f">{button[1]}</a>" in html


@pytest.mark.parametrize("letter", UNCONFIRMED)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_confirmation_says_who_what_when_and_how_to_refuse(campaign: Campaign, letter: str, locale: str) -> None:
    """Who, which contest, date and source of the request, the exact words, link, “it wasn't me”."""
    rendered = look(campaign, letter, locale)
    texts = campaign.texts[locale]
    for part in (rendered.html, rendered.text):
        assert texts["title"] in part
        assert texts["consent_rules"] in part
        assert texts["consent_marketing"] in part
        assert "/confirm/" in part
        assert "/refuse/" in part
        assert "2026" in part or "2027" in part
        assert f"/c/{campaign.slug}" in part


@pytest.mark.parametrize("letter", UNCONFIRMED)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_confirmation_advertises_nothing(campaign: Campaign, letter: str, locale: str) -> None:
    rendered = look(campaign, letter, locale)
    for part in (rendered.html, rendered.text):
        assert "/unsubscribe/" not in part
        assert "/r/" not in part
        assert "/me/" not in part


def test_a_confirmation_has_the_code_in_preheader_and_body(campaign: Campaign) -> None:
    rendered = look(campaign, "confirm", "en")
    code = re.search(r"Your code: (\d{6})", rendered.html)
    assert code is not None
    assert re.search(rf'<p class="code"[^>]*>{code[1]}</p>', rendered.html)
    assert code[1] in rendered.text
    assert code[1] not in rendered.subject


def test_who_did_not_tick_marketing_is_not_told_that_they_did(campaign: Campaign) -> None:
    card = cards.by_id(campaign.id)
    sample = samples.person(card, "confirm", "en")
    slots = {slot: getattr(sample, slot) for slot in sample.__slots__}
    person = type(sample)(**slots | {"wants_marketing": False})
    rendered = rendering.render(rendering.compiled(card, "confirm", "en", OwnWords()), card, person)
    assert campaign.texts["en"]["consent_marketing"] not in rendered.html + rendered.text


@pytest.mark.parametrize("letter", [name for name in kinds.ALL if name not in UNCONFIRMED])
@pytest.mark.parametrize("locale", LOCALES)
def test_every_other_letter_can_be_left(campaign: Campaign, letter: str, locale: str) -> None:
    rendered = look(campaign, letter, locale)
    for part in (rendered.html, rendered.text):
        assert "/unsubscribe/" in part
        assert "/me/" in part


@pytest.mark.parametrize(
    "typed",
    ["Visit evil.example", "http://evil", "you won: click", "a@b", "A" * 41, "<b>Anna</b>", "[[link]]", "{link}"],
)
def test_only_names_get_into_letters(campaign: Campaign, typed: str) -> None:
    """A form must be no way to put words or links into our mails."""
    rendered = of("confirm", campaign, first_name=typed)
    assert "Hello," in rendered.text
    assert typed not in rendered.html + rendered.text


@pytest.mark.parametrize("name", ["Jean-François", "O’Neil", "D'Arc", "李雷", "अनिल", "Anna Maria"])
def test_names_of_all_kinds_are_greeted(campaign: Campaign, name: str) -> None:
    assert f"Hello {name}," in of("confirm", campaign, first_name=name).text


@pytest.mark.parametrize(("first_name", "greeting"), [("Anna", "Hello Anna,"), ("", "Hello,"), ("x.example", "Hello,")])
def test_a_greeting_without_a_name_still_reads(campaign: Campaign, first_name: str, greeting: str) -> None:
    rendered = of("confirm", campaign, first_name=first_name)
    assert greeting in rendered.text
    assert greeting in rendered.html


@pytest.mark.parametrize(
    ("words", "named", "nameless"),
    [
        ("Nice to meet you, {first_name}", "Nice to meet you, Anna", "Nice to meet you"),
        ("Hello {first_name}, look", "Hello Anna, look", "Hello, look"),
        ("At last, {first_name}, a word", "At last, Anna, a word", "At last, a word"),
        ("{first_name}", "Anna", ""),
    ],
)
def test_own_words_read_well_without_a_name(campaign: Campaign, words: str, named: str, nameless: str) -> None:
    for name, expected in (("Anna", named), ("", nameless)):
        rendered = of("sequence", campaign, first_name=name, subject=f"S: {words}", heading=words, body=words)
        assert rendered.subject == f"S: {expected}".strip()
        assert re.search(rf"<h1[^>]*>{re.escape(expected)}</h1>", rendered.html)


def test_marketers_words_are_no_template_language(campaign: Campaign) -> None:
    """Placeholders by name only; everything else stays what it is."""
    body = "{{ 7 * 7 }} {% for x in y %} <script>alert(1)</script> {prize} {first_name}"
    rendered = of("welcome", campaign, first_name="Anna", body=body)
    assert "{{ 7 * 7 }} {% for x in y %}" in rendered.text
    assert "<script" not in rendered.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in rendered.html
    assert campaign.prizes[0].texts["en"]["title"].lower() in rendered.text.lower()
    assert "Anna" in rendered.text


def test_a_prize_fits_into_a_sentence(campaign: Campaign) -> None:
    campaign.prizes[0].texts = {"en": {"title": "A week for two"}}
    fresh(campaign)
    cards.forget()
    body = "Win {prize}. {prize} is yours.\n\n{prize}"
    assert (
        "Win a week for two. A week for two is yours.\n\nA week for two"
        in of("welcome", campaign, first_name="Anna", body=body).text
    )


def test_an_unknown_placeholder_is_left_out(campaign: Campaign) -> None:
    """Editing refuses it; should one be there all the same, nobody reads braces."""
    rendered = of("welcome", campaign, first_name="Anna", body="Hello {frist_name}, well done")
    assert "Hello , well done" in rendered.text
    assert "frist" not in rendered.html


def test_own_words_replace_the_standard_ones_where_they_are(campaign: Campaign) -> None:
    rendered = of("welcome", campaign, first_name="Anna", subject="For {first_name}\nnow", button="Go & see")
    assert rendered.subject == "For Anna now"
    assert "Go &amp; see" in rendered.html
    assert "Your page shows your points" in rendered.html


def test_paragraphs_lines_and_addresses_of_own_words(campaign: Campaign) -> None:
    body = "One\nline\n\nTwo: https://capsud.example/a?b=1&c=2.\n\nYours: {share_link}"
    html = of("welcome", campaign, first_name="Anna", body=body).html
    assert re.search(r"<p[^>]*>One<br>\s*line</p>", html)
    assert 'href="https://capsud.example/a?b=1&amp;c=2"' in html
    assert re.search(r'Yours: <a class="link" href="http://localhost/sample/r/', html)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x", "nowhere at all"]
)
def test_a_button_leads_to_the_web_or_to_the_persons_page(campaign: Campaign, url: str) -> None:
    html = of("sequence", campaign, first_name="Anna", subject="S", body="B", url=url).html
    assert url not in html
    assert re.search(r'<a class="button" href="http://localhost/sample/me/', html)


def test_a_letter_is_compiled_once_for_each_version(campaign: Campaign) -> None:
    card = cards.by_id(campaign.id)
    first = rendering.compiled(card, "welcome", "en", OwnWords())
    assert rendering.compiled(card, "welcome", "en", OwnWords()) is first
    campaign.version += 1
    fresh(campaign)
    cards.forget()
    assert rendering.compiled(cards.by_id(campaign.id), "welcome", "en", OwnWords()) is not first
    assert rendering.compiled(card, "welcome", "en", OwnWords(body="other")) is not first


def test_values_are_not_looked_into_again() -> None:
    filled = {"a": "[[b]]", "b": "secret"}
    assert rendering.insert("[[a]]", filled) == "[[b]]"
