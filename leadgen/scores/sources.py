"""Who can be scored, and what they did: read for some thousand contacts of one brand at once.

Nobody is scored before the address is confirmed (rule 3), no colleague of the brand's staff, and nobody whom the review
excluded. Of entries that are being checked nothing counts for the time being, of friends only those that count now.
What may be taken back is read where it stands: an action from its deed, a work from its row, dated by when it was
handed in, and an answer counts as long as it is there. A journal of facts would go on telling what is no more.
Clicks are those that mail.clicks takes for a human's, once it has looked twice; opens are not read at all (rule 9).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from leadgen.contacts import colleagues
from leadgen.core.db import db
from leadgen.scores.reckoning import LETTER_DAYS, Event, Person
from leadgen.scores.rules import Deed

# Somewhat longer than mail.clicks.fold takes to come by and judge a click by what the provider tells late.
SETTLED = timedelta(minutes=15)
_REACTED_DAYS = 3  # an answer so soon after a letter is a reaction to it
_FACTS = [deed.value for deed in Deed if deed not in {Deed.ACTION, Deed.WORK, Deed.CLICKED, Deed.COMPLAINED}]

_STAFF = "coalesce(c.mailbox_key, '') = ANY(:staff)"  # of somebody erased it is null
_EXCLUDED = (
    "EXISTS (SELECT FROM entry e WHERE e.contact_id = c.id AND e.status = 'confirmed' AND e.review = 'excluded')"
)
# The lock waits for an erasure that is being written, and makes one that comes wait until it can see what we wrote.
_PEOPLE = """
SELECT c.id, c.answers, coalesce(c.last_inbound_at, c.email_verified_at) AS alive_at FROM contact c
WHERE c.id = ANY(:ids) AND c.brand_id = :brand AND c.erased_at IS NULL AND c.email_verified_at IS NOT NULL
  AND NOT {staff} AND NOT {excluded}
ORDER BY c.id {lock}
"""
_READ, _LOCK = (
    text(_PEOPLE.format(staff=_STAFF, excluded=_EXCLUDED, lock=lock)) for lock in ("", "FOR KEY SHARE OF c")
)
_EVENTS = text("""
SELECT w.*, CAST(w.at AT TIME ZONE CAST(:zone AS text) AS date) AS day FROM (
    (SELECT DISTINCT ON (e.id, f.name, coalesce(f.data ->> 'friend', f.data ->> 'question', CAST(f.id AS text)))
            e.contact_id, f.name AS deed, coalesce(f.data ->> 'question', f.data ->> 'action', '') AS detail,
            f.campaign_id, 'f' || f.id AS event, f.at
     FROM entry e JOIN fact f ON f.entry_id = e.id AND f.name = ANY(:names)
     LEFT JOIN entry b ON f.name = 'referral.counted' AND b.id = CAST(f.data ->> 'friend' AS bigint)
     WHERE e.contact_id = ANY(:ids) AND e.status = 'confirmed' AND e.review = 'clear'
       AND (f.name <> 'referral.counted' OR (b.referral_state = 'counted' AND b.review = 'clear'))
       AND (f.name <> 'question.answered' OR EXISTS (
           SELECT FROM answer a WHERE a.entry_id = e.id AND a.key = f.data ->> 'question'))
     ORDER BY e.id, f.name, coalesce(f.data ->> 'friend', f.data ->> 'question', CAST(f.id AS text)), f.id)
    UNION ALL
    SELECT e.contact_id, 'action.credited', k.key, d.campaign_id, 'd' || d.id, coalesce(d.done_at, d.begun_at)
    FROM entry e JOIN deed d ON d.entry_id = e.id AND d.state = 'done' JOIN action k ON k.id = d.action_id
    WHERE e.contact_id = ANY(:ids) AND e.status = 'confirmed' AND e.review = 'clear'
    UNION ALL
    SELECT e.contact_id, 'work.published', '', work.campaign_id, 'w' || work.id, work.created_at
    FROM entry e JOIN work ON work.entry_id = e.id AND work.state = 'published'
    WHERE e.contact_id = ANY(:ids) AND e.status = 'confirmed' AND e.review = 'clear'
    UNION ALL
    (SELECT DISTINCT ON (m.id) m.contact_id, 'letter.clicked', m.letter, m.campaign_id, 'm' || m.id, k.at
     FROM message m JOIN click k ON k.message_id = m.id AND k.kind = 'human' AND k.at < :settled
     LEFT JOIN entry e ON e.id = m.entry_id
     WHERE m.contact_id = ANY(:ids) AND (e.id IS NULL OR (e.status = 'confirmed' AND e.review = 'clear'))
     ORDER BY m.id, k.id)
    UNION ALL
    SELECT c.id, 'complaint', '', NULL, 's' || s.id, s.at FROM contact c
    JOIN suppression s ON s.brand_id = c.brand_id AND s.address_hash = c.address_hash AND s.reason = 'complaint'
    WHERE c.id = ANY(:ids)
) AS w
""")
_LETTERS = text(f"""
SELECT m.contact_id, count(*), count(*) FILTER (WHERE
    EXISTS (SELECT FROM click k WHERE k.message_id = m.id AND k.kind = 'human' AND k.at < :settled)
    OR EXISTS (SELECT FROM fact f WHERE f.contact_id = m.contact_id AND f.name = 'question.answered'
               AND f.at >= m.sent_at AND f.at < m.sent_at + interval '{_REACTED_DAYS} days'))
FROM message m WHERE m.contact_id = ANY(:ids) AND m.purpose = 'marketing'
  AND m.sent_at > :now - interval '{LETTER_DAYS} days' AND m.sent_at <= :now
GROUP BY m.contact_id
""")  # noqa: S608 - the only values put in are constants of this module and of reckoning
_WHY_NOT = text(f"""
SELECT CASE WHEN c.erased_at IS NOT NULL THEN 'erased' WHEN c.email_verified_at IS NULL THEN 'unconfirmed'
            WHEN {_STAFF} THEN 'staff' WHEN {_EXCLUDED} THEN 'excluded' ELSE '' END
FROM contact c WHERE c.id = :contact
""")  # noqa: S608 - as above


def people(brand_id: int, zone: str, ids: Collection[int], now: datetime, *, is_locked: bool = True) -> list[Person]:
    """Those of these contacts who can be scored, with what the rules may look at; locked unless said."""
    given: dict[str, Any] = {"ids": sorted(ids), "brand": brand_id, "now": now, "settled": now - SETTLED}
    given["staff"] = colleagues.mailbox_keys(brand_id)
    rows = db.session.execute(_LOCK if is_locked else _READ, given).all()
    found = {row.id: Person(row.id, row.answers, row.alive_at) for row in rows}
    given |= {"ids": list(found), "names": _FACTS, "zone": zone}
    events = db.session.execute(_EVENTS, given).all() if found else ()
    for contact_id, deed, detail, contest, event, at, day in events:
        found[contact_id].events.append(Event(deed, detail, contest, event, at, day))
    for contact_id, letters, reactions in db.session.execute(_LETTERS, given).all() if found else ():
        found[contact_id].letters, found[contact_id].reactions = letters, reactions
    return list(found.values())


def why_not(contact_id: int, brand_id: int) -> str:
    """Why a contact cannot be scored: `erased`, `unconfirmed`, `staff` or `excluded`; empty when they can."""
    return db.session.scalar(_WHY_NOT, {"contact": contact_id, "staff": colleagues.mailbox_keys(brand_id)}) or ""
