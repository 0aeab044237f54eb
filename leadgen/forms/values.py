"""What people send, as a typed value or a sentence that says what to mend; and whether a kept value still fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from babel import Locale
from email_validator import EmailNotValidError, validate_email

from leadgen.core import text
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.forms.definition import NUMERIC, Definition, Field, FieldType, Pattern

LONGEST_LINE, LONGEST_TEXT = 1_000, 4_000
_LARGEST_NUMBER = 10**12
_YEARS = range(1900, 2101)  # whoever answers is alive, and speaks of their own life
_POSTCODE = re.compile(r"[A-Z0-9][A-Z0-9 -]{1,9}")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")  # E.164: eight digits at least are a telephone somewhere
_NO_DIGITS = re.compile(r"[\s().\-/\u2010-\u2015]")
# Countries whose numbers are written with a 0 in front at home, which falls away behind the country's code.
CALLING_CODES = {
    "AT": "43", "BE": "32", "CH": "41", "DE": "49", "FR": "33", "GB": "44", "IE": "353", "NL": "31", "RE": "262",
}  # fmt: skip
T = FieldType


def understand(field: Field, raw: list[str]) -> Any:
    """The typed value of what was sent for a field: text, option id, list of ids, number, ISO date, or True/False.

    Raises Invalid(field=key) with a sentence in the current language.
    """
    given = [item for item in raw if item.strip()]
    if not given:
        raise Invalid(_("Choose or write an answer."), field.key)
    return _UNDERSTOOD[field.type](field, given)


def is_given(raw: list[str]) -> bool:
    """Whether anything was sent at all."""
    return any(item.strip() for item in raw)


def fits(field: Field, value: Any) -> bool:
    """Whether a value that was kept before is an answer to the field as it is now."""
    option_ids = field.option_ids
    if field.type in NUMERIC:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and _is_within(field, value)
    if field.type in {T.YES_NO, T.CONSENT}:
        return isinstance(value, bool)
    if field.type in {T.MULTI, T.RANKING}:
        is_whole = field.type is T.MULTI or (isinstance(value, list) and len(value) == len(option_ids))
        return is_whole and isinstance(value, list) and bool(value) and all(item in option_ids for item in value)
    if option_ids:
        return isinstance(value, str) and value in option_ids
    return isinstance(value, str) and bool(value) and field.has_answer


def fitting(definition: Definition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that fit the fields of this definition, the others left out."""
    return {
        one.key: answers[one.key] for one in definition.fields if one.key in answers and fits(one, answers[one.key])
    }


def _line(field: Field, given: list[str]) -> str:
    return _checked_text(field, text.one_line(given[0], LONGEST_LINE), LONGEST_LINE)


def _lines(field: Field, given: list[str]) -> str:
    """Several lines; characters that steer a terminal or a file do not belong to what somebody wrote."""
    kept = "\n".join(text.one_line(line, LONGEST_TEXT) for line in given[0].replace("\r", "").strip().split("\n"))
    return _checked_text(field, kept[:LONGEST_TEXT], LONGEST_TEXT)


def _checked_text(field: Field, value: str, longest: int) -> str:
    most = min(field.most or longest, longest)
    if len(value) > most:
        raise Invalid(
            _("Use at most %(most)d characters; these are %(are)d.") % {"most": most, "are": len(value)}, field.key
        )
    if field.least and len(value) < field.least:
        raise Invalid(_("Write at least %(least)d characters.") % {"least": field.least}, field.key)
    sentence = {
        Pattern.LETTERS: lambda: _("Use letters only."),
        Pattern.DIGITS: lambda: _("Use digits only."),
        Pattern.WEB: lambda: _("Write a web address, such as https://example.com."),
    }
    if not follows(field.pattern, value):
        raise Invalid(sentence[field.pattern](), field.key)
    return value


def follows(pattern: Pattern, value: str) -> bool:
    """Whether a text consists of what the pattern allows; one pass over it, whatever it holds."""
    if pattern is Pattern.LETTERS:
        return all(letter.isalpha() or letter in " '’-." for letter in value)
    if pattern is Pattern.DIGITS:
        return all(digit in "0123456789 " for digit in value)
    if pattern is Pattern.WEB:
        return value.startswith(("https://", "http://")) and "." in value and " " not in value
    return True


def _email(field: Field, given: list[str]) -> str:
    try:
        return str(validate_email(given[0].strip(), check_deliverability=False).normalized)
    except EmailNotValidError:
        raise Invalid(_("Write an e-mail address, such as anna@example.com."), field.key) from None


