"""What is wrong with a letter before anybody gets it: errors keep it from being activated, warnings only tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from html.parser import HTMLParser
from ipaddress import ip_address

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.checking import language
from leadgen.core import i18n, text
from leadgen.core.i18n import gettext as _
from leadgen.letters import kinds, rendering, samples, values, words
from leadgen.letters.kinds import Letter
from leadgen.letters.rendering import Compiled, OwnWords

# Gmail cuts a letter at 102 kB and hides its foot, where the way out stands.
LARGEST = 100_000
LONGEST_SUBJECT = 150
_GOOD_SUBJECT = 60  # characters that a telephone shows
_LITTLE_TEXT = 80  # characters; filters distrust a letter that is one button
_NEEDED = ("subject", "heading", "body", "button")
_WRITTEN = ("subject", "preheader", "heading", "body", "button", "url")
_NOTE = re.compile(r"\[[^\[\]]*\w\s+\w[^\[\]]*\]")
_FOREIGN = re.compile(r"\{\{|\{%|\*\||\|\*|%%\w+%%|<%")
_SHORTENERS = frozenset(
    {"bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "cutt.ly", "rb.gy", "shorturl.at"}
)  # fmt: skip
# What each kind of letter is good for; its template carries it, whatever the marketer writes.
_CARRIED = {"confirm": ("link", "code", "refuse_link"), "reminder": ("link", "refuse_link")}


class Level(StrEnum):
    """An error keeps the letter from being activated; a warning is advice."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend. `field` is a text of OwnWords or `letter`; the sentence names field and language."""

    field: str
    locale: str
    level: Level
    sentence: str


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One letter in one language, with what its other languages say."""

    card: CampaignCard
    letter: Letter
    locale: str
    own: OwnWords
    others: Collection[OwnWords]

    @property
    def is_free(self) -> bool:
        """Whether it has no standard words, so that the marketer writes all of it."""
        return not self.letter.editable

    def find(self, field: str, sentence: str, *, is_error: bool = False) -> Finding:
        where = _("%(field)s in %(language)s") % {"field": field_name(field), "language": language(self.locale)}
        said = _("%(where)s: %(what)s") % {"where": where, "what": sentence}
        return Finding(field, self.locale, Level.ERROR if is_error else Level.WARNING, said)


def warnings(
    card: CampaignCard, letter: str, own: Mapping[str, OwnWords], locales: Collection[str] = i18n.LOCALES
) -> list[Finding]:
    """Everything to mend in a letter that goes out in these languages, errors first, in the current language.

    `own` holds the marketer's words by language; a language that is missing has none. Raises KeyError for a letter
    that the catalogue does not name.
    """
    kind = kinds.ALL[letter]
    found: list[Finding] = []
    for locale in locales:
        others = [words for code, words in own.items() if code != locale and code in locales]
        sheet = _Sheet(card, kind, locale, own.get(locale, OwnWords()), others)
        found += [finding for check in _CHECKS for finding in check(sheet)]
    return sorted(found, key=lambda finding: finding.level is not Level.ERROR)


def errors(findings: Collection[Finding]) -> list[Finding]:
    """Those that keep a letter from being activated."""
    return [finding for finding in findings if finding.level is Level.ERROR]


def field_name(field: str) -> str:
    """What a part of a letter is called on the marketer's pages, in the current language."""
    return {
        "subject": _("Subject"),
        "preheader": _("Line beside the subject"),
        "heading": _("Heading"),
        "body": _("Text"),
        "button": _("Button"),
        "url": _("Where the button leads"),
        "letter": _("The whole letter"),
    }[field]


def _translations(sheet: _Sheet) -> Iterator[Finding]:
    """Words of one's own in one language and not in the other, or none at all where no standard ones exist."""
    for field in _NEEDED:
        if getattr(sheet.own, field).strip():
            continue
        if sheet.is_free:
            yield sheet.find(field, _("this is empty, and there are no standard words for it."), is_error=True)
        elif any(getattr(other, field).strip() for other in sheet.others):
            yield sheet.find(field, _("the standard words stay here, while the other language has yours."))
    if sheet.is_free and not sheet.own.preheader.strip():
        yield sheet.find("preheader", _("this is empty; mailboxes then show the first words of the letter."))


def _subject(sheet: _Sheet) -> Iterator[Finding]:
    subject = sheet.own.subject.strip()
    if len(subject) > LONGEST_SUBJECT:
        sentence = _("this is too long, at most %(most)d characters.") % {"most": LONGEST_SUBJECT}
        yield sheet.find("subject", sentence, is_error=True)
    elif len(_filled(sheet, subject)) > _GOOD_SUBJECT:
        sentence = _("telephones cut it after about %(most)d characters.") % {"most": _GOOD_SUBJECT}
        yield sheet.find("subject", sentence)
    for field in ("subject", "heading"):
        typed = words.without_placeholders(getattr(sheet.own, field))
        if sum(c.isalpha() for c in typed) > 5 and typed.upper() == typed and typed.lower() != typed:
            yield sheet.find(field, _("capitals only read like shouting, and filters take them for spam."))
        if typed.count("!") + typed.count("?") > 2 or "!!" in typed:
            yield sheet.find(field, _("so many exclamation marks look like spam."))
        if getattr(sheet.own, field).strip() and not typed:
            yield sheet.find(field, _("this may come out empty: not everybody gave a first name."))


