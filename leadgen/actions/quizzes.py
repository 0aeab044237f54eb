"""Quizzes: the server alone knows the right answers, counts the tries, and explains when nothing is left to win."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadgen.actions.deeds import Doer, Outcome, Result, finish, write
from leadgen.actions.models import DeedState
from leadgen.actions.rules import Done, Way, occurrence
from leadgen.campaigns.cards import ActionCard

# Nobody reads and answers a question in less; whoever does is asked to read, and no try is spent (ASVS 2.4.2).
SECONDS_A_QUESTION = 1

Given = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Marked:
    """One question after the quiz: what was chosen, what was right, and why. `why` is {locale: text}."""

    texts: dict[str, Any]
    options: list[dict[str, Any]]
    given: frozenset[str]
    right: frozenset[str]

    @property
    def is_right(self) -> bool:
        """Whether exactly the right options were chosen."""
        return self.given == self.right


def shown(action: ActionCard) -> list[dict[str, Any]]:
    """The questions as they may be shown before the quiz is over: without what is right and why."""
    return [
        {
            "id": question["id"],
            "texts": {code: {"label": words.get("label", "")} for code, words in question["texts"].items()},
            "options": question["options"],
            "is_many": len(question["right"]) > 1,
        }
        for question in action.settings["questions"]
    ]


def hand_in(who: Doer, way: Way, given: Given, *, seconds: float) -> Result:
    """Mark the answers. Passing earns the worth once, or each right answer does (then there is one try).

    `seconds` is how long the questions were open: too short is refused without spending a try.
    """
    questions = way.action.settings["questions"]
    needed = SECONDS_A_QUESTION * len(questions)
    if seconds < needed:
        return Result(Outcome.TOO_SOON, seconds=needed)
    chosen = {q["id"]: sorted(set(given.get(q["id"], ())) & {o["id"] for o in q["options"]}) for q in questions}
    right = sum(chosen[question["id"]] == sorted(question["right"]) for question in questions)
    before = way.deed.data.get("results", []) if way.deed else []
    data = {"results": [*before, right], "given": chosen, "tries": len(before) + 1}
    name = occurrence(way, who.now, who.card.timezone)
    if right >= way.action.settings["pass"]:
        return finish(who, way.action, name, times=right if way.action.settings["each"] else 1, data=data)
    if data["tries"] < way.action.settings["tries"]:
        write(who, way.action, name, DeedState.BEGUN, data)
        return Result(Outcome.WRONG)
    write(who, way.action, name, DeedState.REFUSED, data | {"is_final": True})
    return Result(Outcome.FAILED)


def tries_left(action: ActionCard, deed: Done | None) -> int:
    """How often the person may still hand in."""
    return max(0, int(action.settings["tries"]) - int(deed.data.get("tries", 0) if deed else 0))


def marked(action: ActionCard, deed: Done | None) -> list[Marked]:
    """The questions with their solutions, once the quiz is over for this person; before, nothing."""
    if deed is None or deed.state not in {DeedState.DONE, DeedState.REFUSED}:
        return []
    given = deed.data.get("given", {})
    return [
        Marked(q["texts"], q["options"], frozenset(given.get(q["id"], ())), frozenset(q["right"]))
        for q in action.settings["questions"]
    ]
