"""Double opt-in: what a confirmation link says, and the one statement that makes an entry count."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from leadgen.campaigns.models import CONFIRMABLE, CONFIRMABLE_SQL
from leadgen.contacts import address
from leadgen.core import clock, hot, notes, queue, tokens
from leadgen.core.errors import Invalid, NotFound, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell

CODE_TRIES = 5
WELCOME_LIFE_HOURS = 48
_VIEW_KEPT_SECONDS = 7 * 24 * 3600.0

_VIEW = """
SELECT e.id, e.status, e.generation, e.campaign_id, e.locale, e.expires_at, e.access_version,
       c.status AS campaign_status, c.ends_at + c.grace_seconds * interval '1 second' AS closes_at,
       p.email, p.first_name
FROM entry e JOIN campaign c ON c.id = e.campaign_id JOIN contact p ON p.id = e.contact_id
WHERE e.id = %(entry)s
"""

# What a friend's confirmation is for the inviter. Whatever needs a count under a lock (caps) or time (a delay) waits
# for entries.referrals.settle; all else is decided here: a campaign without them pays for a CASE and no more.
_JUDGED = """
    SELECT e.id, e.referrer_id, p.address_hash, c.entry_points, c.referral_points, c.indirect_points, c.stay_points,
           %(now)s + c.stay_days * interval '1 day' AS stays_at,
           least(%(now)s + c.hold_hours * interval '1 hour', c.ends_at + c.grace_seconds * interval '1 second') AS due,
           CASE WHEN e.referrer_id IS NULL THEN '{none,""}'::text[]
                WHEN r.status <> 'confirmed' THEN '{not_counted,ineligible}'
                WHEN e.created_at >= c.ends_at THEN '{not_counted,expired}'
                WHEN r.review = 'excluded' THEN '{on_hold,ineligible}'
                WHEN c.hold_hours > 0 OR c.cap_per_day IS NOT NULL OR c.cap_total IS NOT NULL THEN '{on_hold,delay}'
                WHEN (SELECT id FROM ledger WHERE idempotency_key =
                      'referral:' || e.campaign_id || ':' || encode(p.address_hash, 'hex')) IS NOT NULL
                THEN '{not_counted,duplicate}' ELSE '{counted,""}' END AS verdict
    FROM entry e JOIN campaign c ON c.id = e.campaign_id JOIN contact p ON p.id = e.contact_id
    LEFT JOIN entry r ON r.id = e.referrer_id
