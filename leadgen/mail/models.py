"""The outbox with its streams and paces, and what providers and readers told us."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, SmallInteger, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word
from leadgen.letters.models import Lane, MailPurpose


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


class StreamState(StrEnum):
    """Whether a stream flows: `paused` by a person, `stopped` by a breaker."""

    OPEN = "open"
    PAUSED = "paused"
    STOPPED = "stopped"


class Stream(Model):
    """The mails of one sequence or one broadcast: what is paused, resumed, paced and watched as one thing.

    Confirmations and service mails belong to no stream (`message.stream_id` 0) and are never paused by hand.
    """

    __tablename__ = "stream"
    __table_args__ = (Index("ix_stream_lane", "lane", "state"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    lane: Mapped[Lane] = mapped_column(word(Lane))
    name: Mapped[str]
    state: Mapped[StreamState] = mapped_column(word(StreamState), server_default="open")
    reason: Mapped[str] = mapped_column(server_default="")  # by_hand, bounces, complaints, errors; cancelled, finished
    changed_at: Mapped[datetime | None]
    changed_by: Mapped[str] = mapped_column(server_default="")  # name of the member of staff; empty: a breaker
    # the last breaker's judgement looks at what came after this message, so that a resumed stream is judged anew
    judged_from: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    tally: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # status → mails, counted at tally_at
    tally_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class LaneStop(Model):
    """A lane that somebody stopped altogether; no row: it flows."""

    __tablename__ = "lane_stop"

    lane: Mapped[Lane] = mapped_column(word(Lane), primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]


class Pace(Model):
    """The most mails a second of one bucket: `provider`, `lane:<lane>` or `group:<domain group>`; no row: no limit."""

    __tablename__ = "pace"

    bucket: Mapped[str] = mapped_column(primary_key=True)
    per_second: Mapped[int]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(server_default="")


class WarmUp(Model):
    """How a sending domain earns its reputation: `first_day` mails on `started_on`, growing by `growth` percent a day.

    Nurture and bulk wait for the next day (UTC) when the day's mails are sent; at `ceiling` mails a day the plan ends.
    """

    __tablename__ = "warm_up"

    domain: Mapped[str] = mapped_column(primary_key=True)
    started_on: Mapped[date]
    first_day: Mapped[int]
    growth: Mapped[int]  # percent: 50 makes 100, 150, 225 …
    ceiling: Mapped[int]
    changed_by: Mapped[str] = mapped_column(server_default="")


class SendingDay(Model):
    """How many mails a sending domain with a warm-up plan sent on a day (UTC)."""

    __tablename__ = "sending_day"

    domain: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    mails: Mapped[int]


class Message(Model):
    """One mail to one person, wanted in the same transaction as its cause. `intent` makes it unique."""

    __tablename__ = "message"
    __table_args__ = (
        Index(
            "ix_message_due",
            "lane",
            "stream_id",
            "domain_group",
            "due_at",
            "id",
            postgresql_where=text("status = 'scheduled'"),
        ),
        Index("ix_message_stream_id", "stream_id", "status", "id", postgresql_where=text("stream_id > 0")),
        Index("ix_message_trouble", "status", "id", postgresql_where=text("status IN ('failed', 'uncertain')")),
        Index("ix_message_open", "lease_until", postgresql_where=text("status IN ('sending', 'uncertain')")),
        Index("ix_message_contact_id", "contact_id", "id"),
        Index("ix_message_entry_id", "entry_id"),
        # Who got how many letters in the last days, for segments: from this index alone, however long the past is.
        Index(
            "ix_message_marketing",
            "brand_id",
            "sent_at",
            postgresql_include=["contact_id"],
            postgresql_where=text("purpose = 'marketing' AND sent_at IS NOT NULL"),
        ),
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
    stream_id: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # 0: of no stream
    domain_group: Mapped[str] = mapped_column(server_default="")  # of the recipient, for the pace (mail.groups)
    letter: Mapped[str]  # folder in templates/mail/
    enrolment_id: Mapped[int | None] = mapped_column(BigInteger)  # that a letter of a sequence belongs to
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("5"))  # of marketing: 9 goes first
    step_id: Mapped[int | None] = mapped_column(BigInteger)  # nurture step whose words the letter carries
    locale: Mapped[str]
    # numbers that the links are made from: {"entry","generation","code_number","access_version","code"}
    context: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    status: Mapped[MessageStatus] = mapped_column(word(MessageStatus), server_default="scheduled")
    reason: Mapped[str] = mapped_column(server_default="")
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]  # database time
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    provider_reference: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class MessageMove(Model):
    """A message that was due and was put off: when, why, and until when."""

    __tablename__ = "message_move"
    __table_args__ = (Index("ix_message_move_message_id", "message_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    message_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    reason: Mapped[str]
    until: Mapped[datetime]


class MailLink(Model):
    """An address that letters of a campaign lead to, stored so that a click's link never carries its destination."""

    __tablename__ = "mail_link"
    __table_args__ = (UniqueConstraint("campaign_id", "url"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    url: Mapped[str]


class ClickKind(StrEnum):
    """Who clicked, as far as that can be told; machines are kept and never counted."""

    HUMAN = "human"
    MACHINE = "machine"


class Click(Model):
    """A click in a letter. `evidence` says what it was judged by: seconds since the mail left, family of browser."""

    __tablename__ = "click"
    __table_args__ = (Index("ix_click_message_id", "message_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    message_id: Mapped[int] = mapped_column(BigInteger)
    link_id: Mapped[int | None] = mapped_column(BigInteger)  # null: the person's own page
    at: Mapped[datetime]
    kind: Mapped[ClickKind] = mapped_column(word(ClickKind))
    reason: Mapped[str] = mapped_column(server_default="")  # why a machine
    evidence: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    is_told: Mapped[bool] = mapped_column(server_default=text("false"))  # whether the journal has it as an event


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


class ProviderPull(Model):
    """Until when a suppression list of the provider has been read."""

    __tablename__ = "provider_pull"

    name: Mapped[str] = mapped_column(primary_key=True)  # bounces, invalid_emails, spam_reports, unsubscribes
    pulled_at: Mapped[datetime]
    found: Mapped[int] = mapped_column(server_default=text("0"))


class SenderCheck(Model):
    """What the DNS last said about a sending domain; see mail.deliverability for the shape of `results`."""

    __tablename__ = "sender_check"

    domain: Mapped[str] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime]
    results: Mapped[dict[str, Any]]
