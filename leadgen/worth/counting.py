"""What counts for a contact's own value, and who brought whom: the statements that one contact and a million share.

**Own value.** Each deed counts at the brand's price for its kind: consent to marketing that stands (with a confirmed
address), each contest confirmed, each form finished, each question answered, each goal (a call that another system
signed for the person). Sales count as what they were. Entries that a check excluded count for nothing, and neither does
the consent of somebody all of whose confirmed entries are excluded. Of the brand's own staff only sales count;
whom they brought counts as of anybody.

**Brought.** A person is brought to a brand once: through their first confirmed entry with it, when that referral is
counted and was not excluded, by somebody whose own entry stands and who was there before them. So the people of a brand
are a forest, nobody counts twice for the same person, and nobody stands below themselves.
"""

from __future__ import annotations

# Of a contact `c`, for `who`; the places are of psycopg, and `staff` is what contacts.colleagues.mailbox_keys says.
IS_STAFF = "coalesce(c.mailbox_key, '') = ANY (%(staff)s::text[]) AS is_staff"
# `who` names the contacts (contact_id, is_staff).
COUNTED = """
sound AS MATERIALIZED (
    SELECT e.id, e.contact_id FROM who JOIN entry e ON e.contact_id = who.contact_id
    WHERE NOT who.is_staff AND e.status = 'confirmed' AND e.review <> 'excluded'
), excluded AS MATERIALIZED (
    SELECT e.contact_id FROM who JOIN entry e ON e.contact_id = who.contact_id
    WHERE e.status = 'confirmed' AND e.review = 'excluded'
    EXCEPT SELECT contact_id FROM sound
), counted AS (
    SELECT c.id AS contact_id, 'consent' AS kind, 1::bigint AS number, %(consent)s::bigint AS value
    FROM who JOIN contact c ON c.id = who.contact_id
    WHERE %(consent)s::bigint > 0 AND NOT who.is_staff AND c.erased_at IS NULL AND c.email_verified_at IS NOT NULL
      AND c.marketing_at IS NOT NULL AND NOT EXISTS (SELECT FROM excluded x WHERE x.contact_id = c.id)
    UNION ALL
    SELECT contact_id, 'entry', 1, %(entry)s::bigint FROM sound WHERE %(entry)s::bigint > 0
    UNION ALL
    SELECT sound.contact_id, 'form', 1, %(form)s::bigint
    FROM sound JOIN submission s ON s.entry_id = sound.id
    WHERE %(form)s::bigint > 0 AND s.finished_at IS NOT NULL
    UNION ALL
    SELECT sound.contact_id, 'answer', 1, %(answer)s::bigint
    FROM sound JOIN answer a ON a.entry_id = sound.id WHERE %(answer)s::bigint > 0
    UNION ALL
    SELECT sound.contact_id, 'goal', 1, %(goal)s::bigint
    FROM sound JOIN deed d ON d.entry_id = sound.id JOIN action k ON k.id = d.action_id
    WHERE %(goal)s::bigint > 0 AND d.state = 'done' AND k.kind = 'external'
    UNION ALL
    SELECT s.contact_id, 'sale', 1, s.amount FROM who JOIN sale s ON s.contact_id = who.contact_id
)
"""
KINDS = ("consent", "entry", "form", "answer", "goal", "sale")

# Whom one contact brought: the same rule, walked downwards.
BROUGHT_BY_ONE = """
RECURSIVE tree AS (
    SELECT %(contact)s::bigint AS contact_id, 0 AS generation
    UNION ALL
    SELECT f.contact_id, tree.generation + 1
    FROM tree
    JOIN entry r ON r.contact_id = tree.contact_id AND r.status = 'confirmed' AND r.review <> 'excluded'
    JOIN entry f ON f.referrer_id = r.id AND f.status = 'confirmed' AND f.review <> 'excluded'
                AND f.referral_state = 'counted'
    WHERE tree.generation < %(most)s
      AND f.id = (SELECT min(x.id) FROM entry x WHERE x.contact_id = f.contact_id AND x.status = 'confirmed')
      AND f.id > (SELECT min(x.id) FROM entry x WHERE x.contact_id = tree.contact_id AND x.status = 'confirmed')
)
"""
# The same for everybody of a brand: one edge at most for each.
EDGES = """
CREATE TEMPORARY TABLE edge ON COMMIT DROP AS
WITH first AS MATERIALIZED (
    SELECT contact_id, min(id) AS id FROM entry WHERE brand_id = %(brand)s AND status = 'confirmed' GROUP BY contact_id
)
SELECT f.contact_id AS child, r.contact_id AS parent
FROM first JOIN entry f ON f.id = first.id JOIN entry r ON r.id = f.referrer_id
JOIN first above ON above.contact_id = r.contact_id
WHERE f.review <> 'excluded' AND f.referral_state = 'counted' AND r.status = 'confirmed' AND r.review <> 'excluded'
  AND above.id < first.id
"""
