"""Guard rails: a wording that makes people complain or unsubscribe more than the others is taken out, and it is told.

Its share goes to the others. Every version that somebody goes through is published anew without it, so that who waits
in an older one is spared as well; letters of it that wait in the outbox get the words of the largest wording left.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text

from leadgen.authoring import drafts
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName
from leadgen.nurture.definition import from_data, to_data
from leadgen.nurture.models import Sequence, SequenceVersion, Step
from leadgen.outcomes import results, trials
from leadgen.outcomes.models import HarmKind, VariantStop
from leadgen.outcomes.results import Count
from leadgen.outcomes.trials import Trial

BY = "Leadgen"  # who published such a version
_IN_USE = text("""
SELECT DISTINCT version FROM enrolment
WHERE sequence_id = :sequence AND status = 'active' AND version BETWEEN :first AND :last ORDER BY version
""")
_MOVE = text("UPDATE enrolment SET version = :to WHERE sequence_id = :sequence AND status = 'active' AND version = :of")
# Lane and stream lead to ix_message_due. Whoever sends locks a message before its enrolment; here enrolments are locked
# already, so what is being sent is passed by.
_REWORD = text("""
UPDATE message SET step_id = :other WHERE id IN (
    SELECT id FROM message
    WHERE lane = 'nurture' AND stream_id = :stream AND status = 'scheduled' AND step_id = :step
    FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True)
class _Culprit:
    """A wording to be taken out, why, and the people and harms of each wording of the test."""

    variant: str
    kind: HarmKind
    figures: dict[str, dict[str, int]]


def look_at_all() -> int:
    """Look at every test that runs (job); commits after each sequence. Answers how many wordings were taken out."""
    ids = db.session.scalars(
        select(Sequence.id).where(Sequence.version.is_not(None), Sequence.archived_at.is_(None)).order_by(Sequence.id)
    ).all()
    stopped = 0
    for sequence_id in ids:
        stopped += look(db.session.get_one(Sequence, sequence_id))
        db.session.commit()
    return stopped


def look(sequence: Sequence) -> int:
    """Take out what does harm in the tests of a sequence that run; answers how many wordings that were.

    Counting holds no lock: what somebody publishes meanwhile is looked at the next time.
    """
    history = trials.published(sequence)
    for trial in [one for one in trials.trials(history) if one.until is None]:
        culprits = _culprits(trial, results.counts_of(sequence, trial, history[-1][1]))
        if culprits and drafts.locked(sequence).version == history[-1][0].number:
            _stop(sequence, trial, culprits)
            return len(culprits) + look(sequence)
    return 0


def _culprits(trial: Trial, counts: Many[Count]) -> list[_Culprit]:
    return [
        _Culprit(
            counts[place].variant,
            kind,
            {one.variant: {"people": one.left, "harms": one.harms(kind)} for one in counts},
        )
        for place, kind in results.harmful(trial, counts).items()
    ]


def _stop(found: Sequence, trial: Trial, culprits: Many[_Culprit]) -> None:
    now = clock.now()
    gone = {one.variant for one in culprits}
    _publish_without(found, trial, gone, now)
    _reword(found, trial, gone)
    for one in culprits:
        said: dict[str, Any] = {"step_key": trial.step_key, "experiment": trial.experiment, "variant": one.variant}
        row = VariantStop(sequence_id=found.id, kind=one.kind, figures=one.figures, at=now, **said)
        db.session.add(row)
        campaign = db.session.get_one(Campaign, found.campaign_id)
        journal.record(
            FactName.VARIANT_STOPPED,
            brand_id=campaign.brand_id,
            campaign_id=campaign.id,
            sequence=found.id,
            kind=one.kind.value,
            figures=one.figures,
            **said,
        )
    db.session.flush()


def _publish_without(sequence: Sequence, trial: Trial, gone: set[str], now: datetime) -> None:
    """A version like each that is in use, without the wording; the published one last, so that it is the newest.

    All of one moment: who enters only ever sees the last (trials.published).
    """
    values = {"sequence": sequence.id, "first": trial.first, "last": trial.last}
    used = [number for number in db.session.scalars(_IN_USE, values) if number != sequence.version]
    for number in [*used, sequence.version]:
        old = db.session.get_one(SequenceVersion, (sequence.id, number))
        following = 1 + (
            db.session.scalar(select(func.max(SequenceVersion.number)).filter_by(sequence_id=sequence.id)) or 0
        )
        defined = trials.without(from_data(old.definition), trial.step_key, gone, _drawn_anew(trial, following))
        made = SequenceVersion(sequence_id=sequence.id, number=following, definition=to_data(defined))
        made.published_at, made.published_by = now, BY
        db.session.add(made)
        db.session.flush()
        db.session.execute(_MOVE, {"sequence": sequence.id, "of": number, "to": following})
        sequence.version = following
    draft = trials.without(drafts.definition_of(sequence), trial.step_key, gone, "")
    drafts.keep(sequence, draft, BY)  # with the draw of what is published, if nothing else differs


def _drawn_anew(trial: Trial, version: int | None) -> str:
    """The name of the test that goes on with the wordings that are left."""
    return f"{trial.experiment}-{version}"


def _reword(sequence: Sequence, trial: Trial, gone: set[str]) -> None:
    """What waits in the outbox with the words that are taken out goes with those of the largest wording left."""
    left = max(((weight, key) for key, weight in trial.shares if key not in gone), default=(0, ""))[1]
    steps = {
        step.variant: step.id
        for step in db.session.scalars(select(Step).filter_by(sequence_id=sequence.id, key=trial.step_key))
    }
    for variant in gone & steps.keys() if left in steps else ():
        db.session.execute(_REWORD, {"stream": sequence.stream_id, "step": steps[variant], "other": steps[left]})
