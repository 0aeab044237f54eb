"""Who wants a look: rows in the database, served one contest at a time, so that no look leaves an older sum behind.

Whoever learns something new writes a row in the transaction that tells of it. Who looks at a contest holds its lock
from the first reading to the writing of the sums: of two looks the later one has seen all that the earlier one saw. A
row goes when what it asked for is done, so a lost Redis and a killed worker lose nothing, and a look that is made twice
finds nothing to do. Each row has a number of its own and is never merged with another: one that came meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select, text

from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.fraud import bands, service
from leadgen.fraud.models import Look, LookKind
from leadgen.journal.models import Fact

# A storm of friends of one person is read as one group, not once for each of them.
SERVED_AT_ONCE = 500
_WANT = text("""
INSERT INTO look (campaign_id, kind, entry_id)
SELECT campaign_id, 'entry', id FROM entry
WHERE (id = ANY(:entries) OR contact_id = ANY(:contacts)) AND status <> 'erased' ORDER BY id
""")
# Whoever did not confirm earns nobody anything; their confirmation asks again.
_RIPE = text("SELECT id FROM entry WHERE id = ANY(:entries) AND status NOT IN ('pending', 'erased')")


def hear(facts: Sequence[Fact]) -> None:
    """Have those looked at whom these facts are about (reaction to confirmations and bounces)."""
    entries = {fact.entry_id for fact in facts if fact.entry_id}
    contacts = {fact.contact_id for fact in facts if fact.contact_id and not fact.entry_id}
    want(entries, contacts)
    queue.ring_after_commit(db.session(), Bell.LOOKS)


def hear_moved(facts: Sequence[Fact]) -> None:
    """Have a contest looked at as a whole when it closes, before anybody draws (reaction to campaign.moved)."""
    over = {CampaignStatus.CLOSING, CampaignStatus.CLOSED}
    want_whole({fact.campaign_id for fact in facts if fact.campaign_id and fact.data.get("after") in over})


def want(entry_ids: Collection[int], contact_ids: Collection[int] = ()) -> None:
    """Have these entries looked at after the caller's commit: at the next ring, or within ten seconds without one."""
    db.session.execute(_WANT, {"entries": sorted(entry_ids), "contacts": sorted(contact_ids)})


def want_whole(campaign_ids: Collection[int]) -> None:
    """Have these contests looked at as a whole soon after the caller's commit."""
    _want_of_all(campaign_ids, LookKind.CONTEST)


def want_settling(campaign_id: int) -> None:
    """Have everybody stand as scores and decisions want it, soon after the caller's commit: the strictness changed."""
    _want_of_all([campaign_id], LookKind.BANDS)


def _want_of_all(campaign_ids: Collection[int], kind: LookKind) -> None:
    db.session.add_all(Look(campaign_id=campaign_id, kind=kind) for campaign_id in sorted(campaign_ids))
    if campaign_ids:
        queue.ring_after_commit(db.session(), Bell.LOOKS)


def waiting() -> Sequence[int]:
    """The contests in which somebody wants a look."""
    return db.session.scalars(select(Look.campaign_id).distinct().order_by(Look.campaign_id)).all()


def waiting_long() -> Sequence[int]:
    """Those of them in which something of everybody is wanted."""
    wide = select(Look.campaign_id).where(Look.kind != LookKind.ENTRY).distinct()
    return db.session.scalars(wide.order_by(Look.campaign_id)).all()


def serve(campaign_id: int) -> bool:
    """Do what was wanted in this contest, a fair piece of it at once; whether that was all. Commits.

    May run twice and beside itself. From the draw on nothing is judged any more: then the rows just go.
    """
    service.alone(campaign_id)
    campaign = db.session.get_one(Campaign, campaign_id, populate_existing=True)
    rows = db.session.execute(select(Look.id, Look.kind, Look.entry_id).where(Look.campaign_id == campaign_id)).all()
    kinds = {row.kind for row in rows}
    if campaign.status not in service.LOOKED_AT:
        return _done([row.id for row in rows])
    if LookKind.CONTEST in kinds:
        _look_at_all(campaign_id, [row.id for row in rows])
        return False
    if LookKind.BANDS in kinds:
        return _settle(campaign_id, [row.id for row in rows if row.kind is LookKind.BANDS]) and len(kinds) == 1
    some = sorted(rows, key=lambda row: row.id)[:SERVED_AT_ONCE]
    is_settled = _look_at_some(campaign_id, [row.entry_id for row in some])
    return is_settled and _done([row.id for row in some]) and len(some) == len(rows)


def _look_at_all(campaign_id: int, asked: Sequence[int]) -> None:
    """The sums of everybody; what follows from them is wanted in the same transaction."""
    service.rescore(campaign_id)
    want_settling(campaign_id)
    _done(asked)


def _look_at_some(campaign_id: int, entry_ids: Collection[int]) -> bool:
    """Their sums, and what follows from them; whether there was time for all of it."""
    ripe = db.session.scalars(_RIPE, {"entries": sorted(set(entry_ids))}).all()
    judged = service.look(campaign_id, ripe) if ripe else []
    db.session.commit()
    return bands.settle(judged)


def _settle(campaign_id: int, asked: Sequence[int]) -> bool:
    db.session.commit()  # the contest's lock is for sums; what follows from them is done under that of the points
    return service.settle_bands(campaign_id) and _done(asked)


def _done(asked: Sequence[int]) -> bool:
    db.session.execute(delete(Look).where(Look.id.in_(asked)))
    db.session.commit()
    return True
