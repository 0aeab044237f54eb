"""What every template may use: words, dates, money, and addresses of static files that change with their content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from jinja2 import StrictUndefined, Undefined
from jinja2.utils import missing
from markupsafe import Markup, escape

from leadgen.campaigns import sharing
from leadgen.core import i18n, settings
from leadgen.pictures import service as pictures
from leadgen.web.kept import Kept

STATIC = Path(__file__).parent / "static"
_ARTICLE = re.compile(r"\d{1,2}\. [^\n]{1,80}(?<![.:;!?])")


def prepare(app: Flask) -> None:
    """Give the application's templates their words and filters."""
    env = app.jinja_env
    env.trim_blocks = env.lstrip_blocks = True
    if not settings.get().is_production:
        env.undefined = misspelt  # type: ignore[assignment]
    env.add_extension("jinja2.ext.i18n")
    env.add_extension(Kept)
    env.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    # The same words as the extension gives, a few times cheaper: a person's page says more than a hundred of them.
    env.globals |= {"_": words, "gettext": words, "ngettext": words_for, "worth": sharing.worth}
    env.globals |= {
        "asset": asset,
        "locale": i18n.locale,
        "base_url": lambda: settings.get().base_url,
        "has_picture": has_picture,
        "picture_of": picture_of,
    }
    env.filters |= {
        "date": _date,
        "datetime": i18n.format_datetime,
        "number": _number,
        "money": _money,
        "paragraphs": paragraphs,
        "articles": articles,
    }


def misspelt(hint: str | None = None, obj: Any = missing, *args: Any, **kwargs: Any) -> Undefined:
    """An error for an attribute that a thing does not have, so that a misspelt one is seen where developers look.

    A name that a page is not given, and a key that a mapping lacks, stay an empty place: both are often left out.
    """
    may_be_left_out = obj is missing or isinstance(obj, Mapping)
    return (Undefined if may_be_left_out else StrictUndefined)(hint, obj, *args, **kwargs)


def asset(name: str) -> str:
    """The address of a static file; it names the content, so that browsers may keep it for a year."""
    return f"/static/{name}?v={_digest(name)}"


def words(message: str, **variables: Any) -> Markup:
    """The message in the current language; variables are escaped, the message itself is ours."""
    if not variables:
        return _message(i18n.locale(), message)
    return _said(i18n.gettext(message), variables)


def words_for(singular: str, plural: str, number: int, **variables: Any) -> Markup:
    """The message for so many things; `num` is their number."""
    if not variables:
        return _messages(i18n.locale(), singular, plural, number)
    return _said(i18n.ngettext(singular, plural, number), {"num": number, **variables})


def _said(message: str, variables: Mapping[str, Any]) -> Markup:
    # What Markup's own % does, several times cheaper for the few words of a sentence.
    return Markup(message % {name: escape(value) for name, value in variables.items()})  # noqa: S704 - as the line says


@lru_cache(maxsize=4096)
def _message(_locale: str, message: str) -> Markup:
    return Markup(i18n.gettext(message) % ())  # noqa: S704 - our own sentences, from the source and its translations


@lru_cache(maxsize=4096)
def _messages(_locale: str, singular: str, plural: str, number: int) -> Markup:
    return Markup(i18n.ngettext(singular, plural, number) % {"num": number})  # noqa: S704 - as above


def _date(moment: date | datetime, zone: str = "UTC", style: str = "long") -> str:
    day = moment.astimezone(ZoneInfo(zone)).date() if isinstance(moment, datetime) else moment
    return _day(i18n.locale(), day, style)


@lru_cache(maxsize=2048)
def _day(_locale: str, day: date, style: str) -> str:
    return i18n.format_date(day, style=style)


def _number(number: float) -> str:
    return _figure(i18n.locale(), number)


@lru_cache(maxsize=4096)
def _figure(_locale: str, number: float) -> str:
    return i18n.format_number(number)


def _money(minor_units: int, currency: str) -> str:
    return _amount(i18n.locale(), minor_units, currency)


@lru_cache(maxsize=2048)
def _amount(_locale: str, minor_units: int, currency: str) -> str:
    return i18n.format_money(minor_units, currency)


def has_picture(name: str) -> bool:
    """Whether there is a picture of that name, drawn or a brand's own; names come from the database."""
    return _is_drawn(name) or pictures.is_own(name)


def picture_of(name: str, otherwise: str = "", size: str = "large") -> str:
    """The address of a picture by its name; of the drawn one `otherwise` where there is none of that name."""
    if pictures.is_own(name):
        return f"/pictures/{name}/{size}.webp"
    return asset(f"pictures/{name if _is_drawn(name) else otherwise}.svg")


@lru_cache(maxsize=512)
def _is_drawn(name: str) -> bool:
    return bool(name) and name.replace("-", "").isalnum() and (STATIC / "pictures" / f"{name}.svg").is_file()


def paragraphs(text: str) -> Markup:
    """Plain text as paragraphs: empty lines part them, single line breaks stay."""
    return Markup("").join(_paragraph(block) for block in _blocks(text))


def articles(text: str) -> Markup:
    """Rules as paragraphs, in which a line of its own like “3. Who may enter” is a heading to jump to."""
    heading = Markup("<h2>{}</h2>")
    parts = (heading.format(block) if _ARTICLE.fullmatch(block) else _paragraph(block) for block in _blocks(text))
    return Markup("").join(parts)


def _blocks(text: str) -> list[str]:
    return [block.strip() for block in text.replace("\r\n", "\n").split("\n\n") if block.strip()]


def _paragraph(block: str) -> Markup:
    return Markup("<p>{}</p>").format(Markup("<br>").join(block.split("\n")))


@lru_cache(maxsize=512)
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
