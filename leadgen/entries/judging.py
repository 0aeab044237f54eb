"""What a referral is worth now, and the ledger lines that say so: the rules of F5 for everything but the plain case.

The plain case (no delay, no cap) is decided by the statement of entries.confirming; both must say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text

from leadgen.campaigns.models import Campaign, CampaignStatus, Question
from leadgen.contacts.models import Answer, Contact, Suppression, SuppressionReason
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries import credits, points
from leadgen.entries.models import (
    Entry,
    EntryStatus,
    LedgerKind,
    LedgerLine,
    LedgerPending,
    ReferralReason,
    ReferralState,
    Review,
)

# From the draw on, who brought how many friends is as frozen as the list of entrants.
FROZEN = frozenset({CampaignStatus.DRAWING, CampaignStatus.AWARDED, CampaignStatus.ARCHIVED})
_WAITING = (EntryStatus.PENDING, EntryStatus.BOUNCED)
_PAYS_REFERRER = (LedgerKind.REFERRAL, LedgerKind.INDIRECT, LedgerKind.QUALITY)


class Verdict(NamedTuple):
    """What a referral is from now on; `until` is when to look at it again."""

    state: ReferralState
    reason: ReferralReason = ReferralReason.NONE
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One friend, locked, with whom and what the verdict depends on. `hashed` is None once the friend is erased.

    `is_moved`: the friend earned somebody else these lines before staff said who invited them; theirs need own keys.
    """

    friend: Entry
    referrer: Entry
    campaign: Campaign
    hashed: bytes | None
    is_moved: bool = False

    def key(self, what: str) -> str:
        """The idempotency key of a line that this friend earns somebody: by mailbox, so that nobody counts twice."""
        assert self.hashed is not None
        plain = f"{what}:{self.campaign.id}:{self.hashed.hex()}"
        return f"{plain}:{self.referrer.id}" if self.is_moved else plain


def take(friend_id: int) -> Case | None:
    """Lock a friend's referral for the running transaction; None when nobody brought them.

    Everything that changes referrals does so one after the other, and the fold not meanwhile: caps are counted
    exactly, and no two of them wait for each other's rows (M8).
    """
    db.session.flush()
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": points.LOCK})
    statement = select(Entry).where(Entry.id == friend_id, Entry.referrer_id.is_not(None))
    friend = db.session.scalar(
        statement.with_for_update(key_share=True).execution_options(populate_existing=True),
    )
    if friend is None:
        return None
    referrer = db.session.get(Entry, friend.referrer_id, populate_existing=True)
    assert referrer is not None
    hashed = db.session.scalar(select(Contact.address_hash).where(Contact.id == friend.contact_id))
    case = Case(friend, referrer, db.session.get_one(Campaign, friend.campaign_id), hashed)
    return replace(case, is_moved=hashed is not None and _earned_another(case))


def _earned_another(case: Case) -> bool:
    known = select(LedgerLine.id).filter_by(idempotency_key=case.key("referral"), source_entry_id=case.friend.id)
    return db.session.scalar(known.where(LedgerLine.entry_id != case.referrer.id)) is not None


def verdict(case: Case) -> Verdict:
    """What the rules say of a referral that nobody holds or refused. Counts caps, so call it under `take`."""
    friend = case.friend
    if lines_of(case):
        return Verdict(ReferralState.COUNTED)  # what was counted once is given back, whatever has changed since
    if friend.status in _WAITING:
        return Verdict(ReferralState.AWAITING)
    if friend.status is not EntryStatus.CONFIRMED or friend.confirmed_at is None:
        return _no(ReferralReason.EXPIRED)
    return _of_confirmed(case) or _of_due(case)


