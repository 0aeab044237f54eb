"""Taking part: the entry, the append-only ledger of points, and the histogram that ranks are read from."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word


class EntryStatus(StrEnum):
    """The life of an entry."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    BOUNCED = "bounced"
    REFUSED = "refused"
    ERASED = "erased"


class LedgerKind(StrEnum):
    """Why points were given or taken."""

    ENTRY = "entry"
    REFERRAL = "referral"
    ANSWER = "answer"
    REVERSAL = "reversal"


class Entry(Model):
    """One contact in one campaign. Referrer, channel and source are frozen when the form is sent."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id"),
        Index("ix_entry_contact_id", "contact_id"),
        Index("ix_entry_referrer_id", "referrer_id", "id", postgresql_where=text("referrer_id IS NOT NULL")),
        Index("ix_entry_ref2_id", "ref2_id", postgresql_where=text("ref2_id IS NOT NULL")),
        Index("ix_entry_ref3_id", "ref3_id", postgresql_where=text("ref3_id IS NOT NULL")),
        Index("ix_entry_pending", "expires_at", postgresql_where=text("status = 'pending'")),
        Index("ix_entry_campaign_id", "campaign_id", "id"),
        Index(
            "ix_entry_standing", "campaign_id", "points", "reached_at", postgresql_where=text("status = 'confirmed'")
        ),
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
    friends_counted: Mapped[int] = mapped_column(server_default=text("0"))
    reached_at: Mapped[datetime | None]  # when the present points were reached: the tie-break
    created_at: Mapped[datetime]


class LedgerLine(Model):
    """Points and chances given or taken, once for each `idempotency_key`; corrections are new lines."""

    __tablename__ = "ledger"
    __table_args__ = (Index("ix_ledger_entry_id", "entry_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    kind: Mapped[LedgerKind] = mapped_column(word(LedgerKind))
    points: Mapped[int]
    chances: Mapped[int]
    source_entry_id: Mapped[int | None] = mapped_column(BigInteger)  # the friend whose confirmation earned it
    question_id: Mapped[int | None] = mapped_column(BigInteger)
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
    at: Mapped[datetime]


class PointsBucket(Model):
    """How many entrants of a campaign have exactly so many points: ranks are sums over this histogram."""

    __tablename__ = "points_bucket"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    points: Mapped[int] = mapped_column(primary_key=True)
    entrants: Mapped[int] = mapped_column(BigInteger)
