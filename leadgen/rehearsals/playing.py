"""One person's way through a sequence, played before anything is sent. Pure.

The play walks as the planner does (nurture.walking) and judges each letter as the claim does (mail.gates), in the order
in which the clock would strike. What only the database knows it asks for: `play` yields Questions and is sent answers.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from leadgen.core.logic import Condition
from leadgen.mail import gates
from leadgen.nurture import hours, planning, splitting, walking
from leadgen.nurture.definition import (
    Branch,
    Event,
    Exit,
    Happening,
    Letter,
    Otherwise,
    Until,
)
from leadgen.nurture.hours import Calendar
from leadgen.nurture.models import MoveReason
from leadgen.nurture.walking import Answers, Place
from leadgen.rehearsals.plots import Kind, Line, Met, Person, Played, Plot, Question

_LONGEST = 500  # moments of one play; a sequence has 50 steps, and each letter is put off a few times
_CAP = timedelta(hours=gates.CAP_HOURS)
SPREAD = timedelta(seconds=gates.SPREAD_SECONDS)
_BY_CLOCK = frozenset({Event.CONTEST_ENDED, Event.CONTEST_CLOSING, Event.INACTIVE})
_BEHIND = timedelta(minutes=gates.BEHIND_MINUTES)


Play = Generator[Question, bool | None, Played]
_Asking = Generator[Question, bool | None, bool]


def play(plot: Plot, person: Person) -> Play:
    """Play from the beginning until nothing is waited for any more."""
    run = _Run(plot, person)
    if not (yield from run.begin()):
        return run.played()
    for _moment in range(_LONGEST):
        if not (yield from run.strike()):
            break
    return run.played()


@dataclass(slots=True)
class _Mail:
    step_key: str
    due: datetime
    expires: datetime
    priority: int
    number: int
    is_spread: bool = False  # it leaves within half an hour of the opening

    def rank(self) -> tuple[datetime, int]:
        return self.due, self.number


@dataclass(slots=True)
class _Coming:
    at: datetime
    kind: Kind
    key: str
    reason: str = ""


class _Run:
    """The state of a play."""

    def __init__(self, plot: Plot, person: Person) -> None:
        self.plot, self.person = plot, person
        self.definition = plot.definition
        self.calendar = Calendar(person.zone, plot.end)
        self.now = plot.starts_at
        self.place: Place | None = None
        self.has_come = False
        self.lines: list[Line] = []
        self.met: dict[str, Met] = {}
        self.coming: list[_Coming] = []
        self.ends: list[tuple[datetime, str]] = []  # what only the clock tells, and whoever sends looks at
        self.sent = list(person.sent)
        self.mails = [
            _Mail("", one.due_at, one.expires_at, one.priority, number)
            for number, one in enumerate(person.waiting, -len(person.waiting))
        ]

    def played(self) -> Played:
        return Played(tuple(self.lines), tuple(self.met.values()))

    def tell(self, kind: Kind, step_key: str = "", **more: object) -> None:
        self.lines.append(Line(at=self.now, kind=kind, step_key=step_key, **more))  # type: ignore[arg-type]

    def begin(self) -> _Asking:
        """Whether the sequence begins for this person at all, as nurture.triggers has it."""
        if self.person.bar and not self.fixed("may", answer=False):
            self.tell(Kind.NOT_BEGUN, reason=self.person.bar)
            return False
        if self.definition.who and not (yield from self.ask("who", self.definition.who)):
            self.tell(Kind.NOT_BEGUN, reason="who")
            return False
        place = walking.begin(self.definition, self.now, self.calendar)
        if place is None:
            self.tell(Kind.NOT_BEGUN, reason="no_steps")
            return False
        self.tell(Kind.BEGAN, is_supposed="who" in self.plot.suppose.holds)
        if self._is_held_out():
            self.tell(Kind.HELD_OUT)
            return False
        self.expect()
        self.arrive(place)
        return True

    def _is_held_out(self) -> bool:
        share = self.definition.holdout
        is_out = bool(self.person.contact_id) and splitting.is_held_out(
            self.plot.sequence_id, share, self.person.contact_id
        )
        return self.fixed("holdout", answer=is_out) if share and is_out else False

    def fixed(self, key: str, *, answer: bool) -> bool:
        """What is known without asking, unless the marketer assumes otherwise."""
        supposed = self.plot.suppose.holds.get(key)
        self.met[key] = Met(key=key, answer=answer, supposed=supposed)
        return answer if supposed is None else supposed

    def ask(self, key: str, condition: Condition, step_key: str = "") -> _Asking:
        """Whether a condition holds for this person, or is assumed to."""
        answer = yield Question(key, condition, self.now)
        supposed = self.plot.suppose.holds.get(key)
        self.met.setdefault(key, Met(key=key, step_key=step_key, condition=condition, answer=answer, supposed=supposed))
        return bool(answer) if supposed is None else supposed

    def expect(self) -> None:
        """Put what ends the sequence by itself into the calendar: the goal, and exits that are events."""
        if goal := self.definition.goal:
            at = self._comes("goal", goal.on, self.now, known=self._strikes(goal.on))
            if at and at <= self.now + timedelta(days=goal.days):
                self.coming.append(_Coming(at, Kind.GOAL, "goal", "goal"))
        for number, one in enumerate(self.definition.exits):
            if not one.on or one.on.on is Event.SEGMENT_JOINED:
                continue
            key = f"exit:{number}"
            at = self._comes(key, one.on, self.now, known=self._strikes(one.on))
            if at and one.on.on in _BY_CLOCK:
                self.ends.append((at, key))
            elif at:
                self.coming.append(_Coming(at, Kind.EXITED, key, "exit_event"))

    def _comes(
        self, key: str, happening: Happening, since: datetime, step_key: str = "", known: datetime | None = None
    ) -> datetime | None:
        """When an event comes: by the contest's calendar, or as assumed; None where it does not."""
        days = self.plot.suppose.days.get(key)
        met = Met(key=key, step_key=step_key, happening=happening, answer=known is not None, supposed=days)
        self.met.setdefault(key, met)
        return known if days is None else since + timedelta(days=days)

    def _strikes(self, happening: Happening) -> datetime | None:
        """When the clock tells an event that ends a sequence; of inactivity, if the person stays as they are."""
        if happening.on is Event.INACTIVE:
            return (self.person.alive_at or self.plot.starts_at) + timedelta(days=happening.days)
        if self.plot.end is None or happening.on not in _BY_CLOCK:
            return None
        days = happening.days if happening.on is Event.CONTEST_CLOSING else 0
        return self.plot.end - timedelta(days=days)

    def arrive(self, place: Place | None) -> None:
        """Wait in front of a step; an event that comes meanwhile ends the wait."""
        self.place, self.has_come = place, False
        self.coming = [one for one in self.coming if one.kind is not Kind.WENT_ON]
        step = self.definition.step(place.step_key) if place else None
        if place is None or step is None or step.wait.until is not Until.EVENT or step.wait.event is None:
            return
        key = f"event:{step.key}"
        event = step.wait.event
        at = self._comes(key, event, place.anchor_at, step.key, known=self._strikes(event))
        if at and at < place.run_at:
            self.coming.append(_Coming(max(at, self.now), Kind.WENT_ON, key))

    def strike(self) -> _Asking:
        """Let the clock go on to whatever is next; False when nothing is."""
        event = min(self.coming, key=lambda one: one.at, default=None)
        mail = min(self.mails, key=_Mail.rank, default=None)
        if self.place is None and not any(one.step_key for one in self.mails):
            return False
        moments = [(event.at, 0)] if event else []
        moments += [(self.place.run_at, 1)] if self.place else []
        moments += [(mail.due, 2)] if mail else []
        at, what = min(moments)
        self.now = max(self.now, at)
        if what == 0 and event:
            self.coming.remove(event)
            self._happen(event)
        elif what == 1 and self.place:
            yield from self._walk(self.place)
        elif mail:
            self.mails.remove(mail)
            yield from self._judge(mail)
        return True

    def _happen(self, event: _Coming) -> None:
        is_supposed = event.key in self.plot.suppose.days
        step = self.definition.step(event.key.removeprefix("event:"))
        if event.kind is Kind.WENT_ON and self.place is not None and step is not None:
            self.has_come = True
            run_at = hours.aligned(self.now, step.wait, self.person.zone, not_before=self.now)
            self.place = Place(step.key, self.place.anchor_at, run_at)
            self.tell(Kind.WENT_ON, step.key, is_supposed=is_supposed)
            return
        if event.kind is Kind.GOAL:
            self.tell(Kind.GOAL, self.place.step_key if self.place else "", is_supposed=is_supposed)
        self._leave(event.reason, is_supposed=is_supposed)

    def _leave(self, reason: str, *, is_supposed: bool = False) -> None:
        """The enrolment ends, and what is planned of it is cancelled."""
        cancelled = [one for one in self.mails if one.step_key]
        self.mails = [one for one in self.mails if not one.step_key]
        for mail in cancelled:
            self.tell(Kind.CANCELLED, mail.step_key, reason=reason)
        if self.place is not None:
            self.tell(Kind.EXITED, reason=reason, is_supposed=is_supposed)
        self.place = None
        self.coming = []

    def _walk(self, place: Place) -> Generator[Question, bool | None, None]:
        step = self.definition.step(place.step_key)
        stays, holds = (yield from self._stays()), None
        if isinstance(step, Branch) and stays:
            holds = yield from self.ask(f"when:{step.key}", step.when, step.key)
        answers = Answers(holds=holds, stays=stays, has_come=self.has_come)
        move = walking.go(self.definition, place, self.now, self.calendar, answers)
        for told in move.told:
            self._tell_move(told)
        if move.letter is not None:
            self._plan(move.letter, place)
        if move.exit_reason:
            self._leave(move.exit_reason)
        else:
            self.arrive(move.then)
            if move.then is None:
                self.tell(Kind.FINISHED)

    def _tell_move(self, told: walking.Told) -> None:
        key = f"when:{told.step_key}"
        if told.reason is MoveReason.BRANCHED:
            way, is_supposed = told.detail.get("way") == "yes", key in self.plot.suppose.holds
            is_unsound = self._is_unsound(key)
            self.tell(Kind.BRANCHED, told.step_key, way=way, is_supposed=is_supposed, is_unsound=is_unsound)
        else:
            self.tell(Kind(told.reason.value), told.step_key, reason=str(told.detail.get("why", "")))

    def _plan(self, letter: Letter, place: Place) -> None:
        expires = place.run_at + timedelta(hours=letter.catch_up_hours) + planning.GRACE
        self.mails.append(_Mail(letter.key, place.run_at, expires, self.definition.priority, len(self.lines)))
        self.tell(Kind.PLANNED, letter.key, variant=self._variant(letter))

    def _variant(self, letter: Letter) -> str:
        return variant_of(self.plot.sequence_id, letter, self.person.contact_id)

    def _judge(self, mail: _Mail) -> Generator[Question, bool | None, None]:
        """A letter whose time has come, as mail.gates and the judge of sequences look at it."""
        if mail.expires <= self.now:
            self._end(mail, Kind.EXPIRED, "too_late")
        elif self.person.obstacle and not self.fixed("may", answer=False):
            self._end(mail, Kind.SKIPPED, self.person.obstacle)
        elif not self._is_put_off(mail) and (not mail.step_key or (yield from self._is_wanted(mail))):
            self.sent.append(self.now)
            self._end(mail, Kind.SENT, "")

    def _end(self, mail: _Mail, kind: Kind, reason: str) -> None:
        if mail.step_key:
            letter = self.definition.step(mail.step_key)
            variant = self._variant(letter) if isinstance(letter, Letter) else ""
            is_vague = kind is Kind.SENT and mail.is_spread and not self.person.contact_id
            until = self.now + SPREAD if is_vague else None
            self.tell(kind, mail.step_key, reason=reason, variant=variant, until=until)

    def _is_wanted(self, mail: _Mail) -> _Asking:
        """What nurture.judging asks of a letter that every gate lets through, in its order."""
        if reason := (yield from self._ending()):
            return self._stay(mail, reason, is_over=True)
        letter = self.definition.step(mail.step_key)
        if not isinstance(letter, Letter) or not letter.when:
            return True
        if (yield from self.ask(f"when:{letter.key}", letter.when, letter.key)):
            return True
        if self._is_unsound(f"when:{letter.key}"):
            return self._stay(mail, "unsound", is_over=False)
        is_over = letter.otherwise is Otherwise.EXIT
        return self._stay(mail, "letter_condition" if is_over else "condition", is_over=is_over)

    def _ending(self) -> Generator[Question, bool | None, str]:
        """Why the sequence ends before this letter leaves; empty where it goes on."""
        if any(at <= self.now for at, _key in self.ends):
            return "exit_event"
        for number, one in enumerate(self.definition.exits):
            condition = self._ends_when(one)
            if condition and (yield from self.ask(f"exit:{number}", condition)):
                return "exit_condition"
        return "" if (yield from self._stays()) else "left_audience"

    def _stays(self) -> _Asking:
        """Whether they are still among those whom the sequence is for, where that matters."""
        if not self.definition.stays_while or not self.definition.who:
            return True
        return (yield from self.ask("stays", self.definition.who))

    def _ends_when(self, one: Exit) -> Condition | None:
        """The condition of an exit; of one into a segment the segment's."""
        if one.on and one.on.on is Event.SEGMENT_JOINED:
            return self.plot.segments.get(one.on.of)
        return one.when

    def _stay(self, mail: _Mail, reason: str, *, is_over: bool) -> bool:
        self._end(mail, Kind.SKIPPED, reason)
        if is_over:
            self._leave(reason)
        return False

    def _is_unsound(self, key: str) -> bool:
        met = self.met.get(key)
        return met is not None and met.answer is None and met.supposed is None

    def _is_put_off(self, mail: _Mail) -> bool:
        """The cap first, then the night, then what is more important, as the claim does it."""
        last = max((at for at in self.sent if self.now - _CAP < at <= self.now), default=None)
        if last is not None:
            reason, later = "frequency_cap", last + _CAP
        elif opening := self._opening():
            reason, later = "quiet_hours", opening
        elif self._is_behind(mail):
            reason, later = "priority", self.now + _BEHIND
        else:
            return False
        if later >= mail.expires:
            self._end(mail, Kind.EXPIRED, reason)
            return True
        mail.due, mail.is_spread = later, reason == "quiet_hours"
        self.mails.append(mail)
        if mail.step_key:
            self.tell(Kind.MOVED, mail.step_key, reason=reason, until=later)
        return True

    def _is_behind(self, mail: _Mail) -> bool:
        return any(
            other.priority > mail.priority and other.due <= self.now + SPREAD and other.expires > self.now
            for other in self.mails
        )

    def _opening(self) -> datetime | None:
        opening = gates.opening(self.now, self.person.quiet_zone)
        # In UTC: 48 hours later on a wall may be 47 or 49.
        return opening and opening.astimezone(UTC) + gates.spread(self.person.contact_id)


def variant_of(sequence_id: int, letter: Letter, contact_id: int) -> str:
    """The key of the wording that a contact gets; empty where there is one for all, or nobody to draw for."""
    if len(letter.variants) < 2 or not contact_id:
        return ""
    experiment = letter.experiment or f"{sequence_id}:{letter.key}"
    weights = [variant.weight for variant in letter.variants]
    return letter.variants[splitting.variant_of(experiment, weights, contact_id)].key