"""

_CONFIRM = f"""
WITH judged AS (
    {_JUDGED} WHERE e.id = %(entry)s AND c.status IN {CONFIRMABLE_SQL}
      AND %(now)s < c.ends_at + c.grace_seconds * interval '1 second'
), done AS (
    UPDATE entry e SET status = 'confirmed', confirmed_at = %(now)s, reached_at = %(now)s, confirm_method = %(method)s,
        -- What staff or a check decided while the entry waited stays; silence and a bounce are over now.
        (referral_state, referral_reason, held_until) = (
            SELECT CASE WHEN is_open THEN verdict[1] ELSE e.referral_state END,
                   CASE WHEN is_open THEN verdict[2] ELSE e.referral_reason END,
                   CASE WHEN NOT is_open THEN e.held_until WHEN verdict = '{{on_hold,delay}}' THEN due
                        WHEN verdict[1] = 'counted' AND stay_points > 0 THEN stays_at END
            FROM (SELECT e.referral_state IN ('none', 'awaiting')
                         OR e.referral_state = 'not_counted' AND e.referral_reason IN ('expired', 'bounce') AS is_open)
                 AS before)
    FROM judged
    WHERE e.id = judged.id AND e.generation = %(generation)s AND e.status IN ('pending', 'bounced')
      AND %(now)s < e.expires_at
    RETURNING e.*, judged.entry_points, judged.referral_points, judged.indirect_points
), verified AS (
    UPDATE contact p SET email_verified_at = coalesce(p.email_verified_at, %(now)s), last_inbound_at = %(now)s,
        -- Who left after the tick is not brought back by the link of a mail from before, who complained by none.
        marketing_at = CASE WHEN done.is_marketing_wanted AND NOT EXISTS (
                SELECT 1 FROM suppression s WHERE s.brand_id = p.brand_id AND s.address_hash = p.address_hash
                   AND (s.reason = 'complaint' OR s.reason = 'unsubscribe' AND s.at >= done.created_at))
            THEN coalesce(p.marketing_at, %(now)s) ELSE p.marketing_at END,
        -- The trigger on entries leaves this to us, and would write the contact once more (migration 0011).
        contests = array_remove(p.contests, done.campaign_id) || done.campaign_id
    FROM done WHERE p.id = done.contact_id
    RETURNING p.id, p.address_hash, p.brand_id, p.email, p.marketing_at
), reopened AS (
    -- A tick that came after it takes back an unsubscribe, and an answered mail shows that the mailbox lives; a
    -- complaint stays.
    DELETE FROM suppression s USING verified, done
    WHERE s.brand_id = verified.brand_id AND s.address_hash = verified.address_hash
      AND (s.reason = 'hard_bounce'
           OR s.reason = 'unsubscribe' AND done.is_marketing_wanted AND s.at < done.created_at)
), evidence AS (
    INSERT INTO consent (brand_id, contact_id, campaign_id, entry_id, purpose, action, at, channel, evidence)
    SELECT done.brand_id, contact_id, campaign_id, done.id, act.purpose, 'confirmed', %(now)s, %(channel)s,
           %(traces)s::jsonb || jsonb_strip_nulls(jsonb_build_object(
               'asked_at', created_at, 'email', email, 'email_hash', encode(address_hash, 'hex'),
               'doi_message', opaque_id, 'doi_sent_at', sent_at, 'doi_delivered_at', delivered_at))
    FROM done CROSS JOIN verified CROSS JOIN (VALUES ('rules'), ('marketing')) AS act (purpose)
    -- What the person had in hand: of several mails the latest that left.
    LEFT JOIN LATERAL (
        SELECT opaque_id, sent_at, CASE WHEN status = 'delivered' THEN coalesce(
                   (SELECT min(received_at) FROM provider_event v
                    WHERE v.opaque_id = m.opaque_id AND v.kind = 'delivered'), sent_at) END AS delivered_at
        FROM message m
        WHERE entry_id = done.id AND lane = 'confirmation' AND sent_at IS NOT NULL
          AND (m.context ->> 'generation')::int = %(generation)s
        ORDER BY m.id DESC LIMIT 1
    ) AS mail ON true
    WHERE act.purpose = 'rules' OR is_marketing_wanted AND marketing_at IS NOT NULL
), credited AS (
    INSERT INTO ledger (campaign_id, entry_id, kind, points, chances, source_entry_id, rules_version, at,
                        idempotency_key)
    SELECT campaign_id, id, 'entry', entry_points, entry_points, NULL::bigint, rules_version, %(now)s, 'entry:' || id
    FROM done
    UNION ALL
    SELECT campaign_id, referrer_id, 'referral', referral_points, referral_points, done.id, rules_version, %(now)s,
           -- by mailbox, not by entry: erasing oneself and entering again earns nothing twice
           'referral:' || campaign_id || ':' || encode(verified.address_hash, 'hex')
    FROM done, verified WHERE referral_state = 'counted'
    UNION ALL
    SELECT done.campaign_id, r2.id, 'indirect', indirect_points, indirect_points, done.id, done.rules_version, %(now)s,
           'indirect:' || done.campaign_id || ':' || encode(verified.address_hash, 'hex')
    FROM done CROSS JOIN verified JOIN entry r2 ON r2.id = done.ref2_id
    WHERE indirect_points <> 0 AND done.referral_state = 'counted' AND r2.status = 'confirmed'
      AND r2.review <> 'excluded'
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING campaign_id, entry_id, points, chances, kind
), unfolded AS (
    INSERT INTO ledger_pending (campaign_id, entry_id, points, chances, kind, friends, at)
    SELECT campaign_id, entry_id, points, chances, kind, (kind = 'referral')::int, %(now)s FROM credited
), welcome AS (
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, locale, context,
                         due_at, expires_at, created_at)
    SELECT 'welcome:' || id, brand_id, campaign_id, contact_id, id, 'service', 'service', 'welcome', locale,
           jsonb_build_object('entry', id, 'access_version', access_version, 'code', code),
           %(now)s, %(now)s + interval '{WELCOME_LIFE_HOURS} hours', %(now)s
    FROM done
    ON CONFLICT (intent) DO NOTHING
), told AS (
    INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
    SELECT 'entry.confirmed', %(now)s, brand_id, campaign_id, contact_id, id,
           jsonb_build_object('method', %(method)s::text, 'marketing', is_marketing_wanted)
    FROM done
    UNION ALL
    SELECT CASE referral_state WHEN 'counted' THEN 'referral.counted' WHEN 'on_hold' THEN 'referral.held'
                               ELSE 'referral.refused' END, %(now)s, brand_id, campaign_id, NULL, referrer_id,
           CASE WHEN referral_state = 'counted' THEN jsonb_build_object('friend', id, 'points', referral_points)
                ELSE jsonb_build_object('friend', id, 'reason', referral_reason) END
    FROM done WHERE referral_state <> 'none'
)
SELECT id, campaign_id, access_version, referral_state = 'on_hold' AND held_until <= %(now)s AS is_due FROM done
"""  # noqa: S608 - the only values put in by Python are constants of this module

_TRY_CODE = f"""
UPDATE entry SET code_tries = code_tries + 1
WHERE id = %(entry)s AND status IN ('pending', 'bounced') AND code_tries < {CODE_TRIES} AND %(now)s < code_expires_at
RETURNING generation, code_number, code_tries
"""  # noqa: S608 - as above


class Outcome(StrEnum):
    """What a confirmation link leads to."""

    READY = "ready"
    CONFIRMED = "confirmed"
    ALREADY = "already"
    EXPIRED = "expired"
    ERASED = "erased"
    CLOSED = "closed"
    REFUSED = "refused"
    INERT = "inert"


@dataclass(frozen=True, slots=True)
class ConfirmView:
    """What the page behind a link may show; `masked` is the address as its owner recognises it.

    The link is good until `expires_at`; `closes_at`, the end of the grace, is the last moment for anybody (F1).
    """

    outcome: Outcome
    entry_id: int
    campaign_id: int
    locale: str
    first_name: str
    masked: str
    access_version: int
    expires_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The outcome of a confirmation, and what the link to the person's page is made of."""

    outcome: Outcome
    entry_id: int
    campaign_id: int
    access_version: int


