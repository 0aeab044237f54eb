"""Quizzes: marked by the server, tries counted, solutions only when it is over."""

from __future__ import annotations

from typing import Any

import pytest

from leadgen.actions import quizzes, ways
from leadgen.actions.rules import Stand, Way
from leadgen.actions.service import Outcome
from leadgen.campaigns import cards
from leadgen.campaigns.models import ActionKind, Campaign
from leadgen.core import hot
from leadgen.entries.models import Entry
from tests.actions.conftest import RIGHT, an, do, total

HALF: dict[str, list[str]] = {"one": ["a"], "two": ["Lisbon"]}


def _quiz(campaign: Campaign, **settings: Any) -> Any:
    return an(ActionKind.QUIZ, campaign, settings=settings, points=4, chances=4)


def _way(entry: Entry) -> Way:
    return ways.of(entry.id, cards.by_id(entry.campaign_id)).ways[0]


def test_passing_earns_the_worth_once(campaign: Campaign, ben: Entry) -> None:
    quiz = _quiz(campaign)
    assert do(ben, quiz, answers=RIGHT, seconds=20).points == 4
    assert do(ben, quiz, answers=RIGHT, seconds=20).outcome is Outcome.ALREADY
    assert total(ben) == (4, 4)


def test_each_right_answer_can_earn(campaign: Campaign, ben: Entry) -> None:
    quiz = _quiz(campaign, each=True, **{"pass": 0})
    assert do(ben, quiz, answers=HALF, seconds=20).points == 4
    assert do(ben, quiz, answers=RIGHT, seconds=20).outcome is Outcome.ALREADY
    assert total(ben) == (4, 4)


def test_tries_run_out(campaign: Campaign, ben: Entry) -> None:
    quiz = _quiz(campaign, tries=2)
    assert do(ben, quiz, answers=HALF, seconds=20).outcome is Outcome.WRONG
    assert do(ben, quiz, answers=HALF, seconds=20).outcome is Outcome.FAILED
    assert do(ben, quiz, answers=RIGHT, seconds=20).outcome is Outcome.FAILED
    assert total(ben) == (0, 0)
    assert _way(ben).stand is Stand.FAILED


def test_solutions_show_when_it_is_over_and_not_before(campaign: Campaign, ben: Entry) -> None:
    quiz = _quiz(campaign, tries=2)
    do(ben, quiz, answers=HALF, seconds=20)
    way = _way(ben)
    assert quizzes.marked(way.action, way.deed) == []
    assert "right" not in str(quizzes.shown(way.action))
    assert "Douro" not in str(quizzes.shown(way.action))
    do(ben, quiz, answers=RIGHT, seconds=20)
    way = _way(ben)
    first, second = quizzes.marked(way.action, way.deed)
    assert first.is_right
    assert second.right == {"Malta", "Madeira"}


def test_faster_than_anybody_reads_costs_no_try(campaign: Campaign, ben: Entry) -> None:
    """ASVS 2.4.2: human timing."""
    quiz = _quiz(campaign)
    assert do(ben, quiz, answers=RIGHT, seconds=1.9).outcome is Outcome.TOO_SOON
    assert hot.many("SELECT 1 FROM deed", {}) == []
    assert do(ben, quiz, answers=RIGHT, seconds=2.0).outcome is Outcome.DONE


@pytest.mark.parametrize(
    "answers",
    [{}, {"one": ["x"], "two": []}, {"three": ["a"]}, {"one": ["a", "b"], "two": ["Malta", "Lisbon", "Madeira"]}],
)
def test_made_up_answers_are_wrong_answers(campaign: Campaign, ben: Entry, answers: dict[str, list[str]]) -> None:
    assert do(ben, _quiz(campaign), answers=answers, seconds=20).outcome is Outcome.FAILED
