"""Milestones: who has reached which tier, and what follows from it. The one place where a reward is earned."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from leadgen.campaigns.models import Approval, Delivery, Metric, Milestone
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries import owners
from leadgen.entries.models import EntryStatus, Review
from leadgen.journal.vocabulary import FactName
from leadgen.rewards import grounds, news, stock, vault
from leadgen.rewards.grounds import Asked, Footing, Ground
from leadgen.rewards.models import Award, AwardState
from leadgen.rewards.stock import Places

BELOW = "below"  # why a reward was taken back or is reviewed: what supported it is gone
KEPT = "kept"  # staff looked at it and let it be
PASSED_ON = 500  # people of a reserve list that one evaluation serves; the next one serves the others

_S = AwardState
_OPEN = {_S.EARNED, _S.APPROVED, _S.RESERVE}


@dataclass(frozen=True, slots=True)
class Case:
    """A person, a tier and the award between them."""

    ground: Ground
    tier: Milestone
    award: Award


def evaluate(entry_ids: Collection[int]) -> int:
    """Bring the awards of these people in line with what they have reached; answers how many changed.

    May be called at any time, in any order and twice. What was delivered is never taken away here: it goes to review.
    What was taken back for want of ground comes back as it was when the ground does (I33).
    """
    stock.lock()
    people = grounds.of(sorted(set(entry_ids)))
    tiers = tiers_of({ground.campaign_id for ground in people.values()})
    if not tiers:
        return 0
    places = Places(tiers)
    cases = _cases(people, tiers)
    before = {id(case.award): (case.award.state, case.award.reason) for case in cases}
    asked = _asked(people, tiers, {(case.ground.entry_id, case.tier.id) for case in cases})
    owners.hold({one.entry_id for one in asked} | {case.ground.entry_id for case in cases if _may_move(case)})
    _look_at_ground(cases, places)
    cases += _served(places, tiers, {(case.ground.entry_id, case.tier.id) for case in cases}, before)
    new = _earn(asked, people, tiers, places)
    advance([*cases, *new])
    places.tell()
    return len(new) + sum((c.award.state, c.award.reason) != before[id(c.award)] for c in cases)


def tiers_of(campaign_ids: Collection[int]) -> list[Milestone]:
    """The tiers of these campaigns, the highest threshold first."""
    statement = select(Milestone).where(Milestone.campaign_id.in_(campaign_ids))
    return list(db.session.scalars(statement.order_by(Milestone.threshold.desc(), Milestone.id)))


def _cases(people: dict[int, Ground], tiers: Sequence[Milestone]) -> list[Case]:
    by_id = {tier.id: tier for tier in tiers}
    statement = select(Award).where(Award.entry_id.in_(people)).order_by(Award.id).with_for_update()
    awards = db.session.scalars(statement, execution_options={"populate_existing": True})
    return [Case(people[award.entry_id], by_id[award.milestone_id], award) for award in awards]


def _look_at_ground(cases: Sequence[Case], places: Places) -> None:
    """Take back what lost its ground, first; then bring back what has it again, who was first in front."""
    doubtful = [c.ground.entry_id for c in cases if c.award.state in _OPEN and _is_short(c)]
    held = grounds.checked_friends(doubtful)
    for case in cases:
        footing = _footing(case, held)
        if footing is Footing.LOST:
            _lose(case, places)
        elif footing is Footing.CHECKING and case.award.state is _S.APPROVED:
            case.award.state = _S.EARNED  # keeps its place and what was decided, and waits
    for case in sorted(cases, key=lambda c: (c.award.earned_at, c.award.entry_id)):
        if case.award.reason == BELOW and _footing(case, held) is Footing.MET:
            _restore(case, places)


def _may_move(case: Case) -> bool:
    """Whether the award may be lost or brought back: only that changes how many rewards its owner has."""
    return case.award.reason == BELOW or not case.ground.is_in or _is_short(case)


def _is_short(case: Case) -> bool:
    return case.ground.reached(case.tier.metric) < case.award.threshold


def _footing(case: Case, held: dict[int, int]) -> Footing:
    """A friend who is being checked is not lost yet: what is not delivered waits for the answer."""
    ground, tier = case.ground, case.tier
    if not ground.is_in:
        return Footing.LOST
    if ground.review is Review.HELD:
        return Footing.CHECKING
    if not _is_short(case):
        return Footing.MET
    is_by_friends = tier.metric is not Metric.ENTRY and case.award.state in _OPEN
    return Footing.CHECKING if is_by_friends and held.get(ground.entry_id) else Footing.LOST


def _lose(case: Case, places: Places) -> None:
    award = case.award
    if award.state in _OPEN:
        if award.state is not _S.RESERVE:
            places.give_back(award.milestone_id)
        award.state, award.reason = _S.RECLAIMED, BELOW
        news.record(FactName.REWARD_TAKEN, case.ground, award, reason=BELOW)
    elif award.state is _S.DELIVERED and award.reason != KEPT and case.ground.status is not EntryStatus.ERASED:
        award.state, award.reason = _S.REVIEW, BELOW


def _restore(case: Case, places: Places) -> None:
    award = case.award
    if award.state is _S.REVIEW:
        award.state, award.reason = _S.DELIVERED, ""
    elif award.state is _S.RECLAIMED:
        award.state = _S.EARNED if places.take(award.milestone_id) else _S.RESERVE
        award.reason = ""


def _served(
    places: Places, tiers: Sequence[Milestone], known: set[tuple[int, int]], before: dict[int, tuple[AwardState, str]]
) -> list[Case]:
    """The first of each reserve list, as far as there are pieces for them."""
    waiting = set(places.waiting())
    found = []
    for tier in (tier for tier in tiers if tier.id in waiting):
        statement = select(Award).where(Award.milestone_id == tier.id, Award.state == _S.RESERVE)
        statement = statement.order_by(Award.earned_at, Award.entry_id).limit(PASSED_ON).with_for_update()
        db.session.flush()
        for award in list(db.session.scalars(statement)):
            if not places.take(tier.id):
                break
            before.setdefault(id(award), (award.state, award.reason))
            award.state = _S.EARNED
            if (award.entry_id, tier.id) not in known:
                found.append((tier, award))
    people = grounds.of([award.entry_id for _, award in found])
    return [Case(people[award.entry_id], tier, award) for tier, award in found]


def _asked(people: dict[int, Ground], tiers: Sequence[Milestone], known: set[tuple[int, int]]) -> list[Asked]:
    """What these people have reached and have no award of."""
    return [
        Asked(ground.entry_id, tier.id, tier.metric, tier.threshold)
        for ground in people.values()
        for tier in _reached(ground, tiers)
        if (ground.entry_id, tier.id) not in known
    ]


def _earn(asked: list[Asked], people: dict[int, Ground], tiers: Sequence[Milestone], places: Places) -> list[Case]:
    """New awards, for whoever got there first in front."""
    moments = grounds.reached_at(asked)
    by_id, now = {tier.id: tier for tier in tiers}, clock.now()
    in_order = sorted(asked, key=lambda one: (moments[one.entry_id, one.milestone_id] or now, one.entry_id))
    found = []
    for one in in_order:
        ground = people[one.entry_id]
        award = Award(
            campaign_id=ground.campaign_id,
            milestone_id=one.milestone_id,
            entry_id=one.entry_id,
            state=_S.EARNED if places.take(one.milestone_id) else _S.RESERVE,
            reason="",
            earned_at=moments[one.entry_id, one.milestone_id] or now,
            threshold=one.threshold,
            decided_by="",
        )
        db.session.add(award)
        found.append(Case(ground, by_id[one.milestone_id], award))
    db.session.flush()
    for case in found:
        news.record(FactName.REWARD_EARNED, case.ground, case.award)
    return found


def _reached(ground: Ground, tiers: Iterable[Milestone]) -> list[Milestone]:
    """The tiers that this person has reached; one that gives way to a higher of its kind is left out."""
    if not ground.is_in or ground.review is Review.HELD:
        return []
    own = [t for t in tiers if t.campaign_id == ground.campaign_id and ground.reached(t.metric) >= t.threshold]
    highest = {metric: max((t.threshold for t in own if t.metric is metric), default=0) for metric in Metric}
    return [tier for tier in own if not (tier.is_only_highest and tier.threshold < highest[tier.metric])]


def advance(cases: Sequence[Case]) -> None:
    """Approve what nobody needs to look at, or was approved before; deliver what needs no hand."""
    waiting = [case for case in cases if case.award.state is _S.EARNED]
    semi = [case.ground.entry_id for case in waiting if case.tier.approval is Approval.SEMI]
    checked = grounds.checked_friends(semi)
    for case in waiting:
        award, tier = case.award, case.tier
        is_firm = case.ground.is_in and case.ground.review is Review.CLEAR and not _is_short(case)
        is_free = tier.approval is Approval.AUTO or (
            tier.approval is Approval.SEMI and case.ground.entry_id not in checked
        )
        if is_firm and (is_free or award.approved_at is not None):
            approve(case)


def approve(case: Case, by: str = "") -> None:
    """The reward may go out: at once, or when its owner claims it in time."""
    award, tier, now = case.award, case.tier, clock.now()
    is_first = award.approved_at is None
    award.state, award.decided_by = _S.APPROVED, by or award.decided_by
    award.approved_at = award.approved_at or now
    if tier.claim_days is not None and (is_first or (award.claim_until and award.claim_until <= now)):
        award.claim_until = now + timedelta(days=tier.claim_days)
    if award.claim_until is None and tier.delivery in {Delivery.CODE, Delivery.FILE}:
        deliver(case)
    else:
        news.write(case.ground, case.tier, award, "reward_ready")


def deliver(case: Case, by: str = "") -> None:
    """The reward is with its owner; a code is handed out, and without one the award waits on the reserve list."""
    award = case.award
    code = ""
    if case.tier.delivery is Delivery.CODE:
        code = vault.hand_out(award.milestone_id, award.entry_id) or ""
        if not code:
            award.state = _S.RESERVE
            return
    award.state, award.reason, award.claim_until = _S.DELIVERED, "", None
    award.delivered_at = award.delivered_at or clock.now()
    award.decided_by = by or award.decided_by
    news.record(FactName.REWARD_GIVEN, case.ground, award)
    if code:
        news.write(case.ground, case.tier, award, "reward_code", code=code)
    elif case.tier.delivery is Delivery.FILE:
        news.write(case.ground, case.tier, award, "reward_ready")


def fill_reserve(milestone_ids: Collection[int]) -> int:
    """Serve the reserve lists of these tiers as far as there are pieces; answers how many people were served."""
    stock.lock()
    tiers = list(db.session.scalars(select(Milestone).where(Milestone.id.in_(milestone_ids)).order_by(Milestone.id)))
    places = Places(tiers)
    served = _served(places, tiers, set(), {})
    advance(served)
    places.tell()
    return len(served)
