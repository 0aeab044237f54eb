"""Who begins a sequence: events of the journal as they are told, and what only the clock can tell, looked at hourly.

People need a confirmed entry in the sequence's contest and standing consent to marketing. A part of them may be held
out: enrolled, and sent nothing. Hearing of the same fact twice enrols once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text

from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.nurture import happenings, hours, inside, planning, splitting, versions, walking
from leadgen.nurture.conditions import Conditions, segment_of
from leadgen.nurture.definition import Again, Definition
from leadgen.nurture.hours import Calendar
from leadgen.nurture.models import EnrolmentStatus

# A sequence that is paused for a while still takes people in, so that nobody is lost; one that is off does not.
_LIVE = text("""
SELECT s.id, s.campaign_id, s.version AS number FROM sequence s
WHERE s.is_active AND s.archived_at IS NULL AND s.version IS NOT NULL
  AND (s.campaign_id = ANY(:campaigns) OR CAST(:campaigns AS bigint[]) IS NULL)
ORDER BY s.id
""")
_PEOPLE = text("""
SELECT e.id AS entry_id, e.contact_id, e.campaign_id, e.brand_id, e.confirmed_at, p.timezone, p.answers,
       p.last_inbound_at, k.timezone AS campaign_zone, k.ends_at
FROM entry e
JOIN contact p ON p.id = e.contact_id
JOIN campaign k ON k.id = e.campaign_id
WHERE (e.id = ANY(:entries) OR (e.contact_id = ANY(:contacts) AND e.campaign_id = ANY(:campaigns)))
  AND e.status = 'confirmed' AND p.marketing_at IS NOT NULL AND p.erased_at IS NULL
ORDER BY e.id
""")
_CAMPAIGNS = text("SELECT DISTINCT campaign_id FROM entry WHERE id = ANY(:entries) OR contact_id = ANY(:contacts)")
_EARLIER = text("""
SELECT sequence_id, entry_id, bool_or(status = 'active') AS is_inside, bool_or(status = 'held_out') AS is_held,
       max(CASE status WHEN 'held_out' THEN enrolled_at ELSE ended_at END) AS last_at
FROM enrolment WHERE sequence_id = ANY(:sequences) AND entry_id = ANY(:entries) GROUP BY 1, 2
""")
_ENROL = text("""
WITH enrolled AS (
    INSERT INTO enrolment (sequence_id, campaign_id, brand_id, entry_id, contact_id, status, version, occasion, fact_id,
                           step_key, anchor_at, next_run_at, enrolled_at)
    SELECT b.*, :now FROM unnest(CAST(:sequence_id AS bigint[]), CAST(:campaign_id AS bigint[]),
        CAST(:brand_id AS bigint[]), CAST(:entry_id AS bigint[]), CAST(:contact_id AS bigint[]),
        CAST(:status AS text[]), CAST(:version AS int[]), CAST(:occasion AS text[]), CAST(:fact_id AS bigint[]),
        CAST(:step_key AS text[]), CAST(:anchor_at AS timestamptz[]), CAST(:run_at AS timestamptz[])) AS b
    ON CONFLICT DO NOTHING
    RETURNING *
), told AS (
    INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
    SELECT :entered, :now, brand_id, campaign_id, contact_id, entry_id, jsonb_build_object('sequence', sequence_id)
    FROM enrolled WHERE status = 'active'
)
SELECT count(*) FROM enrolled
""")
_COLUMNS = ("sequence_id", "campaign_id", "brand_id", "entry_id", "contact_id", "status", "version", "occasion",
            "fact_id", "step_key", "anchor_at", "run_at")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A sequence that takes people in, with what it is now."""

    id: int
    campaign_id: int
    number: int
    definition: Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """Somebody for whom a sequence would begin: why, since when, and the occasion that tells one time from another."""

    live: Live
    person: Any  # a row of _PEOPLE
    anchor: datetime
    occasion: str
    fact_id: int | None = None


class _Told(NamedTuple):
    """Whom a fact enrolled, as `inside.hear_again` asks for them."""

    entry_id: int
    contact_id: int
    anchor_at: datetime
    fact_id: int

    @classmethod
    def of(cls, one: Beginning) -> _Told:
        return cls(one.person.entry_id, one.person.contact_id, one.anchor, one.fact_id or 0)


def live(campaign_ids: Many[int] | None = None) -> list[Live]:
    """The sequences that take people in, of these contests or of all; what cannot be read is left out."""
    rows = db.session.execute(_LIVE, {"campaigns": None if campaign_ids is None else list(campaign_ids)}).all()
    read = versions.definitions([(row.id, row.number) for row in rows])
    return [
        Live(id=row.id, campaign_id=row.campaign_id, number=row.number, definition=read[row.id, row.number])
        for row in rows
        if (row.id, row.number) in read
    ]


