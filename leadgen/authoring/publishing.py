"""Publishing a sequence: what changes for whom, who would get something at once, and the new version itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from leadgen.authoring import comparing, describing, drafts
from leadgen.authoring.comparing import ChangeKind, Difference
from leadgen.authoring.moving import Group, Journey
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import format_number, ngettext
from leadgen.core.i18n import gettext as _
from leadgen.journal.vocabulary import FactName
from leadgen.mail import streams
from leadgen.nurture import versions as stored
from leadgen.nurture import wording
from leadgen.nurture.definition import Definition, from_data, to_data
from leadgen.nurture.models import Enrolment, EnrolmentStatus, Sequence, SequenceVersion

__all__ = [
    "Change",
    "ChangeKind",
    "Choices",
    "Inside",
    "Preview",
    "Timing",
    "preview",
    "publish",
    "put_back",
    "versions",
]

MOST_SPREAD_DAYS = 30
# Whoever sends locks a message before its enrolment; here enrolments are locked, so what is being sent is passed by.
_CANCEL_UNCLAIMED = text("""
UPDATE message SET status = 'cancelled', reason = 'step_removed' WHERE id IN (
    SELECT id FROM message
    WHERE lane = 'nurture' AND stream_id = :stream AND step_id = ANY(:steps) AND status = 'scheduled'
    FOR UPDATE SKIP LOCKED)
""")
MOST_FINISHED_DAYS = 365


class Timing(StrEnum):
    """What a changed wait means for people who wait already."""

    KEEP = "keep"  # their date stays
    RECOMPUTE = "recompute"  # the new wait counts from when theirs began


class Inside(StrEnum):
    """What becomes of people who are in the sequence already."""

    MOVE = "move"  # they go on in the new version
    STAY = "stay"  # they go through the version they are in


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the marketer chose in the dialog before publishing."""

    timing: Timing = Timing.KEEP
    spread_days: int = 0  # who would go now is spread evenly over so many days
    finished_within_days: int = 0  # who finished at most so long ago gets added steps too; 0: nobody
    those_inside: Inside = Inside.MOVE


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between what is published and the draft, with what it does to people who are inside.

    `step_key` is empty where it is no step's. `people_waiting` wait for this step now; `people_now` of them (or, of an
    added step, of those who come back for it) would be due as soon as it is published. The sentence says so too.
    """

    kind: ChangeKind
    step_key: str
    sentence: str
    people_waiting: int = 0
    people_now: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What publishing would do at this moment with these choices."""

    changes: list[Change] = field(default_factory=list)
    is_first: bool = False  # nothing is published yet
    people_active: int = 0  # inside now, in whatever version
    people_moved: int = 0  # whose next step or date is looked at anew
    people_now: int = 0  # of all: due as soon as it is published, and not before
    people_back: int = 0  # who finished and come back for an added step
    first_at: datetime | None = None  # when the first of those who would go now goes
    last_at: datetime | None = None  # and the last, by `spread_days`


def preview(sequence: Sequence, choices: Choices) -> Preview:
    """The differences between what is published and the draft, and who would get what when; changes nothing.

    Raises Invalid for days that cannot be chosen.
    """
    draft, published = drafts.definition_of(sequence), stored.published(sequence)
    asked = select(func.count()).select_from(Enrolment)
    active = db.session.scalar(asked.filter_by(sequence_id=sequence.id, status=EnrolmentStatus.ACTIVE)) or 0
    if published is None:
        return Preview(is_first=True, people_active=active)
    now = clock.now()
    journey = _journey(sequence, draft, choices, now)
    counts = {group: journey.people_now(group) for group in journey.groups()}
    people_now = sum(counts.values())
    last = now + journey.spread * max(people_now - 1, 0) / max(people_now, 1)
    return Preview(
        changes=list(_changes(sequence, published, draft, counts)),
        people_active=active,
        people_moved=sum(group.people for group in counts if group.is_timed or group.target is None),
        people_now=people_now,
        people_back=sum(group.people for group in counts if group.status is EnrolmentStatus.FINISHED),
        first_at=now if people_now else None,
        last_at=last if people_now else None,
    )


def publish(sequence: Sequence, choices: Choices, by: str) -> SequenceVersion:
    """Make the draft the next version, and take the people inside along as chosen; commits nothing.

    Nobody gets a letter of a key again that they were sent. A paused sequence stays paused. Raises Invalid with the
    first problem of the draft, and Conflict when the sequence is archived, the draft is what is published, or somebody
    who is to come back enters anew at this moment.
    """
    drafts.locked(sequence)
    draft, published = drafts.definition_of(sequence), stored.published(sequence)
    if sequence.archived_at is not None:
        raise Conflict(_("This sequence is archived; bring it back first."))
    if published == draft:
        raise Conflict(_("There is nothing new to publish."))
    if problems := drafts.problems(sequence):
        raise Invalid(problems[0].sentence, f"{problems[0].where}.{problems[0].field}")
    journey = _journey(sequence, draft, choices, clock.now())
    try:
        with db.session.begin_nested():  # a refusal leaves nothing behind, whatever the caller does with it
            return _put_in_place(sequence, draft, journey, by)
    except IntegrityError as error:
        if "uq_enrolment_active" not in str(error.orig):
            raise
        raise Conflict(_("Somebody who was to come back entered at this very moment. Publish once more.")) from None


