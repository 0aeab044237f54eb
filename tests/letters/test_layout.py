"""The one layout of all letters, as a browser shows it and as mail programs need it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Browser

from leadgen.campaigns.cards import CampaignCard
from leadgen.core.i18n import LOCALES
from leadgen.letters import checking, kinds, rendering, samples
from leadgen.letters.rendering import OwnWords, Rendered

LONG = OwnWords(
    subject="Eighty characters of subject, so that it is cut on every telephone there is 12345",
    heading="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    body="Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 3 + " https://capsud.example/" + "x" * 150,
    button="Donaudampfschifffahrtselektrizitätenhauptbetriebswerk",
)


def rendered(card: CampaignCard, letter: str, locale: str, own: OwnWords) -> Rendered:
    return rendering.render(rendering.compiled(card, letter, locale, own), card, samples.person(card, letter, locale))


def with_logo(card: CampaignCard, name: str) -> CampaignCard:
    return replace(card, brand=replace(card.brand, logo=name))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_letter_is_wider_than_a_small_telephone(chromium: Browser, card: CampaignCard, scheme: str) -> None:
    """320 px, words without end: nobody scrolls sideways, and text is read at 16 px."""
    context = chromium.new_context(viewport={"width": 320, "height": 700}, color_scheme=scheme)
    page = context.new_page()
    for letter in kinds.ALL:
        page.set_content(rendered(with_logo(card, "escales"), letter, "fr", LONG).html)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, letter
        assert page.evaluate("getComputedStyle(document.querySelector('.paper p')).fontSize") == "16px"
        assert page.evaluate("document.querySelector('.button').getBoundingClientRect().height") >= 44
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_both_schemes(chromium: Browser, card: CampaignCard, scheme: str) -> None:
    """Contrast 4.5 of each text against the ground that it stands on, as a browser computes both."""
    context = chromium.new_context(viewport={"width": 640, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    for letter in kinds.ALL:
        page.set_content(rendered(card, letter, "en", LONG).html)
        assert page.evaluate(_FAINT) == [], letter
    context.close()


_FAINT = """() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
  const ground = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c } return 'rgb(255,255,255)' }
  return [...document.body.querySelectorAll('*')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length)
    .map(e => { const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x)
      return [(a + 0.05) / (b + 0.05), e.textContent.trim().slice(0, 40)] })
    .filter(([contrast]) => contrast < 4.5)
}"""


@pytest.mark.parametrize("letter", kinds.ALL)
@pytest.mark.parametrize("locale", LOCALES)
def test_mail_programs_get_what_they_need(card: CampaignCard, letter: str, locale: str) -> None:
    html = rendered(card, letter, locale, LONG).html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert re.findall(r"<table(?![^>]*role=\"presentation\")[^>]*>", html) == []
    assert html.count("<!--[if mso]>") == 3
    assert html.count("<![endif]-->") == 3
    assert re.search(r'<td class="button-cell"[^>]*bgcolor="#', html)


def test_the_preheader_is_hidden_and_pushes_the_letter_away_from_it(card: CampaignCard) -> None:
    html = rendered(card, "welcome", "en", OwnWords()).html
    found = re.search(r'<div class="preheader" style="([^"]*)">([^<]*)<span aria-hidden="true">', html)
    assert found is not None
    assert "display: none" in found[1]
    assert found[2] == "Your page, your points and your link to share."


def test_without_a_preheader_mailboxes_show_the_letter_itself(card: CampaignCard) -> None:
    assert "zwnj" not in rendered(card, "broadcast", "en", LONG).html
    assert 'class="preheader"' not in rendered(card, "broadcast", "en", LONG).html


def test_the_logo_has_words_and_is_the_same_for_everybody(card: CampaignCard) -> None:
    """One address for all, from us alone: it tells nothing about who opened the letter."""
    html = rendered(with_logo(card, "escales"), "welcome", "en", OwnWords()).html
    found = re.findall(r'<img[^>]*src="([^"]+)" alt="([^"]*)"', html)
    assert [words for _address, words in found] == ["Cap Sud", "Cap Sud"]
    assert all(
        re.fullmatch(r"http://localhost/static/pictures/[a-z-]+\.png\?v=[0-9a-f]+", one) for one, _words in found
    )
    assert checking.warnings(with_logo(card, "escales"), "welcome", {}) == []


@pytest.mark.parametrize("name", ["", "nothing", "../../x", "escales/../escales"])
def test_without_a_logo_the_brand_stands_as_text(card: CampaignCard, name: str) -> None:
    html = rendered(with_logo(card, name), "welcome", "en", OwnWords()).html
    assert "<img" not in html
    assert re.search(r'<td class="brand"[^>]*>Cap Sud</td>', html)


@pytest.mark.parametrize("letter", kinds.ALL)
@pytest.mark.parametrize("locale", LOCALES)
def test_plain_text_reads_well(card: CampaignCard, letter: str, locale: str) -> None:
    """Every link on a line of its own, no two empty lines; the way out and who we are at the foot."""
    own = OwnWords(subject="S", heading="H", body="B", button="Go") if not kinds.ALL[letter].editable else OwnWords()
    text = rendered(card, letter, locale, own).text
    assert "\n\n\n" not in text
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert [line for line in text.splitlines() if "http" in line and not line.startswith("http")] == []
    foot = text.split("\n--\n")[1]
    assert "12 quai des Brumes" in foot
    assert ("/unsubscribe/" in foot) == (kinds.ALL[letter].name not in {"confirm", "reminder"})


@pytest.mark.parametrize("letter", kinds.ALL)
@pytest.mark.parametrize("locale", LOCALES)
def test_standard_letters_are_small(card: CampaignCard, letter: str, locale: str) -> None:
    """Gmail cuts at 102 kB; ours are a tenth of that, so that a marketer's words have room."""
    compiled = rendering.compiled(with_logo(card, "escales"), letter, locale, OwnWords())
    assert checking.size_of(card, compiled) < 10_000


def test_a_thousand_mails_are_inlined_once(card: CampaignCard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inlining costs a hundred times what filling in costs; it happens once for each version of a letter."""
    calls = []
    inliner = rendering._inliner()

    class Counting:
        def inline(self, html: str) -> str:
            calls.append(1)
            return inliner.inline(html)

    monkeypatch.setattr(rendering, "_inliner", Counting)
    own = OwnWords(subject="Counted once")
    people = [replace(samples.person(card, "welcome", "en"), entry_id=number + 1) for number in range(1_000)]
    for person in people:
        rendering.render(rendering.compiled(card, "welcome", "en", own), card, person)
    assert len(calls) == 1
    rendering.compiled(replace(card, version=card.version + 1), "welcome", "en", own)
    assert len(calls) == 2
