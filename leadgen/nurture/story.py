"""What the sequences did with somebody and why, line by line, and what they wait for; in the current language.

Letters have a story of their own (mail.timeline); a message names its enrolment, which puts the two together.
Nothing is told of a person who was erased.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.core.i18n import gettext as _
from leadgen.nurture import versions, wording
from leadgen.nurture.definition import Branch, Definition, Until
from leadgen.nurture.models import Enrolment, EnrolmentMove, EnrolmentStatus, MoveReason, Sequence
from leadgen.nurture.service import exit_reason, step_name
from leadgen.nurture.wording import Names
from leadgen.segments import fields
from leadgen.segments.catalogue import Catalogue


class Kind(StrEnum):
    """What a line tells; pages give each its mark."""

    BEGAN = "began"
    HELD_OUT = "held_out"
    BRANCHED = "branched"
    MOVED = "moved"  # events, dates, steps
    GOAL = "goal"
    WAITS = "waits"
    EXITED = "exited"
    FINISHED = "finished"


_KINDS = {MoveReason.GOAL: Kind.GOAL, MoveReason.BRANCHED: Kind.BRANCHED}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, or that is waited for (`at`: until when)."""

    at: datetime
    kind: Kind
    sentence: str
    sequence_id: int
    enrolment_id: int


@dataclass(frozen=True, slots=True)
class Told:
    """The story of a contact: its lines, oldest first, and the sequences in it by id."""

    lines: tuple[Line, ...] = ()
    sequences: Mapping[int, str] = field(default_factory=dict)
    of_enrolment: Mapping[int, int] = field(default_factory=dict)  # the sequence of each enrolment
    letters: Mapping[int, str] = field(default_factory=dict)  # what its letters are called, by the id of their words


def of_contact(contact_id: int) -> Told:
    """Everything that sequences did with this contact; nothing of whoever was erased."""
    rows = db.session.execute(
        select(Enrolment, Sequence)
        .join(Sequence, Sequence.id == Enrolment.sequence_id)
        .join(Contact, Contact.id == Enrolment.contact_id)
        .where(Enrolment.contact_id == contact_id, Contact.erased_at.is_(None))
        .order_by(Enrolment.id)
    ).all()
    if not rows:
        return Told()
    moves = _moves([enrolment.id for enrolment, _sequence in rows])
    read = versions.definitions([(enrolment.sequence_id, enrolment.version) for enrolment, _sequence in rows])
    catalogue = fields.of_brand(db.session.get_one(Brand, rows[0][0].brand_id))
    lines: list[Line] = []
    for enrolment, sequence in rows:
        names = wording.names(db.session.get_one(Campaign, sequence.campaign_id))
        definition = read.get((enrolment.sequence_id, enrolment.version)) or Definition()
        lines += _Chapter(enrolment, sequence, definition, names, catalogue).lines(moves.get(enrolment.id, []))
    return Told(
        tuple(sorted(lines, key=lambda line: line.at)),
        {sequence.id: sequence.name for _enrolment, sequence in rows},
        {enrolment.id: sequence.id for enrolment, sequence in rows},
        {step.id: step_name(step) for _enrolment, sequence in rows for step in sequence.steps},
    )


def _moves(enrolment_ids: list[int]) -> dict[int, list[EnrolmentMove]]:
    told = select(EnrolmentMove).where(EnrolmentMove.enrolment_id.in_(enrolment_ids)).order_by(EnrolmentMove.id)
    found: dict[int, list[EnrolmentMove]] = {}
    for move in db.session.scalars(told):
        found.setdefault(move.enrolment_id, []).append(move)
    return found


