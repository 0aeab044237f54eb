"""What staff decide about rewards: approve, refuse, deliver, keep or take back, and undo; one or many at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, text

from leadgen.campaigns.models import Delivery, Milestone
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.entries import owners
from leadgen.entries.models import Entry, Review
from leadgen.journal.vocabulary import FactName
from leadgen.rewards import addresses, grounds, milestones, news, stock, vault
from leadgen.rewards.milestones import Case
from leadgen.rewards.models import Award, AwardAddress, AwardState, Coupon, CouponStatus

PAGE = 50
MOST_AT_ONCE = 500
_S = AwardState
_COUNT = text("""
SELECT milestone_id, state, count(*) AS number FROM award WHERE campaign_id = :campaign GROUP BY milestone_id, state
""")


class Deed(StrEnum):
    """What staff can do to an award."""

    APPROVE = "approve"
    REFUSE = "refuse"
    DELIVER = "deliver"
    KEEP = "keep"
    TAKE_BACK = "take_back"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Row:
    """One award in the list."""

    id: int
    entry_id: int
    public_id: str
    contact_id: int
    first_name: str
    email: str
    title: str
    delivery: Delivery
    state: AwardState
    reason: str
    earned_at: datetime
    approved_at: datetime | None
    delivered_at: datetime | None
    claim_until: datetime | None
    decided_by: str
    code: str
    is_entry_checked: bool
    is_address_asked: bool
    address: AwardAddress | None


def counts(campaign_id: int) -> dict[int, dict[AwardState, int]]:
    """How many awards of each tier are in which state."""
    found: dict[int, dict[AwardState, int]] = {}
    for row in db.session.execute(_COUNT, {"campaign": campaign_id}):
        found.setdefault(row.milestone_id, {})[AwardState(row.state)] = row.number
    return found


def listed(
    campaign_id: int, locale: str, *, state: AwardState | None = None, tier: int = 0, after: int = 0
) -> list[Row]:
    """A page of awards, oldest first, of one state and tier if asked; `after` is the last id of the page before."""
    return list(_rows(campaign_id, locale, state=state, tier=tier, after=after, most=PAGE))


def export(campaign_id: int, locale: str, *, state: AwardState | None = None, tier: int = 0) -> Iterator[Row]:
    """All of them, page by page, for the people who send the rewards."""
    after = 0
    while page := list(_rows(campaign_id, locale, state=state, tier=tier, after=after, most=MOST_AT_ONCE)):
        yield from page
        after = page[-1].id


_THEIR_CODE = (
    (Coupon.milestone_id == Award.milestone_id)
    & (Coupon.entry_id == Award.entry_id)
    & Coupon.status.in_((CouponStatus.ASSIGNED, CouponStatus.USED))
)


def _rows(
    campaign_id: int, locale: str, *, state: AwardState | None, tier: int, after: int, most: int
) -> Iterator[Row]:
    statement = select(Award, Entry, Contact, Milestone, Coupon.code, AwardAddress).join(
        Entry, Entry.id == Award.entry_id
    )
    statement = statement.join(Contact, Contact.id == Entry.contact_id)
    statement = statement.join(Milestone, Milestone.id == Award.milestone_id).outerjoin(Coupon, _THEIR_CODE)
    statement = statement.outerjoin(AwardAddress, AwardAddress.award_id == Award.id)
    statement = statement.where(Award.campaign_id == campaign_id, Award.id > after).order_by(Award.id).limit(most)
    if state is not None:
        statement = statement.where(Award.state == state)
    if tier:
        statement = statement.where(Award.milestone_id == tier)
    for award, entry, contact, milestone, code, address in db.session.execute(statement):
        yield Row(
            id=award.id,
            entry_id=entry.id,
            public_id=entry.public_id,
            contact_id=contact.id,
            first_name=contact.first_name or "",
            email=contact.email or "",
            title=news.title(milestone, locale),
            delivery=milestone.delivery,
            state=award.state,
            reason=award.reason,
            earned_at=award.earned_at,
            approved_at=award.approved_at,
            delivered_at=award.delivered_at,
            claim_until=award.claim_until,
            decided_by=award.decided_by,
            code=code or "",
            is_entry_checked=entry.review is not Review.CLEAR,
            is_address_asked=milestone.is_address_asked,
            address=address if award.state in addresses.NEEDED else None,
        )


def decide(campaign_id: int, award_ids: Collection[int], deed: Deed, by: str) -> list[int]:
    """Do this to these awards of the campaign, where their state allows it; answers those that changed.

    Doing it twice is once. What frees pieces serves the reserve list; what needs a piece that is gone waits on it.
    """
    stock.lock()
    chosen = sorted(set(award_ids))[:MOST_AT_ONCE]
    statement = select(Award).where(Award.campaign_id == campaign_id, Award.id.in_(chosen)).order_by(Award.id)
    awards = list(db.session.scalars(statement.with_for_update(), execution_options={"populate_existing": True}))
    people = grounds.of({award.entry_id for award in awards})
    owners.hold(people)
    tiers = {tier.id: tier for tier in milestones.tiers_of([campaign_id])}
    changed = []
    for award in awards:
        if _DEEDS[deed](Case(people[award.entry_id], tiers[award.milestone_id], award), by):
            award.decided_by = by
            changed.append(award)
    db.session.flush()
    milestones.fill_reserve({award.milestone_id for award in changed})
    return [award.id for award in changed]


def _approve(case: Case, by: str) -> bool:
    if case.award.state is not _S.EARNED or not case.ground.is_in:
        return False
    milestones.approve(case, by)
    return True


def _refuse(case: Case, _by: str) -> bool:
    if case.award.state not in {_S.EARNED, _S.APPROVED, _S.RESERVE}:
        return False
    case.award.state, case.award.reason = _S.REFUSED, "staff"
    news.record(FactName.REWARD_TAKEN, case.ground, case.award, reason="refused")
    return True


def _deliver(case: Case, by: str) -> bool:
    """By hand; also what is not claimed yet, when it was handed over in person."""
    if case.award.state is not _S.APPROVED or case.ground.review is not Review.CLEAR:
        return False
    milestones.deliver(case, by)
    return True


def _keep(case: Case, _by: str) -> bool:
    if case.award.state is not _S.REVIEW:
        return False
    case.award.state, case.award.reason = _S.DELIVERED, milestones.KEPT
    return True


def _take_back(case: Case, _by: str) -> bool:
    """The code of a reward that is taken back is void, unless it was used."""
    award = case.award
    if award.state not in {_S.REVIEW, _S.DELIVERED}:
        return False
    held = select(Coupon).filter_by(milestone_id=award.milestone_id, entry_id=award.entry_id)
    for coupon in db.session.scalars(held.where(Coupon.status == CouponStatus.ASSIGNED)):
        vault.void(coupon.id)
    award.state, award.reason = _S.RECLAIMED, "staff"
    news.record(FactName.REWARD_TAKEN, case.ground, award, reason="staff")
    return True


def _undo(case: Case, _by: str) -> bool:
    """One step back from what staff decided; a code that was given cannot be taken out of a letter."""
    award = case.award
    before = _before(case)
    if before is None:
        return False
    if award.state is _S.REFUSED:
        left = stock.of([award.milestone_id])[award.milestone_id]
        before = _S.RESERVE if left.is_out else before
    if award.state is _S.APPROVED:
        award.approved_at = award.claim_until = None
    if award.state is _S.DELIVERED and award.reason != milestones.KEPT:
        award.delivered_at = None
    award.state, award.reason = before, milestones.BELOW if before is _S.REVIEW else ""
    return True


def _before(case: Case) -> AwardState | None:
    award = case.award
    if award.state is _S.REFUSED:
        return _S.APPROVED if award.approved_at else _S.EARNED
    if award.state is _S.DELIVERED and award.reason == milestones.KEPT:
        return _S.REVIEW
    if award.state is _S.DELIVERED and case.tier.delivery is Delivery.MANUAL:
        return _S.APPROVED
    if award.state is _S.APPROVED and award.decided_by:
        return _S.EARNED
    return None


_DEEDS: dict[Deed, Callable[[Case, str], bool]] = {
    Deed.APPROVE: _approve,
    Deed.REFUSE: _refuse,
    Deed.DELIVER: _deliver,
    Deed.KEEP: _keep,
    Deed.TAKE_BACK: _take_back,
    Deed.UNDO: _undo,
}
