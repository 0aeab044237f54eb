"""What the letters of a sequence brought: per letter and wording, and against the people who were held out.

Only SELECT stands here. A person counts once for each letter, by the first one of it. Rates that are compared are
those of people whose time is over: a goal has its days, a click has three; before that nobody knows whether they will.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, text

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.experiments import balance, intervals, rails, verdicts
from leadgen.experiments.intervals import Arm, Interval
from leadgen.experiments.verdicts import Verdict
from leadgen.nurture.definition import Definition
from leadgen.nurture.models import Sequence
from leadgen.outcomes import trials
from leadgen.outcomes.models import HarmKind, VariantStop
from leadgen.outcomes.trials import Trial
from leadgen.segments.compiling import Fragment

CLICK_DAYS = 3
HARM_DAYS = 7  # so long after a letter an unsubscribe counts as caused by it, if no other letter came between
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
EVERYBODY = Fragment("true", {})

# One row for each person and letter asked for: planned while the test ran, for who went through a version with it. Who
# stayed in an older version may have got other words in place of those that were taken out. `stream_id > 0` is the
# predicate of the index that leads to a stream's messages.
GOT = """
WITH asked AS (
    SELECT * FROM unnest(CAST(:keys AS text[]), CAST(:firsts AS int[]),
                         CAST(:sinces AS timestamptz[]), CAST(:untils AS timestamptz[]))
         WITH ORDINALITY AS a (key, first, since, until, place)
), got AS MATERIALIZED (
    SELECT DISTINCT ON (a.place, m.contact_id) a.place, step.variant, m.id, m.contact_id, m.entry_id, m.status,
           m.reason, m.sent_at, n.enrolled_at, n.goal_at
    FROM asked a
    JOIN step ON step.sequence_id = :sequence AND step.key = a.key
    JOIN message m ON m.stream_id = :stream AND m.stream_id > 0 AND m.step_id = step.id
    JOIN enrolment n ON n.id = m.enrolment_id
    WHERE n.version >= a.first AND m.created_at >= a.since AND m.created_at < coalesce(a.until, 'infinity')
    ORDER BY a.place, m.contact_id, m.id
)
"""
_LEFT = "got.sent_at IS NOT NULL"
_CLICKED = f"{_LEFT} AND EXISTS (SELECT FROM click WHERE click.message_id = got.id AND click.kind = 'human')"
_REACHED = f"""{_LEFT} AND got.goal_at >= got.sent_at
    AND got.goal_at <= got.enrolled_at + make_interval(days => :goal_days)"""
_UNSUBSCRIBED = f"""{_LEFT} AND EXISTS (
    SELECT FROM consent k WHERE k.contact_id = got.contact_id AND k.purpose = 'marketing' AND k.action = 'withdrawn'
      AND k.channel <> 'complaint' AND k.at >= got.sent_at AND k.at < got.sent_at + make_interval(days => :harm_days)
      AND NOT EXISTS (SELECT FROM message other WHERE other.contact_id = got.contact_id
                      AND other.purpose = 'marketing' AND other.sent_at > got.sent_at AND other.sent_at <= k.at))"""  # noqa: S608 - constants of this module


class Which(StrEnum):
    """The people behind a figure of a letter."""

    PEOPLE = "people"
    LEFT = "left"
    DELIVERED = "delivered"
    CLICKED = "clicked"
    REACHED = "reached"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


CONDITIONS: Mapping[Which, str] = {
    Which.PEOPLE: "true",
    Which.LEFT: _LEFT,
    Which.DELIVERED: "got.status = 'delivered'",
    Which.CLICKED: _CLICKED,
    Which.REACHED: _REACHED,
    Which.UNSUBSCRIBED: _UNSUBSCRIBED,
    Which.COMPLAINED: "got.status = 'delivered' AND got.reason = 'complaint'",
}
_DEEDS = ", ".join(f"{condition} AS {which}" for which, condition in CONDITIONS.items())
_COUNTED = ", ".join(f"count(*) FILTER (WHERE deed.{which}) AS {which}" for which in CONDITIONS)
_COUNTS = text(f"""{GOT}, deed AS MATERIALIZED (
    SELECT place, variant, {_DEEDS},
           {_LEFT} AND got.enrolled_at <= :now - make_interval(days => :goal_days) AS is_ripe,
           {_LEFT} AND got.sent_at <= :now - make_interval(days => :click_days) AS is_settled
    FROM got
)
SELECT place, variant, {_COUNTED},
       count(*) FILTER (WHERE is_ripe) AS ripe, count(*) FILTER (WHERE is_ripe AND deed.reached) AS ripe_reached,
       count(*) FILTER (WHERE is_settled) AS settled,
       count(*) FILTER (WHERE is_settled AND deed.clicked) AS settled_clicked
