"""A campaign's form: the draft, its published versions, where each person is in it, and what people passed over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model


class Form(Model):
    """The form that is being edited; `draft` as in forms.definition. No row: as the campaign's questions say."""

    __tablename__ = "form"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True)
    draft: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(server_default=text("1"))  # grows with each save
    saved_at: Mapped[datetime]


class FormVersion(Model):
    """A form as it was published; never changed afterwards, for answers name it."""

    __tablename__ = "form_version"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    definition: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(server_default="")  # empty: with the campaign itself


class Submission(Model):
    """One person in one form: what they have said so far, and where they are; one for each entry."""

    __tablename__ = "submission"
    __table_args__ = (UniqueConstraint("entry_id"), Index("ix_submission_campaign_id", "campaign_id", "number"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    number: Mapped[int]  # of the version that the person began
    answers: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    done: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))  # pages that were sent
    reached: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))  # fields that were shown
    begun_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    is_open: Mapped[bool] = mapped_column(server_default=text("true"))  # again while somebody corrects
    finished_at: Mapped[datetime | None]  # this version, last


class QuestionSkip(Model):
    """A question that a person passed over, how often, and when last."""

    __tablename__ = "question_skip"

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int] = mapped_column(server_default=text("1"))
    at: Mapped[datetime]
