"""The fraud room's face: look at entries as they come, at whole contests each night, and say what would change."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import select, text

from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries.models import Entry
from leadgen.fraud import bands, crowd, reading, scoring, verdicts, weights
from leadgen.fraud.observations import Usual
from leadgen.journal.models import Fact

# From the draw on nothing is judged any more: the list of entrants is frozen.
LOOKED_AT = (
    CampaignStatus.LIVE,
    CampaignStatus.SCHEDULED,
    CampaignStatus.PAUSED,
    CampaignStatus.CLOSING,
    CampaignStatus.CLOSED,
)
USUAL_SECONDS = 600.0
_MOST_USUALS = 200
_APPLIED_AT_ONCE = 100
_usuals: dict[int, tuple[float, Usual]] = {}

_OF_FACTS = text("""
SELECT id, campaign_id FROM entry WHERE (id = ANY(:entries) OR contact_id = ANY(:contacts)) AND status <> 'erased'
""")


class Change(NamedTuple):
    """What a look would change of one entry's score."""

    entry_id: int
    before: int
    after: int


def hear_moved(facts: Sequence[Fact]) -> None:
    """Have a contest looked at as a whole when it closes, before anybody draws (reaction to campaign.moved)."""
    for fact in facts:
        if fact.campaign_id and fact.data.get("after") in {CampaignStatus.CLOSING, CampaignStatus.CLOSED}:
            queue.offer("leadgen.fraud.jobs.rescore_one", fact.campaign_id)


def hear(facts: Sequence[Fact]) -> None:
    """Look at whoever these facts are about (reaction to confirmations, bounces and counted referrals)."""
    entries = {fact.entry_id for fact in facts if fact.entry_id}
    contacts = {fact.contact_id for fact in facts if fact.contact_id and not fact.entry_id}
    found = db.session.scalars(_OF_FACTS, {"entries": sorted(entries), "contacts": sorted(contacts)}).all()
    if found:
        look(found)


def look(entry_ids: Collection[int]) -> int:
    """Score these entries and the friends of whoever brought them, and let the bands act; answers how many changed.

    What is usual in the contest is reckoned every ten minutes, so the nightly look may see a little more. Runs in the
    caller's transaction; doing it again changes nothing.
    """
    by_campaign: dict[int, list[int]] = defaultdict(list)
    rows = db.session.execute(
        select(Entry.id, Entry.campaign_id)
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .where(Entry.id.in_(entry_ids), Campaign.status.in_(LOOKED_AT))
    )
    for entry_id, campaign_id in rows:
        by_campaign[campaign_id].append(entry_id)
    return sum(_look(campaign_id, sorted(found)) for campaign_id, found in sorted(by_campaign.items()))


def _look(campaign_id: int, entry_ids: list[int]) -> int:
    campaign = db.session.get_one(Campaign, campaign_id)
    judged: list[int] = []
    for near in reading.around(entry_ids):
        judged += _weigh(campaign, near)
    return bands.apply(judged)


def _weigh(campaign: Campaign, near: reading.Neighbourhood) -> list[int]:
    """Score the people of a neighbourhood whom it is enough for, and say who they are."""
    scores = scoring.score(
        near.people,
        reading.moment_of(campaign),
        usual=_usual(campaign),
        safe=reading.safe_list(campaign.brand_id),
        without=frozenset() if near.is_whole else frozenset({weights.Layer.GROUP}),
    )
    given = set(near.given)
    heads = {one.referrer_id for one in near.people if one.entry_id in given and near.is_whole} - {None}
    # Whoever only shares a line with them was read for comparison: their own friends were not, so they keep their sum.
    judged = [one.entry_id for one in near.people if one.entry_id in given or one.referrer_id in heads]
    if not near.is_whole:  # what the night found of the group stands until the next
        scores = verdicts.with_group(judged, scores)
    verdicts.write(campaign.id, judged, scores, weights.CURRENT.version)
    return judged


def _usual(campaign: Campaign) -> Usual:
    known = _usuals.get(campaign.id)
    if known is not None and time.monotonic() - known[0] < USUAL_SECONDS:
        return known[1]
    people = reading.sample(campaign.id)
    found = crowd.what_is_usual(people, reading.moment_of(campaign), weights.CURRENT)
    if len(_usuals) >= _MOST_USUALS:
        _usuals.clear()
    _usuals[campaign.id] = time.monotonic(), found
    return found


def forget() -> None:
    """Reckon anew what is usual (tests)."""
    _usuals.clear()


def rescore(campaign_id: int, *, is_dry: bool = False) -> list[Change]:
    """Score everybody of a contest anew and say whose sum changes; unless `is_dry`, write it. Raises NotFound.

    The bands are applied by `settle_bands`, in pieces. The caller commits.
    """
    campaign = db.session.get(Campaign, campaign_id)
    if campaign is None:
        raise NotFound
    people = reading.of_campaign(campaign_id)
    scores = scoring.score(people, reading.moment_of(campaign), safe=reading.safe_list(campaign.brand_id))
    before = verdicts.stored(campaign_id)
    ids = [one.entry_id for one in people]
    if not is_dry:
        verdicts.write(campaign_id, ids, scores, weights.CURRENT.version)
    after = {one: scores.get(one, scoring.CLEAN).points for one in ids}
    return [Change(one, before.get(one, 0), after[one]) for one in sorted(ids) if before.get(one, 0) != after[one]]


def settle_bands(campaign_id: int, *, seconds: float = 60.0) -> bool:
    """Let everybody stand as their scores and decisions want it, for so long at most; whether that is everybody.

    Commits each hundred: holding a referral is a statement of its own, and others want to work beside it.
    """
    until = time.monotonic() + seconds
    scored = list(verdicts.stored(campaign_id))
    waiting = bands.misplaced(scored)
    for start in range(0, len(waiting), _APPLIED_AT_ONCE):
        if time.monotonic() >= until:
            return False
        bands.apply(waiting[start : start + _APPLIED_AT_ONCE])
        db.session.commit()
    return True


def settle_soon(campaign_id: int) -> None:
    """Have the bands let everybody stand anew soon after the caller's commit: the strictness was changed."""
    queue.offer_after_commit(db.session(), "leadgen.fraud.jobs.settle", campaign_id)


def open_contests() -> Sequence[int]:
    """The contests that are looked at each night."""
    return db.session.scalars(select(Campaign.id).where(Campaign.status.in_(LOOKED_AT)).order_by(Campaign.id)).all()
