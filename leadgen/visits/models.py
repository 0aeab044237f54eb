"""Openings of referral links, kept apart by what opened them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word


class VisitKind(StrEnum):
    """What opened a link. A candidate becomes human when the page in front of it was really seen (F4)."""

    CANDIDATE = "candidate"
    HUMAN = "human"
    PREVIEW = "preview"
    SCANNER = "scanner"
    PREFETCH = "prefetch"
    SELF = "self"
    DUPLICATE = "duplicate"


class Visit(Model):
    """One opening. `nonce` travels in the signed ref of the landing page; `visitor` is a keyed hash that lasts a day.

    Written in batches about once a second: a kill may lose the last of them, never a lead. Gone after 90 days; what
    they add up to stays in VisitTally.
    """

    __tablename__ = "visit"
    __table_args__ = (
        Index("ix_visit_entry_id", "entry_id", "visitor", "at"),
        Index("ix_visit_campaign_id", "campaign_id", "at"),
        Index("ix_visit_unpaid", "id", postgresql_where=text("is_unpaid")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[int] = mapped_column(BigInteger)  # whose link it is
    channel: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[VisitKind] = mapped_column(word(VisitKind))
    visitor: Mapped[bytes]
    nonce: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]  # when it proved human
    is_unpaid: Mapped[bool] = mapped_column(server_default=text("false"))  # human, and its points are still to come


class VisitTally(Model):
    """How often a link was opened by what, through which channel: sums of its visits, those that are gone included."""

    __tablename__ = "visit_tally"

    entry_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[VisitKind] = mapped_column(word(VisitKind), primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(BigInteger)
