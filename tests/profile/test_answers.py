"""Correcting an answer: what it had opened goes with it, whole or not at all."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import hot
from leadgen.entries import answers as answering
from leadgen.entries.models import Entry
from leadgen.forms import filling, forgetting, places
from leadgen.forms.queue import queue
from leadgen.profile import answers


def _fill(anna: Entry, card: CampaignCard) -> None:
    filling.begin(places.read(anna.id, card), card)
    filling.send(places.read(anna.id, card), "p1", {"role": ["owner"], "firm": ["Cap Sud"]}, ["role", "firm"])
    filling.send(places.read(anna.id, card), "p3", {"team": ["12"]}, ["team"])


def _held(anna: Entry) -> list[dict[str, Any]]:
    """The answers in their three places: their own rows, the contact, the form."""
    statement = """
        SELECT coalesce((SELECT jsonb_object_agg(key, value) FROM answer WHERE entry_id = e.id), '{}') AS own,
               c.answers AS known, coalesce(s.answers, '{}') AS form
        FROM entry e JOIN contact c ON c.id = e.contact_id LEFT JOIN submission s ON s.entry_id = e.id
        WHERE e.id = %(entry)s
    """
    row = hot.one(statement, {"entry": anna.id})
    assert row is not None
    return list(row.values())


def test_a_correction_forgets_what_the_answer_before_had_opened(card: CampaignCard, anna: Entry) -> None:
    _fill(anna, card)
    filling.finish(places.read(anna.id, card))

    answers.correct(anna.contact_id, anna.id, "role", ["clerk"])

    assert _held(anna) == [{"role": "clerk", "team": 12, "came_from": "fair"}] * 3
    asked = queue(places.read(anna.id, card), "Europe/Paris").asked
    assert [one.key for one in asked] == ["boss"], "the way leads there now"
    told = hot.one("SELECT data FROM fact WHERE name = 'question.withdrawn'", {})
    assert told == {"data": {"questions": ["firm"], "forms": 1}}


def test_what_was_opened_is_asked_again_when_the_correction_is_taken_back(card: CampaignCard, anna: Entry) -> None:
    _fill(anna, card)
    filling.finish(places.read(anna.id, card))
    answers.correct(anna.contact_id, anna.id, "role", ["clerk"])

    answers.correct(anna.contact_id, anna.id, "role", ["owner"])

    assert [one.key for one in queue(places.read(anna.id, card), "Europe/Paris").asked] == ["firm"]


def test_a_form_that_is_not_finished_forgets_it_too(card: CampaignCard, anna: Entry) -> None:
    _fill(anna, card)

    answers.correct(anna.contact_id, anna.id, "role", ["clerk"])

    assert _held(anna) == [{}, {}, {"role": "clerk", "team": 12, "came_from": "fair"}]


def test_answers_given_one_by_one_without_the_form_are_forgotten_too(card: CampaignCard, anna: Entry) -> None:
    for key, value in {"role": "owner", "firm": "Cap Sud", "team": 3}.items():
        answering.store(anna.id, key, value)

    answers.correct(anna.contact_id, anna.id, "role", ["clerk"])

    assert _held(anna) == [{"role": "clerk", "team": 3}, {"role": "clerk", "team": 3}, {}]


def test_a_correction_that_opens_nothing_else_leaves_the_rest(card: CampaignCard, anna: Entry) -> None:
    _fill(anna, card)
    filling.finish(places.read(anna.id, card))

    answers.correct(anna.contact_id, anna.id, "team", ["13"])

    assert _held(anna) == [{"role": "owner", "firm": "Cap Sud", "team": 13, "came_from": "fair"}] * 3
    assert hot.many("SELECT 1 FROM fact WHERE name = 'question.withdrawn'", {}) == []


def test_a_correction_holds_everywhere_or_nowhere(
    card: CampaignCard, anna: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(anna, card)
    filling.finish(places.read(anna.id, card))
    before = _held(anna)

    def fail(*_values: object) -> None:
        raise psycopg.errors.QueryCanceled

    monkeypatch.setattr(forgetting, "blank", fail)
    with pytest.raises(psycopg.errors.QueryCanceled):
        answers.correct(anna.contact_id, anna.id, "role", ["clerk"])

    assert _held(anna) == before
