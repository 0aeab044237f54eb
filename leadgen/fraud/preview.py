"""What another preset or other weights would do: reckoned over stored signals; nothing is looked at or written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import text

from leadgen.campaigns.models import FraudPreset
from leadgen.core.db import db
from leadgen.fraud import bands, scoring, weights
from leadgen.fraud.bands import Standing, Wanted
from leadgen.fraud.models import Decision
from leadgen.fraud.weights import Weights

_STORED = text("""
SELECT s.entry_id, s.code, v.decision, v.decided_codes FROM signal s
JOIN entry e ON e.id = s.entry_id AND e.status = 'confirmed'
LEFT JOIN verdict v ON v.entry_id = s.entry_id WHERE s.campaign_id = :campaign ORDER BY s.entry_id
""")


class Stored(NamedTuple):
    """What is kept of an entry: the codes of its signals, and what staff decided knowing which codes."""

    codes: frozenset[str]
    decision: Decision = Decision.NONE
    decided_codes: frozenset[str] = frozenset()


class Moved(NamedTuple):
    """Somebody who would stand otherwise."""

    entry_id: int
    before: Wanted
    after: Wanted


def stored(campaign_id: int) -> dict[int, Stored]:
    """What is kept of everybody who has a signal and is confirmed."""
    codes: dict[int, set[str]] = defaultdict(set)
    decided: dict[int, tuple[Decision, frozenset[str]]] = {}
    for row in db.session.execute(_STORED, {"campaign": campaign_id}):
        codes[row.entry_id].add(row.code)
        decided[row.entry_id] = Decision(row.decision or Decision.NONE), frozenset(row.decided_codes or ())
    return {entry_id: Stored(frozenset(found), *decided[entry_id]) for entry_id, found in codes.items()}


def compare(
    kept: Mapping[int, Stored],
    before: FraudPreset,
    after: FraudPreset,
    *,
    by: Weights = weights.CURRENT,
) -> list[Moved]:
    """Who would stand otherwise with preset `after` and points `by` than with preset `before` and today's points."""
    now, then = standing(kept, before), standing(kept, after, by)
    return [Moved(one, now[one], then[one]) for one in sorted(kept) if now[one] != then[one]]


def standing(kept: Mapping[int, Stored], preset: FraudPreset, chosen: Weights = weights.CURRENT) -> dict[int, Wanted]:
    """How each of these should stand with this preset and these points."""
    sums = scoring.reweigh({one: found.codes for one, found in kept.items()}, chosen)
    return {
        one: bands.wanted(Standing(sums[one], found.decision, bool(found.codes - found.decided_codes)), preset)
        for one, found in kept.items()
    }
