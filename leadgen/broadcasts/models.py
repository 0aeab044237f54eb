"""Broadcasts: one letter to many people at once."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word


class BroadcastStatus(StrEnum):
    """The life of a broadcast. A pause is its stream's state and may happen while `expanding` or `sending`."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    EXPANDING = "expanding"
    SENDING = "sending"
    SENT = "sent"
    CANCELLED = "cancelled"


class Broadcast(Model):
    """One letter to many people at once.

    `texts` is {locale: {"subject", "preheader", "heading", "body", "button", "url"}}; `audience` is {"locales": [...],
    "conditions": [{"question": key, "is": value}, …], "friends": n, "segment": id}, all of which hold. `after_*` is
    where the expansion into messages stands: people are taken in passes by their last sign of life, the most recent
    first (broadcasts.expansion).
    """

    __tablename__ = "broadcast"
    __table_args__ = (Index("ix_broadcast_campaign_id", "campaign_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    stream_id: Mapped[int] = mapped_column(ForeignKey("stream.id"), unique=True)
    name: Mapped[str]
    status: Mapped[BroadcastStatus] = mapped_column(word(BroadcastStatus), server_default="draft")
    texts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    audience: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    send_at: Mapped[datetime | None]
    audience_size: Mapped[int | None]  # people counted when it was started
    wanted: Mapped[int] = mapped_column(server_default=text("0"))  # messages made so far
    after_inbound_at: Mapped[datetime | None]
    after_entry_id: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_by: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
