"""Prices of deeds, sales, and what each contact was worth when it was last worked out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model


class Prices(Model):
    """What one of each is worth to a brand, in minor units of its currency; no row: nothing is worth anything.

    `discount` is the part of people's value that counts for who brought them, in per cent for each generation.
    """

    __tablename__ = "worth_prices"
    __table_args__ = (CheckConstraint("discount BETWEEN 0 AND 100", name="discount"),)

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"), primary_key=True)
    currency: Mapped[str]
    consent: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    entry: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    form: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    answer: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    goal: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    discount: Mapped[int] = mapped_column(server_default=text("50"))
    changed_at: Mapped[datetime]
    worked_out_at: Mapped[datetime | None]  # when all contacts of the brand were last gone through


class Sale(Model):
    """Something that a contact bought, as the brand's shop says. `reference` is the shop's own number of it."""

    __tablename__ = "sale"
    __table_args__ = (
        UniqueConstraint("brand_id", "reference"),
        Index("ix_sale_contact_id", "contact_id"),
        CheckConstraint("amount > 0", name="amount"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    reference: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)  # minor units
    at: Mapped[datetime]


class Worth(Model):
    """A contact's value as last worked out, in minor units; no row: nothing. `people` were brought in all."""

    __tablename__ = "contact_worth"
    __table_args__ = (Index("ix_contact_worth_brand_id", "brand_id", text("(own + brought) DESC"), "contact_id"),)

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True, autoincrement=False)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    own: Mapped[int] = mapped_column(BigInteger)
    brought: Mapped[int] = mapped_column(BigInteger)
    people: Mapped[int]
    # by generation, the first one first: the people brought, and the sum of their own values
    below_people: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))
    below_own: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))
