"""The journal's tables: facts that are never changed, and hourly counters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model


class Fact(Model):
    """Something of meaning that happened. `announced_at` is when the reactions to it were run."""

    __tablename__ = "fact"
    __table_args__ = (
        Index("ix_fact_unannounced", "id", postgresql_where=text("announced_at IS NULL")),
        Index("ix_fact_entry_id", "entry_id", "id"),
        Index("ix_fact_contact_id", "contact_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str]
    at: Mapped[datetime]
    brand_id: Mapped[int] = mapped_column(BigInteger)
    campaign_id: Mapped[int | None] = mapped_column(BigInteger)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    entry_id: Mapped[int | None] = mapped_column(BigInteger)
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    announced_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default=text("0"))  # how often a reaction to it failed
    retry_at: Mapped[datetime | None]  # not before this after a failure


class Counter(Model):
    """How often something happened in one hour, by channel; a kill may lose the last second of it."""

    __tablename__ = "counter"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True, server_default="")
    number: Mapped[int] = mapped_column(BigInteger)
