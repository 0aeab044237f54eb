"""What a sequence would do with many: who begins, who gets which letter on which day, who is put off and who stops why.

Who would begin, and who would not and why, is counted exactly by the database. What happens then is rehearsed person by
person, for up to SAMPLE of them, who are the same every time: chosen by the hash of their id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.logic import Condition
from leadgen.nurture.definition import Definition
from leadgen.nurture.models import Sequence
from leadgen.rehearsals import playing, service, subjects
from leadgen.rehearsals.plots import Kind, Line, Played, Suppose
from leadgen.segments import fields, reading
from leadgen.segments.compiling import Fragment, fragment

SAMPLE = 200
_GRAIN = timedelta(hours=1)  # of moments at which the same condition is judged once for all
_NOBODY: Condition = {"any": []}
_EVERYBODY: Condition = {"all": []}

_COUNTED = f"""
SELECT bar, is_wanted, count(*) AS people FROM (
    SELECT {subjects.BAR} AS bar, ({{who}}) AS is_wanted FROM contact c
    LEFT JOIN entry e ON e.contact_id = c.id AND e.campaign_id = :campaign
    WHERE {{segment}} AND (CAST(:is_segment AS boolean) OR e.id IS NOT NULL)
) AS one GROUP BY 1, 2
"""  # noqa: S608 - constants of rehearsals.subjects
_CHOSEN = f"""
SELECT c.id FROM contact c
LEFT JOIN entry e ON e.contact_id = c.id AND e.campaign_id = :campaign
WHERE {{segment}} AND ({{who}}) AND {subjects.BAR} = ''
ORDER BY md5(c.id::text), c.id LIMIT :limit
"""  # noqa: S608 - as above


@dataclass(slots=True)
class StepOutlook:
    """A step as the rehearsed people meet it. `days`: letters that leave, by the day in the contest's zone."""

    step_key: str
    reached: int = 0
    sent: int = 0
    delayed: int = 0
    ways: Counter[bool] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)  # by reason, expired and cancelled ones too
    days: Counter[date] = field(default_factory=Counter)
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Exact: `people`, `begin`, `bars`. Of the `rehearsed` people: all else. Without `is_counted` it took too long."""

    people: int = 0
    begin: int = 0
    bars: Counter[str] = field(default_factory=Counter)
    rehearsed: int = 0
    held_out: int = 0
    with_letter: int = 0  # who get at least one
    delayed: Counter[str] = field(default_factory=Counter)  # people with at least one letter put off, by reason
    delayed_people: int = 0
    ends: Counter[str] = field(default_factory=Counter)  # finished, or why they left
    steps: tuple[StepOutlook, ...] = ()
    days: tuple[tuple[date, int], ...] = ()
    is_counted: bool = True

    def of_all(self, number: int) -> int:
        """A number of the rehearsed as a share of everybody who would begin."""
        return round(number * self.begin / self.rehearsed) if self.rehearsed else 0


def look(
    sequence: Sequence,
    definition: Definition,
    segment: Condition | None,
    *,
    starts_at: datetime,
    suppose: Suppose | None = None,
    limit: int = SAMPLE,
) -> Outlook:
    """Rehearse the people of a segment's condition, or without one everybody who entered the sequence's contest."""
    campaign = db.session.get_one(Campaign, sequence.campaign_id)
    plot = service.plot_of(sequence, definition, campaign, starts_at, suppose)
    counted = _counted(campaign, definition, segment, plot.suppose)
    if counted is None:
        return Outlook(is_counted=False)
    people, bars, chosen = counted
    begin = people - sum(bars.values())
    found = subjects.read(sequence, campaign, chosen(limit))
    plays = {one.contact_id: playing.play(plot, one.person) for one in found}
    played = service.answered(plays, service.Judge(campaign), _GRAIN)
    return _summed(definition, played.values(), ZoneInfo(campaign.timezone), people=people, begin=begin, bars=bars)


def _counted(campaign: Campaign, definition: Definition, segment: Condition | None, suppose: Suppose) -> Any:
    """(everybody, who does not begin by reason, who is chosen of those who do), or None when it takes too long."""
    now = clock.now()
    catalogue = fields.of_brand(db.session.get_one(Brand, campaign.brand_id))

    def asked(condition: Condition, prefix: str) -> Fragment:
        try:
            return fragment(catalogue, condition, now, is_crowd=True, prefix=prefix)
        except Invalid:  # it asks for something that is there no more: it holds for nobody
            return fragment(catalogue, _NOBODY, now, is_crowd=True, prefix=prefix)

    is_open = suppose.holds.get("who") is True or definition.who is None
    inside = asked(segment if segment is not None else _EVERYBODY, "seg")
    who = asked(_EVERYBODY if is_open else definition.who or _EVERYBODY, "who")
    values = {**inside.values, **who.values, "campaign": campaign.id}

    def ran(statement: str, **more: object) -> Any:
        told = statement.format(segment=inside.sql, who=who.sql)
        return reading.in_time(told, {**values, **more}, reading.PATIENCE_MS)

    rows = ran(_COUNTED, is_segment=segment is not None)
    if rows is None:
        return None
    bars: Counter[str] = Counter()
    for row in rows:
        reason = row["bar"] or ("" if row["is_wanted"] else "who")
        bars[reason] += row["people"]
    people = sum(bars.values())
    del bars[""]
    return people, bars, lambda limit: [row["id"] for row in ran(_CHOSEN, limit=limit) or ()]


def _summed(definition: Definition, plays: Iterable[Played], zone: ZoneInfo, **exact: Any) -> Outlook:
    steps = {step.key: StepOutlook(step.key) for step in definition.walk()}
    delayed: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for played in plays:
        totals["rehearsed"] += 1
        for line in played.lines:
            if line.step_key in steps:
                _note(steps[line.step_key], line, zone)
        kinds = {line.kind for line in played.lines}
        reasons = {line.reason for line in played.lines if line.kind is Kind.MOVED}
        delayed.update(reasons)
        totals["delayed_people"] += bool(reasons)
        totals["held_out"] += Kind.HELD_OUT in kinds
        totals["with_letter"] += Kind.SENT in kinds
        ends.update(
            line.reason or line.kind.value for line in played.lines if line.kind in {Kind.EXITED, Kind.FINISHED}
        )
    for one in steps.values():
        one.delayed = min(one.delayed, one.reached)
    days = sum((one.days for one in steps.values()), Counter[date]())
    return Outlook(
        **exact,
        rehearsed=totals["rehearsed"],
        held_out=totals["held_out"],
        with_letter=totals["with_letter"],
        delayed_people=totals["delayed_people"],
        delayed=delayed,
        ends=ends,
        steps=tuple(steps.values()),
        days=tuple(sorted(days.items())),
    )


def _note(step: StepOutlook, line: Line, zone: ZoneInfo) -> None:
    if line.kind in {Kind.PLANNED, Kind.BRANCHED}:
        step.reached += 1
    if line.kind is Kind.BRANCHED:
        step.ways[bool(line.way)] += 1
    elif line.kind is Kind.MOVED:
        step.delayed += 1
    elif line.kind in {Kind.SKIPPED, Kind.EXPIRED, Kind.CANCELLED}:
        step.skipped[line.reason] += 1
    elif line.kind is Kind.SENT:
        step.sent += 1
        step.days[line.at.astimezone(zone).date()] += 1
        step.first_at = min(step.first_at or line.at, line.at)
        step.last_at = max(step.last_at or line.at, line.at)
