"""How good each source is, in numbers to look at: entries, confirmed, doubtful, returned. Nothing is banned by it."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text

from leadgen.core.db import db
from leadgen.fraud.bands import BANDS

MOST = 50
_WORDS = {
    "source": "coalesce(e.source ->> 'utm_source', '')",
    "host": "s.landing_host",
    "channel": "e.channel",
    "network": "s.network_kind",
}
_QUALITY = """
SELECT {word} AS name, count(*) AS entries, count(e.confirmed_at) AS confirmed,
       count(*) FILTER (WHERE v.score >= :doubt) AS doubtful, count(*) FILTER (WHERE s.returns > 0) AS returned
FROM entry e LEFT JOIN sighting s ON s.entry_id = e.id LEFT JOIN verdict v ON v.entry_id = e.id
WHERE e.campaign_id = :campaign AND e.status <> 'erased'
GROUP BY 1 ORDER BY entries DESC, name LIMIT :most
"""
_STATEMENTS = {name: text(_QUALITY.format(word=word)) for name, word in _WORDS.items()}
KINDS = tuple(_WORDS)


class Quality(NamedTuple):
    """One source in numbers; `name` is empty when none was named."""

    name: str
    entries: int
    confirmed: int
    doubtful: int
    returned: int


def quality(campaign_id: int, kind: str) -> list[Quality]:
    """The largest sources of a kind (`source`, `host`, `channel`, `network`), MOST at most."""
    doubt = min(band.credit for band in BANDS.values())
    values = {"campaign": campaign_id, "doubt": doubt, "most": MOST}
    rows = db.session.execute(_STATEMENTS[kind], values)
    return [Quality(row.name or "", row.entries, row.confirmed, row.doubtful, row.returned) for row in rows]
