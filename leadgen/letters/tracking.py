"""Leads the links of a compiled marketing letter through our own address, so that clicks can be told and counted.

Done to the finished letter: the addresses that a marketer typed and the button become markers such as [[go_12_3]]
(address 12, one of 3 links), whose value is each person's own. What stands at the foot (data, leaving) stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from html import unescape

from leadgen.letters import words
from leadgen.letters.rendering import MARKER, Compiled, OwnWords

PAGE = 0  # the number of the person's own page; other numbers are those of stored addresses
_LONGEST = 2000  # what an index of PostgreSQL takes, with room to spare
_HREF = re.compile(r'href="([^"]*)"')
_OWN_PAGE = words.marker("link")
_FOOT = {"html": 'class="foot"', "text": "\n--\n"}


def addresses(own: OwnWords) -> list[str]:
    """The addresses that the marketer typed, each once, in order; one with a placeholder in it is nobody's to store."""
    typed = [own.url.strip(), *words.addresses(own.body)]
    found = [one for one in typed if words.is_web_address(one) and not words.placeholders(one)]
    return [one for one in dict.fromkeys(found) if len(one.encode()) <= _LONGEST]


def tracked(letter: Compiled, numbers: Mapping[str, int]) -> Compiled:
    """The letter with its links led through us; `numbers` names the stored addresses (mail.clicks.numbers_of)."""
    return _tracked(letter, tuple(sorted(numbers.items())))


@lru_cache(maxsize=200)
def _tracked(letter: Compiled, numbers: tuple[tuple[str, int], ...]) -> Compiled:
    content, foot, rest = letter.html.partition(_FOOT["html"])
    met = {unescape(address) for address in _HREF.findall(content)}
    known = {address: number for address, number in [*numbers, (_OWN_PAGE, PAGE)] if address in met}

    def lead(address: str) -> str:
        return f"[[go_{known[address]}_{len(known)}]]" if address in known else address

    html = _HREF.sub(
        lambda found: f'href="{lead(unescape(found[1]))}"' if unescape(found[1]) in known else found[0], content
    )
    # Where the page's address is shown it is the one that the link beside it has.
    html = html.replace(_OWN_PAGE, lead(_OWN_PAGE)) + foot + rest
    body, line, signature = letter.text.partition(_FOOT["text"])
    text = words.replaced_addresses(body, lead).replace(_OWN_PAGE, lead(_OWN_PAGE)) + line + signature
    markers = sorted({found[1] for part in (letter.subject, text, html) for found in MARKER.finditer(part)})
    return replace(letter, html=html, text=text, markers=tuple(markers))
