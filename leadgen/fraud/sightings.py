"""How entries came in, kept as far as it may be: keyed hashes and families, written by workers, never by the form.

What the form saw stands in the evidence of consent already, so that entering costs no statement more. Addresses are
blanked after 30 days; all of it goes with the person, and 30 days after the contest is over and done.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.fraud import agents, looks, networks
from leadgen.journal.models import Fact

ADDRESS_KEPT = timedelta(days=30)
KEPT_AFTERWARDS = timedelta(days=30)
_BATCH = 10_000

_EVIDENCE = text("""
SELECT DISTINCT ON (e.id) e.id, e.campaign_id, e.created_at, p.timezone, e.source, c.evidence
FROM entry e JOIN contact p ON p.id = e.contact_id
JOIN consent c ON c.contact_id = e.contact_id AND c.entry_id = e.id AND c.channel = 'form'
WHERE e.id = ANY(:entries) AND p.erased_at IS NULL AND c.evidence ? 'ip'
ORDER BY e.id, c.id
""")
_COLUMNS = {
    "entry_id": "bigint",
    "campaign_id": "bigint",
    "at": "timestamptz",
    "network": "bytea",
    "address": "bytea",
    "network_kind": "text",
    "device": "text",
    "agent": "text",
    "form_seconds": "float8",
    "has_script": "bool",
    "is_trapped": "bool",
    "timezone": "text",
    "landing_host": "text",
}
_WRITE = text(f"""
INSERT INTO sighting ({", ".join(_COLUMNS)})
SELECT * FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _COLUMNS.items())})
ON CONFLICT (entry_id) DO NOTHING
""")  # noqa: S608 - the names are of this module
_BLANK = text("UPDATE sighting SET address = '' WHERE at < :before AND address <> ''")
_ERASE = text("""
DELETE FROM sighting WHERE entry_id IN (SELECT id FROM entry WHERE contact_id = ANY(:contacts))
""")
_ERASE_SIGNALS = text("""
DELETE FROM signal WHERE entry_id IN (SELECT id FROM entry WHERE contact_id = ANY(:contacts))
""")
# What a look wrote that had begun before the erasure and was committed after its reactions.
_ERASE_LATE = text("DELETE FROM signal s USING entry e WHERE e.id = s.entry_id AND e.status = 'erased'")
_OVER = text("""
SELECT c.id FROM campaign c WHERE c.status IN ('awarded', 'archived') AND EXISTS (
    SELECT FROM sighting s WHERE s.campaign_id = c.id
) AND greatest(c.ends_at, coalesce((
    SELECT max(f.at) FROM fact f WHERE f.campaign_id = c.id AND f.name = 'campaign.moved'
), c.ends_at)) < :before
""")
_END = text("""
DELETE FROM sighting WHERE entry_id IN (SELECT entry_id FROM sighting WHERE campaign_id = :campaign LIMIT :limit)
""")


def note(facts: Sequence[Fact]) -> None:
    """Write down how these entries came in, from the evidence of their form (reaction to entry.created)."""
    write([fact.entry_id for fact in facts if fact.entry_id])


def write(entry_ids: Sequence[int]) -> None:
    """Write down how these entries came in, once for each; an erased person leaves nothing.

    Somebody may confirm before this is written: then the look at them did not see it, and another is wanted.
    """
    seen = [_of(row) for row in db.session.execute(_EVIDENCE, {"entries": list(entry_ids)})]
    if seen:
        db.session.execute(_WRITE, {name: [one[name] for one in seen] for name in _COLUMNS})
        looks.want([one["entry_id"] for one in seen])


def _of(row: Any) -> dict[str, Any]:
    evidence = row.evidence
    network, address = networks.hashed(evidence.get("ip", ""))
    return {
        "entry_id": row.id,
        "campaign_id": row.campaign_id,
        "at": row.created_at,
        "network": network,
        "address": address,
        "network_kind": networks.kind(evidence.get("ip", "")),
        "device": evidence.get("device", ""),
        "agent": agents.family(evidence.get("user_agent", "")),
        "form_seconds": float(evidence.get("seconds", 0)),
        "has_script": bool(evidence.get("script", row.timezone)),
        "is_trapped": bool(evidence.get("trapped")),
        "timezone": row.timezone,
        "landing_host": row.source.get("host", ""),
    }


def forget(facts: Sequence[Fact]) -> None:
    """Erase what was seen of these people (reaction to contact.erased). Sums and what staff decided stay."""
    contacts = [fact.contact_id for fact in facts if fact.contact_id]
    db.session.execute(_ERASE, {"contacts": contacts})
    db.session.execute(_ERASE_SIGNALS, {"contacts": contacts})


def age() -> None:
    """Blank addresses after 30 days, and end what was seen in contests that are over for 30 days (job). Commits.

    Also ends what was found about people who were erased meanwhile.
    """
    now = clock.now()
    db.session.execute(_BLANK, {"before": now - ADDRESS_KEPT})
    db.session.execute(_ERASE_LATE)
    db.session.commit()
    for campaign_id in db.session.scalars(_OVER, {"before": now - KEPT_AFTERWARDS}).all():
        while db.session.execute(_END, {"campaign": campaign_id, "limit": _BATCH}).rowcount:  # type: ignore[attr-defined]
            db.session.commit()
