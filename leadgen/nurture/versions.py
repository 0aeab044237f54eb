"""Versions of a sequence: stored once and never changed, and the words of their letters as they stand now."""

from __future__ import annotations

import copy
import logging
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select, text

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.nurture.definition import Definition, Letter, from_data, to_data
from leadgen.nurture.models import Sequence, SequenceVersion, Step

log = logging.getLogger(__name__)

Key = tuple[int, int]  # of a version: its sequence, its number
# Lane and stream lead to ix_message_due: nothing lists messages by step, and the table may hold millions.
CANCEL_STEPS = """
UPDATE message SET status = 'cancelled', reason = 'step_removed'
WHERE lane = 'nurture' AND stream_id = :stream AND step_id = ANY(:steps) AND status = 'scheduled'
"""
_OF_SOME = text("""
SELECT v.sequence_id, v.number, v.definition FROM sequence_version v
JOIN unnest(CAST(:sequences AS bigint[]), CAST(:numbers AS int[])) AS w (sequence_id, number)
  ON w.sequence_id = v.sequence_id AND w.number = v.number
""")


def definitions(keys: Collection[Key]) -> dict[Key, Definition]:
    """The definitions of these versions; one that is missing or cannot be read is left out, and logged."""
    wanted = sorted(set(keys))
    values = {"sequences": [one for one, _number in wanted], "numbers": [number for _one, number in wanted]}
    found: dict[Key, Definition] = {}
    for row in db.session.execute(_OF_SOME, values).all() if wanted else ():
        try:
            found[row.sequence_id, row.number] = from_data(row.definition)
        except (KeyError, ValueError, TypeError, AttributeError):
            log.exception("version %d of sequence %d cannot be read", row.number, row.sequence_id)
    return found


def published(sequence: Sequence) -> Definition | None:
    """What is published of a sequence; None when nothing is, or it cannot be read."""
    return (
        definitions([(sequence.id, sequence.version)]).get((sequence.id, sequence.version))
        if sequence.version
        else None
    )


def store(sequence: Sequence, definition: Definition, by: str = "", *, kept: Collection[str] = ()) -> SequenceVersion:
    """Publish the definition as the sequence's next version, with the words of its letters. Nobody is moved to it.

    Words reach everybody whose letter is not sent yet, whatever version they go through. Letters that are no more are
    sent to nobody, and what was planned of them is cancelled, but for the keys `kept` for people who stay in an old
    version. The caller has checked the definition.
    """
    highest = db.session.scalar(
        select(SequenceVersion.number)
        .filter_by(sequence_id=sequence.id)
        .order_by(SequenceVersion.number.desc())
        .limit(1)
    )
    made = SequenceVersion(
        sequence_id=sequence.id,
        number=(highest or 0) + 1,
        definition=to_data(definition),
        published_at=clock.now(),
        published_by=by,
    )
    db.session.add(made)
    sequence.version = made.number
    _put_letters(sequence, definition, kept)
    db.session.flush()
    return made


def _put_letters(sequence: Sequence, definition: Definition, kept: Collection[str]) -> None:
    """One row for each wording: ids stay, so that what is planned finds the new words."""
    known = {(step.key, step.variant): step for step in sequence.steps}
    for position, letter in enumerate(definition.letters(), 1):
        for variant, texts in wordings(letter).items():
            step = known.pop((letter.key, variant), None)
            if step is None:
                step = Step(key=letter.key, variant=variant, texts=_plain(texts))
                sequence.steps.append(step)
            elif step.texts != texts:
                step.texts = _plain(texts)
                step.version += 1
            step.position, step.is_active = position, True
    for step in known.values():
        step.is_active = step.is_active and step.key in kept
    db.session.flush()
    if gone := gone_letters(sequence):
        db.session.execute(text(CANCEL_STEPS), {"stream": sequence.stream_id, "steps": gone})


def gone_letters(sequence: Sequence) -> list[int]:
    """The words of letters that are no more. What is planned of a letter that only lost a variant still leaves."""
    there = {step.key for step in sequence.steps if step.is_active}
    return [step.id for step in sequence.steps if step.key not in there]


def wordings(letter: Letter) -> dict[str, Mapping[str, Any]]:
    """The texts of each variant of a letter, by its key."""
    return {variant.key: variant.texts for variant in letter.variants}


def _plain(texts: Mapping[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(dict(texts))
