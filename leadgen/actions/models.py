"""Deeds of people, and the secret codes that some of them need."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word


class DeedState(StrEnum):
    """What became of a deed: begun (a video that plays), done and credited, or waiting for staff."""

    BEGUN = "begun"
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


class Deed(Model):
    """One person did one action; `occurrence` is what may happen once: a date, a week, a network, a code, a number."""

    __tablename__ = "deed"
    __table_args__ = (
        UniqueConstraint("entry_id", "action_id", "occurrence"),
        Index("ix_deed_waiting", "action_id", "id", postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    action_id: Mapped[int] = mapped_column(ForeignKey("action.id", ondelete="CASCADE"))
    occurrence: Mapped[str] = mapped_column(server_default="")
    state: Mapped[DeedState] = mapped_column(word(DeedState), server_default="done")
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # what was shown as proof
    begun_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class SecretCode(Model):
    """A code that earns an action's points; `code` is as it is compared: NFKC, upper case, no blanks, no dashes."""

    __tablename__ = "secret_code"
    __table_args__ = (UniqueConstraint("action_id", "code"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("action.id", ondelete="CASCADE"))
    code: Mapped[str]
    most_uses: Mapped[int | None]
    uses: Mapped[int] = mapped_column(server_default=text("0"))


class CodeTries(Model):
    """Wrong secret codes of one entry: ten in an hour, then an hour of pause."""

    __tablename__ = "code_tries"

    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True)
    wrong: Mapped[int] = mapped_column(server_default=text("0"))
    since: Mapped[datetime]
    paused_until: Mapped[datetime | None]


class ExternalKey(Model):
    """What another system signs its calls with, for the actions of one campaign; sealed, shown once."""

    __tablename__ = "external_key"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True)
    sealed: Mapped[str]
    created_at: Mapped[datetime]