def view(entry_id: int, generation: int) -> ConfirmView:
    """What a link leads to, without changing anything. Raises NotFound for an entry that is not there (any more)."""
    row = _read(entry_id)
    return ConfirmView(
        outcome=_outcome(row, generation),
        entry_id=row["id"],
        campaign_id=row["campaign_id"],
        locale=row["locale"],
        first_name=row["first_name"],
        masked=address.mask(row["email"] or ""),
        access_version=row["access_version"],
        expires_at=row["expires_at"],
        closes_at=row["closes_at"],
    )


def note_view(entry_id: int) -> None:
    """Remember that the page behind the link was opened: whoever saw it needs no reminder.

    A note in Redis and nothing else, so that a GET changes no row; when it is lost, one more reminder leaves at most.
    """
    notes.leave(f"confirm-viewed:{entry_id}", "1", _VIEW_KEPT_SECONDS)


def was_viewed(entry_id: int) -> bool:
    """Whether the page behind the link of this entry was opened lately."""
    return notes.read(f"confirm-viewed:{entry_id}") is not None


def confirm(entry_id: int, generation: int, method: str, traces: Mapping[str, Any] | None = None) -> Confirmation:
    """Confirm the entry: points, the referrer's credit, welcome mail and facts, exactly once.

    `method` is cookie_post, button_post or code; `traces` is what the door saw, as evidence. A second call changes
    nothing and answers ALREADY; an old generation, an expired or closed entry answers so. Raises NotFound for an entry
    that is not there (any more).
    """
    channel = "code" if method == "code" else "confirm page"
    values = {"entry": entry_id, "generation": generation, "method": method, "channel": channel, "now": clock.now()}
    evidence = {**(traces or {}), "method": method, "generation": generation}
    row = hot.one(_CONFIRM, values | {"traces": json.dumps(evidence)})
    if row is not None:
        for bell in (Bell.MAIL, Bell.POINTS, Bell.FACTS):
            queue.ring(bell)
        if row["is_due"]:
            queue.ring(Bell.REFERRALS)
        return Confirmation(Outcome.CONFIRMED, row["id"], row["campaign_id"], row["access_version"])
    row = _read(entry_id)
    outcome = _outcome(row, generation)
    return Confirmation(outcome, row["id"], row["campaign_id"], row["access_version"])


def confirm_by_code(entry_id: int, digits: str, traces: Mapping[str, Any] | None = None) -> Confirmation:
    """Confirm with the six digits of the latest mail.

    Five tries for each code, fifteen minutes for each: after that TooMany asks for a new one, and so does an entry
    that waits no longer, so that trying codes tells nothing about somebody else's address. Wrong digits raise
    Invalid(field="code") in the person's language.
    """
    typed = "".join(character for character in digits if character.isdigit())
    row = hot.one(_TRY_CODE, {"entry": entry_id, "now": clock.now()})
    if row is None:
        raise TooMany(_("This code is no longer valid. Ask for a new one."))
    codes = tokens.six_digits_for_keys(entry_id, row["generation"], row["code_number"])
    if not any(hmac.compare_digest(typed.encode(), code.encode()) for code in codes):
        raise Invalid(_("This is not the code from our latest mail."), "code")
    return confirm(entry_id, row["generation"], "code", traces)


def _read(entry_id: int) -> dict[str, Any]:
    row = hot.one(_VIEW, {"entry": entry_id})
    if row is None:
        raise NotFound
    return row


def _outcome(row: dict[str, Any], generation: int) -> Outcome:
    if row["status"] == "erased":
        return Outcome.ERASED
    if row["generation"] != generation:
        return Outcome.INERT
    if row["status"] in {"confirmed", "refused"}:
        return Outcome.ALREADY if row["status"] == "confirmed" else Outcome.REFUSED
    if row["campaign_status"] not in CONFIRMABLE or clock.now() >= row["closes_at"]:  # the job may be late
        return Outcome.CLOSED
    if row["status"] == "expired" or clock.now() >= row["expires_at"]:
        return Outcome.EXPIRED
    return Outcome.READY
