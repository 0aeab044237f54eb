"""Votes: a few for each voter and day, one for each work and day; what is not believed is kept and not counted."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text, update

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.entries.models import Entry, EntryStatus, Review
from leadgen.gallery import voters
from leadgen.gallery.models import Vote, Work, WorkState
from leadgen.gallery.phases import Phase, phase_of
from leadgen.gallery.voters import Voter

log = logging.getLogger(__name__)
BURST = 10  # strangers' votes of one network in one minute; those beyond are not counted
FOR_ONE_WORK = 30  # strangers' votes of one network for one work on one day; those beyond are not counted
FROM_ONE_NETWORK = 200  # strangers' votes of one network on one day; no more are taken
_MINUTE = timedelta(minutes=1)
_DAYS_OF_NETWORKS = 30

_DIFFERENT = """
SELECT w.id FROM work w LEFT JOIN vote v ON v.work_id = w.id AND v.is_counted
GROUP BY w.id HAVING (w.votes, w.voted_at) IS DISTINCT FROM (count(v.id)::int, max(v.at)) ORDER BY w.id
"""
_REVIEWED = """
UPDATE vote v SET is_counted = (e.review = 'clear'), doubt = CASE WHEN e.review = 'clear' THEN '' ELSE 'review' END
FROM entry e WHERE e.id = v.entry_id
AND ((v.is_counted AND e.review <> 'clear') OR (v.doubt = 'review' AND e.review = 'clear'))
RETURNING v.work_id
"""
_FORGET_NETWORKS = """
UPDATE work w SET network = '' FROM campaign c
WHERE c.id = w.campaign_id AND w.network <> '' AND coalesce(c.votes_end_at, c.ends_at) < :before
"""


class Doubt(StrEnum):
    """Why a vote is not counted."""

    NONE = ""
    OWN_NETWORK = "own_network"  # a stranger on the network that the work was handed in from
    BURST = "burst"
    NETWORK = "network"  # more for one work than a family, an office or a class gives in a day
    REVIEW = "review"  # the voter's own entry is being checked, or excluded


class Cast(NamedTuple):
    """What became of a vote: how many the voter has left today, and whether it was news."""

    left: int
    is_new: bool


class _Network(NamedTuple):
    """What came from a network today: in all, in the last minute, for one work."""

    total: int
    in_a_minute: int
    for_work: int


def cast(card: CampaignCard, public_id: str, voter: Voter) -> Cast:
    """Give one vote to a published work; the same again on the same day changes nothing.

    A day is one of the campaign's time zone. A vote that we doubt is taken like any other: whoever tries to cheat does
    not learn what gave them away. Raises NotFound (work), Conflict (no votes now, entry needed, one's own work),
    TooMany with a sentence that says when or how to go on.
    """
    if phase_of(card) is not Phase.VOTING:
        raise Conflict(_("There is no vote at the moment."))
    work = _work(card.id, public_id)
    entry = _entrant(card, work, voter)
    now = clock.now()
    day = now.astimezone(ZoneInfo(card.timezone)).date()
    key, network = voters.voter_key(voter, card.id, day), voters.network_key(voter, card.id, day)
    # Strangers of one network take turns, so that its bounds hold exactly; entrants wait for themselves only.
    _take_turns(key if entry else network)
    given = set(db.session.scalars(select(Vote.work_id).filter_by(campaign_id=card.id, voter=key, day=day)))
    if work.id in given:
        return Cast(max(0, card.votes_a_day - len(given)), is_new=False)
    if len(given) >= card.votes_a_day:
        raise TooMany(_("You have given all your votes for today. Come back tomorrow."), _until_tomorrow(card, day))
    doubt = _doubt_of(entry) if entry else _doubt_of_stranger(card, work, voter, network)
    _write(work, Vote(voter=key, network=network, entry_id=voter.entry_id, day=day, at=now, doubt=doubt))
    return Cast(card.votes_a_day - len(given) - 1, is_new=True)


def _work(campaign_id: int, public_id: str) -> Work:
    statement = (
        select(Work)
        .join(Entry, Entry.id == Work.entry_id)
        .where(Work.campaign_id == campaign_id, Work.public_id == public_id, Work.state == WorkState.PUBLISHED)
        .where(Entry.status == EntryStatus.CONFIRMED, Entry.review != Review.EXCLUDED)
    )
    work = db.session.scalar(statement)
    if work is None:
        raise NotFound
    return work


def _entrant(card: CampaignCard, work: Work, voter: Voter) -> Entry | None:
    """The voter's own confirmed entry, None for a stranger."""
    if voter.entry_id is None:
        if card.votes_need_entry:
            raise Conflict(_("Only people who take part in the contest can vote. Enter first: it takes a minute."))
        return None
    entry = db.session.get(Entry, voter.entry_id)
    if entry is None or entry.campaign_id != card.id or entry.status is not EntryStatus.CONFIRMED:
        raise Conflict(_("Only confirmed entries can vote."))
    if entry.id == work.entry_id:
        raise Conflict(_("This is your own work. Ask your friends to vote for it."))
    return entry


def _take_turns(key: bytes) -> None:
    number = int.from_bytes(key[:8], "big", signed=True)
    db.session.execute(select(func.pg_advisory_xact_lock(number)))


def _doubt_of(entry: Entry) -> Doubt:
    return Doubt.NONE if entry.review is Review.CLEAR else Doubt.REVIEW


def _doubt_of_stranger(card: CampaignCard, work: Work, voter: Voter, network: bytes) -> Doubt:
    if voter.is_played:
        return Doubt.NONE
    seen = _network(card.id, work.id, network)
    if seen.total >= FROM_ONE_NETWORK:
        sentence = _("Many votes came from your network today. Enter the contest to vote under your own name.")
        raise TooMany(sentence, 24 * 3600)
    if bytes(work.network) in voters.maker_keys(voter.address, card.id):
        return Doubt.OWN_NETWORK
    if seen.in_a_minute >= BURST:
        return Doubt.BURST
    return Doubt.NETWORK if seen.for_work >= FOR_ONE_WORK else Doubt.NONE


def _network(campaign_id: int, work_id: int, network: bytes) -> _Network:
    """The key of a network holds the day, so its votes are those of today; entrants' own are not among the bounds."""
    statement = select(
        func.count(),
        func.count().filter(Vote.at > clock.now() - _MINUTE),
        func.count().filter(Vote.work_id == work_id),
    ).where(Vote.campaign_id == campaign_id, Vote.network == network, Vote.entry_id.is_(None))
    return _Network(*db.session.execute(statement).one())


def _until_tomorrow(card: CampaignCard, day: date) -> int:
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(card.timezone))
    return max(60, int((midnight - clock.now()).total_seconds()))


