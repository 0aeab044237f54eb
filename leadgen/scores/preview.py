"""What a draft would change: how many people stand where before and after, and who moves; nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from leadgen.accounts.models import Brand
from leadgen.contacts.models import Contact
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.scores import reckoning, service, sources
from leadgen.scores import rules as documents
from leadgen.scores.models import ContactScore, RulesState, ScoreRules
from leadgen.scores.reckoning import Person
from leadgen.scores.rules import Rules

# People whom a page can reckon twice while somebody waits; of a larger base every so-manieth stands for the others.
MOST = 4_000
BINS = 10
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody's numbers by one version."""

    fit: int
    engagement: int
    grade: str


@dataclass(frozen=True, slots=True)
class Mover:
    """Somebody whose grade changes."""

    contact_id: int
    name: str
    email: str
    before: Standing
    after: Standing


@dataclass(slots=True)
class Preview:
    """Of `seen` people, out of `of`: bins of ten points each from 0 on, the last with 100."""

    seen: int = 0
    of: int = 0
    fit: tuple[list[int], list[int]] = field(default_factory=lambda: ([0] * BINS, [0] * BINS))
    engagement: tuple[list[int], list[int]] = field(default_factory=lambda: ([0] * BINS, [0] * BINS))
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    movers: Sequence[Mover] = ()

    @property
    def moving(self) -> int:
        """How many of those seen change their grade."""
        return sum(self.moves.values())


def preview(brand: Brand, draft: ScoreRules) -> Preview:
    """The draft beside the version in force, each reckoned for the same people as of now."""
    now = clock.now()
    kept = service.standing(brand.id)
    rules = [documents.read(kept.definition if kept else documents.default()), documents.read(draft.definition)]
    ids, total = _some(brand.id)
    people = sources.people(brand.id, brand.timezone, ids, now, is_locked=False)
    bands = _bands(ids, kept.number if kept else 0)
    found = Preview(seen=len(people), of=total)
    moving: dict[int, tuple[Standing, Standing]] = {}
    for person in people:
        held = bands.get(person.id, ("", ""))
        before, after = (_standing(one, person, held, now) for one in rules)
        for place, standing in enumerate((before, after)):
            found.fit[place][min(BINS - 1, standing.fit // BINS)] += 1
            found.engagement[place][min(BINS - 1, standing.engagement // BINS)] += 1
        if before.grade != after.grade:
            found.moves[before.grade, after.grade] += 1
            moving[person.id] = (before, after)
    found.movers = _movers(moving)
    return found


def distribution(brand_id: int) -> tuple[Mapping[str, int], int]:
    """How many people stand in each grade by the version in force, as of the last look; and how many that are."""
    rows = db.session.execute(
        select(ContactScore.fit_band + ContactScore.engagement_band, func.count())
        .join(ScoreRules, (ScoreRules.brand_id == ContactScore.brand_id) & (ScoreRules.number == ContactScore.number))
        .where(ContactScore.brand_id == brand_id, ScoreRules.state == RulesState.STANDING)
        .group_by(ContactScore.fit_band, ContactScore.engagement_band)
    )
    found = dict(iter(rows))
    return found, sum(found.values())


def _some(brand_id: int) -> tuple[Sequence[int], int]:
    """Contacts of the brand who confirmed: all, or one of so many by their number; and how many there are."""
    who = (Contact.brand_id == brand_id, Contact.erased_at.is_(None), Contact.email_verified_at.is_not(None))
    total = db.session.scalar(select(func.count()).select_from(Contact).where(*who)) or 0
    every = -(-total // MOST) or 1
    chosen = select(Contact.id).where(*who, Contact.id % every == 0).order_by(Contact.id).limit(MOST)
    return db.session.scalars(chosen).all(), total


def _bands(ids: Sequence[int], number: int) -> dict[int, tuple[str, str]]:
    rows = db.session.execute(
        select(ContactScore.contact_id, ContactScore.fit_band, ContactScore.engagement_band).where(
            ContactScore.contact_id.in_(ids), ContactScore.number == number
        )
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _standing(rules: Rules, person: Person, held: tuple[str, str], now: datetime) -> Standing:
    found = reckoning.outcome(rules, person, now)
    engaged = reckoning.engagement(rules, found.worth, found.worth_at, person.alive_at, now)
    bands = (
        reckoning.band(rules.fit_bands, found.fit, held[0]),
        reckoning.band(rules.engagement_bands, engaged, held[1]),
    )
    return Standing(found.fit, engaged, "".join(bands))


def _movers(moving: Mapping[int, tuple[Standing, Standing]]) -> list[Mover]:
    """Those whose numbers change most."""

    def change(contact_id: int) -> int:
        before, after = moving[contact_id]
        return abs(before.fit - after.fit) + abs(before.engagement - after.engagement)

    first = sorted(moving, key=lambda one: (-change(one), one))[:SHOWN]
    names = {one.id: one for one in db.session.scalars(select(Contact).where(Contact.id.in_(first)))}
    return [Mover(one, names[one].first_name, names[one].email or "", *moving[one]) for one in first]
