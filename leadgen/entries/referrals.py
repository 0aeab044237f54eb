"""The life of a referral after it was confirmed: held, let go, refused, restored, settled; and what review does to it.

Each verb works inside the running transaction, may be repeated, and comes out the same in any order (I06, I33).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, update

from leadgen.campaigns.models import CONFIRMABLE, Campaign
from leadgen.contacts.models import Contact, Suppression, SuppressionReason
from leadgen.core import clock, queue
from leadgen.core.db import db, retried
from leadgen.core.errors import NotFound
from leadgen.core.queue import Bell
from leadgen.entries import credits, judging, points
from leadgen.entries.friends import FriendState, states_of
from leadgen.entries.judging import Case, Verdict
from leadgen.entries.models import BY_ITSELF, Entry, ReferralReason, ReferralState, Review
from leadgen.journal import service as journal
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName

__all__ = [
    "FriendState", "forget", "hold", "judge_anew", "leave", "profile_completed", "refuse", "release", "restore",
    "set_review", "settle", "states_of", "withdraw",
]  # fmt: skip

SETTLED_AT_ONCE = 100
_STATE_FACTS = {
    ReferralState.COUNTED: FactName.REFERRAL_COUNTED,
    ReferralState.ON_HOLD: FactName.REFERRAL_HELD,
    ReferralState.NOT_COUNTED: FactName.REFERRAL_REFUSED,
    ReferralState.REVERSED: FactName.REFERRAL_REVERSED,
}
_REFUSED = (ReferralState.NOT_COUNTED, ReferralState.REVERSED)
_GONE = (SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT)


def hold(friend_id: int, reason: ReferralReason, until: datetime | None = None) -> bool:
    """Hold back what this friend earns the referrer, until somebody releases it or `until` (UTC) has come.

    What was counted is taken back for now. A referral that was refused stays so. True when something changed.
    """
    case = _case(friend_id)
    if case is None or case.friend.referral_state in _REFUSED:
        return False
    if (case.friend.referral_state, case.friend.referral_reason) == (ReferralState.ON_HOLD, reason):
        case.friend.held_until = until
        return False
    _take_back(case)
    return _become(case, Verdict(ReferralState.ON_HOLD, reason, until))


def release(friend_id: int) -> bool:
    """End a hold by review: the referral counts, or waits for the campaign's delay if that is not over.

    A delay itself is not shortened, and a friend of an excluded referrer waits for that. True when something changed.
    """
    case = _case(friend_id)
    waits_by_itself = (ReferralReason.DELAY, ReferralReason.INELIGIBLE)
    if case is None or case.friend.referral_state is not ReferralState.ON_HOLD:
        return False
    return case.friend.referral_reason not in waits_by_itself and _judge(case)


def refuse(friend_id: int, reason: ReferralReason) -> bool:
    """Count this referral no more: `reversed` when it was counted once, else `not_counted`. True when that is new.

    A check gives its own reason. What staff reject by hand keeps the reason that it had, so that taking the decision
    back cannot bring back whoever bounced or left; a bounce after the confirmation replaces theirs for the same reason.
    """
    case = _case(friend_id)
    if case is None:
        return False
    if case.friend.referral_state in _REFUSED:
        if _replaces(case.friend, reason):
            case.friend.referral_reason = reason
        return False
    was_counted = _take_back(case)
    return _become(case, Verdict(ReferralState.REVERSED if was_counted else ReferralState.NOT_COUNTED, reason))


def _replaces(friend: Entry, reason: ReferralReason) -> bool:
    """Whether a refused friend's reason gives way; before the confirmation what comes of itself is not final."""
    is_pending, before = friend.confirmed_at is None, friend.referral_reason
    if reason is ReferralReason.MANUAL:
        return is_pending and before in BY_ITSELF
    return reason not in BY_ITSELF or (before is ReferralReason.MANUAL and not is_pending)


def restore(friend_id: int) -> bool:
    """Take a refusal back: what was counted counts again as of its first time, all else is judged as if it were new."""
    case = _case(friend_id)
    return case is not None and case.friend.referral_state in _REFUSED and _judge(case)


