"""What time does to rewards: unclaimed ones expire after a reminder, and reserve lists move on."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from leadgen.campaigns.models import Milestone
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.journal.vocabulary import FactName
from leadgen.rewards import grounds, milestones, news
from leadgen.rewards.models import Award, AwardState

REMIND_BEFORE = timedelta(hours=48)
# Who was told of the reward a moment ago is not reminded of it.
REMIND_AFTER = timedelta(hours=24)
_BATCH = 500


def expire() -> int:
    """End the claims whose time is over and give what they held to the reserve lists; answers how many ended."""
    due = select(Award).where(Award.state == AwardState.APPROVED, Award.claim_until <= clock.now())
    awards = list(db.session.scalars(due.order_by(Award.id).limit(_BATCH).with_for_update(skip_locked=True)))
    people = grounds.of({award.entry_id for award in awards})
    for award in awards:
        award.state = AwardState.EXPIRED
        news.record(FactName.REWARD_TAKEN, people[award.entry_id], award, reason="expired")
    db.session.commit()
    return len(awards)


def remind() -> int:
    """Write, once, to whoever has not claimed a reward two days before its end; answers to how many."""
    now = clock.now()
    due = select(Award, Milestone).join(Milestone, Milestone.id == Award.milestone_id)
    due = due.where(Award.state == AwardState.APPROVED, Award.claim_until > now)
    due = due.where(Award.claim_until <= now + REMIND_BEFORE, Award.approved_at <= now - REMIND_AFTER)
    rows = db.session.execute(due.order_by(Award.claim_until)).all()
    people = grounds.of({award.entry_id for award, _ in rows})
    told = [news.write(people[award.entry_id], tier, award, "reward_expiring") for award, tier in rows]
    db.session.commit()
    return sum(told)


def pass_on() -> int:
    """Serve every reserve list for which there are pieces; answers how many people were served."""
    waiting = select(Award.milestone_id).where(Award.state == AwardState.RESERVE).distinct()
    tiers = list(db.session.scalars(waiting))
    served = milestones.fill_reserve(tiers) if tiers else 0
    db.session.commit()
    return served
