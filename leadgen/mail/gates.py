"""The final gates: one statement that decides for each due message whether it may go now, and says why not.

Nothing that was true when a message was planned is believed: suppression, consent, the state of the entry, the cap and
the quiet hours are looked at in the statement that claims it (rule 6); what its sequence asks for is judged beside it
(outbox.judge_with).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import text

from leadgen.campaigns.models import CONFIRMABLE_SQL
from leadgen.core import clock
from leadgen.mail import bounds

LEASE_SECONDS = 120
CAP_HOURS = 48
# Marketing waits when so many of the last so many mails were refused for the moment (bounce, type blocked).
HOLD_AT, HOLD_OF, HOLD_DAYS = 3, 5, 30
# Marketing letters rest from 21:00 to 08:00 in the person's own time zone, and do not all leave at eight: each person
# has a second of the first half hour, the same every day, so that their letters keep their order and can be foretold.
QUIET_FROM, QUIET_UNTIL = 21, 8
SPREAD_SECONDS = 30 * 60
# How soon to look again when a more important mail to the same person goes first; by then the cap says for how long.
BEHIND_MINUTES = 10

# What is due in the open streams of a lane: one lot for each stream and group of recipients, the oldest first.
LOTS = text("""
SELECT s.id AS stream_id, g.name AS domain_group, b.sender_email AS sender
FROM stream s
JOIN campaign k ON k.id = s.campaign_id
JOIN brand b ON b.id = s.brand_id
CROSS JOIN unnest(CAST(:groups AS text[])) AS g (name)
CROSS JOIN LATERAL (
    SELECT m.due_at, m.id FROM message m
    WHERE m.lane = :lane AND m.stream_id = s.id AND m.domain_group = g.name AND m.status = 'scheduled'
      AND m.due_at <= :now
    ORDER BY m.due_at, m.id LIMIT 1
) AS first
WHERE s.lane = :lane AND s.state = 'open' AND k.status NOT IN ('paused', 'draft')
ORDER BY first.due_at, first.id
""")

_BEFORE = bounds.written("c.address_hash", "due.created_at", before="due.id")

CLAIM = f"""
WITH due AS (
    SELECT * FROM message m
    WHERE m.lane = :lane AND m.stream_id = :stream AND m.domain_group = :group AND m.status = 'scheduled'
      AND m.due_at <= :now
    ORDER BY m.due_at, m.id
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
), zone AS (
    SELECT * FROM unnest(CAST(:zones AS text[]), CAST(:openings AS timestamptz[])) AS z (name, opening)
), seen AS (
    SELECT due.*, c.email, c.first_name, c.erased_at, c.marketing_at, c.email_verified_at,
        e.status AS entry_status, e.generation, e.code_number, e.access_version, e.code, e.created_at AS entered_at,
        e.expires_at AS confirm_until, e.is_marketing_wanted, k.status AS campaign_status,
        -- What waited for its campaign has as long as ever from when that goes on (greatest passes over NULL).
        CASE WHEN due.stream_id = 0 THEN due.expires_at
             ELSE greatest(due.expires_at, k.resumed_at + (due.expires_at - due.due_at)) END AS open_until,
        -- One mail to one address in one call: the next waits for the next claim.
        row_number() OVER (PARTITION BY due.contact_id ORDER BY due.priority DESC, due.due_at, due.id) AS turn,
        (SELECT s.reason FROM suppression s
         WHERE s.brand_id = c.brand_id AND s.address_hash = c.address_hash
           AND (s.reason <> 'unsubscribe' OR due.purpose = 'marketing')
           -- An address that bounced gets one more confirmation when its owner asks for it by a new form.
           AND NOT (s.reason = 'hard_bounce' AND due.purpose = 'confirmation' AND due.created_at > s.at)
         ORDER BY s.id LIMIT 1) AS blocked,
        others.last_at AS last_marketing_at, others.is_behind,
        -- Soft bounces: a mailbox that refused three of the last five mails rests for a month, then one mail tries it.
        CASE WHEN due.purpose = 'marketing' THEN
            (SELECT count(*) FILTER (WHERE last.status = 'bounced' AND last.reason = 'blocked') >= {HOLD_AT}
                    AND max(last.sent_at) > :now - interval '{HOLD_DAYS} days'
             FROM (SELECT other.status, other.reason, other.sent_at FROM message other
                   WHERE other.contact_id = due.contact_id AND other.sent_at IS NOT NULL AND other.id <> due.id
                   ORDER BY other.id DESC LIMIT {HOLD_OF}) AS last) END AS is_held,
        -- A zone that nobody knows is no zone: then the campaign's counts (never UTC silently).
        CASE WHEN own.name IS NULL THEN theirs.opening ELSE own.opening END AS opening,
        -- Many forms at one instant did not see each other's mails when they wanted theirs; here all are seen.
        due.purpose = 'confirmation' AND NOT (SELECT {bounds.IS_WITHIN} FROM ({_BEFORE}) AS written) AS is_too_many
    FROM due
    JOIN contact c ON c.id = due.contact_id
    JOIN campaign k ON k.id = due.campaign_id
    LEFT JOIN entry e ON e.id = due.entry_id
    -- The person's other marketing mails: when the last one left, and whether a more important one leaves now. Those
    -- that the end of the quiet hours spread over half an hour count as of one moment.
    LEFT JOIN LATERAL (
        SELECT max(other.sent_at) FILTER (WHERE other.sent_at > :now - interval '{CAP_HOURS} hours') AS last_at,
            coalesce(bool_or(other.status = 'scheduled' AND other.priority > due.priority
                AND other.due_at <= :now + interval '{SPREAD_SECONDS} seconds' AND other.expires_at > :now
                AND EXISTS (SELECT FROM stream flow JOIN campaign its ON its.id = flow.campaign_id
                            WHERE flow.id = other.stream_id AND flow.state = 'open'
                              AND its.status NOT IN ('paused', 'draft', 'archived')
                              AND NOT EXISTS (SELECT FROM lane_stop l WHERE l.lane = flow.lane))), false) AS is_behind
        FROM message other
        WHERE due.purpose = 'marketing' AND other.contact_id = due.contact_id AND other.purpose = 'marketing'
          AND other.id <> due.id
    ) AS others ON true
    LEFT JOIN zone own ON own.name = c.timezone
    LEFT JOIN zone theirs ON theirs.name = k.timezone
), judged AS (
    SELECT *, CASE
        WHEN erased_at IS NOT NULL OR email IS NULL OR entry_status = 'erased' THEN 'cancelled:erased'
        WHEN open_until <= :now THEN 'expired:too_late'
        WHEN blocked IS NOT NULL THEN 'suppressed:' || blocked
        WHEN purpose = 'confirmation' AND (context ->> 'generation')::int <> generation THEN 'skipped:address_corrected'
        WHEN purpose = 'confirmation' AND coalesce(entry_status, '') NOT IN ('pending', 'bounced')
            THEN 'skipped:not_pending'
        WHEN purpose = 'confirmation' AND (confirm_until <= :now OR campaign_status NOT IN {CONFIRMABLE_SQL})
            THEN 'skipped:campaign_over'
        WHEN is_too_many THEN 'suppressed:address_limit'
        WHEN purpose <> 'confirmation' AND entry_status IS DISTINCT FROM 'confirmed' THEN 'skipped:not_confirmed'
        WHEN purpose <> 'marketing' THEN 'sending:'
        WHEN marketing_at IS NULL THEN 'skipped:no_consent'
        WHEN email_verified_at IS NULL THEN 'skipped:unverified'
        WHEN campaign_status IN ('draft', 'archived') THEN 'skipped:campaign_over'
        WHEN is_held THEN 'skipped:held'
        WHEN last_marketing_at IS NOT NULL THEN 'scheduled:frequency_cap'
        WHEN opening IS NOT NULL THEN 'scheduled:quiet_hours'
        WHEN is_behind THEN 'scheduled:priority'
        ELSE 'sending:'
    END AS verdict
    FROM seen WHERE turn = 1
), timed AS (
    SELECT *, CASE verdict
        WHEN 'scheduled:frequency_cap' THEN last_marketing_at + interval '{CAP_HOURS} hours'
        WHEN 'scheduled:quiet_hours' THEN opening + (contact_id * 7919 % {SPREAD_SECONDS}) * interval '1 second'
        WHEN 'scheduled:priority' THEN :now + interval '{BEHIND_MINUTES} minutes'
    END AS later
    FROM judged
), put_off AS (
    INSERT INTO message_move (message_id, at, reason, until)
    SELECT id, :now, split_part(verdict, ':', 2), later FROM timed WHERE later < open_until
), moved AS (
    UPDATE message m SET
        status = CASE WHEN t.later >= t.open_until THEN 'expired' ELSE split_part(t.verdict, ':', 1) END,
        reason = split_part(t.verdict, ':', 2),
        due_at = coalesce(t.later, m.due_at),
        expires_at = t.open_until,
        attempts = m.attempts + (t.verdict = 'sending:')::int,
        lease_until = CASE WHEN t.verdict = 'sending:'
                           THEN clock_timestamp() + interval '{LEASE_SECONDS} seconds' END,
        sent_at = CASE WHEN t.verdict = 'sending:' THEN :now END
    FROM timed t WHERE m.id = t.id
    RETURNING m.id, m.status, m.attempts, t.opaque_id, t.campaign_id, t.stream_id, t.letter, t.step_id, t.locale,
        t.contact_id, t.email, t.first_name, t.entry_id, t.generation, t.code_number, t.access_version, t.code,
        t.entered_at, t.confirm_until, t.is_marketing_wanted, t.due_at, t.context
)
SELECT * FROM moved ORDER BY due_at, id
"""  # noqa: S608 - the only values put in by Python are constants of this module


def zones() -> tuple[list[str], list[datetime | None]]:
    """All time zones and, for those where it is quiet now, when the quiet hours end."""
    return _zones_at(clock.now().replace(second=0, microsecond=0))


@lru_cache(maxsize=4)
def _zones_at(minute: datetime) -> tuple[list[str], list[datetime | None]]:
    names = sorted(available_timezones())
    return names, [opening(minute, ZoneInfo(name)) for name in names]


def spread(contact_id: int) -> timedelta:
    """How long after the night's end the letters of this person leave."""
    return timedelta(seconds=contact_id * 7919 % SPREAD_SECONDS)


def opening(moment: datetime, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours of `zone` end if `moment` lies within them, else None.

    Wall-clock arithmetic: on the night of a change of the clock eight o'clock stays eight o'clock.
    """
    local = moment.astimezone(zone)
    if QUIET_UNTIL <= local.hour < QUIET_FROM:
        return None
    day = local.date() if local.hour < QUIET_UNTIL else local.date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, QUIET_UNTIL, tzinfo=zone)
