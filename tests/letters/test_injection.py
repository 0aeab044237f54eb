"""What people and marketers type stays words: no header, no template, no markup, no second look."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from typing import Any

import pytest

from leadgen.campaigns.cards import CampaignCard
from leadgen.letters import rendering, samples
from leadgen.letters.rendering import OwnWords
from leadgen.mail import delivery
from leadgen.mail.providers.compose import compose
from leadgen.mail.providers.interface import Batch

STANDARD = OwnWords()
BREAKS = [
    "\r\nBcc: victim@mail.example",
    "\nBcc: victim@mail.example",
    "\r\n\r\n<b>body</b>",
    "\u2028Bcc: x",
    "\x0bBcc: x",
]
LANGUAGES = [
    "{{ 7 * 7 }}",
    "{% for x in [1] %}x{% endfor %}",
    "{{ config }}",
    "${7*7}",
    "<%= 7 * 7 %>",
    "{{ ''.__class__ }}",
]


def sent(card: CampaignCard, own: OwnWords = STANDARD, letter: str = "welcome", **person: Any) -> Any:
    """The mail as bytes on the wire, read again by the standard library."""
    compiled = rendering.compiled(card, letter, "en", own)
    who = replace(samples.person(card, letter, "en"), opaque_id="o", **person)
    raw = compose(Batch(compiled, []), delivery.parcel(who, compiled, card)).as_bytes()
    return message_from_bytes(raw, policy=policy.default)  # type: ignore[arg-type]


def body_of(message: Any, kind: str) -> str:
    """The body without the signs that have no width."""
    return str(message.get_body(preferencelist=(kind,)).get_content()).replace("\u2060", "")


@pytest.mark.parametrize("typed", BREAKS)
@pytest.mark.parametrize("field", ["subject", "heading"])
def test_no_word_of_a_marketer_becomes_a_header(card: CampaignCard, field: str, typed: str) -> None:
    """H04, H05: line breaks in what ends up in a subject."""
    letter = "broadcast" if field == "heading" else "welcome"  # without a subject, a broadcast takes its heading
    message = sent(card, OwnWords(**{field: "Hello" + typed}), letter)
    assert message["Bcc"] is None
    assert message["Subject"].startswith("Hello")
    assert len(message["Subject"].splitlines()) == 1
    assert set(message.keys()) <= {
        "Date", "From", "To", "Reply-To", "Subject", "Message-ID", "MIME-Version", "Content-Type",
        "List-Unsubscribe", "List-Unsubscribe-Post", "List-ID",
    }  # fmt: skip


@pytest.mark.parametrize("typed", BREAKS)
def test_no_first_name_becomes_a_header(card: CampaignCard, typed: str) -> None:
    message = sent(card, OwnWords(subject="Hello {first_name}"), first_name="Anna" + typed)
    assert message["Bcc"] is None
    assert len(message["Subject"].splitlines()) == 1
    assert message["To"] == "anna@example.com"


@pytest.mark.parametrize("name", ["{link}", "{first_name}", "[[link]]", "[[unsubscribe_link]]", "[[first_name:h]]"])
def test_placeholders_within_a_name_are_never_filled_in(card: CampaignCard, name: str) -> None:
    message = sent(card, OwnWords(subject="Hello {first_name}", body="Dear {first_name}"), first_name=name)
    assert message["Subject"] == "Hello"
    assert "Dear" in body_of(message, "plain").splitlines()


def test_placeholders_within_a_campaigns_words_are_never_filled_in(card: CampaignCard) -> None:
    """A title that looks like a marker is a title."""
    texts = {code: words | {"title": "Win {link} [[code]] now"} for code, words in card.texts.items()}
    message = sent(replace(card, texts=texts, version=card.version + 1), OwnWords(body="Play {campaign}"))
    assert "Play Win {link} [[code]] now" in body_of(message, "plain")
    assert "Play Win {link} [[code]] now" in body_of(message, "html")


def test_markers_that_a_marketer_types_stay_text(card: CampaignCard) -> None:
    message = sent(card, OwnWords(subject="S [[code]]", body="B [[refuse_link]] and [[nothing]]"))
    assert message["Subject"].replace("\u2060", "") == "S [[code]]"
    for kind in ("plain", "html"):
        assert "B [[refuse_link]] and [[nothing]]" in body_of(message, kind)


@pytest.mark.parametrize("typed", LANGUAGES)
def test_template_language_stays_text(card: CampaignCard, typed: str) -> None:
    """H03, M14: marketers have placeholders by name, and nothing that runs."""
    message = sent(card, OwnWords(subject=f"S {typed}", heading=typed, body=f"B {typed}", button=typed))
    assert message["Subject"] == f"S {typed}"
    assert f"B {typed}" in body_of(message, "plain")


@pytest.mark.parametrize("field", ["subject", "preheader", "heading", "body", "button"])
def test_markup_is_escaped(card: CampaignCard, field: str) -> None:
    typed = "<img src=x onerror=alert(1)><a href='javascript:x'>y</a>\"'&amp;"
    html = body_of(sent(card, OwnWords(**{field: typed}), "broadcast"), "html")
    assert "<img" not in html
    assert "javascript:x'>" not in html
    assert "onerror=alert(1)>" not in html
    assert "&lt;img src=x" in html


def test_an_address_cannot_leave_its_attribute(card: CampaignCard) -> None:
    html = body_of(
        sent(card, OwnWords(body='https://x.example/"onclick="alert(1) https://y.example/<b>'), "broadcast"), "html"
    )
    assert not re.search(r"<a[^>]*onclick", html)
    assert "<b>" not in html