def _of_confirmed(case: Case) -> Verdict | None:
    """What keeps a confirmed friend from counting now, but for what has to be looked up."""
    friend, campaign = case.friend, case.campaign
    assert friend.confirmed_at is not None
    if case.referrer.status is not EntryStatus.CONFIRMED:
        return _no(ReferralReason.INELIGIBLE)
    if friend.created_at >= campaign.ends_at:
        return _no(ReferralReason.EXPIRED)
    if case.referrer.review is Review.EXCLUDED:
        return Verdict(ReferralState.ON_HOLD, ReferralReason.INELIGIBLE)
    due = end_of_delay(campaign, friend.confirmed_at)
    if due > clock.now():
        return Verdict(ReferralState.ON_HOLD, ReferralReason.DELAY, due)
    return _no(ReferralReason.UNSUBSCRIBED_IN_HOLD) if _has_left(case, due) else None


def _has_left(case: Case, due: datetime) -> bool:
    """Whether the friend unsubscribed in the delay, for one that something else held back when it ended."""
    left = select(Suppression.id).where(
        Suppression.brand_id == case.friend.brand_id,
        Suppression.address_hash == case.hashed,
        Suppression.reason == SuppressionReason.UNSUBSCRIBE,
        Suppression.at >= case.friend.confirmed_at,
        Suppression.at < due,
    )
    return db.session.scalar(left) is not None


def _of_due(case: Case) -> Verdict:
    if is_known(case.key("referral")):
        return _no(ReferralReason.DUPLICATE)
    return _no(ReferralReason.OVER_CAP) if _is_over_cap(case) else Verdict(ReferralState.COUNTED)


def _no(reason: ReferralReason) -> Verdict:
    return Verdict(ReferralState.NOT_COUNTED, reason)


def end_of_delay(campaign: Campaign, confirmed_at: datetime) -> datetime:
    """When the campaign's delay is over; at the end of the grace at the latest, so that no honest friend is lost."""
    grace_ends_at = campaign.ends_at + timedelta(seconds=campaign.grace_seconds)
    return min(confirmed_at + timedelta(hours=campaign.hold_hours), grace_ends_at)


def is_known(key: str) -> bool:
    """Whether the ledger has ever had a line with this key."""
    return db.session.scalar(select(LedgerLine.id).filter_by(idempotency_key=key)) is not None


def lines_of(case: Case) -> list[str]:
    """The keys of all that this friend ever earned somebody, whether it stands or was taken back."""
    found = select(LedgerLine.idempotency_key).where(LedgerLine.source_entry_id == case.friend.id)
    if case.hashed is not None:
        keys = [case.key(what) for what in ("referral", "indirect", "profile", "stay")]
        found = found.where(LedgerLine.idempotency_key.in_(keys))
    else:  # the mailbox is forgotten: look through the referrers' lines
        above = [entry_id for entry_id in (case.friend.referrer_id, case.friend.ref2_id) if entry_id]
        kinds = LedgerLine.kind.in_(_PAYS_REFERRER)
        found = found.where(LedgerLine.entry_id.in_(above), kinds, LedgerLine.reverses_id.is_(None))
    return list(db.session.scalars(found.order_by(LedgerLine.id)))


def _is_over_cap(case: Case) -> bool:
    campaign = case.campaign
    if campaign.cap_total is not None and _counted_in_all(case.referrer) >= campaign.cap_total:
        return True
    return campaign.cap_per_day is not None and _counted_on_day(case) >= campaign.cap_per_day


def _counted_in_all(referrer: Entry) -> int:
    unfolded = select(func.coalesce(func.sum(LedgerPending.friends), 0)).where(LedgerPending.entry_id == referrer.id)
    return referrer.friends_counted + (db.session.scalar(unfolded) or 0)


def _counted_on_day(case: Case) -> int:
    assert case.friend.confirmed_at is not None
    starts_at, ends_at = local_day(case.campaign, case.friend.confirmed_at)
    same_day = select(func.count()).where(
        Entry.referrer_id == case.referrer.id,
        Entry.referral_state == ReferralState.COUNTED,
        Entry.confirmed_at >= starts_at,
        Entry.confirmed_at < ends_at,
    )
    return db.session.scalar(same_day) or 0


