"""A brand's segments, and how many people stood in each on which day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model


class Segment(Model):
    """A named condition (`core.logic`) over the fields of segments.catalogue; nothing about single people is kept."""

    __tablename__ = "segment"
    __table_args__ = (Index("ix_segment_brand_id", "brand_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    definition: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(server_default=text("1"))  # grows with each edit
    created_by: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]


class SegmentSize(Model):
    """How many people a segment held, last counted on that day (UTC)."""

    __tablename__ = "segment_size"

    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    people: Mapped[int] = mapped_column(BigInteger)