def withdraw(friend_id: int) -> None:
    """Take back what this friend earned, because it is to be somebody else's; the state is judged anew afterwards."""
    case = _case(friend_id)
    if case is not None:
        _take_back(case)


def judge_anew(friend_id: int) -> None:
    """Judge a referral that now is another person's, unless a check, staff or a bounce decided about the friend."""
    case = _case(friend_id)
    if case is None:
        return
    is_final = case.friend.referral_reason not in BY_ITSELF or case.friend.confirmed_at is not None
    is_decided = case.friend.referral_state in _REFUSED and is_final
    if not is_decided and case.friend.referral_reason is not ReferralReason.RISK:
        _judge(case)


def set_review(entry_id: int, review: Review, *, risk: int | None = None) -> bool:
    """Write what a check says of an entrant; held and excluded people leave the ranking, cleared ones come back to it.

    Takes nothing from anybody: points that friends honestly brought stay, and so does what this entrant earned others.
    While somebody is excluded their new friends wait (on hold, `ineligible`); clearing counts them. True when `review`
    changed: never once the contest's list is frozen. Raises NotFound.
    """
    db.session.flush()
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": points.LOCK})
    locked = select(Entry).where(Entry.id == entry_id).with_for_update(key_share=True)
    entry = db.session.scalar(locked.execution_options(populate_existing=True))
    if entry is None:
        raise NotFound
    if db.session.get_one(Campaign, entry.campaign_id).status in judging.FROZEN:
        return False
    if risk is not None:
        entry.risk = risk
    before = entry.review
    if before is review:
        return False
    points.leave_ranking(entry.id)
    entry.review = review
    points.join_ranking(entry.id)
    if before is Review.EXCLUDED:
        _wake_friends(entry.id)
    journal.record(
        FactName.ENTRY_REVIEWED,
        brand_id=entry.brand_id,
        campaign_id=entry.campaign_id,
        contact_id=entry.contact_id,
        entry_id=entry.id,
        before=before.value,
        after=review.value,
        risk=entry.risk,
    )
    return True


def _wake_friends(entry_id: int) -> None:
    """Friends who waited because this referrer was excluded are judged at the next settling, and friends of friends."""
    waiting = (
        Entry.referrer_id == entry_id,
        Entry.referral_state == ReferralState.ON_HOLD,
        Entry.referral_reason == ReferralReason.INELIGIBLE,
    )
    paying = select(Campaign.id).where(Campaign.indirect_points > 0)
    further = (
        Entry.ref2_id == entry_id,
        Entry.referral_state == ReferralState.COUNTED,
        Entry.campaign_id.in_(paying),
    )
    for those in (waiting, further):
        db.session.execute(update(Entry).where(*those).values(held_until=clock.now()))
    queue.ring_after_commit(db.session(), Bell.REFERRALS)


def settle() -> int:
    """Judge every referral whose time has come: delays over, days stayed (job, each minute).

    Commits each batch; one that lost a deadlock is tried again, three times in all (M8). Answers how many there were.
    """
    total = 0
    while settled := retried(_settle_batch):
        total += settled
    return total


def _settle_batch() -> int:
    due = _due()
    for friend_id in due:
        _settle(friend_id)
    db.session.commit()
    return len(due)


def _due() -> Sequence[int]:
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": points.LOCK})
    due = select(Entry.id).where(Entry.held_until <= clock.now()).order_by(Entry.held_until, Entry.id)
    return db.session.scalars(due.limit(SETTLED_AT_ONCE)).all()


def _settle(friend_id: int) -> None:
    case = judging.take(friend_id)
    if case is None:
        db.session.execute(update(Entry).where(Entry.id == friend_id).values(held_until=None))
        return
    friend = case.friend
    friend.held_until = None
    if case.campaign.status in judging.FROZEN:
        return
    if friend.referral_state is ReferralState.COUNTED:
        _settle_counted(case)
    elif friend.referral_state is ReferralState.ON_HOLD:
        gone = judging.departure(case) if friend.referral_reason is ReferralReason.DELAY else None
        if gone:
            _become(case, Verdict(ReferralState.NOT_COUNTED, gone))
        else:
            _judge(case)