def hear(facts: Many[Fact]) -> None:
    """Begin the sequences for which these facts are the event, for the people they are about (reaction).

    A fact about an entry counts in that entry's contest, one about a contact in each contest that they entered.
    """
    about = {"entries": [fact.entry_id for fact in facts if fact.entry_id],
             "contacts": [fact.contact_id for fact in facts if fact.contact_id and not fact.entry_id]}  # fmt: skip
    campaigns = db.session.scalars(_CAMPAIGNS, about).all()
    found = [one for one in live(campaigns) if any(happenings.is_it(one.definition.trigger, fact) for fact in facts)]
    if not found:
        return
    people = db.session.execute(_PEOPLE, {**about, "campaigns": [one.campaign_id for one in found]}).all()
    heard = happenings.Heard(facts)
    by_campaign: dict[int, list[Live]] = defaultdict(list)
    for one in found:
        by_campaign[one.campaign_id].append(one)
    enrol([
        _beginning(one, person, fact)
        for person in people
        for fact in heard.of(person)
        for one in by_campaign[person.campaign_id]
        if happenings.is_it(one.definition.trigger, fact)
    ])  # fmt: skip


def _beginning(one: Live, person: Any, fact: Fact) -> Beginning:
    """The wait of the first step counts from the confirmation where that began it, else from the fact."""
    is_confirmation = fact.name == FactName.ENTRY_CONFIRMED
    anchor = person.confirmed_at if is_confirmation and person.confirmed_at else fact.at
    return Beginning(live=one, person=person, anchor=anchor, occasion=f"fact:{fact.id}", fact_id=fact.id)


def enrol(beginnings: Many[Beginning]) -> int:
    """Enrol whom `who` and the rule of return let in, and answer how many that were; the caller commits."""
    allowed = _allowed(_wanted(beginnings))
    keys = planning.country_keys({one.person.campaign_id for one in allowed})
    rows = [row for one in allowed if (row := _row(one, keys)) is not None]
    if not rows:
        return 0
    columns = zip(*rows, strict=True)
    values = {name: list(column) for name, column in zip(_COLUMNS, columns, strict=True)}
    made = db.session.scalar(_ENROL, {**values, "now": clock.now(), "entered": FactName.SEQUENCE_ENTERED.value})
    if made:
        queue.ring_after_commit(db.session(), Bell.FACTS)
        by_facts = [one for one in allowed if one.fact_id is not None]
        inside.hear_again([_Told.of(one) for one in by_facts], [one.live.definition for one in by_facts])
    return int(made or 0)


def _wanted(beginnings: Many[Beginning]) -> list[Beginning]:
    """Those of whom `who` holds and who are not in the segment that is the goal; nobody where `who` has no answer."""
    conditions = Conditions()
    by_sequence: dict[int, list[Beginning]] = defaultdict(list)
    for one in beginnings:
        by_sequence[one.live.id].append(one)
    found: list[Beginning] = []
    for group in by_sequence.values():
        definition, brand_id = group[0].live.definition, group[0].person.brand_id
        people = frozenset(one.person.contact_id for one in group)
        meant = conditions.holding(brand_id, definition.who, people) if definition.who else people
        goal = segment_of(definition.goal.on, brand_id) if definition.goal else None
        there = conditions.holding(brand_id, goal, people) if goal else None
        found += [one for one in group if one.person.contact_id in (meant or frozenset()) - (there or frozenset())]
    return found


def _allowed(beginnings: Many[Beginning]) -> list[Beginning]:
    asked = {"sequences": [one.live.id for one in beginnings], "entries": [one.person.entry_id for one in beginnings]}
    rows = db.session.execute(_EARLIER, asked).all() if beginnings else ()
    earlier = {(row.sequence_id, row.entry_id): row for row in rows}
    now = clock.now()
    found: dict[tuple[int, int], Beginning] = {}
    for one in beginnings:
        key = one.live.id, one.person.entry_id
        if _may(one, earlier.get(key), now):
            found.setdefault(key, one)
    return list(found.values())


def _may(one: Beginning, earlier: Any, now: datetime) -> bool:
    """Never twice at the same time; after that as the sequence has it. Who is held out never ends, so counts once."""
    if earlier is None:
        return True
    again = one.live.definition.again
    if earlier.is_inside or again is Again.NEVER or (again is Again.EACH and earlier.is_held):
        return False
    pause = timedelta(days=one.live.definition.again_days if again is Again.AFTER else 0)
    return bool(earlier.last_at is None or earlier.last_at + pause <= now)


def _row(one: Beginning, country_keys: Mapping[int, str]) -> tuple[Any, ...] | None:
    """In the order of _COLUMNS; None where there is no step to wait for."""
    person, definition = one.person, one.live.definition
    country = planning.country_of(person, country_keys.get(person.campaign_id))
    zone = hours.zone_of(person.timezone, country, person.campaign_zone)
    place = walking.begin(definition, one.anchor, Calendar(zone, person.ends_at))
    if place is None:
        return None
    is_out = splitting.is_held_out(one.live.id, definition.holdout, person.contact_id)
    status = EnrolmentStatus.HELD_OUT if is_out else EnrolmentStatus.ACTIVE
    occasion = "" if definition.again is Again.NEVER else one.occasion
    return (one.live.id, person.campaign_id, person.brand_id, person.entry_id, person.contact_id, status.value,
            one.live.number, occasion, one.fact_id, place.step_key, place.anchor_at, place.run_at)  # fmt: skip


def by_ids(entry_ids: Iterable[int]) -> Many[Any]:
    """The people behind these entries, as `Beginning` has them: those who may be written to."""
    return db.session.execute(_PEOPLE, {"entries": list(entry_ids), "contacts": [], "campaigns": []}).all()
