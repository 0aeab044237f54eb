"""Which language a page speaks: `?lang=` first, then the browser's wish among the languages on offer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from flask import request

from leadgen.core import i18n


def speak(offered: Sequence[str] = i18n.LOCALES, default: str = i18n.DEFAULT_LOCALE) -> str:
    """Write the answer to this request in the visitor's language, and return it."""
    wanted = request.args.get("lang", "") if request.query_string else ""
    if wanted not in offered:
        wanted = _best(request.headers.get("Accept-Language", ""), tuple(offered), default)
    i18n.set_locale(wanted)
    return wanted


@lru_cache(maxsize=2048)
def _best(header: str, offered: tuple[str, ...], default: str) -> str:
    ranked: list[tuple[float, str]] = []
    for part in header[:200].split(","):
        tag, _semicolon, quality = part.strip().partition(";q=")
        try:
            ranked.append((-float(quality or 1), tag))
        except ValueError:
            continue
    ranked.sort(key=lambda pair: pair[0])  # stable: equal wishes keep their order
    return i18n.choose([tag for _, tag in ranked], offered, default)


def use(locale: str) -> None:
    """Write the answer in this language: the one that the person chose when they entered."""
    i18n.set_locale(locale)


def current() -> str:
    """The language of the answer that is being written."""
    return i18n.locale()
