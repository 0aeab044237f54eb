"""A campaign's tables: the contest itself, its prizes, its questions, and the versions of its rules."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from leadgen.core.db import Model, word


class CampaignStatus(StrEnum):
    """The life of a campaign, in order."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    CLOSING = "closing"
    CLOSED = "closed"
    DRAWING = "drawing"
    AWARDED = "awarded"
    ARCHIVED = "archived"


# While a campaign is in one of these states a confirmation counts; the deadline of the entry says until when.
CONFIRMABLE = (CampaignStatus.SCHEDULED, CampaignStatus.LIVE, CampaignStatus.PAUSED, CampaignStatus.CLOSING)
CONFIRMABLE_SQL = "(" + ", ".join(f"'{status}'" for status in CONFIRMABLE) + ")"


class QuestionKind(StrEnum):
    """The types of answer a question can have."""

    TEXT = "text"
    CHOICE = "choice"
    MANY = "many"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"


class Campaign(Model):
    """A contest. `texts` is {locale: {key: text}}; `version` grows with each edit and names the cached page."""

    __tablename__ = "campaign"
    __table_args__ = (Index("ix_campaign_brand_id", "brand_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    template: Mapped[str]
    status: Mapped[CampaignStatus] = mapped_column(word(CampaignStatus), server_default="draft")
    timezone: Mapped[str]
    default_locale: Mapped[str]
    texts: Mapped[dict[str, Any]]
    picture: Mapped[str] = mapped_column(server_default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    grace_seconds: Mapped[int] = mapped_column(server_default=text("259200"))
    countries: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    minimum_age: Mapped[int] = mapped_column(server_default=text("18"))
    entry_points: Mapped[int] = mapped_column(server_default=text("1"))
    referral_points: Mapped[int] = mapped_column(server_default=text("5"))
    is_reminding: Mapped[bool] = mapped_column(server_default=text("true"))  # one reminder to unconfirmed people
    version: Mapped[int] = mapped_column(server_default=text("1"))
    rules_version: Mapped[int] = mapped_column(server_default=text("0"))  # 0: never published
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]

    prizes: Mapped[list[Prize]] = relationship(order_by="Prize.position", cascade="all, delete-orphan")
    questions: Mapped[list[Question]] = relationship(order_by="Question.position", cascade="all, delete-orphan")


class Prize(Model):
    """Something to win. `texts` is {locale: {"title", "description"}}; `value` is in minor units of `currency`."""

    __tablename__ = "prize"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    texts: Mapped[dict[str, Any]]
    quantity: Mapped[int]
    value: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(server_default="EUR")
    picture: Mapped[str] = mapped_column(server_default="")


class Question(Model):
    """A qualification question: `texts` {locale: {"label", "help"}}, `options` [{"id", "texts": {locale: label}}]."""

    __tablename__ = "question"
    __table_args__ = (UniqueConstraint("campaign_id", "key"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    position: Mapped[int]
    key: Mapped[str]
    kind: Mapped[QuestionKind] = mapped_column(word(QuestionKind))
    texts: Mapped[dict[str, Any]]
    options: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    points: Mapped[int] = mapped_column(server_default=text("2"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))


class RulesVersion(Model):
    """The rules as they stood: every published version, its hash, and what changed since the one before."""

    __tablename__ = "rules_version"
    __table_args__ = (UniqueConstraint("campaign_id", "number"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    number: Mapped[int]
    sha256: Mapped[str]
    snapshot: Mapped[dict[str, Any]]
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    created_at: Mapped[datetime]