def _write(work: Work, vote: Vote) -> None:
    vote.campaign_id, vote.work_id, vote.is_counted = work.campaign_id, work.id, not vote.doubt
    db.session.add(vote)
    db.session.flush()
    if vote.is_counted:
        one_more = {"votes": Work.votes + 1, "voted_at": func.greatest(Work.voted_at, vote.at)}
        db.session.execute(update(Work).where(Work.id == work.id).values(one_more))


class Doubted(NamedTuple):
    """Votes of one work that are not believed, and how many of them staff counted all the same."""

    reason: str
    number: int
    counted: int


def doubted(work_ids: list[int]) -> dict[int, list[Doubted]]:
    """The doubted votes of these works by reason, for staff."""
    found: dict[int, list[Doubted]] = {}
    statement = (
        select(Vote.work_id, Vote.doubt, func.count(), func.count().filter(Vote.is_counted))
        .where(Vote.work_id.in_(work_ids), Vote.doubt != Doubt.NONE)
        .group_by(Vote.work_id, Vote.doubt)
        .order_by(Vote.work_id, Vote.doubt)
    )
    for work_id, reason, number, counted in db.session.execute(statement):
        found.setdefault(work_id, []).append(Doubted(reason, number, counted))
    return found


def believe(campaign_id: int, work_id: int, *, is_counted: bool) -> None:
    """Count the doubted votes of a work after all, or not; those of entries under review stay uncounted.

    Raises NotFound.
    """
    if db.session.scalar(select(Work.id).filter_by(id=work_id, campaign_id=campaign_id)) is None:
        raise NotFound
    unbelieved = Vote.doubt.not_in([Doubt.NONE, Doubt.REVIEW])
    db.session.execute(update(Vote).where(Vote.work_id == work_id, unbelieved).values(is_counted=is_counted))
    recount(work_id)


def recount(work_id: int) -> bool:
    """Make a work's number the count of its votes; answers whether it was another before."""
    work = db.session.scalar(
        select(Work).where(Work.id == work_id).with_for_update().execution_options(populate_existing=True)
    )
    if work is None:
        return False
    counted = select(func.count(), func.max(Vote.at)).where(Vote.work_id == work_id, Vote.is_counted)
    number, latest = db.session.execute(counted).one()
    is_different = (work.votes, work.voted_at) != (number, latest)
    work.votes, work.voted_at = number, latest
    db.session.flush()
    return is_different


def audit() -> int:
    """Compare every work's number with its votes and mend it; answers how many were wrong (nightly job).

    Before that, votes of entries that were excluded since lose their weight, and those cleared since get it back;
    networks of makers are forgotten a month after the votes.
    """
    for work_id in sorted(set(db.session.scalars(text(_REVIEWED)))):
        recount(work_id)
    before = clock.now() - timedelta(days=_DAYS_OF_NETWORKS)
    db.session.execute(text(_FORGET_NETWORKS), {"before": before})
    wrong = sum(recount(work_id) for work_id in db.session.scalars(text(_DIFFERENT)).all())
    if wrong:
        log.warning("%d works had another number of votes than they were given", wrong)
    return wrong


def forget_voter(entry_ids: list[int]) -> None:
    """Votes stay as counts; whose they were is forgotten."""
    db.session.execute(update(Vote).where(Vote.entry_id.in_(entry_ids)).values(entry_id=None))
