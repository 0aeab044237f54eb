"""Taking part: the entry, the append-only ledger of points, and the histogram that ranks are read from."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.campaigns.models import Proof, TouchModel
from leadgen.core.db import Model, word


class EntryStatus(StrEnum):
    """The life of an entry."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    BOUNCED = "bounced"
    REFUSED = "refused"
    ERASED = "erased"


class ReferralState(StrEnum):
    """What became of the referral that an entry is (F5); `none` when nobody brought the person."""

    NONE = "none"
    AWAITING = "awaiting"
    ON_HOLD = "on_hold"
    COUNTED = "counted"
    NOT_COUNTED = "not_counted"
    REVERSED = "reversed"


class ReferralReason(StrEnum):
    """Why a referral is held, not counted or reversed: a closed list; pages show the family of it."""

    NONE = ""
    DELAY = "delay"  # held: the campaign waits so many hours before a friend counts
    RISK = "risk"  # held: being checked
    SAME_PERSON = "same_person"
    DISPOSABLE_EMAIL = "disposable_email"
    BOUNCE = "bounce"
    UNSUBSCRIBED_IN_HOLD = "unsubscribed_in_hold"
    INELIGIBLE = "ineligible"
    DUPLICATE = "duplicate"
    VELOCITY = "velocity"
    MANUAL = "manual"
    EXPIRED = "expired"
    OVER_CAP = "over_cap"


# These come of themselves and never stand in the way of what somebody decided; a confirmation takes them back.
BY_ITSELF = (ReferralReason.EXPIRED, ReferralReason.BOUNCE)


class Review(StrEnum):
    """What a check says: `held` keeps the entry from board and draw for now, `excluded` until somebody clears it."""

    CLEAR = "clear"
    HELD = "held"
    EXCLUDED = "excluded"


class LedgerKind(StrEnum):
    """Why points were given or taken."""

    ENTRY = "entry"
    REFERRAL = "referral"
    INDIRECT = "indirect"  # for a friend's friend
    QUALITY = "quality"  # the friend completed the profile, or stayed
    VISIT = "visit"
    ANSWER = "answer"
    ACTION = "action"
    MANUAL = "manual"
    REVERSAL = "reversal"


