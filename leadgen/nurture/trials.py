"""The tests of a sequence as its versions define them: which wordings, in which shares, from when until when.

A test goes on over versions as long as its wordings and their shares stay; a new draw of the people (`experiment`), or
other shares, is another test, whose people are counted anew. The same holds for the share that is held out.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.nurture import versions
from leadgen.nurture.definition import Definition, Letter
from leadgen.nurture.models import Sequence, SequenceVersion

STILL = 2**31 - 1  # the last version of a test that runs
Share = tuple[str, int]  # a variant and its weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A test of one letter, in the versions from `first` to `last`, published from `since` on.

    `until` is when the first version without it was published; None while it runs.
    """

    step_key: str
    experiment: str
    shares: tuple[Share, ...]
    first: int
    last: int
    since: datetime
    until: datetime | None = None

    @property
    def variants(self) -> list[str]:
        """Their keys, in the order of the letter."""
        return [key for key, _weight in self.shares]

    @property
    def weights(self) -> list[int]:
        """Their shares, in the same order."""
        return [weight for _key, weight in self.shares]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """For how long `per_cent` of the people who entered were held out; `until` None while they are."""

    per_cent: int
    since: datetime
    until: datetime | None = None


Published = tuple[SequenceVersion, Definition]


def published(sequence: Sequence) -> list[Published]:
    """Everything that was published and can be read, oldest first."""
    rows = db.session.scalars(
        select(SequenceVersion).filter_by(sequence_id=sequence.id).order_by(SequenceVersion.number)
    ).all()
    read = versions.definitions([(sequence.id, row.number) for row in rows])
    return [(row, read[sequence.id, row.number]) for row in rows if (sequence.id, row.number) in read]


def trials(history: Many[Published]) -> list[Trial]:
    """All tests, those that run first, the newest of each first."""
    open_ones: dict[str, Trial] = {}
    ended: list[Trial] = []
    for version, defined in history:
        letters = {letter.key: letter for letter in defined.letters() if is_tested(letter)}
        for key, trial in list(open_ones.items()):
            if key not in letters or _identity(letters[key]) != (trial.experiment, trial.shares):
                ended.append(replace(open_ones.pop(key), last=version.number - 1, until=version.published_at))
        for key, letter in letters.items():
            if key not in open_ones:
                open_ones[key] = _begun(letter, version)
    return [*open_ones.values(), *reversed(ended)]


def is_tested(letter: Letter) -> bool:
    """Whether people are split between two wordings of it or more."""
    return sum(variant.weight > 0 for variant in letter.variants) > 1


def _identity(letter: Letter) -> tuple[str, tuple[Share, ...]]:
    return letter.experiment, tuple((one.key, one.weight) for one in letter.variants if one.weight > 0)


def _begun(letter: Letter, version: SequenceVersion) -> Trial:
    experiment, shares = _identity(letter)
    return Trial(
        step_key=letter.key,
        experiment=experiment,
        shares=shares,
        first=version.number,
        last=STILL,
        since=version.published_at,
    )


def holdout(history: Many[Published]) -> Holdout | None:
    """The last time during which a share of the people was held out; None when nobody ever was."""
    found: Holdout | None = None
    for version, defined in history:
        if found and found.until is None and defined.holdout != found.per_cent:
            found = replace(found, until=version.published_at)
        if defined.holdout and (found is None or found.until is not None):
            found = Holdout(per_cent=defined.holdout, since=version.published_at)
    return found


def keep_winner(sequence: Sequence, step_key: str, variant: str) -> bool:
    """Leave only this wording of a letter in the draft; what people get changes when the draft is published.

    Answers whether `put_wordings_back` takes that back without a loss: when the draft had the published wordings.
    Raises NotFound when the draft has no such letter or wording, Conflict when the sequence is put away.
    """
    found = locked(sequence)
    draft = copy.deepcopy(found.draft)
    letter = _letter_of(draft, step_key)
    kept = [one for one in letter.get("variants", ()) if one["key"] == variant]
    if not kept:
        raise NotFound(_("The draft has no such wording any more."))
    is_as_published = _wordings(letter) == _published_wordings(found, step_key)
    letter["variants"] = [{**kept[0], "weight": 1}]
    letter.pop("experiment", None)
    save_draft(found, draft)
    return is_as_published


def put_wordings_back(sequence: Sequence, step_key: str) -> None:
    """Give a letter of the draft the wordings and shares that are published. Raises NotFound, Conflict."""
    found = locked(sequence)
    wordings = _published_wordings(found, step_key)
    draft = copy.deepcopy(found.draft)
    letter = _letter_of(draft, step_key)
    if wordings is None:
        raise NotFound(_("The published version has no such letter."))
    letter |= {"variants": wordings[0], "experiment": wordings[1]}
    save_draft(found, draft)


def _letter_of(data: dict[str, Any], step_key: str) -> dict[str, Any]:
    for letter in letters_of(data):
        if letter["key"] == step_key:
            return letter
    raise NotFound(_("The draft has no such wording any more."))


def _wordings(letter: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    shares = [{"weight": 1, **one} for one in letter.get("variants", ())]
    return shares, letter.get("experiment", "")


def _published_wordings(sequence: Sequence, step_key: str) -> tuple[list[dict[str, Any]], str] | None:
    version = db.session.get(SequenceVersion, (sequence.id, sequence.version)) if sequence.version else None
    letters = letters_of(copy.deepcopy(version.definition)) if version else []
    return next((_wordings(letter) for letter in letters if letter["key"] == step_key), None)


def locked(sequence: Sequence) -> Sequence:
    """The sequence as it is now, locked until the transaction ends. Raises Conflict when it is put away."""
    found = db.session.scalars(
        select(Sequence).filter_by(id=sequence.id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if found.archived_at is not None:
        raise Conflict(_("This sequence is put away."))
    return found


def save_draft(sequence: Sequence, draft: dict[str, Any]) -> None:
    """Keep it as the next revision: whoever edits the one before is told."""
    sequence.draft = draft
    sequence.revision += 1
    db.session.flush()


def letters_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The letters in a definition's data, however deep, to be changed in place."""
    return list(_letters(data.get("steps", ())))


def _letters(steps: Any) -> Iterator[dict[str, Any]]:
    for step in steps:
        if step["kind"] == "letter":
            yield step
        for side in ("yes", "no"):
            yield from _letters(step.get(side, ()))
