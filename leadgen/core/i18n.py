"""The two languages of every page and letter: gettext catalogues read from .po files, dates and money by Babel."""

from __future__ import annotations

import gettext as gettext_module
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = ("en", "fr")
DEFAULT_LOCALE = "en"
TRANSLATIONS = Path(__file__).parent.parent / "translations"
_FIRST = re.compile(r"\b1(?= [^\W\d])")
_locale: ContextVar[str] = ContextVar("locale", default=DEFAULT_LOCALE)


def locale() -> str:
    """The language of what is being written now."""
    return _locale.get()


def set_locale(code: str) -> None:
    """Write in this language until the end of the request or job; an unknown one means English."""
    _locale.set(code if code in LOCALES else DEFAULT_LOCALE)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Write in this language inside the block."""
    token = _locale.set(code if code in LOCALES else DEFAULT_LOCALE)
    try:
        yield
    finally:
        _locale.reset(token)


def gettext(message: str) -> str:
    """The message in the current language; English is the source text."""
    return _catalogue(_locale.get()).gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """The message for `number` things in the current language."""
    return _catalogue(_locale.get()).ngettext(singular, plural, number)


def choose(accepted: Sequence[str], offered: Sequence[str] = LOCALES, default: str = DEFAULT_LOCALE) -> str:
    """The first accepted language (such as “fr-CA”) that is offered, else `default`."""
    for tag in accepted:
        code = tag.split("-")[0].lower()
        if code in offered:
            return code
    return default


def format_date(moment: date | datetime, zone: str = "UTC", style: str = "long") -> str:
    """The day in the reader's form, in the given time zone."""
    day = moment.astimezone(ZoneInfo(zone)).date() if isinstance(moment, datetime) else moment
    return _day(day, style, locale())


def format_datetime(moment: datetime, zone: str = "UTC", style: str = "long") -> str:
    """Day and time in the reader's form, in the given time zone, without seconds."""
    local = moment.astimezone(ZoneInfo(zone))
    hour = _hour(local.time().replace(second=0, microsecond=0), locale())
    return gettext("%(day)s at %(hour)s") % {"day": _day(local.date(), style, locale()), "hour": hour}


def format_number(number: float) -> str:
    """The number with the reader's separators."""
    return _number(number, locale())


def format_money(minor_units: int, currency: str) -> str:
    """An amount given in minor units (cents), without decimals when they are zero."""
    return _money(minor_units, currency, locale())


# Babel parses its pattern at each call: 90 µs for an amount that the same page shows to everybody.


@lru_cache(maxsize=1024)
def _day(day: date, style: str, code: str) -> str:
    written = dates.format_date(day, format=style, locale=_babel(code))
    # French counts the first of a month, “1er décembre”; the patterns do not know.
    return _FIRST.sub("1er", written) if code == "fr" and day.day == 1 else written


@lru_cache(maxsize=2048)
def _hour(hour: time, code: str) -> str:
    return dates.format_time(hour, format="short", locale=_babel(code))


@lru_cache(maxsize=4096)
def _number(number: float, code: str) -> str:
    return str(numbers.format_decimal(number, locale=_babel(code)))


@lru_cache(maxsize=1024)
def _money(minor_units: int, currency: str, code: str) -> str:
    amount = minor_units / 10 ** numbers.get_currency_precision(currency)
    pattern = None if amount % 1 else Locale.parse(code).currency_formats["standard"].pattern.replace(".00", "")
    shown = numbers.format_currency(amount, currency, pattern, locale=_babel(code), currency_digits=bool(amount % 1))
    return str(shown)


def _babel(code: str) -> Locale:
    # British English: day before month, the form that French readers of English also expect.
    return Locale.parse("en_GB" if code == "en" else code)


@lru_cache(maxsize=len(LOCALES))
def _catalogue(code: str) -> gettext_module.NullTranslations:
    """All catalogues of a language (one .po for each door and for letters) as one; English needs none."""
    merged: Catalog = Catalog(locale=code)
    for path in sorted((TRANSLATIONS / code).glob("*.po")):
        with path.open("rb") as source:
            for message in read_po(source, locale=code):
                if message.id and message.string:
                    merged[message.id] = message
    if not len(merged):
        return gettext_module.NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return gettext_module.GNUTranslations(compiled)
