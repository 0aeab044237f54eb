"""How often an address is written to before it has confirmed: one bound over all contests of the installation.

Whoever types somebody's address in many forms must not fill their mailbox (list bombing). Counted are the messages
themselves, over all contacts with the same keyed hash of the mailbox, and what a purge kept of them; nothing of it
lives in Redis.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from leadgen.core import clock
from leadgen.core.db import db

# In 30 days, whatever caused them.
MAILS_PER_ADDRESS = 5
# In 24 hours, of those that anybody can cause by a form. What the browser that made the entry asks for has pauses of
# its own (entries.waiting); its messages carry `asked` in their context.
FORMS_A_DAY = 2
IS_WITHIN = (
    f"written.mails < {MAILS_PER_ADDRESS} AND (written.forms < {FORMS_A_DAY} OR jsonb_exists(due.context, 'asked'))"
)
DAYS = 30


def written(address_hash: str, now: str, *, before: str = "") -> str:
    """SQL for one row: `mails` of 30 days and `forms` of 24 hours before `now` to the address with this hash.

    All arguments are SQL. With `before` only messages whose id is smaller are counted. Messages that were refused or
    skipped reached nobody; cancelled ones count, or correcting an address to and fro would never end.
    """
    earlier = f"AND m.id < {before}" if before else ""
    return f"""
        SELECT now_held.mails + coalesce(gone.mails, 0) AS mails,
               now_held.forms + coalesce(CASE WHEN gone.last_mail_at > {now} - interval '1 day' THEN gone.mails END, 0)
                   AS forms
        FROM (
            SELECT coalesce(sum(of_one.mails), 0) AS mails, coalesce(sum(of_one.forms), 0) AS forms
            FROM contact holder CROSS JOIN LATERAL (
                SELECT count(*) AS mails,
                       count(*) FILTER (WHERE m.created_at > {now} - interval '1 day'
                                          AND NOT jsonb_exists(m.context, 'asked')) AS forms
                FROM message m
                WHERE m.contact_id = holder.id AND m.lane = 'confirmation'
                  AND m.status NOT IN ('suppressed', 'skipped')
                  AND m.created_at > {now} - interval '{DAYS} days' {earlier}
            ) AS of_one
            WHERE holder.address_hash = {address_hash}
        ) AS now_held
        LEFT JOIN forgotten_address gone
            ON gone.address_hash = {address_hash} AND gone.last_mail_at > {now} - interval '{DAYS} days'
    """  # noqa: S608 - the arguments are SQL of the product itself


_WRITTEN = text(written(":address_hash", ":now"))

_REMEMBER = text(f"""
INSERT INTO forgotten_address AS kept (address_hash, mails, last_mail_at, forgotten_at)
SELECT c.address_hash, count(*), max(m.created_at), :now
FROM contact c JOIN message m ON m.contact_id = c.id
WHERE c.id = :contact AND c.address_hash IS NOT NULL AND c.email_verified_at IS NULL AND m.lane = 'confirmation'
  AND m.status NOT IN ('suppressed', 'skipped') AND m.created_at > :now - interval '{DAYS} days'
GROUP BY c.address_hash
ON CONFLICT (address_hash) DO UPDATE SET
    mails = excluded.mails
        + CASE WHEN kept.last_mail_at > :now - interval '{DAYS} days' THEN kept.mails ELSE 0 END,
    last_mail_at = greatest(excluded.last_mail_at, kept.last_mail_at),
    forgotten_at = excluded.forgotten_at
""")  # noqa: S608 - the only value put in by Python is a constant of this module

_FORGET = text("DELETE FROM forgotten_address WHERE last_mail_at <= :before")


def is_within(address_hash: bytes, *, is_asked: bool) -> bool:
    """Whether another mail may go to this unconfirmed address; `is_asked`: by the browser that made the entry."""
    row = db.session.execute(_WRITTEN, {"address_hash": address_hash, "now": clock.now()}).one()
    return bool(row.mails < MAILS_PER_ADDRESS and (is_asked or row.forms < FORMS_A_DAY))


def remember(contact_id: int) -> None:
    """Keep the count of an address that is about to be forgotten without ever having confirmed: by keyed hash alone."""
    db.session.execute(_REMEMBER, {"contact": contact_id, "now": clock.now()})


def forget_old() -> None:
    """Drop the counts that bound nothing any more."""
    db.session.execute(_FORGET, {"before": clock.now() - timedelta(days=DAYS)})
