"""Clicks in marketing letters: where a link leads, who seems to have clicked, and what a human's click means.

A destination is stored and never stands in a link, so that nobody can use our address to lead people elsewhere. Clicks
of machines are kept and never counted (rule 9). Of a network address only the network is kept.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import text

from leadgen.contacts import service as contacts
from leadgen.core import clock, hot, links, queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.journal.vocabulary import FactName
from leadgen.letters import tracking
from leadgen.mail.models import ClickKind

log = logging.getLogger(__name__)
SOON_SECONDS = 10
ALL_WITHIN_SECONDS = 2
PAGE_SECONDS = 30 * 24 * 3600  # as long as a link to the person's page holds
MOST_CLICKS = 200  # of one mail: a link that is asked more often still leads on, and is not written down any more
_FOLDED_HOURS = 26
_SETTLED_MINUTES = 5  # the event that tells when a mail arrived may come after the click

_NUMBERS = "SELECT id, url FROM mail_link WHERE campaign_id = %(campaign)s AND url = ANY(%(urls)s)"
_STORE = """
INSERT INTO mail_link (campaign_id, url) SELECT %(campaign)s, url FROM unnest(%(urls)s::text[]) AS t (url)
ON CONFLICT (campaign_id, url) DO UPDATE SET url = excluded.url RETURNING id, url
"""
_ASKED = """
SELECT m.sent_at, l.url, k.slug, m.entry_id, e.access_version, c.erased_at IS NOT NULL AS is_erased,
       (SELECT max(to_timestamp((p.payload ->> 'timestamp')::bigint)) FROM provider_event p
        WHERE p.opaque_id = m.opaque_id AND p.kind = 'delivered' AND p.payload ->> 'timestamp' ~ '^[0-9]{10}$')
           AS delivered_at,
       (SELECT jsonb_build_array(s.evidence ->> 'ip', s.evidence ->> 'user_agent') FROM consent s
        WHERE s.contact_id = m.contact_id AND s.channel = 'form' ORDER BY s.id DESC LIMIT 1) AS person
FROM message m
JOIN campaign k ON k.id = m.campaign_id
JOIN contact c ON c.id = m.contact_id
LEFT JOIN entry e ON e.id = m.entry_id
LEFT JOIN mail_link l ON l.id = %(number)s AND l.campaign_id = m.campaign_id
WHERE m.id = %(message)s
"""
_LOG = """
INSERT INTO click (message_id, link_id, at, kind, reason, evidence)
SELECT %(message)s, nullif(%(number)s, 0), %(now)s, %(kind)s, %(reason)s, %(evidence)s::jsonb
WHERE (SELECT count(*) FROM (SELECT FROM click WHERE message_id = %(message)s LIMIT %(most)s) AS counted) < %(most)s
RETURNING id
"""
# Asked after the click was written, so that of two at the same instant at least one sees both.
_ALL_AT_ONCE = """
UPDATE click c SET kind = 'machine', reason = 'all_links'
WHERE c.message_id = %(message)s AND c.kind = 'human' AND c.at > %(now)s - %(within)s * interval '1 second'
  AND (SELECT count(DISTINCT coalesce(o.link_id, 0)) FROM click o WHERE o.message_id = %(message)s
       AND o.at > %(now)s - %(within)s * interval '1 second') >= %(links)s
RETURNING id
"""
_TOO_SOON = text("""
SELECT c.id, m.contact_id FROM click c JOIN message m ON m.id = c.message_id
WHERE c.id > :first AND c.kind = 'human' AND c.evidence ->> 'same' = 'false' AND EXISTS (
    SELECT FROM provider_event p
    WHERE p.opaque_id = m.opaque_id AND p.kind = 'delivered' AND p.payload ->> 'timestamp' ~ '^[0-9]{10}$'
      AND abs(extract(epoch FROM c.at) - (p.payload ->> 'timestamp')::bigint) < :soon)
