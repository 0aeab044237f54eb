"""What only the clock can tell, looked at every hour: for whom a sequence begins by it, and who waits for it.

Each batch is a transaction of its own. A look that is cut short goes on where people are still missing at the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from leadgen.accounts.models import Brand
from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.logic import Condition
from leadgen.journal.models import Fact
from leadgen.nurture import inside, triggers, versions
from leadgen.nurture.conditions import segment_of
from leadgen.nurture.definition import Again, Definition, Event, Happening, Until
from leadgen.nurture.inside import Ending
from leadgen.nurture.triggers import Beginning, Live
from leadgen.segments import fields
from leadgen.segments.compiling import Fragment, fragment

BATCH = 2000
JOB = "leadgen.nurture.jobs.look"
# A contest's end is news for so long: whoever publishes a sequence months later writes to nobody about it.
_ENDED_DAYS = 7
_WHEN = {
    Event.INACTIVE: "coalesce(c.last_inbound_at, e.confirmed_at) <= :now - :days * interval '1 day'",
    Event.CONTEST_CLOSING: "k.ends_at > :now AND k.ends_at - :days * interval '1 day' <= :now",
    Event.CONTEST_ENDED: f"k.ends_at <= :now AND k.ends_at > :now - interval '{_ENDED_DAYS} days'",
    Event.SEGMENT_JOINED: "true",
}
_WHOM = """
SELECT e.id FROM entry e
JOIN contact c ON c.id = e.contact_id
JOIN campaign k ON k.id = e.campaign_id
WHERE e.campaign_id = :campaign AND e.id > :after AND e.status = 'confirmed' AND c.marketing_at IS NOT NULL
  AND c.erased_at IS NULL AND k.status NOT IN ('draft', 'archived') AND {when} AND {people}
  AND NOT EXISTS (SELECT FROM enrolment n WHERE n.sequence_id = :sequence AND n.entry_id = e.id
                  AND (n.status = 'active' OR :is_once))
ORDER BY e.id LIMIT :limit
"""
_HOW_MANY = "SELECT count(*) FROM ({whom}) AS people"
_MOST_COUNTED = 10_000_000
_PUBLISHED = text("""
SELECT DISTINCT n.sequence_id, n.version, n.brand_id FROM enrolment n
WHERE n.status = 'active' OR (n.goal_at IS NULL AND n.enrolled_at > :earliest)
""")
_GOALS = """
SELECT n.id, n.contact_id FROM enrolment n JOIN contact c ON c.id = n.contact_id
JOIN entry e ON e.id = n.entry_id JOIN campaign k ON k.id = n.campaign_id
WHERE n.sequence_id = :sequence AND n.version = :version AND n.goal_at IS NULL AND n.enrolled_at > :earliest
  AND n.id > :after AND {when} AND {people} ORDER BY n.id LIMIT :limit
