"""The tests of a sequence as its versions define them: which wordings, in which shares, from when until when.

A test goes on over versions as long as its wordings and their shares stay; a new draw of the people (`experiment`), or
other shares, is another test, whose people are counted anew. The same holds for the share that is held out.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from leadgen.authoring import drafts
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.nurture import versions
from leadgen.nurture.definition import Definition, Letter, Step, Variant
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
    """Everything that was published for who enters and can be read, oldest first.

    Of the versions of one moment only the last: a guard rail makes the others for who waits in older ones.
    """
    asked = select(SequenceVersion).filter_by(sequence_id=sequence.id).order_by(SequenceVersion.number)
    rows = list({row.published_at: row for row in db.session.scalars(asked)}.values())
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


def keep_winner(sequence: Sequence, step_key: str, variant: str, by: str) -> bool:
    """Leave only this wording of a letter in the draft; what people get changes when the draft is published.

    Answers whether `put_wordings_back` takes that back without a loss: when the draft had the published wordings.
    Raises NotFound when the draft has no such letter or wording, Conflict when the sequence is put away.
    """
    drafts.locked(sequence)
    draft = _draft(sequence)
    letter = _letter(draft, step_key)
    kept = [replace(one, weight=1) for one in letter.variants if one.key == variant] if letter else []
    if letter is None or not kept:
        raise NotFound(_("The draft has no such wording any more."))
    drafts.keep(sequence, _with_wordings(draft, step_key, tuple(kept)), by)
    public = _letter(versions.published(sequence), step_key)
    return public is not None and public.variants == letter.variants


def put_wordings_back(sequence: Sequence, step_key: str, by: str) -> None:
    """Give a letter of the draft the wordings and shares that are published. Raises NotFound, Conflict."""
    drafts.locked(sequence)
    draft, public = _draft(sequence), _letter(versions.published(sequence), step_key)
    if public is None or _letter(draft, step_key) is None:
        raise NotFound(_("The published version has no such letter."))
    drafts.keep(sequence, _with_wordings(draft, step_key, public.variants), by)


def without(defined: Definition, step_key: str, gone: Collection[str], experiment: str) -> Definition:
    """No weight on these wordings of a letter, and a new draw among the others, unless nobody would get it."""
    letter = _letter(defined, step_key)
    left = [one for one in letter.variants if one.key not in gone and one.weight > 0] if letter else []
    if letter is None or not left:
        return defined
    variants = tuple(replace(one, weight=0 if one.key in gone else one.weight) for one in letter.variants)
    return _with_wordings(defined, step_key, variants, experiment)


def _draft(sequence: Sequence) -> Definition:
    if sequence.archived_at is not None:
        raise Conflict(_("This sequence is put away."))
    return drafts.definition_of(sequence)


def _letter(defined: Definition | None, step_key: str) -> Letter | None:
    found = defined.step(step_key) if defined else None
    return found if isinstance(found, Letter) else None


def _with_wordings(
    defined: Definition, step_key: str, variants: tuple[Variant, ...], experiment: str = ""
) -> Definition:
    def changed(step: Step) -> Step:
        if not isinstance(step, Letter) or step.key != step_key:
            return step
        return replace(step, variants=variants, experiment=experiment)

    return drafts.with_steps(defined, changed)