class Entry(Model):
    """One contact in one campaign. Referrer, channel and source are frozen when the form is sent."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id"),
        Index("ix_entry_contact_id", "contact_id"),
        # A tree of three generations is counted, and its largest branches found, within these indexes alone.
        Index(
            "ix_entry_referrer_id",
            "referrer_id",
            "id",
            postgresql_include=["status"],
            postgresql_where=text("referrer_id IS NOT NULL"),
        ),
        Index(
            "ix_entry_ref2_id",
            "ref2_id",
            "referrer_id",
            postgresql_include=["status"],
            postgresql_where=text("ref2_id IS NOT NULL"),
        ),
        Index(
            "ix_entry_ref3_id", "ref3_id", postgresql_include=["status"], postgresql_where=text("ref3_id IS NOT NULL")
        ),
        # Who brought friends are few; segments add up how many within this index alone.
        Index(
            "ix_entry_friends",
            "brand_id",
            "contact_id",
            postgresql_include=["friends_counted", "campaign_id"],
            postgresql_where=text("friends_counted > 0"),
        ),
        Index("ix_entry_pending", "expires_at", postgresql_where=text("status = 'pending'")),
        Index("ix_entry_campaign_id", "campaign_id", "id"),
        # The order of the leaderboard, whole: rank points, then who reached them first, then the older entry (I08).
        Index(
            "ix_entry_standing",
            "campaign_id",
            text("rank_points DESC"),
            "reached_at",
            "id",
            postgresql_where=text("status = 'confirmed' AND review = 'clear'"),
        ),
        # Whom a check keeps from the board, for the marketer's view of it: few, so it costs the others nothing.
        Index(
            "ix_entry_reviewed",
            "campaign_id",
            text("rank_points DESC"),
            "reached_at",
            "id",
            postgresql_where=text("status = 'confirmed' AND review <> 'clear'"),
        ),
        # Who is being checked, by who brought them: the points that a decision would move.
        Index(
            "ix_entry_checked",
            "campaign_id",
            "referrer_id",
            postgresql_where=text("referral_state = 'on_hold' AND referral_reason = 'risk'"),
        ),
        Index("ix_entry_held_until", "held_until", postgresql_where=text("held_until IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    code: Mapped[str] = mapped_column(unique=True)  # referral code
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    status: Mapped[EntryStatus] = mapped_column(word(EntryStatus), server_default="pending")
    locale: Mapped[str]
    rules_version: Mapped[int]
    is_marketing_wanted: Mapped[bool]  # ticked at the form; becomes consent when the address is confirmed
    # who brought this person: direct referrer and the two above, copied at entry; depth 0 = came alone
    referrer_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    ref2_id: Mapped[int | None] = mapped_column(BigInteger)
    ref3_id: Mapped[int | None] = mapped_column(BigInteger)
    root_id: Mapped[int | None] = mapped_column(BigInteger)
    depth: Mapped[int] = mapped_column(server_default=text("0"))
    channel: Mapped[str] = mapped_column(server_default="")
    # attribution, frozen when the form is sent (F4)
    touch_model: Mapped[TouchModel] = mapped_column(word(TouchModel), server_default="last_touch")
    first_touch_code: Mapped[str] = mapped_column(server_default="")
    last_touch_code: Mapped[str] = mapped_column(server_default="")
    landing_variant: Mapped[str] = mapped_column(server_default="")
    # the referral that this entry is for its referrer (F5)
    referral_state: Mapped[ReferralState] = mapped_column(word(ReferralState), server_default="none")
    referral_reason: Mapped[ReferralReason] = mapped_column(word(ReferralReason), server_default="")
    held_until: Mapped[datetime | None]  # when to look at it again: the end of a hold, or the day a stayer earns more
    # what fraud review says of this entry; written by the fraud room through our verbs
    risk: Mapped[int] = mapped_column(server_default=text("0"))  # 0 to 100
    review: Mapped[Review] = mapped_column(word(Review), server_default="clear")
    # how the person wants to be seen
    display_name: Mapped[str] = mapped_column(server_default="")  # empty: first name and initial
    is_on_board: Mapped[bool] = mapped_column(server_default=text("true"))  # false: “Participant 4F2”
    is_name_on_card: Mapped[bool] = mapped_column(server_default=text("false"))  # first name on the shared picture
    source: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # utm_*, referrer host, contact context
    # double opt-in
    generation: Mapped[int] = mapped_column(server_default=text("1"))  # grows when the address is corrected
    access_version: Mapped[int] = mapped_column(server_default=text("1"))  # grows to make page links inert
    code_number: Mapped[int] = mapped_column(server_default=text("1"))  # which six-digit code is valid
    code_tries: Mapped[int] = mapped_column(server_default=text("0"))
    code_expires_at: Mapped[datetime]
    mails_sent: Mapped[int] = mapped_column(server_default=text("1"))  # confirmation mails asked for so far
    last_mail_at: Mapped[datetime]
    corrections: Mapped[int] = mapped_column(server_default=text("0"))
    expires_at: Mapped[datetime]
    address_problem: Mapped[str] = mapped_column(server_default="")  # no_mx: nobody takes mail at this domain
    confirmed_at: Mapped[datetime | None]
    confirm_method: Mapped[str | None]  # cookie_post, button_post, code; made_up by `flask seed`
    # totals of the ledger as far as folded; what is not yet stands in ledger_pending
    points: Mapped[int] = mapped_column(server_default=text("0"))
    chances: Mapped[int] = mapped_column(server_default=text("0"))
    rank_points: Mapped[int] = mapped_column(server_default=text("0"))  # points without the declared ones
    declared_chances: Mapped[int] = mapped_column(server_default=text("0"))  # capped in the draw
    friends_counted: Mapped[int] = mapped_column(server_default=text("0"))
    reached_at: Mapped[datetime | None]  # when the present rank points were reached: the tie-break
    created_at: Mapped[datetime]


class LedgerLine(Model):
    """Points and chances given or taken, once for each `idempotency_key`; corrections are new lines."""

    __tablename__ = "ledger"
    __table_args__ = (
        Index("ix_ledger_entry_id", "entry_id", "id"),
        # What one friend earned others: looked up when it is held, taken back or given back.
        Index("ix_ledger_source_entry_id", "source_entry_id", postgresql_where=text("source_entry_id IS NOT NULL")),
        # A line is taken back at most once; what is given back is a new line, which can be taken back again.
        Index("ix_ledger_reverses_id", "reverses_id", unique=True, postgresql_where=text("reverses_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    kind: Mapped[LedgerKind] = mapped_column(word(LedgerKind))
    points: Mapped[int]
    chances: Mapped[int]
    source_entry_id: Mapped[int | None] = mapped_column(BigInteger)  # the friend whose confirmation earned it
    question_id: Mapped[int | None] = mapped_column(BigInteger)
    action_id: Mapped[int | None] = mapped_column(BigInteger)
    proof: Mapped[Proof] = mapped_column(word(Proof), server_default="verified")
    reverses_id: Mapped[int | None] = mapped_column(BigInteger)  # the line that this one takes back
    rules_version: Mapped[int]
    at: Mapped[datetime]
    idempotency_key: Mapped[str] = mapped_column(unique=True)


class LedgerPending(Model):
    """A ledger line that is not yet in its entry's totals; the fold deletes it in the statement that adds it."""

    __tablename__ = "ledger_pending"
    __table_args__ = (Index("ix_ledger_pending_entry_id", "entry_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int]
    chances: Mapped[int]
    kind: Mapped[LedgerKind] = mapped_column(word(LedgerKind))
    proof: Mapped[Proof] = mapped_column(word(Proof), server_default="verified")
    friends: Mapped[int] = mapped_column(server_default=text("0"))  # 1 for a friend counted, −1 for one taken back
    at: Mapped[datetime]


class PointsBucket(Model):
    """How many clear entrants of a campaign have exactly so many rank points, reached in that hour.

    Ranks are sums over this histogram: everybody above, those with the same points of an earlier hour, and a count
    within the hour by index.
    """

    __tablename__ = "points_bucket"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    points: Mapped[int] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(primary_key=True)  # of reached_at, since 1970
    entrants: Mapped[int] = mapped_column(BigInteger)


class PointsMoved(Model):
    """An entry whose points moved and that the rooms above have not looked at since; the same one may stand twice.

    Written by the fold in campaigns with milestones, deleted by whoever looks, so that no point is missed by a crash.
    """

    __tablename__ = "points_moved"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    entry_id: Mapped[int] = mapped_column(BigInteger)
