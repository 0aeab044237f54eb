"""Two languages: dates, numbers and money in the reader's form."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from leadgen.core import i18n


@pytest.mark.parametrize(
    ("accepted", "chosen"), [(["fr-CA", "en"], "fr"), (["de", "en-US"], "en"), (["de"], "en"), ([], "en")]
)
def test_the_first_language_that_we_speak_is_chosen(accepted: list[str], chosen: str) -> None:
    assert i18n.choose(accepted) == chosen


def test_money_is_written_in_the_readers_form_without_empty_cents() -> None:
    with i18n.speaking("en"):
        assert i18n.format_money(429_000, "EUR") == "€4,290"
        assert i18n.format_money(1_950, "EUR") == "€19.50"
    with i18n.speaking("fr"):
        assert i18n.format_money(429_000, "EUR") == "4\u202f290\xa0€"


def test_days_are_those_of_the_given_zone() -> None:
    moment = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    with i18n.speaking("fr"):
        assert i18n.format_date(moment, "Europe/Paris") == "1er janvier 2027"
    with i18n.speaking("en"):
        assert i18n.format_date(moment, "UTC") == "31 December 2026"


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("long", "1er décembre 2026"),
        ("medium", "1er déc. 2026"),
        ("full", "mardi 1er décembre 2026"),
        ("short", "01/12/2026"),
    ],
)
def test_french_counts_the_first_of_a_month(style: str, written: str) -> None:
    with i18n.speaking("fr"):
        assert i18n.format_date(date(2026, 12, 1), style=style) == written
        assert i18n.format_date(date(2026, 12, 11), style="long") == "11 décembre 2026"
    with i18n.speaking("en"):
        assert i18n.format_date(date(2026, 12, 1)) == "1 December 2026"


def test_the_hour_stands_behind_the_first_of_a_month_too() -> None:
    with i18n.speaking("fr"):
        assert i18n.format_datetime(datetime(2026, 12, 1, 10, 0, tzinfo=UTC)).startswith("1er décembre 2026 ")


def test_speaking_ends_with_its_block() -> None:
    before = i18n.locale()
    with i18n.speaking("fr"):
        assert i18n.locale() == "fr"
    assert i18n.locale() == before
