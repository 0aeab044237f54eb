"""What a stricter or laxer preset would change, reckoned from the scores as they are stored."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from leadgen.campaigns.models import FraudPreset
from leadgen.core.db import db
from leadgen.fraud.bands import BANDS, Band

MOST_NAMES = 50
_UNDECIDED = """
FROM verdict v JOIN entry e ON e.id = v.entry_id
WHERE v.campaign_id = :campaign AND e.status = 'confirmed' AND v.decision IN ('none', 'accepted')
  AND (v.decision = 'none' OR EXISTS (
      SELECT 1 FROM signal s WHERE s.entry_id = v.entry_id AND NOT s.code = ANY(v.decided_codes)))
"""
_COUNT = text(f"""
SELECT count(*) FILTER (WHERE v.score >= :credit AND e.referrer_id IS NOT NULL) AS credits,
       count(*) FILTER (WHERE v.score >= :entry) AS entries {_UNDECIDED}
""")
_CHANGES = text(f"""
SELECT e.id AS entry_id, e.public_id, c.first_name, v.score, e.rank_points AS points,
       v.score >= :credit_then AND e.referrer_id IS NOT NULL AS holds_credit, v.score >= :entry_then AS holds_entry
FROM (SELECT v.entry_id {_UNDECIDED}
      AND ((v.score >= :credit_now) <> (v.score >= :credit_then) AND e.referrer_id IS NOT NULL
           OR (v.score >= :entry_now) <> (v.score >= :entry_then))) AS touched
JOIN entry e ON e.id = touched.entry_id JOIN contact c ON c.id = e.contact_id JOIN verdict v ON v.entry_id = e.id
ORDER BY e.rank_points DESC, v.score DESC, e.id LIMIT {MOST_NAMES}
""")  # noqa: S608 - as above


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


def outcomes(campaign_id: int) -> dict[FraudPreset, Outcome]:
    """What each preset would hold of what nobody has decided."""
    found = {}
    for preset, band in BANDS.items():
        values = {"campaign": campaign_id, "credit": band.credit, "entry": band.entry}
        row = db.session.execute(_COUNT, values).one()
        found[preset] = Outcome(band, row.credits, row.entries)
    return found


def changes(campaign_id: int, now: FraudPreset, then: FraudPreset) -> list[Touched]:
    """Who would stand otherwise under another preset, most points first, at most MOST_NAMES."""
    values = {"campaign": campaign_id}
    for name, preset in (("now", now), ("then", then)):
        values |= {f"credit_{name}": BANDS[preset].credit, f"entry_{name}": BANDS[preset].entry}
    return [Touched(**row) for row in db.session.execute(_CHANGES, values).mappings()]
