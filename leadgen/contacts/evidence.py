"""The chain over the evidence of consent: every act sealed after the one before, and the proof that none was touched.

The statements that take entries and confirmations write acts without a hash: waiting for the act before would put all
entrants of a brand in one queue. A job seals them a few seconds later, in one chain for each brand:

    personal_digest = HMAC-SHA256(key of the installation, canonical JSON of the personal part of the evidence)
    row_hash        = SHA256(previous_hash ‖ canonical JSON of everything else ‖ personal_digest)

Canonical JSON: UTF-8, keys sorted, no blanks, times in UTC as ISO 8601 with six decimals. The first previous_hash is 32
zero bytes. Erasing a person blanks the personal part; the stored digest then stands for it, so the chain goes on
proving the rest. Somebody who may write to the database can make a whole new chain: who must be able to prove that
nobody did notes its head elsewhere (`flask consent verify` prints it).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from leadgen.contacts import address
from leadgen.core.db import db

# What identifies somebody, and goes when they are erased. The trigger of the table holds the same list.
PERSONAL = frozenset({"ip", "user_agent", "page", "email", "source", "note", "device"})
# Which version of the privacy page a person could read; a test asks for the next number when its words change.
PRIVACY_NOTICE = 5
BATCH = 5_000
# Acts may be committed after others with higher numbers were sealed. The look starts so many numbers below the highest
# sealed one: a row is missed only when its transaction stayed open while so many other acts were written (ten seconds
# at 2,000 a second, and such transactions are single statements); the full look of each night finds it then.
WINDOW = 20_000
_HASH = 32  # bytes
FIRST = bytes(_HASH)
_SEALING_LOCK = 7_215_041
_TIME = "%Y-%m-%dT%H:%M:%S.%f+00:00"

_FLOOR = text("SELECT coalesce(max(consent_id), 0) FROM consent_seal")
_UNSEALED = text("""
SELECT id, brand_id, contact_id, campaign_id, entry_id, purpose, action, at, channel, evidence FROM consent c
WHERE id > :after AND NOT EXISTS (SELECT 1 FROM consent_seal s WHERE s.consent_id = c.id AND s.consent_id > :after)
ORDER BY id LIMIT :limit
""")
_HEADS = text("""
SELECT b.id AS brand_id, s.position, s.row_hash FROM unnest(CAST(:brands AS bigint[])) AS b (id)
CROSS JOIN LATERAL (
    SELECT position, row_hash FROM consent_seal WHERE brand_id = b.id ORDER BY position DESC LIMIT 1
) AS s
""")
# Hashes travel side by side in one value each: as arrays of values they cost more than to compute.
_SEAL = text(f"""
INSERT INTO consent_seal (consent_id, brand_id, position, personal_digest, previous_hash, row_hash)
SELECT consent_id, brand_id, position, substring(:digests FROM start FOR {_HASH}),
       substring(:before FROM start FOR {_HASH}), substring(:hashes FROM start FOR {_HASH})
FROM unnest(CAST(:consents AS bigint[]), CAST(:brands AS bigint[]), CAST(:positions AS bigint[])) WITH ORDINALITY
     AS link (consent_id, brand_id, position, place),
     LATERAL (SELECT CAST((place - 1) * {_HASH} + 1 AS int)) AS s (start)
""")  # noqa: S608 - the only thing put in by Python is a constant of this module

_LINK = """
    s.consent_id, s.position, s.personal_digest, s.previous_hash, s.row_hash, s.brand_id AS sealed_brand_id,
    c.id, c.brand_id, c.contact_id, c.campaign_id, c.entry_id, c.purpose, c.action, c.at, c.channel, c.evidence,
    p.erased_at
"""
# The batch is cut off before anything is joined to it: with old statistics a plan would join the whole tables.
_CHAIN = text(f"""
SELECT {_LINK} FROM (
    SELECT * FROM consent_seal WHERE brand_id = :brand AND position > :after ORDER BY position LIMIT :limit
) AS s LEFT JOIN consent c ON c.id = s.consent_id LEFT JOIN contact p ON p.id = c.contact_id
ORDER BY s.position
""")  # noqa: S608 - the only thing put in by Python is a constant of this module
_OF_CONTACT = text(f"""
SELECT {_LINK}, b.row_hash AS hash_before, a.previous_hash AS hash_after
FROM consent c JOIN contact p ON p.id = c.contact_id
LEFT JOIN consent_seal s ON s.consent_id = c.id
LEFT JOIN consent_seal b ON b.brand_id = s.brand_id AND b.position = s.position - 1
LEFT JOIN consent_seal a ON a.brand_id = s.brand_id AND a.position = s.position + 1
WHERE c.contact_id = :contact ORDER BY c.id
""")  # noqa: S608 - as above
_WAITING = text("""
SELECT count(*) FROM consent c
WHERE brand_id = :brand AND NOT EXISTS (SELECT 1 FROM consent_seal s WHERE s.consent_id = c.id)
""")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What recomputing a brand's chain found. `head` is the hash of its last link, worth noting elsewhere."""

    brand_id: int
    links: int
    head: bytes
    waiting: int  # acts that no link holds yet; more than a few seconds' worth means that the sealing stands still
    broken_position: int | None = None
    broken_consent_id: int | None = None
    reason: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether every link holds."""
        return self.broken_position is None


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a person with its place in the chain; `position` is None while it waits to be sealed.

    `fault` is empty when the row is what was sealed and its neighbours hold on to it, else the reason.
    """

    consent_id: int
    campaign_id: int | None
    entry_id: int | None
    purpose: str
    action: str
    at: datetime
    channel: str
    evidence: dict[str, Any]
    position: int | None
    previous_hash: bytes | None
    row_hash: bytes | None
    is_erased: bool
    fault: str