ORDER BY c.id FOR UPDATE OF c
""")
_ARE_MACHINES = text(
    "UPDATE click SET kind = 'machine', reason = 'too_soon' WHERE id = ANY(CAST(:machines AS bigint[]))"
)
_FIRST = text("SELECT coalesce((SELECT id FROM click WHERE at < :since ORDER BY id DESC LIMIT 1), 0)")
_HEARD = text("""
SELECT m.contact_id, max(c.at) AS at FROM click c JOIN message m ON m.id = c.message_id
JOIN contact p ON p.id = m.contact_id
WHERE c.id > :first AND c.kind = 'human' AND c.at < :until
  AND c.id <> ALL(CAST(:machines AS bigint[])) AND p.erased_at IS NULL
GROUP BY m.contact_id, p.last_inbound_at
HAVING max(c.at) > coalesce(p.last_inbound_at, '-infinity') ORDER BY m.contact_id
""")
# A letter's first click by a human is an event; those told of before are seen as they stood before this statement.
_TELL = text("""
WITH told AS (
    UPDATE click SET is_told = true
    WHERE id > :first AND kind = 'human' AND at < :until AND NOT is_told RETURNING message_id, at
)
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
SELECT :name, t.at, m.brand_id, m.campaign_id, m.contact_id, m.entry_id, jsonb_build_object('message', m.id)
FROM (SELECT message_id, min(at) AS at FROM told GROUP BY message_id) AS t JOIN message m ON m.id = t.message_id
WHERE NOT EXISTS (SELECT FROM click o WHERE o.message_id = m.id AND o.kind = 'human' AND o.is_told)
""")
# Programs that fetch links: previews, gateways that look for evil, libraries; and browsers of data centres.
_MACHINES = re.compile(
    r"(?<!cu)bot\b|bot[/_-]|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|telegram|slack|discord|embedly|skype"
    r"|imageproxy|mailproxy|existence discovery|ms-office|barracuda|mimecast|proofpoint|safelinks|urlscan|urldefense"
    r"|trend ?micro|symantec|forcepoint|zscaler|cloudmark|fortinet|sophos|virustotal|scanner|monitor|headless|phantom"
    r"|selenium|puppeteer|playwright|curl|wget|python|httpx|aiohttp|okhttp|axios|node-fetch|undici|go-http|java/"
    r"|libwww|ruby|perl|php|amazonaws|aws-|google-cloud|azure|compute|datacenter",
    re.IGNORECASE,
)
_BROWSERS = (("edg", "edge"), ("opr/", "opera"), ("crios", "chrome"), ("fxios", "firefox"), ("firefox", "firefox"),
             ("chrome", "chrome"), ("safari", "safari"))  # fmt: skip
_SYSTEMS = (("iphone", "ios"), ("ipad", "ios"), ("android", "android"), ("windows", "windows"), ("mac os", "mac"),
            ("linux", "linux"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asking:
    """What a request for a link tells about who asks. `address` is a network address; it is not kept."""

    address: str
    agent: str
    is_head: bool = False
    is_prefetch: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """What the token of a link says: which mail, which of its so many links, and which links to the page held then."""

    message_id: int
    number: int
    of: int
    access_version: int


def numbers_of(campaign_id: int, urls: Sequence[str]) -> dict[str, int]:
    """The numbers of these addresses, stored when they are new; none while the database is away: they stay plain."""
    values = {"campaign": campaign_id, "urls": list(urls)}
    try:
        rows = hot.many(_NUMBERS, values) if urls else []
        if new := sorted(set(urls) - {row["url"] for row in rows}):
            rows += hot.many(_STORE, values | {"urls": new})
    except psycopg.Error as error:
        log.warning("the links of campaign %d are not led through us: %s", campaign_id, error)
        return {}
    return {row["url"]: row["id"] for row in rows}


def follow(link: Link, asking: Asking) -> str | None:
    """Where the link leads, after the click was written down; None for a mail or link that is not there (any more)."""
    found = hot.one(_ASKED, {"message": link.message_id, "number": link.number})
    if found is None or found["is_erased"]:
        return None
    destination = _destination(link, found)
    if destination is not None:
        _write_down(link, asking, found)
    return destination


def judge(asking: Asking, *, seconds: float | None, is_same: bool) -> str:
    """Why this is a machine's click; empty for a human's.

    `seconds` since the mail arrived, as far as that is known; `is_same`: network and browser are those of the person.
    """
    if asking.is_head:
        return "head"
    if asking.is_prefetch:
        return "prefetch"
    if not asking.agent or _MACHINES.search(asking.agent):
        return "agent"
    return "too_soon" if seconds is not None and seconds < SOON_SECONDS and not is_same else ""


def fold() -> None:
    """Let the clicks of the last day count as signs of life, once it is settled which of them were machines' (job).

    The first of each letter is told to the journal.
    """
    now = clock.now()
    first = db.session.scalar(_FIRST, {"since": now - timedelta(hours=_FOLDED_HOURS)})
    too_soon = db.session.execute(_TOO_SOON, {"first": first, "soon": SOON_SECONDS}).all()
    machines = {"machines": [row.id for row in too_soon]}
    clicked = {"first": first, "until": now - timedelta(minutes=_SETTLED_MINUTES)}
    heard = {row.contact_id: row.at for row in db.session.execute(_HEARD, clicked | machines)}
    contacts.hold({row.contact_id for row in too_soon} | set(heard))
    db.session.execute(_ARE_MACHINES, machines)
    contacts.heard_from(heard)
    named = clicked | {"name": FactName.LETTER_CLICKED.value}
    if db.session.execute(_TELL, named).rowcount:  # type: ignore[attr-defined]
        queue.ring_after_commit(db.session(), Bell.FACTS)


def network(address: str) -> str:
    """The network of an address: enough to compare, too little to find somebody."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))


