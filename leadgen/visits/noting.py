"""Openings and proofs gathered in memory and written about once a second, so that following a link stays cheap.

A kill may lose the last second of them, never a lead. What cannot be written waits for the database.
"""

from __future__ import annotations

import hmac
import logging
import threading
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg

from leadgen.core import clock, hot, settings
from leadgen.core.flusher import Flusher
from leadgen.journal import counters
from leadgen.journal.vocabulary import CounterName
from leadgen.visits import machines
from leadgen.visits.models import VisitKind

log = logging.getLogger(__name__)
AGAIN = timedelta(minutes=30)  # F4: the same visitor at the same link within so long is a repeat
_MOST_WAITING = 100_000
NETWORK_BYTES = 8  # how much of a visitor's hash says the network
_PROOF_SECONDS = 15  # another process may hold the opening that a proof belongs to for a second

_WRITE = """
WITH came AS (
    SELECT * FROM unnest(%(campaigns)s::bigint[], %(entries)s::bigint[], %(channels)s::text[], %(kinds)s::text[],
                         %(visitors)s::bytea[], %(befores)s::bytea[], %(nonces)s::text[], %(moments)s::timestamptz[])
         AS came (campaign_id, entry_id, channel, kind, visitor, before, nonce, at)
), written AS (
    INSERT INTO visit (campaign_id, entry_id, channel, kind, visitor, nonce, at)
    SELECT campaign_id, entry_id, channel,
           CASE WHEN kind = 'candidate' AND EXISTS (
               SELECT FROM visit WHERE entry_id = came.entry_id AND visitor IN (came.visitor, came.before)
               AND kind IN ('candidate', 'human') AND at > came.at - %(again)s::interval
           ) THEN 'duplicate' ELSE kind END,
           -- The hash changes at midnight; who was here yesterday keeps the old one until 24 hours have passed.
           CASE WHEN EXISTS (
               SELECT FROM visit WHERE entry_id = came.entry_id AND visitor = came.before
               AND at > came.at - interval '24 hours'
           ) THEN came.before ELSE came.visitor END,
           nonce, at
    FROM came
    ON CONFLICT (nonce) DO NOTHING
    RETURNING campaign_id, entry_id, kind, channel
), added AS (
    INSERT INTO visit_tally (entry_id, kind, channel, campaign_id, number)
    SELECT entry_id, kind, channel, min(campaign_id), count(*) FROM written GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (entry_id, kind, channel) DO UPDATE SET number = visit_tally.number + excluded.number
)
SELECT count(*) AS number FROM written
"""

_PROVE = """
WITH proof AS (
    SELECT * FROM unnest(%(nonces)s::text[], %(visitors)s::bytea[], %(befores)s::bytea[], %(moments)s::timestamptz[])
         AS proof (nonce, visitor, before, at)
), seen AS (
    SELECT v.*, proof.at AS proven_at FROM proof JOIN visit v ON v.nonce = proof.nonce
    WHERE proof.visitor IS NULL OR v.visitor IN (proof.visitor, proof.before)
), chosen AS (
    -- One of a visitor's openings within half an hour counts, whichever was looked at first.
    SELECT DISTINCT ON (entry_id, visitor) id, kind AS was, proven_at FROM seen
    WHERE kind IN ('candidate', 'prefetch', 'duplicate') AND NOT EXISTS (
        SELECT FROM visit h WHERE h.entry_id = seen.entry_id AND h.visitor = seen.visitor AND h.kind = 'human'
        AND h.at BETWEEN seen.at - %(again)s::interval AND seen.at + %(again)s::interval
    ) ORDER BY entry_id, visitor, id
), proven AS (
    UPDATE visit SET kind = 'human', seen_at = chosen.proven_at,
           is_unpaid = EXISTS (SELECT FROM campaign c WHERE c.id = visit.campaign_id AND c.visit_points > 0
                               AND c.status = 'live' AND visit.at < c.ends_at)
    FROM chosen WHERE visit.id = chosen.id AND visit.kind = chosen.was
    RETURNING visit.campaign_id, visit.entry_id, visit.channel, chosen.was
), moved AS (
    INSERT INTO visit_tally (entry_id, kind, channel, campaign_id, number)
    SELECT entry_id, kind, channel, min(campaign_id), sum(step)
    FROM (SELECT entry_id, was AS kind, channel, campaign_id, -1 AS step FROM proven
          UNION ALL SELECT entry_id, 'human', channel, campaign_id, 1 FROM proven) AS steps
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (entry_id, kind, channel) DO UPDATE SET number = visit_tally.number + excluded.number
)
SELECT coalesce((SELECT jsonb_agg(proof.nonce) FROM proof JOIN visit USING (nonce)), '[]') AS found,
       coalesce((SELECT jsonb_agg(jsonb_build_array(campaign_id, channel)) FROM proven), '[]') AS humans
"""


class Visitor(NamedTuple):
    """Who opened, as far as we remember: the keyed hash of today, and what yesterday's would have been."""

    today: bytes
    yesterday: bytes


class Opening(NamedTuple):
    """One opening of a link that waits to be written."""

    entry_id: int
    campaign_id: int
    channel: str
    kind: VisitKind
    visitor: Visitor
    nonce: str
    at: datetime


