"""What a score or a decision means for an entry, done through the verbs of the entries room and nothing else.

The bands are F11's. They hold; none excludes, and none touches the person whose friends are held: that is for people.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text

from leadgen.campaigns.models import FraudPreset
from leadgen.core.db import db
from leadgen.entries import many, points, referrals
from leadgen.entries.models import EntryStatus, ReferralReason, ReferralState, Review
from leadgen.fraud.models import Decision

NEVER = 101
_CHUNK = 1_000
# Besides whoever confirmed: before that only decisions apply, not scores; and of erased people what a check or staff
# kept back still stands with their referrer. Once the list is frozen nobody is moved any more.
_STANDING = text("""
SELECT e.id, e.status, e.referrer_id, e.referral_state, e.referral_reason, e.review, e.risk, k.fraud_preset AS preset,
       v.score, v.decision, v.decided_codes,
       ARRAY(SELECT code FROM signal s WHERE s.entry_id = e.id) AS codes
FROM entry e JOIN campaign k ON k.id = e.campaign_id LEFT JOIN verdict v ON v.entry_id = e.id
WHERE e.id = ANY(:entries) AND k.status NOT IN ('drawing', 'awarded', 'archived') AND (
    e.status = 'confirmed'
    OR e.status IN ('pending', 'bounced')
       AND (v.decision IN ('held', 'rejected') OR e.review <> 'clear' OR e.referral_reason IN ('risk', 'manual'))
    OR e.status = 'erased' AND e.referral_reason IN ('risk', 'manual')
) ORDER BY e.id
""")


class Band(NamedTuple):
    """From which score on a referral's points are held, and from which the entry leaves board and draw for now."""

    credit: int
    entry: int


BANDS: Mapping[FraudPreset, Band] = {
    FraudPreset.RELAXED: Band(NEVER, NEVER),
    FraudPreset.BALANCED: Band(34, 67),
    FraudPreset.STRICT: Band(34, 50),
}


class Wanted(NamedTuple):
    """How an entry should stand: whether the referral that it is counts, waits or is refused; and the review."""

    referral: Decision  # accepted: counts; held: waits; rejected: refused
    review: Review


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides: the score, what staff said of it, and what they knew then."""

    score: int
    decision: Decision
    has_news: bool  # a code that was not known when it was decided


def wanted(standing: Standing, preset: FraudPreset) -> Wanted:
    """How an entry should stand. A decision holds until a new code appears; then an acceptance is looked at anew."""
    if standing.decision is Decision.REJECTED:
        return Wanted(Decision.REJECTED, Review.EXCLUDED)
    if standing.decision is Decision.HELD:
        return Wanted(Decision.HELD, Review.HELD)
    if standing.decision is Decision.ACCEPTED and not standing.has_news:
        return Wanted(Decision.ACCEPTED, Review.CLEAR)
    band = BANDS[preset]
    return Wanted(
        Decision.HELD if standing.score >= band.credit else Decision.ACCEPTED,
        Review.HELD if standing.score >= band.entry else Review.CLEAR,
    )


def apply(entry_ids: Collection[int]) -> int:
    """Let these entries stand as scores and decisions want it; answers how many changed. The caller commits.

    Entries that stand right are not touched, so calling it again does nothing. Scores are read under the lock of the
    points, so that nobody acts on one that was written anew meanwhile.
    """
    points.alone()
    ordered = sorted(entry_ids)
    changed = 0
    for start in range(0, len(ordered), _CHUNK):
        rows = db.session.execute(_STANDING, {"entries": ordered[start : start + _CHUNK]}).all()
        changed += _apply([(row, target) for row in rows if not stands(row, target := _target(row))])
    return changed


def settle(entry_ids: Iterable[int], *, seconds: float = 60.0) -> bool:
    """Let these entries stand right, for so long at most; whether all of them do. Call it after the scores' commit.

    Commits each thousand: others want to fold and to work beside it.
    """
    until = time.monotonic() + seconds
    points.alone()  # whoever acts on older scores is done before we look, and whoever acts later reads ours
    db.session.commit()
    waiting = misplaced(entry_ids)
    for start in range(0, len(waiting), _CHUNK):
        if time.monotonic() >= until:
            return False
        apply(waiting[start : start + _CHUNK])
        db.session.commit()
    return True


def misplaced(entry_ids: Iterable[int]) -> list[int]:
    """Those of these entries that do not stand as scores and decisions want it."""
    ordered = sorted(entry_ids)
    found = []
    for start in range(0, len(ordered), _CHUNK):
        rows = db.session.execute(_STANDING, {"entries": ordered[start : start + _CHUNK]})
        found += [row.id for row in rows if not stands(row, _target(row))]
    return found


def _target(row: Any) -> Wanted:
    news = set(row.codes) - set(row.decided_codes or ())
    standing = Standing(row.score or 0, Decision(row.decision or Decision.NONE), bool(news))
    return wanted(standing, FraudPreset(row.preset))


def stands(row: Any, target: Wanted) -> bool:
    """Whether an entry stands like this already; `row` says its status, review and referral."""
    is_reviewed = row.review == target.review or row.status == EntryStatus.ERASED
    return is_reviewed and (row.referrer_id is None or not referral_verb(row, target.referral))


def referral_verb(row: Any, target: Decision) -> str:
    """Refuse, hold, restore or release: which verb brings the referral there; empty when it is there."""
    state, reason = ReferralState(row.referral_state), ReferralReason(row.referral_reason)
    is_checked = state is ReferralState.ON_HOLD and reason is ReferralReason.RISK
    # Only what staff refused by hand is staff's to give back; bounces, caps and silence have reasons of their own.
    is_refused = state in {ReferralState.NOT_COUNTED, ReferralState.REVERSED}
    by_staff = is_refused and reason is ReferralReason.MANUAL
    if target is Decision.REJECTED:
        return "" if is_refused else "refuse"
    if by_staff:
        return "restore"
    if target is Decision.HELD:
        return "" if is_checked or is_refused else "hold"
    return "release" if is_checked else ""


def _apply(misplaced: Sequence[tuple[Any, Wanted]]) -> int:
    """Referrals first, then reviews. What staff decide is done one by one, what scores do for all at once."""
    verbs: dict[str, list[int]] = defaultdict(list)
    for row, target in misplaced:
        verb = referral_verb(row, target.referral) if row.referrer_id is not None else ""
        if verb == "refuse":
            referrals.refuse(row.id, ReferralReason.MANUAL)
        elif verb == "restore":
            referrals.restore(row.id)
            verb = "hold" if target.referral is Decision.HELD else ""
        verbs[verb].append(row.id)
    many.hold(verbs["hold"])
    many.release(verbs["release"])
    _review(misplaced)
    return len(misplaced)


def _review(misplaced: Sequence[tuple[Any, Wanted]]) -> None:
    risks: dict[Review, dict[int, int]] = defaultdict(dict)
    for row, target in misplaced:
        if row.review == target.review or row.status == EntryStatus.ERASED:
            continue
        if Review.EXCLUDED in {row.review, target.review}:
            referrals.set_review(row.id, target.review, risk=row.score or 0)
        else:
            risks[target.review][row.id] = row.score or 0
    for review, of_review in risks.items():
        many.review(of_review, review)
