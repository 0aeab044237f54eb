"""Rules as data: what an answer is worth, what a deed is worth and for how long, and where the bands begin.

Two numbers stand apart. Fit is the sum of the points of the answers' rules, 0 where a disqualifier holds. Engagement
is the sum over human events of `points · 0.5^(age / half-life)`, less something for silence. Both are shown as whole
numbers from 0 to 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from leadgen.core.logic import Condition
from leadgen.journal.vocabulary import FactName


class Deed(StrEnum):
    """What engagement rules can ask for. Opens are not here and never will be (rule 9)."""

    CONFIRMED = FactName.ENTRY_CONFIRMED.value
    ANSWERED = FactName.QUESTION_ANSWERED.value
    FINISHED = FactName.FORM_FINISHED.value
    FRIEND = FactName.REFERRAL_COUNTED.value
    ACTION = FactName.ACTION_CREDITED.value
    WORK = FactName.WORK_PUBLISHED.value
    CLICKED = "letter.clicked"
    COMPLAINED = "complaint"


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRule:
    """Points for answers that fulfil a condition."""

    key: str
    when: Condition
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disqualifier:
    """Answers with which nobody fits, and why."""

    key: str
    when: Condition
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedRule:
    """Points for a deed; `most` over all time and `day` on one calendar day, 0: without a limit.

    `detail` is the key of a question or action, and `contest` the id of a campaign; empty and 0: any.
    """

    key: str
    deed: Deed
    points: int
    detail: str = ""
    contest: int = 0
    most: int = 0
    day: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """`points` are taken for each full `days` without a sign of life, `most` at most; 0 points: nothing is."""

    days: int
    points: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Entered at `enter`, left below `leave`; the lowest band has 0 for both. `label` is what staff call it."""

    key: str
    enter: int = 0
    leave: int = 0
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A definition; bands stand from the best to the lowest."""

    fit: Sequence[FitRule]
    out: Sequence[Disqualifier]
    deeds: Sequence[DeedRule]
    half_life: int  # days
    silence: Silence
    fit_bands: Sequence[Band]
    engagement_bands: Sequence[Band]
    by_key: Mapping[str, FitRule | Disqualifier | DeedRule] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out the names once."""
        every: list[FitRule | Disqualifier | DeedRule] = [*self.fit, *self.out, *self.deeds]
        object.__setattr__(self, "by_key", {one.key: one for one in every})


FIT_KEYS, ENGAGEMENT_KEYS = ("A", "B", "C", "D"), ("1", "2", "3", "4")


def read(data: Mapping[str, Any]) -> Rules:
    """The rules of a checked definition."""
    return Rules(
        fit=[FitRule(**one) for one in data["fit"]],
        out=[Disqualifier(**one) for one in data["out"]],
        deeds=[DeedRule(**one | {"deed": Deed(one["deed"])}) for one in data["deeds"]],
        half_life=data["half_life"],
        silence=Silence(**data["silence"]),
        fit_bands=[Band(**one) for one in data["fit_bands"]],
        engagement_bands=[Band(**one) for one in data["engagement_bands"]],
    )


def default() -> dict[str, Any]:
    """What a brand begins with: whoever tells more fits better, whoever does more is more engaged."""
    steps = [("told_1", 1, 25), ("told_2", 2, 20), ("told_3", 3, 20), ("told_5", 5, 20), ("told_8", 8, 15)]
    return {
        "fit": [
            {"key": key, "when": {"field": "answered", "op": "gte", "value": number}, "points": points}
            for key, number, points in steps
        ],
        "out": [],
        "deeds": [
            _deed("confirmed", Deed.CONFIRMED, 20, 40),
            _deed("answered", Deed.ANSWERED, 4, 32, 12),
            _deed("finished", Deed.FINISHED, 15, 30),
            _deed("friend", Deed.FRIEND, 10, 50, 20),
            _deed("action", Deed.ACTION, 4, 24, 8),
            _deed("work", Deed.WORK, 12, 24),
            _deed("clicked", Deed.CLICKED, 8, 48, 8),
            _deed("complained", Deed.COMPLAINED, -60),
        ],
        "half_life": 21,
        "silence": {"days": 30, "points": 5, "most": 20},
        "fit_bands": _bands(FIT_KEYS, (75, 65), (50, 40), (25, 15)),
        "engagement_bands": _bands(ENGAGEMENT_KEYS, (60, 50), (35, 25), (15, 8)),
    }


def _deed(key: str, deed: Deed, points: int, most: int = 0, day: int = 0) -> dict[str, Any]:
    return {"key": key, "deed": deed.value, "detail": "", "contest": 0, "points": points, "most": most, "day": day}


def _bands(keys: Sequence[str], *edges: tuple[int, int]) -> list[dict[str, Any]]:
    both = [*edges, (0, 0)]
    return [{"key": key, "enter": both[n][0], "leave": both[n][1], "label": ""} for n, key in enumerate(keys)]
