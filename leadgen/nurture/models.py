"""Sequences of letters: the draft, its versions, the words of their letters, and who is enrolled where."""

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
    HELD_OUT = "held_out"  # gets nothing, to be compared with


class Sequence(Model):
    """Letters that follow something, to people who consented to marketing. `draft` as in nurture.definition."""

    __tablename__ = "sequence"
    __table_args__ = (UniqueConstraint("campaign_id", "key"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    stream_id: Mapped[int] = mapped_column(ForeignKey("stream.id"))
    key: Mapped[str]
    name: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    draft: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    revision: Mapped[int] = mapped_column(server_default=text("1"))  # of the draft, grows with each save
    version: Mapped[int | None]  # that is published
    paused_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]

    steps: Mapped[list[Step]] = relationship(order_by="[Step.position, Step.id]", cascade="all, delete-orphan")


class SequenceVersion(Model):
    """A sequence as it was published; never changed afterwards, for enrolments name it."""

    __tablename__ = "sequence_version"

    sequence_id: Mapped[int] = mapped_column(ForeignKey("sequence.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    definition: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(server_default="")  # empty: with the campaign itself


class Step(Model):
    """The words of one variant of one letter, as they stand now: for everybody whose letter is not sent yet.

    `texts` is {locale: {"subject", "preheader", "heading", "body", "button", "url"}}; when the letter leaves and for
    whom stands in the versions of its sequence. `position` is its place among the letters of the newest.
    """

    __tablename__ = "step"
    __table_args__ = (UniqueConstraint("sequence_id", "key", "variant"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sequence_id: Mapped[int] = mapped_column(ForeignKey("sequence.id", ondelete="CASCADE"))
    position: Mapped[int]
    key: Mapped[str]
    variant: Mapped[str] = mapped_column(server_default="a")
    texts: Mapped[dict[str, Any]]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(server_default=text("1"))  # grows with each edit; names the compiled letter


class Enrolment(Model):
    """One entry in one sequence, once for each occasion; `step_key` is due at `next_run_at`."""

    __tablename__ = "enrolment"
    __table_args__ = (
        UniqueConstraint("sequence_id", "entry_id", "occasion"),
        Index(
            "uq_enrolment_active", "sequence_id", "entry_id", unique=True, postgresql_where=text("status = 'active'")
        ),
        Index("ix_enrolment_due", "sequence_id", "next_run_at", "id", postgresql_where=text("status = 'active'")),
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
    next_run_at: Mapped[datetime]
    enrolled_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))  # of the sequence, that this person goes through
    occasion: Mapped[str] = mapped_column(server_default="")  # what makes another time another (definition.Again)
    fact_id: Mapped[int | None] = mapped_column(BigInteger)  # what began it
    step_key: Mapped[str] = mapped_column(server_default="")  # the next step; empty: there is none
    anchor_at: Mapped[datetime]  # since when it is waited for, so that its date can be worked out again
    goal_at: Mapped[datetime | None]  # when the goal was reached, after an exit too


class MoveReason(StrEnum):
    """What happened to an enrolment besides its letters, whose own story the outbox keeps."""

    BRANCHED = "branched"
    SKIPPED = "skipped"
    WENT_ON = "went_on"  # the event came that was waited for
    TIMED_OUT = "timed_out"  # it did not come
    RETIMED = "retimed"  # by a new version, or a pause
    MOVED = "moved"  # to another step, because its own is no more
    GOAL = "goal"


class EnrolmentMove(Model):
    """One line of an enrolment's story; rows are only ever added."""

    __tablename__ = "enrolment_move"
    __table_args__ = (Index("ix_enrolment_move_enrolment_id", "enrolment_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    step_key: Mapped[str]
    reason: Mapped[MoveReason] = mapped_column(word(MoveReason))
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
