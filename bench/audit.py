"""Compares the tables with each other: points, ranks, facts, enrolments; the mails are judged by leadgen.mail.audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from leadgen.mail import audit as mail_audit
from leadgen.mail.audit import Taken, Told

_NOW = datetime.now(UTC)  # the play's journal knows what people were told, not when
_TABLES = {
    # what must be empty -> the rows that break it
    "entries whose points or chances are not the sum of their ledger": """
        SELECT e.id FROM entry e LEFT JOIN (
            SELECT entry_id, sum(points) AS points, sum(chances) AS chances FROM ledger GROUP BY entry_id
        ) l ON l.entry_id = e.id LEFT JOIN (
            SELECT entry_id, sum(points) AS points, sum(chances) AS chances FROM ledger_pending GROUP BY entry_id
        ) p ON p.entry_id = e.id
        WHERE (e.points + coalesce(p.points, 0), e.chances + coalesce(p.chances, 0))
           IS DISTINCT FROM (coalesce(l.points, 0), coalesce(l.chances, 0))""",
    "entries whose ledger is not what the rules give, reckoned anew": """
        SELECT e.id FROM entry e JOIN campaign c ON c.id = e.campaign_id LEFT JOIN (
            SELECT entry_id, sum(points) AS points FROM ledger GROUP BY entry_id
        ) l ON l.entry_id = e.id LEFT JOIN (
            SELECT f.referrer_id, count(*) AS friends FROM entry f JOIN entry r ON r.id = f.referrer_id
            WHERE f.status = 'confirmed' AND f.confirmed_at >= r.confirmed_at GROUP BY 1
        ) f ON f.referrer_id = e.id LEFT JOIN (
            SELECT a.entry_id, sum(q.points) AS points FROM answer a JOIN question q ON q.id = a.question_id GROUP BY 1
        ) a ON a.entry_id = e.id
        WHERE coalesce(l.points, 0) IS DISTINCT FROM CASE WHEN e.status = 'confirmed'
            THEN c.entry_points + coalesce(f.friends, 0) * c.referral_points + coalesce(a.points, 0) ELSE 0 END""",
    "ledger lines that are not folded": "SELECT id FROM ledger_pending",
    "buckets of the histogram that differ from the entries": """
        SELECT campaign_id FROM (
            SELECT campaign_id, rank_points AS points, floor(extract(epoch FROM reached_at) / 3600)::int AS hour,
                   count(*) AS people
            FROM entry WHERE status = 'confirmed' AND review = 'clear' GROUP BY 1, 2, 3
        ) e FULL JOIN (SELECT * FROM points_bucket WHERE entrants <> 0) b USING (campaign_id, points, hour)
        WHERE b.entrants IS DISTINCT FROM e.people""",
    "facts that nobody heard of": "SELECT id FROM fact WHERE announced_at IS NULL",
    "confirmed entries without exactly one fact of it": """
        SELECT e.id FROM entry e LEFT JOIN fact f ON f.entry_id = e.id AND f.name = 'entry.confirmed'
        WHERE e.status = 'confirmed' GROUP BY e.id HAVING count(f.id) <> 1""",
    "confirmed entries without exactly one welcome mail": """
        SELECT e.id FROM entry e LEFT JOIN message m ON m.entry_id = e.id AND m.letter = 'welcome'
        WHERE e.status = 'confirmed' GROUP BY e.id HAVING count(m.id) <> 1""",
    "confirmed people who wanted mails and are not enrolled exactly once": """
        SELECT e.id FROM entry e JOIN contact c ON c.id = e.contact_id AND c.marketing_at IS NOT NULL
        LEFT JOIN enrolment n ON n.entry_id = e.id
        WHERE e.status = 'confirmed' AND e.is_marketing_wanted
          AND EXISTS (SELECT FROM sequence s WHERE s.campaign_id = e.campaign_id AND s.is_active)
        GROUP BY e.id HAVING count(n.id) <> 1""",
    "people enrolled without marketing consent": """
        SELECT n.id FROM enrolment n JOIN contact c ON c.id = n.contact_id
        WHERE c.marketing_at IS NULL AND n.status = 'active'""",
    "mails that are due and not sent": """
        SELECT id FROM message WHERE status IN ('scheduled', 'sending') AND due_at < now() - interval '1 second'""",
    "mails whose fate is unknown": "SELECT id FROM message WHERE status = 'uncertain'",
    "mails that failed": "SELECT id FROM message WHERE status = 'failed'",
}


@dataclass
class Findings:
    """What is wrong, as sentence and number; and the counts that were compared."""

    wrong: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Everything that should be there and is not."""
        return sum(number for what, number in self.wrong.items() if "twice" not in what)

    @property
    def doubled(self) -> int:
        """Everything that is there more often than it may be."""
        return sum(number for what, number in self.wrong.items() if "twice" in what)

    def add(self, what: str, number: int) -> None:
        """Note a fault."""
        if number:
            self.wrong[what] = self.wrong.get(what, 0) + number


def audit(
    connection: psycopg.Connection[Any],
    *,
    entered: Iterable[str],
    confirmed: Iterable[str],
    taken: Counter[str] | None = None,
    ignore: Iterable[str] = (),
) -> Findings:
    """Everything that must hold, in the tables and against the people's own journal and the provider's.

    `entered` and `confirmed` are addresses whose forms were answered with success; `taken` says how often the provider
    took each opaque id. `ignore` names table rules that need not hold yet.
    """
    findings = Findings()
    skipped = set(ignore)
    for what, statement in _TABLES.items():
        if what not in skipped:
            findings.add(what, _count(connection, statement))
    told = [
        *(Told("entered", email, _NOW) for email in entered),
        *(Told("confirmed", email, _NOW) for email in confirmed),
    ]
    log = None if taken is None else (Taken(opaque_id) for opaque_id in taken.elements())
    report = mail_audit.audit(connection, log=log, journal=told)
    findings.wrong |= report.wrong
    findings.add("mails that the provider took and we never wanted", report.unknown)
    for deed, number in Counter(one.deed for one in told).items():
        findings.counts[f"told {deed}"] = number
    if taken is not None:
        findings.counts["mails taken"] = taken.total()
        findings.counts["mails taken twice"] = sum(1 for times in taken.values() if times > 1)
    for table in ("contact", "entry", "ledger", "enrolment", "message", "fact", "answer", "consent"):
        findings.counts[table] = _value(connection, f"SELECT count(*) FROM {table}")
    findings.counts["confirmed"] = _value(connection, "SELECT count(*) FROM entry WHERE confirmed_at IS NOT NULL")
    findings.counts["points"] = _value(connection, "SELECT coalesce(sum(points), 0) FROM ledger")
    return findings


def _count(connection: psycopg.Connection[Any], statement: str) -> int:
    return _value(connection, f"SELECT count(*) FROM ({statement}) AS broken")


def _value(connection: psycopg.Connection[Any], statement: str) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])
