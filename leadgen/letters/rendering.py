"""From templates, a campaign's texts and a marketer's words to a letter that is compiled once and filled per person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from leadgen.campaigns import sharing
from leadgen.campaigns.cards import BrandCard, CampaignCard
from leadgen.core import i18n, links, settings
from leadgen.core.errors import NotFound
from leadgen.letters import colour, kinds, logo, values, words
from leadgen.letters.kinds import Letter
from leadgen.letters.values import Recipient
from leadgen.letters.words import Filling

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "mail"
MARKER = re.compile(r"\[\[(_?[a-z_]+[0-9_]*(?::h)?)\]\]")
# Everything that ends a line somewhere, and signs that do not print: a header is one line.
_BLANKS = re.compile(r"[ \x00-\x1f\x7f\x85\u2028\u2029]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_KEPT = 500  # compiled letters kept in one process
_PARTS = ("subject.txt", "body.txt", "body.html")


@dataclass(frozen=True, slots=True)
class OwnWords:
    """A marketer’s words for one letter; empty texts keep the standard ones."""

    subject: str = ""
    preheader: str = ""
    heading: str = ""
    body: str = ""
    button: str = ""
    url: str = ""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> OwnWords:
        """The words as steps and broadcasts keep them, by field."""
        return cls(**{name: str(stored.get(name) or "") for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Compiled:
    """A letter of one campaign in one language: complete but for the markers, which are each person's own."""

    letter: Letter
    locale: str
    brand: BrandCard
    subject: str
    text: str
    html: str
    markers: tuple[str, ...]
    list_id: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter as one person gets it."""

    subject: str
    html: str
    text: str


_Key = tuple[int, int, BrandCard, str, str, int, OwnWords]
_compiled: dict[_Key, Compiled] = {}


def compiled(card: CampaignCard, letter: str, locale: str, own: OwnWords, step_id: int = 0) -> Compiled:
    """The compiled letter, made at most once for each version of campaign, step and words in this process.

    Raises NotFound for a letter that the catalogue does not name.
    """
    if letter not in kinds.ALL:
        raise NotFound(letter)
    key = (card.id, card.version, card.brand, letter, locale, step_id, own)
    if key not in _compiled:
        if len(_compiled) >= _KEPT:
            _compiled.clear()
        _compiled[key] = _compile(card, kinds.ALL[letter], locale, own)
    return _compiled[key]


def insert(template: str, filled: Mapping[str, str]) -> str:
    """The template with each marker replaced by the person's value, in one pass: no value is looked into again."""
    return MARKER.sub(lambda match: filled[match[1]], template)


def render(letter: Compiled, card: CampaignCard, recipient: Recipient) -> Rendered:
    """The whole letter for one person (previews, SMTP and files; SendGrid fills in the values itself)."""
    filled = values.fill(letter.markers, recipient, card, letter.locale)
    return Rendered(insert(letter.subject, filled), insert(letter.html, filled), insert(letter.text, filled))


def warm() -> None:
    """Load all templates now: a worker does it once, so that the processes that it forks need not."""
    for letter in kinds.ALL:
        for locale in i18n.LOCALES:
            for part in _PARTS:
                _environment().get_template(f"{letter}/{locale}/{part}")


def _compile(card: CampaignCard, letter: Letter, locale: str, own: OwnWords) -> Compiled:
    code = locale if locale in i18n.LOCALES else i18n.DEFAULT_LOCALE
    with i18n.speaking(code):
        filling = Filling(values.campaign_words(card, code), values.PERSONAL)
        plain = _context(card, letter, code, own, filling, is_html=False)
        marked = _context(card, letter, code, own, filling, is_html=True)
        # Plain blanks only: those that do not break belong to French typography.
        subject = _BLANKS.sub(" ", _part(letter, code, "subject.txt", plain)).strip()
        text = _BLANK_LINES.sub("\n\n", _part(letter, code, "body.txt", plain)).strip() + "\n"
        html = _inliner().inline(_part(letter, code, "body.html", marked))
    subject, text, html = (words.settled(part) for part in (subject, text, html))
    found = {match[1] for template in (subject, text, html) for match in MARKER.finditer(template)}
    markers = tuple(sorted(found))
    return Compiled(letter, code, card.brand, subject, text, html, markers, _list_id(card, letter))


def _part(letter: Letter, locale: str, part: str, context: dict[str, Any]) -> str:
    return _environment().get_template(f"{letter.name}/{locale}/{part}").render(context)


def _context(
    card: CampaignCard, letter: Letter, locale: str, own: OwnWords, filling: Filling, *, is_html: bool
) -> dict[str, Any]:
    """What templates may speak of: the card, fixed words, the marketer's own, and `to`, the markers of the person."""
    fill = filling.html if is_html else filling.text
    texts: dict[str, Any] = {name: fill(getattr(own, name)) for name in ("subject", "preheader", "heading", "button")}
    texts["body"] = filling.paragraphs(own.body) if is_html else filling.text(own.body)
    texts["url"] = filling.text(own.url) if words.is_web_address(own.url) else ""
    names = values.PERSONAL
    to = {name: words.draft(name, html=is_html) for name in names}
    return {
        "card": card,
        "brand": card.brand,
        "letter": letter,
        "locale": locale,
        "play": _play(card.leading.value, locale),
        "worth": sharing.worth(card),
        "own": texts,
        "fixed": filling.fixed,
        "to": {name: Markup(marker) for name, marker in to.items()} if is_html else to,  # noqa: S704 - our own markers
        "look": colour.look(card.brand.accent),
        "logo": logo.logo(card.brand.logo),
        "rules_words": card.text("consent_rules", locale),
        "landing": links.landing(card.slug),
        "rules_link": links.absolute(f"/c/{card.slug}/rules"),
    }


@cache
def _play(mechanic: str, locale: str) -> dict[str, str]:
    """How letters of one kind of contest call what people take part in, and what their page shows them."""
    names = _environment().get_template(f"_play.{locale}.txt").make_module()
    return {**names.play["draw"], **names.play[mechanic]}  # type: ignore[attr-defined]


def _list_id(card: CampaignCard, letter: Letter) -> str:
    """The List-ID of marketing mails: one list for each campaign."""
    if not letter.is_marketing:
        return ""
    host = urlsplit(settings.get().base_url).hostname or "localhost"
    return f"<{card.slug}.{host}>"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["day"] = i18n.format_date
    return environment


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)
