"""The referrals and reviews of many people at once, in one statement each: the plain cases of entries.referrals.

A check may hold thousands in one night; one by one that took minutes, in which nobody's points were folded. Every verb
leaves the rows that the verb for one person leaves, and a test compares them. Whatever is not plain is left to that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import text

from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.entries import points, referrals
from leadgen.entries.models import Review

_UNFROZEN = "k.status NOT IN ('drawing', 'awarded', 'archived')"
_PAYS_REFERRER = "l.kind IN ('referral', 'indirect', 'quality')"
_LINE = """(campaign_id, entry_id, kind, points, chances, source_entry_id, question_id, action_id, proof, reverses_id,
            rules_version, at, idempotency_key)"""
_FACT = "INSERT INTO fact (name, at, brand_id, campaign_id, entry_id, data)"
# In a statement of its own: who confirms meanwhile is waited for here, and the next snapshot has their lines.
_TAKE = text("SELECT FROM entry WHERE id = ANY(:people) ORDER BY id FOR NO KEY UPDATE")
# What the friends earned and what stands of it: no line takes it back.
_HOLD = text(f"""
WITH friend AS (
    SELECT e.id FROM entry e JOIN campaign k ON k.id = e.campaign_id
    WHERE e.id = ANY(:people) AND e.referrer_id IS NOT NULL AND {_UNFROZEN}
      AND e.referral_state NOT IN ('not_counted', 'reversed')
      AND NOT (e.referral_state = 'on_hold' AND e.referral_reason = 'risk')
    ORDER BY e.id FOR NO KEY UPDATE OF e
), standing AS (
    SELECT l.* FROM friend JOIN ledger l ON l.source_entry_id = friend.id
    WHERE {_PAYS_REFERRER} AND NOT EXISTS (SELECT FROM ledger r WHERE r.reverses_id = l.id)
), line AS (
    INSERT INTO ledger {_LINE}
    SELECT campaign_id, entry_id, 'reversal', -points, -chances, source_entry_id, question_id, action_id, proof, id,
           rules_version, :now, 'back:' || id FROM standing ORDER BY id
    ON CONFLICT DO NOTHING RETURNING *
), unfolded AS (
    INSERT INTO ledger_pending (campaign_id, entry_id, points, chances, kind, proof, friends, at)
    SELECT line.campaign_id, line.entry_id, line.points, line.chances, 'reversal', line.proof,
           -(standing.kind = 'referral')::int, line.at FROM line JOIN standing ON standing.id = line.reverses_id
), held AS (
    UPDATE entry e SET referral_state = 'on_hold', referral_reason = 'risk', held_until = NULL
    FROM friend WHERE e.id = friend.id RETURNING e.*
)
{_FACT} SELECT 'referral.held', :now, brand_id, campaign_id, referrer_id,
               jsonb_build_object('reason', 'risk', 'friend', id) FROM held ORDER BY id