FROM deed GROUP BY place, variant ORDER BY place, variant
""")  # noqa: S608 - constants of this module
# Who is compared: each person by their first time in the sequence while this share was held out.
PERSON = """
person AS MATERIALIZED (
    SELECT DISTINCT ON (n.contact_id) n.contact_id, n.entry_id, n.enrolled_at, n.status = 'held_out' AS is_held,
           n.enrolled_at <= :now - make_interval(days => :goal_days) AS is_ripe,
           coalesce(n.goal_at <= n.enrolled_at + make_interval(days => :goal_days), false) AS has_reached
    FROM enrolment n JOIN contact c ON c.id = n.contact_id
    WHERE n.sequence_id = :sequence AND n.enrolled_at >= :since
      AND n.enrolled_at < coalesce(CAST(:until AS timestamptz), 'infinity') AND {condition}
    ORDER BY n.contact_id, n.enrolled_at, n.id
)"""
_HELD = f"""
WITH {PERSON}, written AS (
    SELECT contact_id, count(*) FILTER (WHERE sent_at >= :since) AS letters FROM message
    WHERE stream_id = :stream AND stream_id > 0 AND sent_at IS NOT NULL GROUP BY contact_id
)
SELECT is_held, count(*) AS people, count(*) FILTER (WHERE is_ripe) AS ripe,
       count(*) FILTER (WHERE is_ripe AND has_reached) AS reached,
       count(written.contact_id) AS written_to, coalesce(sum(letters) FILTER (WHERE is_ripe), 0) AS letters
