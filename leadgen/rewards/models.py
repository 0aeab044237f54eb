"""Awards that people earned, the vault of codes, and how many there are of each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word


class AwardState(StrEnum):
    """The life of an award (F8). `reserve` waits for stock, `review` was delivered before its ground was taken back."""

    EARNED = "earned"
    RESERVE = "reserve"
    APPROVED = "approved"
    DELIVERED = "delivered"
    REVIEW = "review"
    REFUSED = "refused"
    RECLAIMED = "reclaimed"
    EXPIRED = "expired"


class CouponStatus(StrEnum):
    """Where a code of the vault is."""

    FREE = "free"
    ASSIGNED = "assigned"
    USED = "used"
    VOID = "void"


class Award(Model):
    """One person reached one milestone, once."""

    __tablename__ = "award"
    __table_args__ = (
        UniqueConstraint("entry_id", "milestone_id"),
        Index("ix_award_milestone_id", "milestone_id", "state", "id"),
        Index("ix_award_claim_until", "claim_until", postgresql_where=text("state = 'approved'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    # No cascade: a tier that somebody reached cannot be deleted, and its foreign key says so.
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestone.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    state: Mapped[AwardState] = mapped_column(word(AwardState), server_default="earned")
    reason: Mapped[str] = mapped_column(server_default="")
    earned_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    claim_until: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(server_default="")
    threshold: Mapped[int]  # what it took when it was earned: a later raise takes nothing away


class AwardAddress(Model):
    """Where an award is sent, as its owner wrote it; it goes with the person, when staff delete it, and by itself.

    See rewards.addresses.clear.
    """

    __tablename__ = "award_address"

    award_id: Mapped[int] = mapped_column(ForeignKey("award.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str]
    street: Mapped[str]
    postcode: Mapped[str]
    city: Mapped[str]
    country: Mapped[str]  # ISO code
    phone: Mapped[str] = mapped_column(server_default="")
    given_at: Mapped[datetime]


class Coupon(Model):
    """A code of a milestone's vault; a person has at most one of each milestone."""

    __tablename__ = "coupon"
    __table_args__ = (
        UniqueConstraint("milestone_id", "code"),
        Index("ix_coupon_free", "milestone_id", "id", postgresql_where=text("status = 'free'")),
        Index(
            "uq_coupon_milestone_id_entry_id",
            "milestone_id",
            "entry_id",
            unique=True,
            postgresql_where=text("status IN ('assigned', 'used')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestone.id", ondelete="CASCADE"))
    code: Mapped[str]
    status: Mapped[CouponStatus] = mapped_column(word(CouponStatus), server_default="free")
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    assigned_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str] = mapped_column(server_default="")


class StockCount(Model):
    """How many codes and awards of a milestone stand where; triggers of `coupon` and `award` keep it (rewards.stock).

    In the transaction of what is counted, so it is as exact as counting, however many write at once. Whoever writes
    with triggers off leaves it wrong until the night, when it is counted anew.
    """

    __tablename__ = "stock_count"

    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestone.id", ondelete="CASCADE"), primary_key=True)
    free: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # codes that nobody has
    loaded: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # codes that are not void
    taken: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # awards that hold a piece
    waiting: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # of these, those without their code yet
    reserve: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class CodeFile(Model):
    """A file of codes that was uploaded and looks for somebody's yes; the newest of a tier, for a day at most."""

    __tablename__ = "code_file"

    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestone.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str]
    content: Mapped[bytes]
    mark: Mapped[str]  # of the content: a yes is said to this file and no other
    preview: Mapped[dict[str, Any]] = mapped_column(JSONB)  # what loading it would have done when it was chosen
    by: Mapped[str]
    at: Mapped[datetime]
