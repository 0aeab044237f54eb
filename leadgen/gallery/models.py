"""Works that people handed in, their pictures, and votes."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word


class WorkState(StrEnum):
    """Where a work is: waiting for moderation, shown, or refused with a reason that its maker reads."""

    WAITING = "waiting"
    PUBLISHED = "published"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Work(Model):
    """What one person handed in for one action of kind `upload`."""

    __tablename__ = "work"
    __table_args__ = (
        Index("ix_work_campaign_id", "campaign_id", "state", "id"),
        Index("ix_work_entry_id", "entry_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    action_id: Mapped[int] = mapped_column(ForeignKey("action.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(server_default="")
    body: Mapped[str] = mapped_column(server_default="")
    picture_id: Mapped[int | None] = mapped_column(ForeignKey("picture.id", ondelete="SET NULL"))
    state: Mapped[WorkState] = mapped_column(word(WorkState), server_default="waiting")
    reason: Mapped[str] = mapped_column(server_default="")
    rights: Mapped[str] = mapped_column(server_default="")  # the words that the maker agreed to when handing in
    network: Mapped[bytes] = mapped_column(server_default=text("''"))  # keyed hash of where it was handed in from
    votes: Mapped[int] = mapped_column(server_default=text("0"))  # the counted ones
    voted_at: Mapped[datetime | None]  # of the last counted vote: whoever reached the same number earlier stands above
    decided_by: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Vote(Model):
    """One voter, one work, one day of the campaign's time zone. `voter` and `network` are keyed hashes of that day.

    A vote that we do not believe stays, with `doubt` saying why (votes.Doubt), and is not counted.
    """

    __tablename__ = "vote"
    __table_args__ = (
        UniqueConstraint("work_id", "voter", "day"),
        Index("ix_vote_campaign_id", "campaign_id", "voter", "day"),
        Index("ix_vote_network", "campaign_id", "network", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    work_id: Mapped[int] = mapped_column(ForeignKey("work.id", ondelete="CASCADE"))
    voter: Mapped[bytes]
    network: Mapped[bytes]
    entry_id: Mapped[int | None] = mapped_column(BigInteger)  # of a voter who takes part
    day: Mapped[date]
    at: Mapped[datetime]
    is_counted: Mapped[bool] = mapped_column(server_default=text("true"))
    doubt: Mapped[str] = mapped_column(server_default="")