def _settle_counted(case: Case) -> None:
    """What a counted friend earns beyond the referral: for who brought the referrer, and for staying."""
    judging.pay_indirect(case)
    stays_at = judging.stays_at(case)
    if stays_at is not None and stays_at > clock.now():
        case.friend.held_until = stays_at
    elif stays_at is not None:
        judging.pay_stay(case)


def forget(entry_ids: Sequence[int]) -> None:
    """The people of these entries are being erased: nobody loses what they brought (I14), nothing more comes of them.

    A referral that was never counted ends here; one that was and is being checked can still be given back.
    """
    for entry_id in sorted(entry_ids):
        case = judging.take(entry_id)
        if case is None:
            continue
        if case.friend.referral_state is ReferralState.AWAITING:
            _become(case, Verdict(ReferralState.NOT_COUNTED, ReferralReason.EXPIRED))
        elif case.friend.referral_state is ReferralState.ON_HOLD and not judging.lines_of(case):
            _become(case, Verdict(ReferralState.NOT_COUNTED, ReferralReason.UNSUBSCRIBED_IN_HOLD))
        else:
            case.friend.held_until = None


def leave(facts: Sequence[Fact]) -> None:
    """An address bounced or complained: until the contest is over its referrals count no more (reaction)."""
    reached = [fact.contact_id for fact in facts if fact.data.get("reason") in _GONE]
    # As it stands now: whoever answered a mail since has shown that the mailbox lives.
    still_gone = (
        select(Entry.id)
        .join(Contact, Contact.id == Entry.contact_id)
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .join(
            Suppression,
            (Suppression.brand_id == Contact.brand_id) & (Suppression.address_hash == Contact.address_hash),
        )
        .where(Entry.contact_id.in_(reached), Entry.referrer_id.is_not(None), Suppression.reason.in_(_GONE))
        .where(Campaign.status.in_(CONFIRMABLE))
    )
    for friend_id in sorted(set(db.session.scalars(still_gone))):
        refuse(friend_id, ReferralReason.BOUNCE)


def profile_completed(facts: Sequence[Fact]) -> None:
    """A friend answered a question: when it was the last one, the referrer earns what the campaign gives (reaction)."""
    told = {fact.campaign_id for fact in facts}
    generous = select(Campaign.id).where(Campaign.id.in_(told), Campaign.profile_points > 0)
    campaign_ids = set(db.session.scalars(generous))
    for friend_id in sorted({fact.entry_id for fact in facts if fact.entry_id and fact.campaign_id in campaign_ids}):
        case = _case(friend_id)
        if case is not None and case.friend.referral_state is ReferralState.COUNTED:
            judging.pay_profile(case)


def _case(friend_id: int) -> Case | None:
    """The friend, locked; None also when the contest's list is frozen: nothing changes any more then."""
    case = judging.take(friend_id)
    return None if case is None or case.campaign.status in judging.FROZEN else case


def _judge(case: Case) -> bool:
    return _become(case, judging.verdict(case))


def _take_back(case: Case) -> bool:
    """Undo whatever stands; whether there ever was a line."""
    lines = judging.lines_of(case)
    for key in lines:
        credits.reverse(key)
    return bool(lines)


def _become(case: Case, found: Verdict) -> bool:
    """Write the verdict, its lines and its fact; whether it is another than before."""
    friend = case.friend
    before = (friend.referral_state, friend.referral_reason)
    if found.state is ReferralState.COUNTED:
        found = found._replace(until=judging.stays_at(case))
        if not judging.pay(case):
            found = Verdict(ReferralState.NOT_COUNTED, ReferralReason.DUPLICATE)
    friend.referral_state, friend.referral_reason, friend.held_until = found
    if before == (found.state, found.reason):
        return False
    _tell(case)
    return True


def _tell(case: Case) -> None:
    friend = case.friend
    if friend.referral_state not in _STATE_FACTS:
        return
    more: dict[str, Any] = {"reason": friend.referral_reason.value}
    if friend.referral_state is ReferralState.COUNTED:
        more = {"points": case.campaign.referral_points}
    journal.record(
        _STATE_FACTS[friend.referral_state],
        brand_id=friend.brand_id,
        campaign_id=friend.campaign_id,
        entry_id=friend.referrer_id,
        friend=friend.id,
        **more,
    )
