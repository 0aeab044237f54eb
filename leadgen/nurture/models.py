"""Sequences of letters, their steps, who is enrolled where; and broadcasts, one letter to many at once."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from leadgen.core.db import Model, word


class EnrolmentStatus(StrEnum):
    """Where an enrolment stands."""

    ACTIVE = "active"
    FINISHED = "finished"
    EXITED = "exited"


class Sequence(Model):
    """Letters that follow a confirmation, to people who consented to marketing."""

    __tablename__ = "sequence"
    __table_args__ = (UniqueConstraint("campaign_id", "key"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    stream_id: Mapped[int] = mapped_column(ForeignKey("stream.id"))
    key: Mapped[str]
    name: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))

    steps: Mapped[list[Step]] = relationship(order_by="Step.position", cascade="all, delete-orphan")


class Step(Model):
    """One letter of a sequence, `delay_seconds` after the step before it (the first: after confirmation).

    `texts` is {locale: {"subject", "preheader", "heading", "body", "button", "url"}}; `condition` is null or
    {"question": key, "is": value} / {"question": key, "is_not": value}, judged when the mail is sent.
    """

    __tablename__ = "step"
    __table_args__ = (UniqueConstraint("sequence_id", "key"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sequence_id: Mapped[int] = mapped_column(ForeignKey("sequence.id", ondelete="CASCADE"))
    position: Mapped[int]
    key: Mapped[str]
    delay_seconds: Mapped[int]
    condition: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    texts: Mapped[dict[str, Any]]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(server_default=text("1"))  # grows with each edit; names the compiled letter


class Enrolment(Model):
    """One entry in one sequence, once. `next_position` is the step that is planned for `next_run_at`."""

    __tablename__ = "enrolment"
    __table_args__ = (
        UniqueConstraint("sequence_id", "entry_id"),
        Index("ix_enrolment_due", "next_run_at", "id", postgresql_where=text("status = 'active'")),
        Index("ix_enrolment_contact_id", "contact_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sequence_id: Mapped[int] = mapped_column(ForeignKey("sequence.id"))
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    brand_id: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[int] = mapped_column(BigInteger)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    status: Mapped[EnrolmentStatus] = mapped_column(word(EnrolmentStatus), server_default="active")
    exit_reason: Mapped[str] = mapped_column(server_default="")
    next_position: Mapped[int]
    next_run_at: Mapped[datetime]
    enrolled_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
