"""What must hold of every mail, as statements that find what breaks it; run by mail.audit over tables and logs.

The temporary tables are made by mail.audit: `audit_taken` is the provider's log (how often, first and last, to whom),
`audit_journal` what people were told (`deed`, `mailbox`, `email`, `at`), `audit_rung` the ladder of receipts.
"""

from __future__ import annotations

from dataclasses import dataclass

LOG, JOURNAL, BOTH = "log", "journal", "log and journal"


@dataclass(frozen=True, slots=True)
class Check:
    """`breach` says what the rows are whose ids `statement` finds; `needs` is a source that has to be given."""

    breach: str
    statement: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Invariant:
    """`counted` is the statement behind the number in `kept`."""

    code: str
    kept: str
    counted: str
    checks: tuple[Check, ...]


# When a mail was started: claimed, or at the latest taken by the provider. A request writes down a moment before its
# answer: what the tables know was surely in force ten seconds later. A journal knows the moment of the answer itself.
STARTED = """
CREATE TEMPORARY VIEW audit_started AS
SELECT m.id, m.opaque_id, m.contact_id, m.entry_id, m.purpose, m.letter, m.created_at,
       coalesce(m.sent_at, t.first_at) AS started_at,
       coalesce(m.sent_at, t.first_at) - interval '10 seconds' AS known_at
FROM message m LEFT JOIN audit_taken t ON t.opaque_id = m.opaque_id
WHERE m.sent_at IS NOT NULL OR t.times > 0
"""