class Proof(NamedTuple):
    """That the page behind an opening was looked at; without a visitor the form's own POST says so."""

    nonce: str
    visitor: Visitor | None
    at: datetime


_openings: list[Opening] = []
_proofs: dict[str, Proof] = {}
_lock = threading.Lock()
_writing = threading.Lock()  # who asks for a flush finds everything written afterwards


def kind_of(agent: str, *, is_head: bool = False, is_prefetch: bool = False, is_self: bool = False) -> VisitKind:
    """What opened a link, by what it says of itself; a candidate has still to prove that somebody looked (F4)."""
    name = agent.lower()
    if is_head or machines.is_scanner(name):
        return VisitKind.SCANNER
    if machines.is_preview(name):
        return VisitKind.PREVIEW
    if is_prefetch:
        return VisitKind.PREFETCH
    return VisitKind.SELF if is_self else VisitKind.CANDIDATE


def visitor_of(network: str, agent: str) -> Visitor:
    """A keyed hash of network, browser and day: tells visitors apart for a day, and nobody who they are.

    Its first NETWORK_BYTES are of network and day alone: a browser's name is free to choose, so what visits earn is
    bounded by network.
    """
    now = clock.now()
    return _visitor(network, agent, now.date().toordinal(), settings.get().secret_keys[0])


@lru_cache(maxsize=4096)
def _visitor(network: str, agent: str, day: int, key: str) -> Visitor:
    def hashed(words: str) -> bytes:
        return hmac.digest(key.encode(), words.encode(), "sha256")[:NETWORK_BYTES]

    hashes = (
        hashed(f"network.v1\n{day - back}\n{network}") + hashed(f"visitor.v1\n{day - back}\n{network}\n{agent}")
        for back in (0, 1)
    )
    return Visitor(*hashes)


def note(*, entry_id: int, campaign_id: int, channel: str, kind: VisitKind, visitor: Visitor, nonce: str) -> None:
    """Remember one opening of this entry's link; `nonce` is what a proof will name. Written within about a second."""
    with _lock:
        if len(_openings) < _MOST_WAITING:
            _openings.append(Opening(entry_id, campaign_id, channel, kind, visitor, nonce, clock.now()))
    _flusher.wake()


def prove_human(nonce: str, visitor: Visitor | None = None) -> None:
    """Somebody looked at the page that this opening led to; with `visitor` only if it was the same one.

    Turns a candidate, a prefetch that was shown after all, or a repeat into `human`, unless the same visitor has a
    human visit of this link within half an hour. Machines and the owner of the link stay what they are.
    """
    with _lock:
        if len(_proofs) < _MOST_WAITING:
            _proofs.setdefault(nonce, Proof(nonce, visitor, clock.now()))
    _flusher.wake()


def forget() -> None:
    """Drop what waits (tests)."""
    with _lock:
        _openings.clear()
        _proofs.clear()


def flush() -> None:
    """Write what was gathered so far; what cannot be written stays and is tried again."""
    with _writing:
        _write()


def _write() -> None:
    with _lock:
        openings, proofs = list(_openings), list(_proofs.values())
        _openings.clear()
        _proofs.clear()
    try:
        if openings:
            hot.one(_WRITE, _columns(openings))
            openings = []
        if proofs:
            proofs = _prove(proofs)
    except psycopg.Error as error:
        log.warning("visits wait for the database: %s", error)
    with _lock:
        _openings[:0] = openings
        _proofs.update({proof.nonce: proof for proof in proofs} | _proofs)


def _columns(openings: list[Opening]) -> dict[str, Any]:
    seen: set[tuple[int, bytes]] = set()
    kinds = []
    for one in openings:
        who = (one.entry_id, one.visitor.today)
        is_again = one.kind is VisitKind.CANDIDATE and who in seen
        kinds.append(VisitKind.DUPLICATE.value if is_again else one.kind.value)
        if one.kind is VisitKind.CANDIDATE:
            seen.add(who)
    return {
        "campaigns": [one.campaign_id for one in openings],
        "entries": [one.entry_id for one in openings],
        "channels": [one.channel for one in openings],
        "kinds": kinds,
        "visitors": [one.visitor.today for one in openings],
        "befores": [one.visitor.yesterday for one in openings],
        "nonces": [one.nonce for one in openings],
        "moments": [one.at for one in openings],
        "again": AGAIN,
    }


def _prove(proofs: list[Proof]) -> list[Proof]:
    """Write these proofs and answer those whose opening is not there yet and may still come."""
    row = hot.one(
        _PROVE,
        {
            "nonces": [proof.nonce for proof in proofs],
            "visitors": [proof.visitor and proof.visitor.today for proof in proofs],
            "befores": [proof.visitor and proof.visitor.yesterday for proof in proofs],
            "moments": [proof.at for proof in proofs],
            "again": AGAIN,
        },
    )
    assert row is not None
    for campaign_id, channel in row["humans"]:
        counters.count(campaign_id, CounterName.HUMAN_VISIT, channel)
    found, oldest = set(row["found"]), clock.now() - timedelta(seconds=_PROOF_SECONDS)
    return [proof for proof in proofs if proof.nonce not in found and proof.at > oldest]


_flusher = Flusher("visits", flush)
