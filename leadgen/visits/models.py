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

    Written in batches about once a second: a kill may lose the last of them, never a lead.
    """

    __tablename__ = "visit"
    __table_args__ = (
        Index("ix_visit_entry_id", "entry_id", "at"),
        Index("ix_visit_nonce", "nonce", unique=True, postgresql_where=text("kind IN ('candidate', 'human')")),
        Index("ix_visit_campaign_id", "campaign_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[int] = mapped_column(BigInteger)  # whose link it is
    channel: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[VisitKind] = mapped_column(word(VisitKind))
    visitor: Mapped[bytes]
    nonce: Mapped[str]
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]  # when the candidate proved human
