"""What guard rails did to a test, and what the letters of a brand or a sequence cost."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word


class HarmKind(StrEnum):
    """What a guard rail watches."""

    COMPLAINTS = "complaints"
    UNSUBSCRIBES = "unsubscribes"


class VariantStop(Model):
    """A wording that a guard rail took out of its test, with the figures it was judged by; never changed afterwards.

    `figures` are {variant: {"people", "harms"}} of that kind of harm, at that moment.
    """

    __tablename__ = "variant_stop"
    __table_args__ = (Index("ix_variant_stop_sequence_id", "sequence_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sequence_id: Mapped[int] = mapped_column(ForeignKey("sequence.id", ondelete="CASCADE"))
    step_key: Mapped[str]
    experiment: Mapped[str]
    variant: Mapped[str]
    kind: Mapped[HarmKind] = mapped_column(word(HarmKind))
    figures: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class ProgrammeCost(Model):
    """What letters cost and what a goal is worth to the marketer: of one sequence, else (null) of all of the brand.

    Amounts are minor units of `currency`, which the row of the whole brand decides; `value` null: as the goal says.
    """

    __tablename__ = "programme_cost"
    __table_args__ = (UniqueConstraint("brand_id", "sequence_id", postgresql_nulls_not_distinct=True),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"))
    sequence_id: Mapped[int | None] = mapped_column(ForeignKey("sequence.id", ondelete="CASCADE"))
    per_thousand: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # a thousand letters
    fixed: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    value: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(server_default="EUR")
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(server_default="")