@dataclass(frozen=True, slots=True)
class _Chapter:
    """One enrolment with what is needed to speak of it: the version that it goes through, in words."""

    enrolment: Enrolment
    sequence: Sequence
    definition: Definition
    names: Names
    catalogue: Catalogue

    def lines(self, moves: list[EnrolmentMove]) -> Iterator[Line]:
        one = self.enrolment
        yield self._line(one.enrolled_at, Kind.BEGAN, self._beginning())
        if one.status is EnrolmentStatus.HELD_OUT:
            sentence = _("Held out of “%(sequence)s”: gets none of its letters, to be compared with the others")
            yield self._line(one.enrolled_at, Kind.HELD_OUT, sentence % self._words())
        for move in moves:
            yield self._line(move.at, _KINDS.get(move.reason, Kind.MOVED), self._moved(move))
        if one.status is EnrolmentStatus.ACTIVE and one.step_key:
            yield self._line(one.next_run_at, Kind.WAITS, self._waiting())
        elif one.status is EnrolmentStatus.EXITED and one.ended_at:
            sentence = _("Left the sequence “%(sequence)s”: %(reason)s")
            yield self._line(one.ended_at, Kind.EXITED, sentence % self._words(reason=exit_reason(one.exit_reason)))
        elif one.status is EnrolmentStatus.FINISHED and one.ended_at:
            yield self._line(one.ended_at, Kind.FINISHED, _("Finished “%(sequence)s”") % self._words())

    def _line(self, at: datetime, kind: Kind, sentence: str) -> Line:
        return Line(at, kind, sentence, self.sequence.id, self.enrolment.id)

    def _words(self, **more: object) -> dict[str, object]:
        return {"sequence": self.sequence.name, **more}

    def _beginning(self) -> str:
        what = wording.happening(self.definition.trigger, self.names)
        if not self.definition.steps:  # the version cannot be read any more
            return _("Entered the sequence “%(sequence)s”") % self._words()
        return _("Entered the sequence “%(sequence)s”, which begins when %(what)s") % self._words(what=what)

    def _moved(self, move: EnrolmentMove) -> str:
        step = self.definition.step(move.step_key)
        words = self._words(step=self._name(move.step_key))
        if move.reason is MoveReason.GOAL:
            return _("Reached the goal of “%(sequence)s”") % words
        if move.reason is MoveReason.BRANCHED:
            return _branched(move, is_known=isinstance(step, Branch)) % words
        if move.reason in {MoveReason.WENT_ON, MoveReason.TIMED_OUT}:
            event = step.wait.event if step else None
            what = wording.happening(event, self.names) if event else ""
            return _waited(has_come=move.reason is MoveReason.WENT_ON, is_known=bool(what)) % (words | {"what": what})
        sentence = {
            MoveReason.SKIPPED: _("“%(step)s” was passed over: %(why)s"),
            MoveReason.RETIMED: _("“%(step)s” got another date: %(why)s"),
        }.get(move.reason, _("Moved on to “%(step)s”: %(why)s"))
        return sentence % (words | {"why": _why(move)})

    def _waiting(self) -> str:
        sequence, step = self.sequence, self.definition.step(self.enrolment.step_key)
        words = self._words(step=self._name(self.enrolment.step_key))
        if not sequence.is_active or sequence.paused_at is not None or sequence.archived_at is not None:
            return _("“%(step)s” waits: the sequence is paused") % words
        if step is not None and step.wait.until is Until.EVENT and step.wait.event is not None:
            what = wording.happening(step.wait.event, self.names)
            return _("“%(step)s” waits until this, or until %(what)s") % (words | {"what": what})
        return _("“%(step)s” is planned") % words

    def _name(self, key: str) -> str:
        """A step by its words: as the version has it, else as the letter is called now, else its key."""
        step = self.definition.step(key)
        if step is not None:
            return wording.step_name(step, self.catalogue)
        return next((step_name(one) for one in self.sequence.steps if one.key == key), key)


def _branched(move: EnrolmentMove, *, is_known: bool) -> str:
    is_yes = move.detail.get("way") == "yes"
    if move.detail.get("unsound"):
        return _("“%(step)s” cannot be told any more: took the way “no”")
    if not is_known:
        return _("“%(step)s”: took the way “yes”") if is_yes else _("“%(step)s”: took the way “no”")
    if is_yes:
        return _("Took the way “yes”, being one of: %(step)s")
    return _("Took the way “no”, not being one of: %(step)s")


def _waited(*, has_come: bool, is_known: bool) -> str:
    if has_come:
        long, short = _("“%(step)s” waited until %(what)s: it happened"), _("“%(step)s”: what was waited for happened")
    else:
        long = _("“%(step)s” waited until %(what)s: it did not happen in time")
        short = _("“%(step)s”: what was waited for did not happen in time")
    return long if is_known else short


def _why(move: EnrolmentMove) -> str:
    """The reason that the planner, a new version or a pause wrote down."""
    if number := move.detail.get("version"):
        return _("version %(number)s was published") % {"number": number}
    word = str(move.detail.get("why", ""))
    return {
        "contest_end": _("the contest ends later than it was to"),
        "no_end": _("the contest has no end"),
        "step_removed": _("it was taken out of the sequence"),
        "pause": _("the sequence was paused for a while"),
        "": _("no reason was noted"),
    }.get(word, word)
