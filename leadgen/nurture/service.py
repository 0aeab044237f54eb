"""Who is enrolled in which sequence, which letter is due next, and when somebody leaves.

PostgreSQL plans: a batch of people costs one statement, and what is planned waits in the outbox, where the sender
judges consent, suppression, conditions, quiet hours and caps once more (rule 6).
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from leadgen.core import clock, i18n, queue
from leadgen.core.db import db
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.mail import groups
from leadgen.nurture.models import Enrolment, EnrolmentStatus, Sequence, Step

BATCH = 1000
# A letter that is still not sent so long after its time is not sent any more.
CATCH_UP_SECONDS = 48 * 3600

# Days keep the hour of the clock on the wall when summer time begins or ends; what is less than a day is just seconds.
_ENROL = """
WITH enrolled AS (
    INSERT INTO enrolment (sequence_id, campaign_id, brand_id, entry_id, contact_id,
                           next_position, next_run_at, enrolled_at)
    SELECT s.id, e.campaign_id, e.brand_id, e.id, e.contact_id, first.position,
           ((e.confirmed_at AT TIME ZONE c.timezone) + make_interval(days => first.delay_seconds / 86400))
               AT TIME ZONE c.timezone + make_interval(secs => first.delay_seconds % 86400), :now
    FROM entry e
    JOIN contact p ON p.id = e.contact_id
    JOIN campaign c ON c.id = e.campaign_id
    JOIN sequence s ON s.campaign_id = e.campaign_id AND s.is_active
    JOIN LATERAL (SELECT position, delay_seconds FROM step
                  WHERE sequence_id = s.id AND is_active ORDER BY position LIMIT 1) first ON true
    WHERE e.id = ANY(:entries) AND e.status = 'confirmed' AND p.marketing_at IS NOT NULL AND p.erased_at IS NULL
    ON CONFLICT (sequence_id, entry_id, occasion) DO NOTHING
    RETURNING *
)
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
SELECT :fact, :now, brand_id, campaign_id, contact_id, entry_id,
       jsonb_build_object('sequence', sequence_id)
FROM enrolled
"""

_LEAVE = """
WITH gone AS (
    SELECT * FROM unnest(CAST(:contacts AS bigint[]), CAST(:reasons AS text[])) AS g(contact_id, reason)
), cancelled AS (
    UPDATE message m SET status = 'cancelled', reason = gone.reason
    FROM gone WHERE m.contact_id = gone.contact_id AND m.status = 'scheduled' AND m.lane = 'nurture'
), exited AS (
    UPDATE enrolment n SET status = 'exited', exit_reason = gone.reason, ended_at = :now
    FROM gone WHERE n.contact_id = gone.contact_id AND n.status = 'active'
    RETURNING n.*
)
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
SELECT :fact, :now, brand_id, campaign_id, contact_id, entry_id,
       jsonb_build_object('sequence', sequence_id, 'reason', exit_reason)
