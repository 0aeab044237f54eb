"""What the checks hold about a person, for the file that they may download: how they came, what was found, the sum."""

from __future__ import annotations

from datetime import date
from typing import Any

from leadgen.campaigns.titles import public_title
from leadgen.core import hot

# Hashes as text; the address' own is blanked after 30 days.
_SEEN = f"""
SELECT {public_title("m")} AS contest, s.at, encode(s.network, 'hex') AS network_hash,
       encode(s.address, 'hex') AS address_hash,
       s.network_kind, s.device, s.agent AS browser, s.form_seconds, s.has_script, s.timezone,
       s.landing_host, s.returns AS days_returned, s.returned_on
FROM sighting s JOIN entry e ON e.id = s.entry_id JOIN campaign m ON m.id = e.campaign_id
WHERE e.contact_id = %(contact)s ORDER BY e.id
"""  # noqa: S608 - the only value put in by Python is a constant
_SCORES = f"""
SELECT {public_title("m")} AS contest, coalesce(v.score, 0) AS score, coalesce(v.decision, 'none') AS decision,
       v.decided_at, v.scored_at, coalesce(found.reasons, '[]') AS reasons
FROM entry e JOIN campaign m ON m.id = e.campaign_id LEFT JOIN verdict v ON v.entry_id = e.id
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('reason', s.code, 'points', s.points) ORDER BY s.code) AS reasons
    FROM signal s WHERE s.entry_id = e.id
) AS found ON true
WHERE e.contact_id = %(contact)s ORDER BY e.id
"""  # noqa: S608 - the only value put in by Python is a constant


def held(contact_id: int) -> dict[str, Any]:
    """How a person was seen to come in, and how each of their entries was scored and why."""
    values = {"contact": contact_id}
    return {
        "how_you_came": [_plain(row) for row in hot.many(_SEEN, values)],
        "checks": [_plain(row) for row in hot.many(_SCORES, values)],
    }


def _plain(row: hot.Row) -> hot.Row:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
