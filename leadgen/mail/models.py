"""The outbox, the marketer's own words for letters, and what providers told us."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word


class Lane(StrEnum):
    """Lanes have their own batch size and budget, so that no blast delays a confirmation."""

    CONFIRMATION = "confirmation"
    SERVICE = "service"
    NURTURE = "nurture"


class MailPurpose(StrEnum):
    """Which consent and which suppressions the sender looks at."""

    CONFIRMATION = "confirmation"
    SERVICE = "service"
    MARKETING = "marketing"


class MessageStatus(StrEnum):
    """The one-way life of a mail."""

    SCHEDULED = "scheduled"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNCERTAIN = "uncertain"
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Message(Model):
    """One mail to one person, wanted in the same transaction as its cause. `intent` makes it unique."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_due", "lane", "due_at", "id", postgresql_where=text("status = 'scheduled'")),
        Index("ix_message_open", "lease_until", postgresql_where=text("status IN ('sending', 'uncertain')")),
        Index("ix_message_contact_id", "contact_id", "id"),
        Index("ix_message_entry_id", "entry_id"),
        Index("ix_message_campaign_id", "campaign_id", "status"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    # random, the only thing about the mail that a provider is told
    opaque_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, server_default=text("gen_random_uuid()"))
    intent: Mapped[str] = mapped_column(
        unique=True
    )  # doi:{entry}:{generation}:{n}, welcome:{entry}, seq:{enrolment}:{step}
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    entry_id: Mapped[int | None] = mapped_column(BigInteger)
    lane: Mapped[Lane] = mapped_column(word(Lane))
    purpose: Mapped[MailPurpose] = mapped_column(word(MailPurpose))
    letter: Mapped[str]  # folder in templates/mail/
    step_id: Mapped[int | None] = mapped_column(BigInteger)  # nurture step whose words the letter carries
    locale: Mapped[str]
    # numbers that the links are made from: {"entry","generation","code_number","access_version","code"}
    context: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    condition: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # on contact.answers, judged when sent
    status: Mapped[MessageStatus] = mapped_column(word(MessageStatus), server_default="scheduled")
    reason: Mapped[str] = mapped_column(server_default="")
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]  # database time
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    provider_reference: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class LetterText(Model):
    """A marketer's own words for a letter of one campaign in one language; what is empty keeps the standard text."""

    __tablename__ = "letter_text"
    __table_args__ = (UniqueConstraint("campaign_id", "letter", "locale"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    letter: Mapped[str]
    locale: Mapped[str]
    subject: Mapped[str] = mapped_column(server_default="")
    heading: Mapped[str] = mapped_column(server_default="")
    body: Mapped[str] = mapped_column(server_default="")
    button: Mapped[str] = mapped_column(server_default="")


class ProviderEvent(Model):
    """An event of the mail provider, stored as it came and applied later; `event_id` makes it act once."""

    __tablename__ = "provider_event"
    __table_args__ = (
        Index("ix_provider_event_waiting", "due_at", "id", postgresql_where=text("applied_at IS NULL")),
        Index("ix_provider_event_opaque_id", "opaque_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    opaque_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]  # an event of a message that is not there yet is looked at again later
    applied_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(server_default="")