def _placeholders(sheet: _Sheet) -> Iterator[Finding]:
    known = sheet.letter.placeholders
    fixed = values.campaign_words(sheet.card, sheet.locale)
    for field in _WRITTEN:
        typed = getattr(sheet.own, field)
        for name in words.unknown(typed, known):
            sentence = _("{%(name)s} is no placeholder that this letter knows.") % {"name": name}
            yield sheet.find(field, sentence, is_error=True)
        for name in dict.fromkeys(words.placeholders(typed)):
            if name in known and fixed.get(name) == "":
                yield sheet.find(field, _("{%(name)s} is empty in this campaign.") % {"name": name})


def _left_overs(sheet: _Sheet) -> Iterator[Finding]:
    for field in _WRITTEN:
        typed = getattr(sheet.own, field)
        if note := _NOTE.search(typed):
            sentence = _("a note to yourself is still there, “%(note)s”.") % {"note": note.group()[:60]}
            yield sheet.find(field, sentence, is_error=True)
        if _FOREIGN.search(typed):
            yield sheet.find(field, _("signs of another tool’s placeholders stay as they are; write {first_name}."))


def _links(sheet: _Sheet) -> Iterator[Finding]:
    url = sheet.own.url.strip()
    if url and not words.is_web_address(url):
        yield sheet.find("url", _("this is no address of the web."), is_error=True)
    for field in ("body", "heading", "url"):
        for address in words.addresses(getattr(sheet.own, field)):
            if sentence := _distrust(address):
                yield sheet.find(field, sentence % {"address": address[:80]})


def _distrust(address: str) -> str:
    """Why readers and filters distrust this address, or nothing."""
    parts = text.address_parts(address)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https":
        return _("%(address)s is not encrypted; use an address that starts with https://.")
    if host.removeprefix("www.") in _SHORTENERS:
        return _("%(address)s hides where it leads; filters distrust shortened addresses.")
    try:
        ip_address(host)
    except ValueError:
        return _("%(address)s holds a name before an @; that is how deceivers write.") if "@" in parts.netloc else ""
    return _("%(address)s is a number instead of a name; filters distrust it.")


def _body(sheet: _Sheet) -> Iterator[Finding]:
    typed = sheet.own.body.strip()
    if typed and len(typed) < _LITTLE_TEXT:
        yield sheet.find("body", _("there is little text beside the button; filters like a few sentences more."))


def _whole(sheet: _Sheet) -> Iterator[Finding]:
    """The letter as it is put together: what it must carry, how large it is, and pictures without words."""
    compiled = rendering.compiled(sheet.card, sheet.letter.name, sheet.locale, sheet.own)
    if missing := [name for name in carried(sheet.letter) if not _stands_in(compiled, name)]:
        sentence = _("it has lost what it must carry: %(names)s.") % {"names": ", ".join(missing)}
        yield sheet.find("letter", sentence, is_error=True)
    size = size_of(sheet.card, compiled)
    if size > LARGEST:
        sentence = _("it is %(size)d kB large; above %(most)d kB Gmail cuts it, and with it the way to unsubscribe.")
        found = {"size": size // 1000, "most": LARGEST // 1000}
        yield sheet.find("letter", sentence % found, is_error=True)
    if _Pictures.without_words(compiled.html):
        yield sheet.find("letter", _("a picture has no words for people who do not see it."), is_error=True)


def carried(letter: Letter) -> tuple[str, ...]:
    """The person's own values that a letter must hold in HTML and in plain text."""
    return ("unsubscribe_link",) if letter.is_marketing else _CARRIED.get(letter.name, ("link",))


def size_of(card: CampaignCard, compiled: Compiled) -> int:
    """The bytes of the letter's HTML as a person gets it."""
    person = samples.person(card, compiled.letter.name, compiled.locale)
    return len(rendering.render(compiled, card, person).html.encode())


def _stands_in(compiled: Compiled, name: str) -> bool:
    return all(words.marker(name) in part for part in (compiled.html, compiled.text))


def _filled(sheet: _Sheet, typed: str) -> str:
    """The words as long as a person may read them."""
    filling = words.Filling(values.campaign_words(sheet.card, sheet.locale), ("first_name",))
    return filling.text(typed).replace(words.draft("_first_name"), " Anna").replace(words.draft("first_name"), "Anna")


class _Pictures(HTMLParser):
    """Looks for pictures that say nothing to who cannot see them."""

    def __init__(self) -> None:
        super().__init__()
        self.is_silent = False

    @classmethod
    def without_words(cls, html: str) -> bool:
        """Whether some picture has no alternative text."""
        parser = cls()
        parser.feed(html)
        return parser.is_silent

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one picture."""
        if tag == "img" and not (dict(attrs).get("alt") or "").strip():
            self.is_silent = True


_CHECKS: tuple[Callable[[_Sheet], Iterator[Finding]], ...] = (
    _translations, _subject, _placeholders, _left_overs, _links, _body, _whole,
)  # fmt: skip