def _put_in_place(sequence: Sequence, draft: Definition, journey: Journey, by: str) -> SequenceVersion:
    is_first = sequence.version is None
    version = stored.store(sequence, draft, by, kept=() if journey.is_moving else _still_needed(sequence))
    sequence.draft = to_data(draft)
    if is_first and sequence.paused_at is None:
        sequence.is_active = True
        streams.resume(sequence.stream_id, by)
    db.session.flush()
    journey.number = version.number
    journey.take_along()
    _cancel_once_more(sequence)
    drafts.note(sequence, FactName.SEQUENCE_PUBLISHED, by, version=version.number)
    return version


def _cancel_once_more(sequence: Sequence) -> None:
    """Letters of removed steps that planners put into the outbox while they were waited for."""
    if gone := stored.gone_letters(sequence):
        db.session.execute(_CANCEL_UNCLAIMED, {"stream": sequence.stream_id, "steps": gone})


def put_back(sequence: Sequence, number: int, by: str) -> None:
    """Make an old version the draft; it is published like any other. Raises NotFound."""
    found = db.session.get(SequenceVersion, (sequence.id, number))
    if found is None:
        raise NotFound
    drafts.keep(drafts.locked(sequence), from_data(found.definition), by)


def versions(sequence: Sequence) -> list[SequenceVersion]:
    """Every version, newest first."""
    asked = select(SequenceVersion).filter_by(sequence_id=sequence.id).order_by(SequenceVersion.number.desc())
    return list(db.session.scalars(asked))


def _journey(sequence: Sequence, draft: Definition, choices: Choices, now: datetime) -> Journey:
    if not 0 <= choices.spread_days <= MOST_SPREAD_DAYS:
        raise Invalid(_("Spread over %(limit)d days at most.") % {"limit": MOST_SPREAD_DAYS}, "spread_days")
    if not 0 <= choices.finished_within_days <= MOST_FINISHED_DAYS:
        raise Invalid(_("Go back %(limit)d days at most.") % {"limit": MOST_FINISHED_DAYS}, "finished_within_days")
    journey = Journey(
        sequence=sequence,
        definition=draft,
        now=now,
        is_moving=choices.those_inside == Inside.MOVE,
        is_recomputed=choices.timing == Timing.RECOMPUTE,
        spread=timedelta(days=choices.spread_days),
    )
    if choices.finished_within_days:
        journey.finished_since = now - timedelta(days=choices.finished_within_days)
    return journey


def _still_needed(sequence: Sequence) -> set[str]:
    """The letters of the versions that people are in who stay there."""
    asked = select(Enrolment.version).filter_by(sequence_id=sequence.id, status=EnrolmentStatus.ACTIVE).distinct()
    numbers = db.session.scalars(asked).all()
    read = stored.definitions([(sequence.id, number) for number in numbers])
    return {letter.key for definition in read.values() for letter in definition.letters()}


def _changes(sequence: Sequence, old: Definition, new: Definition, counts: Mapping[Group, int]) -> Iterator[Change]:
    names = describing.names(new)
    known = wording.names(db.session.get_one(Campaign, sequence.campaign_id))
    for one in comparing.differences(old, new, known):
        waiting = [group for group in counts if group.step_key == one.step_key and group.status == "active"]
        if one.kind is ChangeKind.ADDED:
            waiting = [group for group in counts if group.target == one.step_key]
        elif not one.step_key:
            waiting = []
        # A step's wait and its words may both change: who goes now does so by the wait.
        is_by_this = one.kind in comparing.WAITS | {ChangeKind.REMOVED, ChangeKind.ADDED}
        now = sum(counts[group] for group in waiting) if is_by_this else 0
        told = [one.sentence, *_consequences(one, waiting, now, names)]
        people = 0 if one.kind is ChangeKind.ADDED else sum(group.people for group in waiting)
        yield Change(one.kind, one.step_key, " ".join(told), people, now)


def _consequences(one: Difference, groups: list[Group], now: int, names: Mapping[str, str]) -> Iterator[str]:
    """What the change does to the people who stand there, a sentence each."""
    people = sum(group.people for group in groups)
    if one.kind is ChangeKind.REMOVED:
        going: Counter[str | None] = Counter()
        for group in groups:
            going[group.target] += group.people
        for target, number in going.items():
            yield _going(number, names.get(target or "", ""))
    elif one.kind is ChangeKind.ADDED:
        yield _("Whoever has not come that far gets it.")
        if people:
            told = ngettext("%(number)s person comes back for it.", "%(number)s people come back for it.", people)
            yield told % {"number": format_number(people)}
    elif people and one.kind in comparing.WAITS:
        told = ngettext("%(number)s person waits for it.", "%(number)s people wait for it.", people)
        yield told % {"number": format_number(people)}
        if not any(group.is_timed for group in groups):
            yield _("The date that they have stays.")
    if now:
        yield _("%(number)s of them would be due now.") % {"number": format_number(now)}


def _going(people: int, target: str) -> str:
    words = {"number": format_number(people), "step": target}
    if not target:
        told = ngettext(
            "%(number)s person who waits for it is through.", "%(number)s people who wait for it are through.", people
        )
    else:
        told = ngettext(
            "%(number)s person who waits for it goes on to %(step)s.",
            "%(number)s people who wait for it go on to %(step)s.",
            people,
        )
    return told % words
