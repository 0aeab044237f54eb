"""Pictures as they are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Identity, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model


class Picture(Model):
    """A picture made anew from what was uploaded: no metadata, bounded size."""

    __tablename__ = "picture"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    brand_id: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes]
    thumbnail: Mapped[bytes]
    mime: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    created_at: Mapped[datetime]
    is_brands: Mapped[bool] = mapped_column(server_default=text("false"))  # its own, which everybody may see
