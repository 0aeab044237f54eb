"""What time does to rewards: unclaimed ones expire after a reminder, and reserve lists move on."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, text

from leadgen.campaigns.models import Milestone
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries import owners
from leadgen.journal.vocabulary import FactName
from leadgen.rewards import grounds, milestones, news, stock
from leadgen.rewards.models import Award, AwardState

REMIND_BEFORE = timedelta(hours=48)
# Who was told of the reward a moment ago is not reminded of it.
REMIND_AFTER = timedelta(hours=24)
_BATCH = 500
# The letter's own name, as rewards.news gives it.
_NOT_TOLD = text("NOT EXISTS (SELECT 1 FROM message WHERE intent = 'reward_expiring:' || award.id)")


def expire() -> int:
    """End the claims whose time is over and give what they held to the reserve lists; answers how many ended."""
    total = 0
    while ended := _expire_batch():
        total += ended
    return total


def _expire_batch() -> int:
    stock.lock()
    due = select(Award).where(Award.state == AwardState.APPROVED, Award.claim_until <= clock.now())
    awards = list(db.session.scalars(due.order_by(Award.id).limit(_BATCH).with_for_update(skip_locked=True)))
    people = grounds.of({award.entry_id for award in awards})
    owners.hold(people)
    for award in awards:
        award.state = AwardState.EXPIRED
        news.record(FactName.REWARD_TAKEN, people[award.entry_id], award, reason="expired")
    db.session.commit()
    return len(awards)


def remind() -> int:
    """Write, once, to whoever has not claimed a reward two days before its end; answers to how many."""
    total, after = 0, 0
    while rows := _ending(after):
        people = grounds.of({award.entry_id for award, _ in rows})
        total += sum(news.write(people[award.entry_id], tier, award, "reward_expiring") for award, tier in rows)
        after = rows[-1][0].id
        db.session.commit()
    return total


def _ending(after: int) -> list[tuple[Award, Milestone]]:
    """The next awards that end soon and whose owners have no letter about it yet."""
    now = clock.now()
    due = select(Award, Milestone).join(Milestone, Milestone.id == Award.milestone_id)
    due = due.where(Award.id > after, Award.state == AwardState.APPROVED, Award.claim_until > now)
    due = due.where(Award.claim_until <= now + REMIND_BEFORE, Award.approved_at <= now - REMIND_AFTER)
    rows = db.session.execute(due.where(_NOT_TOLD).order_by(Award.id).limit(_BATCH))
    return [(award, tier) for award, tier in rows]


def pass_on() -> int:
    """Serve every reserve list for which there are pieces; answers how many people were served."""
    waiting = select(Award.milestone_id).where(Award.state == AwardState.RESERVE).distinct()
    tiers = list(db.session.scalars(waiting))
    served = milestones.fill_reserve(tiers) if tiers else 0
    db.session.commit()
    return served
