"""The draft of a sequence: kept unfinished, saved by one at a time, and everything that keeps it from being published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadgen.nurture.definition import Definition
from leadgen.nurture.models import Sequence


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend before publishing; the sentence names the step and the field, in the current language.

    `where` is a step's key, or trigger, who, again, exits, goal, holdout, priority, steps; `field` what the editor
    calls the input there: on, of, days, value, when, exits-0, wait, at, weekdays, event, catch_up_hours, variants,
    a-weight, a-en-subject (variant, language, text), yes.
    """

    where: str
    field: str
    sentence: str


def save(sequence: Sequence, data: Mapping[str, Any], revision: int, by: str) -> list[Problem]:
    """Keep the draft as it is, and answer what is still to be mended in it.

    `revision` is the one that was read before editing; `sequence.revision` is one more afterwards. Raises Conflict
    when somebody else saved in between, and Invalid for what is no definition at all.
    """
    raise NotImplementedError


def definition_of(sequence: Sequence) -> Definition:
    """The draft; where nobody edited yet, what is published; where nothing is, an empty definition."""
    raise NotImplementedError


def problems(sequence: Sequence) -> list[Problem]:
    """What keeps the draft from being published, in the order of the steps, in the current language."""
    raise NotImplementedError


def new_key(sequence: Sequence) -> str:
    """A key for a step that no step of this sequence ever had: a letter's key is sent once to a person, for ever."""
    raise NotImplementedError
