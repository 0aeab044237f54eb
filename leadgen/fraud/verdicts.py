"""Writes what the scorer found: signals and sums, by statements for whole sets; writing it again does nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from sqlalchemy import select, text

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.fraud import weights
from leadgen.fraud.models import Signal
from leadgen.fraud.observations import Found
from leadgen.fraud.scoring import CLEAN, Score, total

_CHUNK = 5_000
_GONE = text("""
DELETE FROM signal s WHERE s.entry_id = ANY(:entries) AND NOT EXISTS (
    SELECT FROM unnest(CAST(:owners AS bigint[]), CAST(:codes AS text[])) AS f (entry_id, code)
    WHERE f.entry_id = s.entry_id AND f.code = s.code
)
""")
_SIGNALS = text("""
INSERT INTO signal AS s (campaign_id, entry_id, layer, code, points, evidence, weights_version, at)
SELECT :campaign, f.entry_id, f.layer, f.code, f.points, f.evidence, :version, :now
FROM unnest(CAST(:owners AS bigint[]), CAST(:layers AS text[]), CAST(:codes AS text[]), CAST(:points AS int[]),
            CAST(:evidence AS jsonb[])) AS f (entry_id, layer, code, points, evidence)
JOIN entry e ON e.id = f.entry_id AND e.status <> 'erased'
ON CONFLICT (entry_id, code) DO UPDATE SET points = excluded.points, evidence = excluded.evidence,
    weights_version = excluded.weights_version
WHERE s.points <> excluded.points OR s.evidence <> excluded.evidence OR s.weights_version <> excluded.weights_version
""")
_VERDICTS = text("""
INSERT INTO verdict AS v (entry_id, campaign_id, score, scored_at)
SELECT f.entry_id, :campaign, f.score, :now
FROM unnest(CAST(:entries AS bigint[]), CAST(:scores AS int[])) AS f (entry_id, score)
JOIN entry e ON e.id = f.entry_id AND e.status <> 'erased'
WHERE f.score > 0 OR EXISTS (SELECT FROM verdict o WHERE o.entry_id = f.entry_id)
ON CONFLICT (entry_id) DO UPDATE SET score = excluded.score, scored_at = excluded.scored_at
WHERE v.score <> excluded.score
""")
_SCORES = text("SELECT entry_id, score FROM verdict WHERE campaign_id = :campaign")


def write(campaign_id: int, entry_ids: Collection[int], scores: Mapping[int, Score], version: int) -> None:
    """Let signals and sums of these entries be exactly what was found. The caller commits.

    People who were erased since they were read get nothing: their sum stays, their signals do not come back.
    """
    ordered = sorted(entry_ids)
    for start in range(0, len(ordered), _CHUNK):
        _write(campaign_id, ordered[start : start + _CHUNK], scores, version)


def _write(campaign_id: int, entry_ids: list[int], scores: Mapping[int, Score], version: int) -> None:
    found = [(one, signal) for one in entry_ids for signal in scores.get(one, CLEAN).found]
    common = {"campaign": campaign_id, "entries": entry_ids, "version": version, "now": clock.now()}
    columns = {
        "owners": [entry_id for entry_id, _ in found],
        "codes": [signal.code for _, signal in found],
        "layers": [weights.POINTS[signal.code][0].value for _, signal in found],
        "points": [signal.points for _, signal in found],
        "evidence": [json.dumps(dict(signal.evidence)) for _, signal in found],
        "scores": [scores.get(one, CLEAN).points for one in entry_ids],
    }
    for statement in (_GONE, _SIGNALS, _VERDICTS):
        db.session.execute(statement, common | columns)


def with_group(entry_ids: Collection[int], scores: Mapping[int, Score]) -> dict[int, Score]:
    """These scores together with what is stored of the entries' groups, for a look that saw no whole group."""
    found = {one: list(scores.get(one, CLEAN).found) for one in entry_ids}
    codes = [code for code, (layer, _points) in weights.POINTS.items() if layer is weights.Layer.GROUP]
    kept = select(Signal).where(Signal.entry_id.in_(entry_ids), Signal.code.in_(codes))
    for signal in db.session.scalars(kept):
        found[signal.entry_id].append(Found(signal.code, signal.points, signal.evidence))
    return {one: total(signals) for one, signals in found.items()}


def stored(campaign_id: int) -> dict[int, int]:
    """The scores as they stand, by entry."""
    return {row.entry_id: row.score for row in db.session.execute(_SCORES, {"campaign": campaign_id})}
