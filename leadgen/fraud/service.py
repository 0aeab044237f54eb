"""The fraud room's face: look at some entries or a whole contest, write the sums, and say what would change."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select, text

from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.fraud import bands, crowd, reading, scoring, verdicts, weights
from leadgen.fraud.observations import Usual

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
_usuals: dict[int, tuple[float, Usual]] = {}

_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('look:' || CAST(:campaign AS text), 0))")


class Change(NamedTuple):
    """What a look would change of one entry's score."""

    entry_id: int
    before: int
    after: int


def alone(campaign_id: int) -> None:
    """Be the only one who reads, reckons and writes sums of this contest until the running transaction ends.

    Taken before the lock of the points, never after it.
    """
    db.session.execute(_ALONE, {"campaign": campaign_id})


def look(campaign_id: int, entry_ids: Sequence[int]) -> list[int]:
    """Write the sums of these entries and of the friends of whoever brought them; answers of whom.

    What is usual in the contest is reckoned every ten minutes, so the nightly look may see a little more. Doing it
    again changes nothing. The caller commits, and lets the bands act afterwards (bands.settle).
    """
    alone(campaign_id)
    campaign = db.session.get_one(Campaign, campaign_id)
    return [one for near in reading.around(entry_ids) for one in _weigh(campaign, near)]


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
    if not is_dry:
        alone(campaign_id)
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
    """Let everybody stand as their scores and decisions want it, for so long at most; whether that is everybody."""
    return bands.settle(verdicts.stored(campaign_id), seconds=seconds)


def open_contests() -> Sequence[int]:
    """The contests that are looked at each night."""
    return db.session.scalars(select(Campaign.id).where(Campaign.status.in_(LOOKED_AT)).order_by(Campaign.id)).all()