RETURNING id
""")  # noqa: S608 - the only values put in are constants of this module
# Counted once, by this referrer, in a contest that gives for nothing else: then what was taken back just stands again.
_RELEASE = text(f"""
WITH friend AS (
    SELECT e.id, k.referral_points FROM entry e JOIN campaign k ON k.id = e.campaign_id
    WHERE e.id = ANY(:people) AND {_UNFROZEN} AND e.referral_state = 'on_hold' AND e.referral_reason = 'risk'
      AND k.indirect_points = 0 AND k.profile_points = 0 AND k.stay_points = 0
      AND (SELECT count(*) FILTER (WHERE l.kind = 'referral' AND l.entry_id = e.referrer_id) = 1 AND count(*) = 1
           FROM ledger l WHERE l.source_entry_id = e.id AND {_PAYS_REFERRER} AND l.reverses_id IS NULL)
    ORDER BY e.id FOR NO KEY UPDATE OF e
), taken AS (
    SELECT l.*, b.id AS back FROM friend JOIN ledger b ON b.source_entry_id = friend.id AND b.kind = 'reversal'
    JOIN ledger l ON l.id = b.reverses_id AND {_PAYS_REFERRER}
    WHERE NOT EXISTS (SELECT FROM ledger r WHERE r.reverses_id = b.id)
), line AS (
    INSERT INTO ledger {_LINE}
    SELECT campaign_id, entry_id, kind, points, chances, source_entry_id, question_id, action_id, proof, back,
           rules_version, at, 'again:' || back FROM taken ORDER BY back
    ON CONFLICT DO NOTHING RETURNING *
), unfolded AS (
    INSERT INTO ledger_pending (campaign_id, entry_id, points, chances, kind, proof, friends, at)
    SELECT campaign_id, entry_id, points, chances, kind, proof, 1, at FROM line
), counted AS (
    UPDATE entry e SET referral_state = 'counted', referral_reason = '', held_until = NULL
    FROM friend WHERE e.id = friend.id RETURNING e.*, friend.referral_points AS worth
), told AS (
    {_FACT} SELECT 'referral.counted', :now, brand_id, campaign_id, referrer_id,
                   jsonb_build_object('points', worth, 'friend', id) FROM counted ORDER BY id
)
SELECT id FROM friend
""")  # noqa: S608 - as above
# Into the ranking and out of it, as points.join_ranking and points.leave_ranking do it for one.
_REVIEW = text(f"""
WITH who AS (
    SELECT e.id, e.campaign_id, e.rank_points, {points.hour("e.reached_at")} AS hour, e.review AS before, given.risk,
           e.status = 'confirmed' AND NOT EXISTS (
               SELECT FROM ledger_pending p WHERE p.entry_id = e.id AND p.kind = 'entry') AS is_ranked
    FROM entry e JOIN campaign k ON k.id = e.campaign_id
    JOIN unnest(CAST(:people AS bigint[]), CAST(:risks AS int[])) AS given (id, risk) ON given.id = e.id
    WHERE {_UNFROZEN} AND e.review NOT IN (CAST(:review AS text), 'excluded') ORDER BY e.id FOR NO KEY UPDATE OF e
), counted AS (
    INSERT INTO points_bucket (campaign_id, points, hour, entrants)
    SELECT campaign_id, rank_points, hour, CASE WHEN CAST(:review AS text) = 'clear' THEN count(*) ELSE -count(*) END
    FROM who WHERE is_ranked GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (campaign_id, points, hour) DO UPDATE SET entrants = points_bucket.entrants + excluded.entrants
), moved AS (
    UPDATE entry e SET review = CAST(:review AS text), risk = who.risk
    FROM who WHERE e.id = who.id RETURNING e.*, who.before
)
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
SELECT 'entry.reviewed', :now, brand_id, campaign_id, contact_id, id,
       jsonb_build_object('before', before, 'after', review, 'risk', risk) FROM moved ORDER BY id
RETURNING id
""")  # noqa: S608 - as above


def hold(friend_ids: Collection[int]) -> None:
    """Like `referrals.hold` for being checked, without an end, for all of these friends."""
    _run(_HOLD, friend_ids)


def release(friend_ids: Collection[int]) -> None:
    """Like `referrals.release` for friends who are being checked."""
    plain = set(_run(_RELEASE, friend_ids))
    for friend_id in sorted(set(friend_ids) - plain):
        referrals.release(friend_id)


def review(risks: Mapping[int, int], target: Review) -> None:
    """Like `referrals.set_review` between clear and held, for all of these entrants with what their risk is."""
    ordered = sorted(risks)
    _run(_REVIEW, ordered, risks=[risks[one] for one in ordered], review=target.value)


def _run(statement: object, people: Collection[int], **more: object) -> list[int]:
    if not people:
        return []
    db.session.flush()
    points.alone()
    values = {"people": sorted(people), "now": clock.now(), **more}
    db.session.execute(_TAKE, values)
    found = list(db.session.scalars(statement, values))  # type: ignore[call-overload]
    for bell in (Bell.POINTS, Bell.FACTS):
        queue.ring_after_commit(db.session(), bell)
    return found