def _phone(field: Field, given: list[str]) -> str:
    number = _NO_DIGITS.sub("", given[0][:60])
    if number.startswith("00"):
        number = "+" + number[2:]
    elif number.startswith("0") and field.country in CALLING_CODES:
        number = f"+{CALLING_CODES[field.country]}{number[1:]}"
    if not _PHONE.fullmatch(number):
        raise Invalid(_("Write the number with its country’s code, such as +33 6 12 34 56 78."), field.key)
    return number


def _number(field: Field, given: list[str]) -> int | float:
    typed = given[0].replace("\u202f", "").replace("\xa0", "").replace(" ", "").replace(",", ".")
    try:
        number = float(typed[:40])
    except ValueError:
        raise Invalid(_("Write a number, in digits."), field.key) from None
    least, most = field.bounds or (field.least or 0, field.most)
    if not number >= least:  # also what is no number at all, such as “nan”
        is_zero = {True: _("Write a number of zero or more."), False: _("Write a number of %(least)s or more.")}
        raise Invalid(is_zero[least == 0] % {"least": least}, field.key)
    if not number <= _LARGEST_NUMBER:
        raise Invalid(_("This number is too large."), field.key)
    if most is not None and number > most:
        raise Invalid(_("Write a number of %(most)s at most.") % {"most": most}, field.key)
    return int(number) if number.is_integer() else number


def _is_within(field: Field, value: float) -> bool:
    least, most = field.bounds or (field.least or 0, field.most)
    return least <= value <= (_LARGEST_NUMBER if most is None else most)


def _scale(field: Field, given: list[str]) -> int:
    number = _number(field, given)
    if not isinstance(number, int):
        raise Invalid(_("Choose one of the answers offered."), field.key)
    return number


def _choice(field: Field, given: list[str]) -> str:
    if given[0] not in field.option_ids:
        raise Invalid(_("Choose one of the answers offered."), field.key)
    return given[0]


def _many(field: Field, given: list[str]) -> list[str]:
    return sorted({_choice(field, [item]) for item in given})


def _ranking(field: Field, given: list[str]) -> list[str]:
    """The ids in the person's order, sent as `place:id` by each option's own list of places."""
    places: dict[str, str] = {}
    for item in given:
        place, _colon, option = item.partition(":")
        places[place] = _choice(field, [option])
    expected = [str(number) for number in range(1, len(field.option_ids) + 1)]
    if places.keys() != set(expected) or set(places.values()) != set(field.option_ids):
        raise Invalid(_("Give each place to one answer, from 1 to %(last)s.") % {"last": expected[-1]}, field.key)
    return [places[place] for place in expected]


def _yes_no(field: Field, given: list[str]) -> bool:
    if given[0] not in {"yes", "no"}:
        raise Invalid(_("Choose yes or no."), field.key)
    return given[0] == "yes"


def _date(field: Field, given: list[str]) -> str:
    try:
        day = date.fromisoformat(given[0].strip())
    except ValueError:
        day = date.min
    if day.year not in _YEARS:
        raise Invalid(_("Write a date as year-month-day, such as 2027-05-31."), field.key)
    return day.isoformat()


def _country(field: Field, given: list[str]) -> str:
    code = given[0].strip().upper()
    if len(code) != 2 or not code.isalpha() or code not in Locale.parse("en").territories:
        raise Invalid(_("Choose a country from the list."), field.key)
    return code


def _postcode(field: Field, given: list[str]) -> str:
    code = text.one_line(given[0], 20).upper()
    if not _POSTCODE.fullmatch(code):
        raise Invalid(_("Write a postcode, such as 13002."), field.key)
    return code


def _nothing(field: Field, _given: list[str]) -> Any:
    """What nobody can answer: words on a page, and what a browser must not tell of itself."""
    raise Invalid(_("Choose or write an answer."), field.key)


_UNDERSTOOD: Mapping[FieldType, Callable[[Field, list[str]], Any]] = {
    T.TEXT: _line,
    T.REGION: _line,
    T.LONG_TEXT: _lines,
    T.ADDRESS: _lines,
    T.EMAIL: _email,
    T.PHONE: _phone,
    T.NUMBER: _number,
    T.RANGE: _number,
    T.RATING: _scale,
    T.NPS: _scale,
    T.SINGLE: _choice,
    T.PICTURE: _choice,
    T.AGE_BAND: _choice,
    T.MULTI: _many,
    T.RANKING: _ranking,
    T.YES_NO: _yes_no,
    T.CONSENT: _yes_no,
    T.DATE: _date,
    T.COUNTRY: _country,
    T.POSTCODE: _postcode,
    T.HIDDEN: _nothing,
    T.STATEMENT: _nothing,
}
