"""Everything that the studio can show of a person has words, in both languages."""

from __future__ import annotations

import pytest
from flask import Flask

from leadgen.core import i18n
from leadgen.journal.vocabulary import FactName
from leadgen.web.admin import words
from leadgen.web.public import share

# Of these no person is the subject.
_OF_SEQUENCES = ("sequence.changed", "sequence.paused", "sequence.published", "sequence.resumed")
_OF_THE_HOUSE = ("campaign.", "contacts.", "segment.", "stock.", "stream.", "variant.", *_OF_SEQUENCES)
_NAMES = [name for name in FactName if not name.startswith(_OF_THE_HOUSE)]


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_fact_of_a_person_has_words(app: Flask, locale: str) -> None:
    with app.test_request_context(), i18n.speaking(locale):
        told = {name: words.fact(name) for name in _NAMES}
    assert [name for name, sentence in told.items() if sentence == name] == []


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_channel_that_an_entry_can_come_by_has_a_name(app: Flask, locale: str) -> None:
    with app.test_request_context(), i18n.speaking(locale):
        raw = [name for name in ("", *sorted(share.CHANNELS)) if words.channel(name) == name]
    assert raw == []


def test_facts_are_told_in_each_language(app: Flask) -> None:
    with app.test_request_context():
        told = []
        for locale in i18n.LOCALES:
            with i18n.speaking(locale):
                told.append([words.fact(name) for name in _NAMES])
    assert not set(told[0]) & set(told[1])