FROM exited
"""

# An enrolment is claimed by its row lock: a second planner passes over it, and looks at it again only when it is due.
# A sequence that a breaker stopped stays active, and plans nothing: its letters would expire before somebody looked.
_PLAN = f"""
WITH claimed AS MATERIALIZED (
    SELECT n.* FROM enrolment n JOIN sequence s ON s.id = n.sequence_id AND s.is_active
    JOIN stream flow ON flow.id = s.stream_id AND flow.state = 'open'
    WHERE n.status = 'active' AND n.next_run_at <= :now
    ORDER BY n.next_run_at, n.id LIMIT :batch FOR UPDATE OF n SKIP LOCKED
), due AS MATERIALIZED (
    SELECT n.*, s.stream_id, {groups.COLUMN} AS domain_group,
           e.locale, e.access_version, e.code, step.id AS step_id, step.key, step.condition,
           after.position AS after_position,
           ((CAST(:now AS timestamptz) AT TIME ZONE k.timezone) + make_interval(days => after.delay_seconds / 86400))
               AT TIME ZONE k.timezone + make_interval(secs => after.delay_seconds % 86400) AS after_run_at
    FROM claimed n
    JOIN sequence s ON s.id = n.sequence_id
    JOIN entry e ON e.id = n.entry_id
    JOIN contact c ON c.id = n.contact_id {groups.JOIN}
    JOIN campaign k ON k.id = n.campaign_id
    LEFT JOIN LATERAL (SELECT * FROM step WHERE sequence_id = n.sequence_id AND is_active
                       AND position >= n.next_position ORDER BY position LIMIT 1) step ON true
    LEFT JOIN LATERAL (SELECT position, delay_seconds FROM step x WHERE x.sequence_id = n.sequence_id AND x.is_active
                       AND x.position > step.position ORDER BY x.position LIMIT 1) after ON true
), wanted AS (
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, stream_id, domain_group, purpose,
                         letter, step_id, locale, context, condition, due_at, expires_at, created_at)
    SELECT 'seq:' || id || ':' || key, brand_id, campaign_id, contact_id, entry_id, 'nurture', stream_id, domain_group,
           'marketing', 'sequence', step_id, locale,
           jsonb_build_object('entry', entry_id, 'access_version', access_version, 'code', code),
           condition, next_run_at, next_run_at + make_interval(secs => :catch_up), :now
    FROM due WHERE step_id IS NOT NULL
    ON CONFLICT (intent) DO NOTHING
    RETURNING id
), moved AS (
    UPDATE enrolment n SET next_position = coalesce(due.after_position, n.next_position),
        next_run_at = coalesce(due.after_run_at, n.next_run_at),
        status = CASE WHEN due.after_position IS NULL THEN 'finished' ELSE 'active' END,
        ended_at = CASE WHEN due.after_position IS NULL THEN CAST(:now AS timestamptz) END
    FROM due WHERE n.id = due.id
    RETURNING n.*
), told AS (
    INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
    SELECT :fact, :now, brand_id, campaign_id, contact_id, entry_id,
           jsonb_build_object('sequence', sequence_id)
    FROM moved WHERE status = 'finished'
)
SELECT (SELECT count(*) FROM claimed) AS claimed, (SELECT count(*) FROM wanted) AS wanted
"""  # noqa: S608 - the only text put in by Python is a constant


def enrol_confirmed(facts: Many[Fact]) -> None:
    """Enrol the confirmed entries in their campaign's active sequences, each at most once (reaction).

    Only people whose consent to marketing stands; the first step is due its delay after the confirmation.
    """
    entries = [fact.entry_id for fact in facts if fact.entry_id]
    db.session.execute(text(_ENROL), {"entries": entries, "now": clock.now(), "fact": FactName.SEQUENCE_ENTERED.value})
    queue.ring_after_commit(db.session(), Bell.FACTS)


def leave(facts: Many[Fact]) -> None:
    """End all sequences of these contacts with the reason, and cancel what was planned for them (reaction).

    Serves withdrawal of consent (unsubscribing included), bounce, complaint and erasure: whoever leaves once is not
    written to by any sequence of the brand again.
    """
    reasons = {fact.contact_id: _reason(fact) for fact in facts if fact.contact_id}
    values = {"contacts": list(reasons), "reasons": list(reasons.values())}
    db.session.execute(text(_LEAVE), values | {"now": clock.now(), "fact": FactName.SEQUENCE_EXITED.value})
    queue.ring_after_commit(db.session(), Bell.FACTS)


def _reason(fact: Fact) -> str:
    if fact.name == FactName.CONTACT_ERASED:
        return "erased"
    return str(fact.data.get("reason") or "withdrawn")


def plan_batch(limit: int = BATCH) -> int:
    """Put the due letters of up to `limit` enrolments into the outbox and move each to its next step.

    Answers how many enrolments were due. Two planners never plan the same one; a letter is wanted once per step.
    """
    values = {"now": clock.now(), "batch": limit, "catch_up": CATCH_UP_SECONDS}
    values |= {"fact": FactName.SEQUENCE_FINISHED.value, **groups.columns()}
    claimed, wanted = db.session.execute(text(_PLAN), values).one()
    if wanted:
        queue.ring_after_commit(db.session(), Bell.MAIL)
    return int(claimed)


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of a contact's nurture timeline."""

    at: datetime
    sentence: str


def timeline(contact_id: int) -> list[TimelineLine]:
    """What the sequences did and will do with a contact, oldest first, in the current language."""
    enrolments = db.session.execute(
        select(Enrolment, Sequence)
        .join(Sequence, Sequence.id == Enrolment.sequence_id)
        .filter_by(contact_id=contact_id)
    ).all()
    lines = [line for enrolment, sequence in enrolments for line in _lines(enrolment, sequence)]
    return sorted(lines, key=lambda line: line.at)


def _lines(enrolment: Enrolment, sequence: Sequence) -> list[TimelineLine]:
    words = {"sequence": sequence.name, "reason": exit_reason(enrolment.exit_reason)}
    lines = [TimelineLine(enrolment.enrolled_at, _("Entered the sequence “%(sequence)s”") % words)]
    if enrolment.status is EnrolmentStatus.ACTIVE:
        step = next((s for s in sequence.steps if s.is_active and s.position >= enrolment.next_position), None)
        sentence = _("“%(step)s” is planned") if sequence.is_active else _("“%(step)s” waits: the sequence is paused")
        if step:
            lines.append(TimelineLine(enrolment.next_run_at, sentence % {"step": step_name(step)}))
    elif enrolment.ended_at:
        is_exit = enrolment.status is EnrolmentStatus.EXITED
        sentence = _("Left the sequence “%(sequence)s”: %(reason)s") if is_exit else _("Finished “%(sequence)s”")
        lines.append(TimelineLine(enrolment.ended_at, sentence % words))
    return lines


def step_name(step: Step) -> str:
    """What a step is called in lists: the subject of its letter, in the current language if it has one there."""
    subjects = {locale: str(texts["subject"]) for locale, texts in step.texts.items() if texts.get("subject")}
    return subjects.get(i18n.locale()) or next(iter(subjects.values()), step.key)


def exit_reason(word: str) -> str:
    """Why somebody left a sequence, in the current language."""
    return {
        "withdrawn": _("consent withdrawn"),
        "unsubscribe": _("unsubscribed"),
        "hard_bounce": _("the address does not exist"),
        "complaint": _("reported as spam"),
        "refused": _("did not enter the contest"),
        "manual": _("suppressed by hand"),
        "erased": _("data erased"),
    }.get(word, word)