INVARIANTS = (
    Invariant(
        "I02",
        "{:,} entries, each with its confirmation wanted, sent, unknown or visibly ended",
        "SELECT count(*) FROM entry",
        (
            Check(
                "entries without a confirmation",
                # People whom a developer made up (`flask seed --people`) were never written to.
                "SELECT e.id FROM entry e WHERE e.confirm_method IS DISTINCT FROM 'made_up' AND NOT EXISTS "
                "(SELECT FROM message m WHERE m.entry_id = e.id AND m.letter = 'confirm')",
            ),
            Check(
                "entries with more confirmations than were asked for",
                "SELECT e.id FROM entry e JOIN message m ON m.entry_id = e.id AND m.letter = 'confirm' "
                "GROUP BY e.id HAVING count(*) > e.mails_sent",
            ),
            Check(
                "confirmations that ended without a reason",
                "SELECT id FROM message WHERE letter = 'confirm' AND reason = '' "
                "AND status IN ('suppressed', 'skipped', 'expired', 'cancelled', 'failed')",
            ),
        ),
    ),
    Invariant(
        "I03",
        "{:,} mails in the provider's log, at most 1 each; confirmations at most 2, only after an unknown outcome",
        "SELECT coalesce(sum(times), 0) FROM audit_taken",
        (
            Check(
                "mails that the provider took twice",
                # One more for each time that somebody sent it again, knowing that it may arrive twice.
                "SELECT m.id FROM audit_taken t JOIN message m ON m.opaque_id = t.opaque_id "
                "WHERE m.purpose <> 'confirmation' AND t.times > 1 + (SELECT count(*) FROM message_move v "
                "WHERE v.message_id = m.id AND starts_with(v.reason, 'by_hand:'))",
                LOG,
            ),
            Check(
                "confirmations that the provider took more than twice",
                "SELECT m.id FROM audit_taken t JOIN message m ON m.opaque_id = t.opaque_id "
                "WHERE t.times > 2 + (SELECT count(*) FROM message_move v "
                "WHERE v.message_id = m.id AND starts_with(v.reason, 'by_hand:'))",
                LOG,
            ),
            Check(
                "confirmations that the provider took twice though the outcome of the first was known",
                "SELECT m.id FROM audit_taken t JOIN message m ON m.opaque_id = t.opaque_id "
                "WHERE t.times = 2 AND m.purpose = 'confirmation' AND NOT jsonb_exists(m.context, 'again') "
                "AND NOT EXISTS (SELECT FROM message_move v WHERE v.message_id = m.id "
                "AND starts_with(v.reason, 'by_hand:'))",
                LOG,
            ),
        ),
    ),
    Invariant(
        "I04",
        "{:,} started mails, none but confirmation and one reminder without a confirmed consent",
        "SELECT count(*) FROM audit_started",
        (
            Check(
                "marketing mails without a confirmed, unrevoked consent",
                """SELECT s.id FROM audit_started s WHERE s.purpose = 'marketing' AND NOT EXISTS (
                        SELECT FROM consent c WHERE c.contact_id = s.contact_id AND c.purpose = 'marketing'
                          AND (c.action = 'confirmed' OR c.action = 'given' AND c.channel <> 'form')
                          AND c.at <= s.started_at AND NOT EXISTS (
                              SELECT FROM consent w WHERE w.contact_id = c.contact_id AND w.purpose = 'marketing'
                                AND w.action = 'withdrawn' AND w.id > c.id AND w.at < s.known_at))
                """,
            ),
            Check(
                "service mails to people who had not confirmed",
                "SELECT s.id FROM audit_started s LEFT JOIN entry e ON e.id = s.entry_id "
                "WHERE s.purpose = 'service' AND (e.confirmed_at IS NULL OR e.confirmed_at > s.started_at)",
            ),
            Check(
                "confirmations that are neither confirmation nor reminder",
                "SELECT s.id FROM audit_started s "
                "WHERE s.purpose = 'confirmation' AND s.letter NOT IN ('confirm', 'reminder')",
            ),
            Check(
                "entries with more than one reminder",
                "SELECT s.entry_id AS id FROM audit_started s WHERE s.letter = 'reminder' "
                "GROUP BY s.entry_id HAVING count(*) > 1",
            ),
        ),
    ),
    Invariant(
        "I05",
        "{:,} suppressed addresses, no mail started after the answer that acknowledged it",
        "SELECT count(*) FROM suppression",
        (
            Check(
                "mails started for a suppressed address",
                """SELECT s.id FROM audit_started s JOIN contact c ON c.id = s.contact_id
                    JOIN suppression x ON x.brand_id = c.brand_id AND x.address_hash = c.address_hash
                    WHERE x.at < s.known_at AND (x.reason <> 'unsubscribe' OR s.purpose = 'marketing')
                      AND NOT (x.reason = 'hard_bounce' AND s.purpose = 'confirmation' AND s.created_at > x.at)
                """,
            ),
            Check(
                "mails started for an erased person",
                "SELECT s.id FROM audit_started s JOIN contact c ON c.id = s.contact_id WHERE c.erased_at < s.known_at",
            ),
            Check(
                "marketing mails started after the answer that acknowledged the unsubscribe",
                """SELECT s.id FROM audit_started s JOIN contact c ON c.id = s.contact_id
                    JOIN audit_journal j ON j.mailbox = c.mailbox_key AND j.deed = 'unsubscribed'
                    WHERE s.purpose = 'marketing' AND j.at < s.started_at AND NOT EXISTS (
                        SELECT FROM consent back WHERE back.contact_id = c.id AND back.purpose = 'marketing'
                          AND back.action IN ('given', 'confirmed') AND back.at > j.at)
                """,
                JOURNAL,
            ),
            Check(
                "mails started after the answer that acknowledged the erasure",
                """SELECT m.id FROM audit_journal j JOIN audit_taken t ON t.email = j.email
                   JOIN message m ON m.opaque_id = t.opaque_id
                   JOIN contact c ON c.id = m.contact_id AND c.erased_at IS NOT NULL
                   WHERE j.deed = 'erased' AND j.at < m.sent_at""",
                BOTH,
            ),
            Check(
                # One that was claimed before the answer may be handed over until its lease ends.
                "mails that the provider got long after the unsubscribe or erasure was acknowledged",
                """SELECT m.id FROM audit_journal j JOIN audit_taken t ON t.email = j.email
                   JOIN message m ON m.opaque_id = t.opaque_id JOIN contact c ON c.id = m.contact_id
                   WHERE (j.deed = 'erased' AND c.erased_at IS NOT NULL
                          OR j.deed = 'unsubscribed' AND m.purpose = 'marketing' AND c.marketing_at IS NULL)
                     AND j.at + interval '2 minutes' < t.last_at""",
                BOTH,
            ),
        ),
    ),
    Invariant(
        "I15",
        "{:,} mails count as taken, and the provider took each; no bounce or complaint was forgotten",
        "SELECT count(*) FROM message WHERE status IN ('accepted', 'delivered', 'bounced')",
        (
            Check(
                "mails that count as taken and are not in the provider's log",
                "SELECT m.id FROM message m LEFT JOIN audit_taken t ON t.opaque_id = m.opaque_id "
                "WHERE m.status IN ('accepted', 'delivered', 'bounced') AND t.opaque_id IS NULL",
                LOG,
            ),
            Check(
                "mails that bounced and count as sent again",
                "SELECT DISTINCT m.id FROM provider_event p JOIN audit_rung r ON r.kind = p.kind "
                "AND r.type = coalesce(p.payload ->> 'type', '') JOIN message m ON m.opaque_id = p.opaque_id "
                "WHERE p.applied_at IS NOT NULL AND r.status = 'bounced' "
                "AND m.status IN ('scheduled', 'sending', 'uncertain', 'accepted', 'delivered') "
                "AND m.reason <> 'complaint'",
            ),
            Check(
                "mails that somebody complained about whose address is not suppressed",
                "SELECT m.id FROM provider_event p JOIN message m ON m.opaque_id = p.opaque_id "
                "JOIN contact c ON c.id = m.contact_id AND c.address_hash IS NOT NULL "
                "WHERE p.kind = 'spamreport' AND p.applied_at IS NOT NULL AND NOT EXISTS (SELECT FROM suppression x "
                "WHERE x.brand_id = c.brand_id AND x.address_hash = c.address_hash AND x.reason = 'complaint')",
            ),
        ),
    ),
    Invariant(
        "I16",
        "{:,} messages, each where the arrows lead",
        "SELECT count(*) FROM message",
        (
            Check(
                "mails that count as sent without an attempt",
                "SELECT id FROM message WHERE status IN ('sending', 'accepted', 'delivered', 'bounced', 'uncertain') "
                "AND (attempts < 1 OR sent_at IS NULL)",
            ),
            Check(
                "mails with a lease that are not on their way, or on their way without one",
                "SELECT id FROM message WHERE (lease_until IS NOT NULL) <> (status IN ('sending', 'uncertain'))",
            ),
            Check(
                "mails that are on their way for more than 5 minutes",
                "SELECT id FROM message WHERE status = 'sending' "
                "AND lease_until < clock_timestamp() - interval '3 minutes'",
            ),
            Check(
                "mails whose outcome is unknown for more than 20 minutes",
                "SELECT id FROM message WHERE status = 'uncertain' "
                "AND lease_until < clock_timestamp() - interval '5 minutes'",
            ),
            Check(
                "mails that ended without a reason",
                "SELECT id FROM message WHERE reason = '' "
                "AND status IN ('suppressed', 'skipped', 'expired', 'cancelled', 'failed', 'bounced', 'uncertain')",
            ),
            Check("mails with fewer attempts than none", "SELECT id FROM message WHERE attempts < 0"),
        ),
    ),
    Invariant(
        "I17",
        "{:,} acknowledged deeds, each in the tables",
        "SELECT count(*) FROM audit_journal",
        (
            Check(
                "people who were told that they are in and are not",
                """SELECT DISTINCT j.mailbox AS id FROM audit_journal j WHERE j.deed = 'entered' AND NOT EXISTS (
                       SELECT FROM entry e JOIN contact c ON c.id = e.contact_id WHERE c.mailbox_key = j.mailbox)
                   AND NOT EXISTS (
                       SELECT FROM audit_journal gone WHERE gone.mailbox = j.mailbox AND gone.deed = 'erased')""",
                JOURNAL,
            ),
            Check(
                "people who were told that they are confirmed and are not",
                """SELECT DISTINCT j.mailbox AS id FROM audit_journal j WHERE j.deed = 'confirmed' AND NOT EXISTS (
                       SELECT FROM entry e JOIN contact c ON c.id = e.contact_id
                       WHERE c.mailbox_key = j.mailbox AND e.confirmed_at IS NOT NULL)
                   AND NOT EXISTS (
                       SELECT FROM audit_journal gone WHERE gone.mailbox = j.mailbox AND gone.deed = 'erased')""",
                JOURNAL,
            ),
        ),
    ),
    Invariant(
        "I18",
        "{:,} applied events, each once; every mail stands where the highest of them lifts it",
        "SELECT count(*) FROM provider_event WHERE applied_at IS NOT NULL",
        (
            Check(
                "events that are stored twice",
                "SELECT min(id) AS id FROM provider_event GROUP BY event_id HAVING count(*) > 1",
            ),
            Check(
                "mails that do not stand where the highest of their events lifts them",
                """SELECT m.id FROM message m JOIN (
                       SELECT p.opaque_id, max(r.rank) AS highest FROM provider_event p
                       JOIN audit_rung r ON r.kind = p.kind AND r.type = coalesce(p.payload ->> 'type', '')
                       WHERE p.applied_at IS NOT NULL GROUP BY 1) AS told ON told.opaque_id = m.opaque_id
                   CROSS JOIN LATERAL (SELECT max(rank) AS rank FROM audit_standing
                                       WHERE status = m.status AND reason IN (m.reason, '*')) AS s
                   WHERE (m.status IN ('sending', 'uncertain', 'accepted', 'delivered', 'bounced')
                          OR m.status = 'failed' AND m.reason = 'no_answer')
                     AND (coalesce(s.rank, 0) < told.highest OR s.rank > greatest(told.highest, 2))""",
            ),
            Check(
                "mails that bounced though no event says so",
                """SELECT m.id FROM message m WHERE m.status = 'bounced' AND NOT EXISTS (
                       SELECT FROM provider_event p
                       JOIN audit_rung r ON r.kind = p.kind AND r.type = coalesce(p.payload ->> 'type', '')
                       WHERE p.opaque_id = m.opaque_id AND p.applied_at IS NOT NULL AND r.status = 'bounced')""",
            ),
        ),
    ),
    Invariant(
        "I19",
        "{:,} events acted, each about a mail that the provider took (the signature is checked at the door, not kept)",
        "SELECT count(*) FROM provider_event WHERE applied_at IS NOT NULL AND outcome <> 'unknown message'",
        (
            Check(
                "events that acted and tell of mails that the provider never took",
                "SELECT p.id FROM provider_event p LEFT JOIN audit_taken t ON t.opaque_id = p.opaque_id "
                "WHERE p.applied_at IS NOT NULL AND p.outcome <> 'unknown message' AND t.opaque_id IS NULL",
                LOG,
            ),
            Check(
                "events that were applied without an outcome",
                "SELECT id FROM provider_event WHERE applied_at IS NOT NULL AND outcome = ''",
            ),
        ),
    ),
)