def family(agent: str) -> str:
    """Browser and system, without versions: `chrome/windows`."""
    said = agent.lower()
    browser = next((name for word, name in _BROWSERS if word in said), "other")
    return f"{browser}/{next((name for word, name in _SYSTEMS if word in said), 'other')}"


def _destination(link: Link, found: dict[str, Any]) -> str | None:
    if link.number != tracking.PAGE:
        return str(found["url"]) if found["url"] else None
    if found["access_version"] is None:
        return None
    is_fresh = found["sent_at"] and (clock.now() - found["sent_at"]).total_seconds() < PAGE_SECONDS
    if not is_fresh or found["access_version"] != link.access_version:
        return links.landing(found["slug"])
    return links.status(found["entry_id"], link.access_version)


def _write_down(link: Link, asking: Asking, found: dict[str, Any]) -> None:
    now = clock.now()
    known_network, known_agent = found["person"] or (None, None)
    own = (network(asking.address), family(asking.agent))
    is_same = own == (network(known_network or ""), family(known_agent or ""))
    seconds = _seconds_since(now, found["delivered_at"] or found["sent_at"])
    reason = judge(asking, seconds=seconds, is_same=is_same)
    evidence = {"network": own[0], "family": own[1], "seconds": seconds, "same": is_same}
    values = {"message": link.message_id, "number": link.number, "now": now, "within": ALL_WITHIN_SECONDS}
    told = {"kind": ClickKind.MACHINE if reason else ClickKind.HUMAN, "reason": reason}
    hot.many(_LOG, values | told | {"evidence": json.dumps(evidence), "most": MOST_CLICKS})
    if link.of > 1 and not reason:
        hot.many(_ALL_AT_ONCE, values | {"links": link.of})


def _seconds_since(now: datetime, moment: datetime | None) -> float | None:
    return round((now - moment).total_seconds(), 1) if moment else None