def seal(*, limit: int = BATCH, after: int | None = None) -> int | None:
    """Seal up to `limit` acts, in the order of their numbers; one process at a time. The caller commits.

    Answers the number of the last act that was sealed, to go on `after` it, or None when nothing is left. Without
    `after` the look starts WINDOW below the highest sealed number; 0 looks at everything.
    """
    db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SEALING_LOCK})
    if after is None:
        after = max(0, int(db.session.execute(_FLOOR).scalar_one()) - WINDOW)
    rows = db.session.execute(_UNSEALED, {"after": after, "limit": limit}).all()
    if not rows:
        return None
    heads = _heads({row.brand_id for row in rows})
    key = address.installation_key()
    links = []
    for row in rows:
        position, before = heads.get(row.brand_id, (0, FIRST))
        digest = personal_digest(row.evidence, key)
        hashed = row_hash(before, row, digest)
        links.append((row.id, row.brand_id, position + 1, digest, before, hashed))
        heads[row.brand_id] = (position + 1, hashed)
    names = ("consents", "brands", "positions", "digests", "before", "hashes")
    columns = dict(zip(names, map(list, zip(*links, strict=True)), strict=True))
    db.session.execute(_SEAL, columns | {name: b"".join(columns[name]) for name in names[3:]})
    return int(rows[-1].id)


def verify(brand_id: int) -> Verdict:
    """Recompute a brand's chain from its first link on and name the first that does not hold. Memory stays flat.

    A person who was erased has an empty personal part: there the stored digest is believed, everywhere else not.
    """
    key = address.installation_key()
    position, before = 0, FIRST
    for row in _chain(brand_id):
        fault = "" if row.position == position + 1 else "a link is missing before it"
        fault = fault or ("" if bytes(row.previous_hash) == before else "it does not hold on to the link before it")
        if fault := fault or _fault(row, key):
            return Verdict(brand_id, position, before, _waiting(brand_id), row.position, row.consent_id, fault)
        position, before = row.position, bytes(row.row_hash)
    return Verdict(brand_id, position, before, _waiting(brand_id))


def acts_of(contact_id: int) -> list[Act]:
    """Everything that this person agreed to, refused or took back, oldest first, each checked against its seal."""
    key = address.installation_key()
    return [
        Act(
            consent_id=row.id,
            campaign_id=row.campaign_id,
            entry_id=row.entry_id,
            purpose=row.purpose,
            action=row.action,
            at=row.at,
            channel=row.channel,
            evidence=row.evidence,
            position=row.position,
            previous_hash=row.previous_hash,
            row_hash=row.row_hash,
            is_erased=row.erased_at is not None,
            fault="" if row.position is None else _neighbours_fault(row) or _fault(row, key),
        )
        for row in db.session.execute(_OF_CONTACT, {"contact": contact_id})
    ]


def personal_digest(evidence: dict[str, Any], key: bytes) -> bytes:
    """The keyed hash that stands for the personal part once it is erased."""
    personal = {name: value for name, value in evidence.items() if name in PERSONAL}
    return hmac.digest(key, _canonical(personal), "sha256")


def row_hash(before: bytes, row: Any, digest: bytes) -> bytes:
    """The hash of a link: the one before, the act without its personal part, and the digest that stands for that."""
    act = {
        "id": row.id,
        "brand_id": row.brand_id,
        "contact_id": row.contact_id,
        "campaign_id": row.campaign_id,
        "entry_id": row.entry_id,
        "purpose": row.purpose,
        "action": row.action,
        "at": row.at.astimezone(UTC).strftime(_TIME),
        "channel": row.channel,
        "evidence": {name: value for name, value in row.evidence.items() if name not in PERSONAL},
    }
    return hashlib.sha256(before + _canonical(act) + digest).digest()


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def _canonical(value: dict[str, Any]) -> bytes:
    return _encode(value).encode()


def _fault(row: Any, key: bytes) -> str:
    """Why this link does not hold by itself, in words for an operator; empty when it does."""
    if row.id is None:
        return "its act is gone"
    if row.sealed_brand_id != row.brand_id:
        return "its act belongs to another brand"
    digest = bytes(row.personal_digest)
    is_blank = row.erased_at is not None and not PERSONAL & row.evidence.keys()
    if not is_blank and not hmac.compare_digest(personal_digest(row.evidence, key), digest):
        return "what identifies the person was changed"
    if row_hash(bytes(row.previous_hash), row, digest) != bytes(row.row_hash):
        return "its act was changed"
    return ""


def _neighbours_fault(row: Any) -> str:
    expected = FIRST if row.position == 1 else row.hash_before
    if expected is None or bytes(expected) != bytes(row.previous_hash):
        return "it does not hold on to the link before it"
    if row.hash_after is not None and bytes(row.hash_after) != bytes(row.row_hash):
        return "the link after it does not hold on to it"
    return ""


def _heads(brand_ids: set[int]) -> dict[int, tuple[int, bytes]]:
    rows = db.session.execute(_HEADS, {"brands": sorted(brand_ids)})
    return {row.brand_id: (row.position, bytes(row.row_hash)) for row in rows}


def _chain(brand_id: int) -> Iterator[Any]:
    after = 0
    while rows := _links(brand_id, after):
        yield from rows
        after = rows[-1].position


def _links(brand_id: int, after: int) -> Sequence[Any]:
    return db.session.execute(_CHAIN, {"brand": brand_id, "after": after, "limit": BATCH}).all()


def _waiting(brand_id: int) -> int:
    return int(db.session.execute(_WAITING, {"brand": brand_id}).scalar_one())
