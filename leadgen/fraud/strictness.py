"""What a stricter or laxer preset would change, reckoned from the scores as they are stored."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from leadgen.campaigns.models import FraudPreset
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.entries.models import Entry, Review
from leadgen.fraud import preview
from leadgen.fraud.bands import BANDS, Band
from leadgen.fraud.models import Decision, Verdict
from leadgen.fraud.preview import Stored

MOST_NAMES = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a preset holds: referrals whose points wait, and entries that leave board and draw for now."""

    band: Band
    credits: int
    entries: int


@dataclass(frozen=True, slots=True)
class Touched:
    """Somebody who would stand otherwise, and how they would stand then; `points` are those of the rank."""

    entry_id: int
    public_id: str
    first_name: str
    score: int
    points: int
    holds_credit: bool
    holds_entry: bool


def outcomes(kept: dict[int, Stored]) -> dict[FraudPreset, Outcome]:
    """What each preset would hold of these (preview.stored)."""
    brought = _brought(kept)
    found = {}
    for preset, band in BANDS.items():
        wanted = preview.standing(kept, preset)
        credits = sum(one in brought and want.referral is Decision.HELD for one, want in wanted.items())
        found[preset] = Outcome(band, credits, sum(want.review is Review.HELD for want in wanted.values()))
    return found


def changes(kept: dict[int, Stored], now: FraudPreset, then: FraudPreset) -> list[Touched]:
    """Who of these would stand otherwise under another preset, most points first, at most MOST_NAMES."""
    after = {moved.entry_id: moved.after for moved in preview.compare(kept, now, then)}
    statement = (
        select(Entry.id, Entry.public_id, Contact.first_name, Verdict.score, Entry.rank_points, Entry.referrer_id)
        .join(Contact, Contact.id == Entry.contact_id)
        .join(Verdict, Verdict.entry_id == Entry.id)
        .where(Entry.id.in_(after))
        .order_by(Entry.rank_points.desc(), Verdict.score.desc(), Entry.id)
        .limit(MOST_NAMES)
    )
    return [
        Touched(
            entry_id=row.id,
            public_id=row.public_id,
            first_name=row.first_name,
            score=row.score,
            points=row.rank_points,
            holds_credit=row.referrer_id is not None and after[row.id].referral is Decision.HELD,
            holds_entry=after[row.id].review is Review.HELD,
        )
        for row in db.session.execute(statement)
    ]


def _brought(kept: dict[int, Stored]) -> set[int]:
    """Those of these whom somebody brought: only their points can wait."""
    return set(db.session.scalars(select(Entry.id).where(Entry.id.in_(kept), Entry.referrer_id.is_not(None))))
