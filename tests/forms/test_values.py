"""What people send: typed by the field, or refused in a sentence; and whether a kept value still fits."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from leadgen.core.errors import Invalid
from leadgen.forms import values
from leadgen.forms.definition import Field, FieldType, Pattern

T = FieldType
_OPTIONS = ({"id": "sea", "texts": {}}, {"id": "city", "texts": {}}, {"id": "snow", "texts": {}})


def _field(kind: FieldType, **settings: Any) -> Field:
    options = _OPTIONS if kind in {T.SINGLE, T.MULTI, T.RANKING, T.PICTURE} else ()
    return Field(key="q", type=kind, options=options, **settings)


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        (_field(T.TEXT), ["  a quiet\n beach "], "a quiet beach"),
        (_field(T.TEXT, pattern=Pattern.LETTERS), ["Jean-Noël d’Été"], "Jean-Noël d’Été"),
        (_field(T.TEXT, pattern=Pattern.DIGITS), ["552 100 554"], "552 100 554"),
        (_field(T.LONG_TEXT), ["one\r\ntwo\x07 \n"], "one\ntwo"),
        (_field(T.ADDRESS), ["12 quai\n13002 Marseille"], "12 quai\n13002 Marseille"),
        (_field(T.EMAIL), [" Anna@Example.COM "], "Anna@example.com"),
        (_field(T.PHONE), ["+33 6 12.34-56 78"], "+33612345678"),
        (_field(T.PHONE), ["0033612345678"], "+33612345678"),
        (_field(T.PHONE, country="FR"), ["06 12 34 56 78"], "+33612345678"),
        (_field(T.NUMBER), ["1 234,5"], 1234.5),
        (_field(T.NUMBER), ["2"], 2),
        (_field(T.NUMBER, least=-10), ["-5"], -5),
        (_field(T.RANGE, least=1, most=9), ["9"], 9),
        (_field(T.RATING), ["5"], 5),
        (_field(T.NPS), ["0"], 0),
        (_field(T.SINGLE), ["sea"], "sea"),
        (_field(T.PICTURE), ["snow"], "snow"),
        (_field(T.AGE_BAND), ["25-34"], "25-34"),
        (_field(T.MULTI), ["sea", "city", "sea"], ["city", "sea"]),
        (_field(T.RANKING), ["1:snow", "3:sea", "2:city"], ["snow", "city", "sea"]),
        (_field(T.YES_NO), ["no"], False),
        (_field(T.CONSENT), ["yes"], True),
        (_field(T.DATE), ["2027-05-31"], "2027-05-31"),
        (_field(T.COUNTRY), ["re"], "RE"),
        (_field(T.REGION), ["Provence"], "Provence"),
        (_field(T.POSTCODE), ["sw1a 1aa"], "SW1A 1AA"),
    ],
    ids=lambda value: value.type.value if isinstance(value, Field) else "",
)
def test_each_type_is_understood_and_fits(field: Field, raw: list[str], value: Any) -> None:
    understood = values.understand(field, raw)
    assert understood == value
    assert type(understood) is type(value)
    assert values.fits(field, json.loads(json.dumps(understood)))


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        (_field(T.TEXT), []),
        (_field(T.TEXT), ["   "]),
        (_field(T.TEXT, most=3), ["four"]),
        (_field(T.TEXT, least=5), ["four"]),
        (_field(T.TEXT, pattern=Pattern.LETTERS), ["R2D2"]),
        (_field(T.TEXT, pattern=Pattern.DIGITS), ["١٢"]),
        (_field(T.TEXT, pattern=Pattern.WEB), ["javascript:alert(1)"]),
        (_field(T.EMAIL), ["anna@"]),
        (_field(T.PHONE), ["06 12 34 56 78"]),
        (_field(T.PHONE), ["+0612345678"]),
        (_field(T.PHONE, country="FR"), ["112"]),
        (_field(T.PHONE), ["+336123456789012345"]),
        (_field(T.SINGLE), ["moon"]),
        (_field(T.MULTI), ["sea", "moon"]),
        (_field(T.RANKING), ["1:sea"]),
        (_field(T.RANKING), ["1:sea", "2:sea", "3:city"]),
        (_field(T.RANKING), ["1:sea", "2:snow", "9:city"]),
        (_field(T.RANKING), ["1:sea", "1:snow", "2:city"]),
        (_field(T.NUMBER), ["many"]),
        (_field(T.NUMBER), ["1e99"]),
        (_field(T.NUMBER), ["nan"]),
        (_field(T.NUMBER), ["-5"]),
        (_field(T.RANGE, least=1, most=9), ["10"]),
        (_field(T.RATING), ["0"]),
        (_field(T.RATING), ["2.5"]),
        (_field(T.NPS), ["11"]),
        (_field(T.AGE_BAND), ["18"]),
        (_field(T.DATE), ["31/05/2027"]),
        (_field(T.DATE), ["2027-02-30"]),
        (_field(T.DATE), ["0001-01-01"]),
        (_field(T.DATE), ["9999-12-31"]),
        (_field(T.YES_NO), ["maybe"]),
        (_field(T.COUNTRY), ["ZQ"]),
        (_field(T.COUNTRY), ["France"]),
        (_field(T.POSTCODE), ["<script>"]),
        (_field(T.HIDDEN), ["forged"]),
        (_field(T.STATEMENT), ["anything"]),
    ],
    ids=lambda value: value.type.value if isinstance(value, Field) else "",
)
def test_what_is_no_answer_is_refused_in_words(field: Field, raw: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        values.understand(field, raw)
    assert refused.value.field == "q"
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (_field(T.SINGLE), "moon"),
        (_field(T.SINGLE), ["sea"]),
        (_field(T.MULTI), "sea"),
        (_field(T.MULTI), []),
        (_field(T.RANKING), ["sea", "city"]),
        (_field(T.NUMBER), True),
        (_field(T.NUMBER), "5"),
        (_field(T.RATING), 9),
        (_field(T.YES_NO), "yes"),
        (_field(T.TEXT), None),
        (_field(T.TEXT), 3),
        (_field(T.STATEMENT), "x"),
    ],
)
def test_a_value_of_before_may_not_fit_any_more(field: Field, value: Any) -> None:
    assert not values.fits(field, value)


def test_patterns_take_no_longer_than_the_text() -> None:
    """What makes a regular expression think for minutes is read once."""
    nasty = "a" * 200_000 + "!"
    began = time.process_time()
    for pattern in Pattern:
        values.follows(pattern, nasty)
    assert time.process_time() - began < 1