"""
_WAITING = """
SELECT n.id, n.contact_id, n.step_key, n.campaign_id, c.timezone, c.answers, k.timezone AS campaign_zone
FROM enrolment n JOIN contact c ON c.id = n.contact_id JOIN campaign k ON k.id = n.campaign_id
JOIN entry e ON e.id = n.entry_id
WHERE n.sequence_id = :sequence AND n.version = :version AND n.status = 'active' AND n.step_key = :key
  AND n.id > :after AND {when} AND {people} ORDER BY n.id LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A version that people are in, and whose."""

    sequence: int
    version: int
    brand: int
    definition: Definition


def hear(_facts: Sequence[Fact]) -> None:
    """Look at once when a contest moved on: it may have ended (reaction)."""
    queue.offer_after_commit(db.session(), JOB)


def look() -> int:
    """Begin the sequences whose time has come for somebody, and let go on who waits for it; answers how many began.

    Commits after each batch.
    """
    begun = sum(_begin(one) for one in triggers.live() if one.definition.trigger.on in _WHEN)
    _hear_the_clock()
    return begun


def would_begin(campaign_id: int, sequence_id: int, definition: Definition) -> int | None:
    """For how many people the next look would begin it, were this published; None where no clock begins it."""
    trigger = definition.trigger
    if trigger.on not in _WHEN:
        return None
    brand_id = int(db.session.scalar(text("SELECT brand_id FROM campaign WHERE id = :id"), {"id": campaign_id}) or 0)
    people = _people(brand_id, definition.who, segment_of(trigger, brand_id))
    if people is None:
        return 0
    values = {"campaign": campaign_id, "sequence": sequence_id, "now": clock.now(), "days": trigger.days}
    values |= {"is_once": _is_once(definition), "after": 0, "limit": _MOST_COUNTED, **people.values}
    statement = _HOW_MANY.format(whom=_WHOM.format(when=_WHEN[trigger.on], people=people.sql))
    return int(db.session.scalar(text(statement), values) or 0)


def _begin(one: Live) -> int:
    brand_id = db.session.scalar(text("SELECT brand_id FROM campaign WHERE id = :id"), {"id": one.campaign_id})
    people = _people(int(brand_id or 0), one.definition.who, segment_of(one.definition.trigger, int(brand_id or 0)))
    if people is None:
        return 0
    trigger = one.definition.trigger
    values = {
        "campaign": one.campaign_id,
        "sequence": one.id,
        "now": clock.now(),
        "days": trigger.days,
        "is_once": _is_once(one.definition),
        **people.values,
    }
    statement = _WHOM.format(when=_WHEN[trigger.on], people=people.sql)
    begun = 0
    for rows in _batches(statement, values):
        found = triggers.by_ids(row.id for row in rows)
        begun += triggers.enrol([_beginning(one, person) for person in found])
        db.session.commit()
    return begun


def _is_once(definition: Definition) -> bool:
    """Whether who was in it before stays out; that somebody left a segment and came back, nobody can tell."""
    again, is_segment = definition.again, definition.trigger.on is Event.SEGMENT_JOINED
    return again is Again.NEVER or (is_segment and again is Again.EACH)


def _beginning(one: Live, person: Any) -> Beginning:
    """Since the moment that the clock struck; of silence and of segments nobody knows it, so since now."""
    trigger, now = one.definition.trigger, clock.now()
    strikes = {
        Event.CONTEST_ENDED: person.ends_at,
        Event.CONTEST_CLOSING: person.ends_at - timedelta(days=trigger.days),
    }
    anchor = max(strikes.get(trigger.on, now), person.confirmed_at or now)
    return Beginning(live=one, person=person, anchor=anchor, occasion=_occasion(one, person, now))


def _occasion(one: Live, person: Any, now: datetime) -> str:
    """What tells one time from the next: the silence or the end that is meant; of segments the day, for `after`."""
    event = one.definition.trigger.on
    if event is Event.SEGMENT_JOINED:
        return f"{event}:{now.date()}" if one.definition.again is Again.AFTER else event.value
    return f"{event}:{(person.last_inbound_at or person.confirmed_at) if event is Event.INACTIVE else person.ends_at}"


def _people(brand_id: int, *conditions: Condition | None) -> Fragment | None:
    """All these conditions as one; None where one cannot be judged any more."""
    given = [condition for condition in conditions if condition]
    brand = db.session.get(Brand, brand_id)
    if brand is None:
        return None
    try:
        return fragment(fields.of_brand(brand), {"all": given}, clock.now(), is_crowd=True)
    except (Invalid, KeyError, ValueError, TypeError):
        return None


def _batches(statement: str, values: Mapping[str, Any]) -> Iterator[list[Any]]:
    after = 0
    while rows := db.session.execute(text(statement), {**values, "after": after, "limit": BATCH}).all():
        after = rows[-1].id
        yield list(rows)


def _hear_the_clock() -> None:
    """Goals and waits for what no fact tells of: silence, the end of the contest, somebody in a segment."""
    for one in _asked():
        goal = one.definition.goal
        if goal is not None and goal.on.on in _WHEN:
            _reach(one, goal.on, goal.days)
        for step in one.definition.walk():
            event = step.wait.event
            if step.wait.until is Until.EVENT and event is not None and event.on in _WHEN:
                _wake(one, step.key, event)


def _asked() -> list[_Asked]:
    earliest = clock.now() - timedelta(days=91)
    rows = db.session.execute(_PUBLISHED, {"earliest": earliest}).all()
    read = versions.definitions([(row.sequence_id, row.version) for row in rows])
    return [
        _Asked(row.sequence_id, row.version, row.brand_id, read[row.sequence_id, row.version])
        for row in rows
        if (row.sequence_id, row.version) in read
    ]


def _reach(one: _Asked, goal: Happening, days: int) -> None:
    people = _people(one.brand, segment_of(goal, one.brand))
    if people is None:
        return
    now = clock.now()
    values = {"sequence": one.sequence, "version": one.version, "earliest": now - timedelta(days=days)}
    values |= {"now": now, "days": goal.days, **people.values}
    for rows in _batches(_GOALS.format(when=_WHEN[goal.on], people=people.sql), values):
        inside.reach([(row.id, clock.now()) for row in rows])
        inside.end([Ending(row.id, row.contact_id, "goal") for row in rows])
        db.session.commit()


def _wake(one: _Asked, key: str, event: Happening) -> None:
    people = _people(one.brand, segment_of(event, one.brand))
    if people is None:
        return
    values = {"sequence": one.sequence, "version": one.version, "key": key}
    values |= {"now": clock.now(), "days": event.days, **people.values}
    for rows in _batches(_WAITING.format(when=_WHEN[event.on], people=people.sql), values):
        inside.wake([(row, one.definition) for row in rows])
        db.session.commit()