def local_day(campaign: Campaign, moment: datetime) -> tuple[datetime, datetime]:
    """Where the day of `moment` begins and ends in the campaign's time zone (23 to 25 hours apart)."""
    zone = ZoneInfo(campaign.timezone)
    day = moment.astimezone(zone).date()
    return (
        datetime.combine(day, time(), zone),
        datetime.combine(day + timedelta(days=1), time(), zone),
    )


def pay(case: Case) -> bool:
    """Write every line that a counted friend earns now, or give back what was taken; False when the mailbox is known.

    Lines carry the time of the friend's confirmation, which is when they were earned: neither a delay nor a check that
    ends well moves anybody in a tie.
    """
    lines = lines_of(case)
    for key in lines:
        credits.reinstate(key)
    if case.hashed is None:
        return bool(lines)
    if not lines and not _credit(case, "referral", LedgerKind.REFERRAL, case.campaign.referral_points):
        return False
    pay_indirect(case)
    pay_profile(case)
    return True


def pay_indirect(case: Case) -> None:
    """The points of whoever brought the one who brought the friend, where the campaign gives any (F4)."""
    if not case.campaign.indirect_points or case.friend.ref2_id is None or case.hashed is None:
        return
    above = db.session.get_one(Entry, case.friend.ref2_id, populate_existing=True)
    if above.review is not Review.EXCLUDED:
        _credit(case, "indirect", LedgerKind.INDIRECT, case.campaign.indirect_points, to=above.id)


def pay_profile(case: Case) -> None:
    """The points for a friend who has answered every question, where the campaign gives any (F5)."""
    worth = case.campaign.profile_points
    if worth and case.hashed is not None and has_full_profile(case.friend):
        _credit(case, "profile", LedgerKind.QUALITY, worth)


def has_full_profile(friend: Entry) -> bool:
    """Whether an entrant has answered every question that is asked, and there is one."""
    asked = select(Question.id).where(
        Question.campaign_id == friend.campaign_id, Question.is_active, Question.is_always
    )
    answered = select(Answer.question_id).where(Answer.entry_id == friend.id)
    missing = db.session.scalar(asked.where(Question.id.not_in(answered)).limit(1))
    return missing is None and db.session.scalar(asked.limit(1)) is not None


def pay_stay(case: Case) -> None:
    """The points for a friend who is still there on the campaign's day N (F5)."""
    if case.campaign.stay_points and case.friend.status is EntryStatus.CONFIRMED and departure(case) is None:
        _credit(case, "stay", LedgerKind.QUALITY, case.campaign.stay_points)


def stays_at(case: Case) -> datetime | None:
    """When to ask whether a counted friend is still there; None when the campaign gives nothing for it, or it did."""
    if not case.campaign.stay_points or case.hashed is None or case.friend.confirmed_at is None:
        return None
    if is_known(case.key("stay")):
        return None
    return case.friend.confirmed_at + timedelta(days=case.campaign.stay_days)


def departure(case: Case) -> ReferralReason | None:
    """Why a confirmed friend cannot be written to any more since they confirmed, or None while they can."""
    suppressed = select(Suppression.reason, Suppression.at).where(
        Suppression.brand_id == case.friend.brand_id, Suppression.address_hash == case.hashed
    )
    reasons = {row.reason: row.at for row in db.session.execute(suppressed)}
    if SuppressionReason.HARD_BOUNCE in reasons or SuppressionReason.COMPLAINT in reasons:
        return ReferralReason.BOUNCE
    left_at = reasons.get(SuppressionReason.UNSUBSCRIBE)
    if left_at is not None and case.friend.confirmed_at is not None and left_at >= case.friend.confirmed_at:
        return ReferralReason.UNSUBSCRIBED_IN_HOLD
    return None


def _credit(case: Case, what: str, kind: LedgerKind, worth: int, *, to: int | None = None) -> bool:
    return credits.credit(
        to or case.referrer.id,
        kind=kind,
        points=worth,
        key=case.key(what),
        source_entry_id=case.friend.id,
        at=case.friend.confirmed_at if kind in {LedgerKind.REFERRAL, LedgerKind.INDIRECT} else None,
    )