FROM person LEFT JOIN written USING (contact_id) GROUP BY is_held
"""  # noqa: S608 - a constant of this module


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The figures of one wording: people whom it was meant for, and what became of them.

    `ripe` are those whom it left for and whose days for the goal are over, `settled` those whose days for a click are.
    """

    variant: str
    people: int = 0
    left: int = 0
    delivered: int = 0
    clicked: int = 0
    reached: int = 0
    unsubscribed: int = 0
    complained: int = 0
    ripe: int = 0
    ripe_reached: int = 0
    settled: int = 0
    settled_clicked: int = 0

    def arm(self, *, by_goal: bool) -> Arm:
        """What is compared with the other wordings: goals or clicks of those whose time is over."""
        return Arm(self.ripe, self.ripe_reached) if by_goal else Arm(self.settled, self.settled_clicked)

    def harms(self, kind: HarmKind) -> int:
        """How many people it drove away."""
        return self.complained if kind is HarmKind.COMPLAINTS else self.unsubscribed


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterResult:
    """The figures of one letter in one test, or of a letter that is not tested (`trial` None) over all its time."""

    step_key: str
    trial: Trial | None
    counts: tuple[Count, ...]
    by_goal: bool
    verdict: Verdict | None = None
    stops: tuple[VariantStop, ...] = ()

    @property
    def arms(self) -> list[Arm]:
        """What is compared, in the order of `counts`."""
        return [one.arm(by_goal=self.by_goal) for one in self.counts]

    @property
    def young(self) -> int:
        """People whom it left for and who are not judged yet."""
        return sum(one.left for one in self.counts) - sum(arm.people for arm in self.arms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """Treated people against those held out; groups are of people whose days for the goal are over.

    `split` is how likely the sizes of the two are by chance; `letters` left for the treated ones;
    `written_to` of the held out got a letter of this sequence, which must not be.
    """

    treated: Arm
    held: Arm
    young: int
    interval: Interval
    split: float
    letters: int
    written_to: int

    @property
    def is_off(self) -> bool:
        """Whether more or fewer people than meant were held out, so that nothing can be concluded."""
        return self.split < balance.ALARM


def letters(sequence: Sequence, *, by_clicks: bool = False) -> list[LetterResult]:
    """Tests first (running, then past), then the letters that are not tested, in the order of the sequence."""
    published = trials.published(sequence)
    current = published[-1][1] if published else None
    tested = trials.trials(published)
    running = {trial.step_key for trial in tested if trial.until is None}
    plain = [key for key in _keys(sequence, current) if key not in running]
    places: list[Trial | str] = [*tested, *plain]
    found = _counts(sequence, places, current)
    stopped = stops(sequence)
    by_goal = bool(current and current.goal) and not by_clicks
    return [_result(one, found.get(number, {}), stopped, by_goal=by_goal) for number, one in enumerate(places, 1)]


def _keys(sequence: Sequence, current: Definition | None) -> list[str]:
    if current is not None:
        return [letter.key for letter in current.letters()]
    return list(dict.fromkeys(step.key for step in sequence.steps if step.is_active))


def _result(
    place: Trial | str, found: Mapping[str, Count], stopped: Many[VariantStop], *, by_goal: bool
) -> LetterResult:
    if isinstance(place, str):
        return LetterResult(step_key=place, trial=None, counts=tuple(found.values()), by_goal=by_goal)
    counts = tuple(found.get(key, Count(variant=key)) for key in place.variants)
    mine = (place.step_key, place.experiment)
    return LetterResult(
        step_key=place.step_key,
        trial=place,
        counts=counts,
        by_goal=by_goal,
        verdict=judged(place, counts, by_goal=by_goal),
        stops=tuple(one for one in stopped if (one.step_key, one.experiment) == mine),
    )


def judged(trial: Trial, counts: Many[Count], *, by_goal: bool) -> Verdict:
    """What the test says of these figures."""
    return verdicts.judge(
        [one.arm(by_goal=by_goal) for one in counts],
        trial.weights,
        [one.people for one in counts],
        harmful(trial, counts),
    )


def harmful(trial: Trial, counts: Many[Count]) -> dict[int, HarmKind]:
    """The places of the wordings that drive people away more than the others do, and by what.

    Never all of them: then the letter itself is at fault, and the breakers of mail stop its stream.
    """
    left, found = [one.left for one in counts], dict[int, HarmKind]()
    for kind in HarmKind:
        for place in rails.culprits([one.harms(kind) for one in counts], left, trial.weights, len(HarmKind)):
            found.setdefault(place, kind)
    return found if len(found) < len(counts) else {}


def counts_of(sequence: Sequence, trial: Trial, current: Definition) -> list[Count]:
    """The figures of one test, in the order of its wordings."""
    found = _counts(sequence, [trial], current).get(1, {})
    return [found.get(key, Count(variant=key)) for key in trial.variants]


def _counts(sequence: Sequence, places: Many[Trial | str], current: Definition | None) -> dict[int, dict[str, Count]]:
    """By the place of what is asked, from 1, and the wording."""
    found: dict[int, dict[str, Count]] = {}
    values = asked(sequence, places) | times(current)
    for row in db.session.execute(_COUNTS, values).mappings() if places else ():
        figures = {name: row[name] for name in Count.__dataclass_fields__}
        found.setdefault(row["place"], {})[row["variant"]] = Count(**figures)
    return found


def asked(sequence: Sequence, places: Many[Trial | str]) -> dict[str, Any]:
    """The values of GOT: which letters, in which versions, from when until when."""
    whole = [
        Trial(step_key=one, experiment="", shares=(), first=0, last=trials.STILL, since=_EVER)
        if isinstance(one, str)
        else one
        for one in places
    ]
    return {
        "sequence": sequence.id,
        "stream": sequence.stream_id,
        "keys": [one.step_key for one in whole],
        "firsts": [one.first for one in whole],
        "sinces": [one.since for one in whole],
        "untils": [one.until for one in whole],
    }


def times(current: Definition | None) -> dict[str, Any]:
    """The values of CONDITIONS: how long is waited for what."""
    goal = current.goal if current else None
    return {
        "now": clock.now(),
        "goal_days": goal.days if goal else 0,
        "click_days": CLICK_DAYS,
        "harm_days": HARM_DAYS,
    }


def lift(sequence: Sequence, among: Fragment = EVERYBODY) -> Lift | None:
    """What the sequence brings more than nothing, to everybody or to those of a segment; None without holdout or goal.

    Who got no letter counts as treated all the same: what is compared is having the sequence and not having it.
    """
    values = held_values(sequence)
    if values is None:
        return None
    statement = text(_HELD.format(condition=among.sql))
    rows = {row["is_held"]: row for row in db.session.execute(statement, values | dict(among.values)).mappings()}
    treated, held = (_group(rows.get(is_held)) for is_held in (False, True))
    weights = [100 - values["per_cent"], values["per_cent"]]
    return Lift(
        treated=treated[0],
        held=held[0],
        young=treated[1] + held[1],
        interval=intervals.difference(treated[0], held[0]),
        split=balance.likelihood([side.people + young for side, young in (treated, held)], weights),
        letters=int(rows[False]["letters"]) if False in rows else 0,
        written_to=rows[True]["written_to"] if True in rows else 0,
    )


def held_values(sequence: Sequence) -> dict[str, Any] | None:
    """The values of PERSON; None where nobody was held out, or for nothing."""
    published = trials.published(sequence)
    found = trials.holdout(published)
    if found is None or published[-1][1].goal is None:
        return None
    mine = {"sequence": sequence.id, "stream": sequence.stream_id, "per_cent": found.per_cent}
    return times(published[-1][1]) | mine | {"since": found.since, "until": found.until}


def _group(row: Any) -> tuple[Arm, int]:
    """People whose time is over, and how many others there are."""
    return (Arm(row["ripe"], row["reached"]), row["people"] - row["ripe"]) if row else (Arm(0, 0), 0)


def stops(sequence: Sequence) -> list[VariantStop]:
    """The wordings that a guard rail took out, newest first."""
    return list(
        db.session.scalars(select(VariantStop).filter_by(sequence_id=sequence.id).order_by(VariantStop.id.desc()))
    )
