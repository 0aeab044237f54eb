"""Marketers' words: text with placeholders by name, `{prize}`, and nothing that could be run."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from leadgen.core import text

# A placeholder takes what stands before it along, so that without a name “Hello {first_name},” reads “Hello,” and
# “Nice to meet you, {first_name}” reads “Nice to meet you”.
_PLACEHOLDER = re.compile(r"(?P<blank>(?:,?[ \u00a0\u202f])?)\{(?P<name>[a-z_]{1,40})\}")

_SECRET = secrets.token_hex(8)
_DRAFT = re.compile(f"\ue000{_SECRET}:(_?[a-z_]+(?::h)?)\ue001")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_PARAGRAPH = re.compile(r"\n\s*\n")
ADDRESSES = frozenset({"link", "share_link"})
# Values that somebody typed: in HTML they need a marker of their own, because they are escaped there.
TYPED = frozenset({"first_name", "_first_name", "_comma_first_name", "_marketing_words", "reward", "reward_code"})


@dataclass(frozen=True, slots=True)
class Filling:
    """What stands in for each placeholder: a campaign's own words, and markers that are replaced for each person."""

    fixed: Mapping[str, str]
    personal: Collection[str]

    def text(self, words: str) -> str:
        """The words for plain text and subjects."""
        return _PLACEHOLDER.sub(self._plain, words.strip())

    def html(self, words: str) -> Markup:
        """The words for one line of HTML: everything that was typed is escaped, web addresses become links."""
        parts: list[Markup] = []
        end = 0
        for match in _PLACEHOLDER.finditer(words := words.strip()):
            parts += [_linked(words[end : match.start()]), self._marked(match)]
            end = match.end()
        return Markup("").join([*parts, _linked(words[end:])])

    def paragraphs(self, words: str) -> list[Markup]:
        """The words as paragraphs of HTML: an empty line ends one, a line end stays one."""
        blocks = (block for block in _PARAGRAPH.split(words.strip()) if block.strip())
        return [Markup("<br>\n").join(self.html(line) for line in block.splitlines()) for block in blocks]

    def _plain(self, match: re.Match[str]) -> str:
        name, blank = match["name"], match["blank"]
        if name in self.personal:
            return draft(_name_after(blank)) if name == "first_name" and blank else blank + draft(name)
        return blank + self._fixed(match)

    def _fixed(self, match: re.Match[str]) -> str:
        """A campaign's own word, as it stands in its sentence."""
        return text.within_sentence(self.fixed.get(match["name"], ""), match.string[: match.start()])

    def _marked(self, match: re.Match[str]) -> Markup:
        name, blank = match["name"], match["blank"]
        if name not in self.personal:
            return escape(blank + self._fixed(match))
        if name in ADDRESSES:
            return Markup('{0}<a class="link" href="{1}">{1}</a>').format(blank, Markup(draft(name)))  # noqa: S704 - ours
        if name == "first_name" and blank:
            return Markup(draft(_name_after(blank), html=True))  # noqa: S704 - a marker of ours
        return escape(blank) + Markup(draft(name, html=True))  # noqa: S704 - a marker of ours


def marker(name: str, *, html: bool = False) -> str:
    """What stands for a person's value in a compiled letter; names never hold brackets (core.text.shown_name)."""
    return f"[[{_whole(name, html=html)}]]"


def draft(name: str, *, html: bool = False) -> str:
    """The marker while a letter is put together; nobody can type it, because nobody knows the secret in it."""
    return f"\ue000{_SECRET}:{_whole(name, html=html)}\ue001"


def settled(letter: str) -> str:
    """The letter with its drafts as markers, and whatever looked like a marker before made harmless.

    A marketer who types “[[code]]” means these signs: a sign without width goes between the brackets.
    """
    return _DRAFT.sub(r"[[\1]]", harmless(letter))


def harmless(typed: str) -> str:
    """Words that cannot be taken for a marker."""
    return typed.replace("[[", "[\u2060[")


def _whole(name: str, *, html: bool) -> str:
    return f"{name}:h" if html and name in TYPED else name


def _name_after(blank: str) -> str:
    return "_comma_first_name" if blank.startswith(",") else "_first_name"


def placeholders(words: str) -> list[str]:
    """The names of the placeholders in a text, in order."""
    return [match["name"] for match in _PLACEHOLDER.finditer(words)]


def unknown(words: str, allowed: Collection[str]) -> list[str]:
    """The placeholders in a text that its letter does not know."""
    return sorted(set(placeholders(words)) - set(allowed))


def without_placeholders(words: str) -> str:
    """What stays of a text when no placeholder has a value."""
    return _PLACEHOLDER.sub("", words).strip()


def addresses(words: str) -> list[str]:
    """The addresses of the web in a text, in order."""
    return _WEB_ADDRESS.findall(words)


def replaced_addresses(words: str, by: Callable[[str], str]) -> str:
    """The text with what `by` makes of each of its addresses."""
    return _WEB_ADDRESS.sub(lambda match: by(match.group()), words)


def is_web_address(words: str) -> bool:
    """Whether a button may lead there: an address of the web, or one of the placeholders that stand for one."""
    return bool(_WEB_ADDRESS.fullmatch(words.strip())) or words.strip() in {f"{{{name}}}" for name in ADDRESSES}


def _linked(words: str) -> Markup:
    parts: list[Markup] = []
    end = 0
    for match in _WEB_ADDRESS.finditer(words):
        link = Markup('<a class="link" href="{0}">{0}</a>').format(match.group())
        parts += [escape(words[end : match.start()]), link]
        end = match.end()
    return Markup("").join([*parts, escape(words[end:])])
