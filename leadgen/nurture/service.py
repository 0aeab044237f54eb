"""What the sequences did and will do with somebody, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.i18n import gettext as _
from leadgen.nurture.models import Enrolment, EnrolmentMove, EnrolmentStatus, MoveReason, Sequence, Step


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of a contact's nurture timeline."""

    at: datetime
    sentence: str


def timeline(contact_id: int) -> list[TimelineLine]:
    """What the sequences did and will do with a contact, oldest first, in the current language.

    Who is held out has no line: nothing is done with them.
    """
    enrolments = db.session.execute(
        select(Enrolment, Sequence)
        .join(Sequence, Sequence.id == Enrolment.sequence_id)
        .where(Enrolment.contact_id == contact_id, Enrolment.status != EnrolmentStatus.HELD_OUT)
    ).all()
    moves = _moves([enrolment.id for enrolment, _sequence in enrolments])
    lines = [
        line for enrolment, sequence in enrolments for line in _lines(enrolment, sequence, moves.get(enrolment.id, []))
    ]
    return sorted(lines, key=lambda line: line.at)


def _moves(enrolment_ids: list[int]) -> dict[int, list[EnrolmentMove]]:
    told = select(EnrolmentMove).where(EnrolmentMove.enrolment_id.in_(enrolment_ids)).order_by(EnrolmentMove.id)
    found: dict[int, list[EnrolmentMove]] = {}
    for move in db.session.scalars(told) if enrolment_ids else ():
        found.setdefault(move.enrolment_id, []).append(move)
    return found


def _lines(enrolment: Enrolment, sequence: Sequence, moves: list[EnrolmentMove]) -> list[TimelineLine]:
    words = {"sequence": sequence.name, "reason": exit_reason(enrolment.exit_reason)}
    names = {step.key: step_name(step) for step in sequence.steps}
    lines = [TimelineLine(enrolment.enrolled_at, _("Entered the sequence “%(sequence)s”") % words)]
    lines += [TimelineLine(move.at, _told(move, names.get(move.step_key, move.step_key), words)) for move in moves]
    if enrolment.status is EnrolmentStatus.ACTIVE:
        is_waiting = sequence.is_active and sequence.paused_at is None and sequence.archived_at is None
        sentence = _("“%(step)s” is planned") if is_waiting else _("“%(step)s” waits: the sequence is paused")
        if enrolment.step_key:
            named = {"step": names.get(enrolment.step_key, enrolment.step_key)}
            lines.append(TimelineLine(enrolment.next_run_at, sentence % named))
    elif enrolment.ended_at:
        is_exit = enrolment.status is EnrolmentStatus.EXITED
        sentence = _("Left the sequence “%(sequence)s”: %(reason)s") if is_exit else _("Finished “%(sequence)s”")
        lines.append(TimelineLine(enrolment.ended_at, sentence % words))
    return lines


def _told(move: EnrolmentMove, step: str, words: dict[str, str]) -> str:
    is_yes = move.detail.get("way") == "yes"
    yes, no = _("“%(step)s”: took the way “yes”"), _("“%(step)s”: took the way “no”")
    sentences = {
        MoveReason.BRANCHED: yes if is_yes else no,
        MoveReason.SKIPPED: _("“%(step)s” was passed over"),
        MoveReason.WENT_ON: _("“%(step)s”: what was waited for has happened"),
        MoveReason.TIMED_OUT: _("“%(step)s”: what was waited for did not happen in time"),
        MoveReason.RETIMED: _("“%(step)s” got another date"),
        MoveReason.MOVED: _("Moved on to “%(step)s”"),
        MoveReason.GOAL: _("Reached the goal of “%(sequence)s”"),
    }
    return sentences[move.reason] % {**words, "step": step}


def step_name(step: Step) -> str:
    """What a step is called in lists: the subject of its letter, in the current language if it has one there."""
    subjects = {locale: str(texts["subject"]) for locale, texts in step.texts.items() if texts.get("subject")}
    return subjects.get(i18n.locale()) or next(iter(subjects.values()), step.key)


def exit_reason(word: str) -> str:
    """Why somebody left a sequence, in the current language."""
    return {
        "withdrawn": _("consent withdrawn"),
        "unsubscribe": _("unsubscribed"),
        "hard_bounce": _("the address does not exist"),
        "complaint": _("reported as spam"),
        "refused": _("did not enter the contest"),
        "manual": _("suppressed by hand"),
        "erased": _("data erased"),
        "goal": _("the goal is reached"),
        "exit_event": _("something happened that ends it"),
        "exit_condition": _("a condition that ends it holds"),
        "letter_condition": _("the condition of a letter does not hold"),
        "left_audience": _("no longer one of those it is for"),
        "disqualified": _("excluded from the contest"),
    }.get(word, word)
