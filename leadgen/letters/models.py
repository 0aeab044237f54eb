"""What a letter is for, and the marketer's own words in it."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model


class Lane(StrEnum):
    """Lanes have their own batch size and budget, so that no blast delays a confirmation."""

    CONFIRMATION = "confirmation"
    SERVICE = "service"
    NURTURE = "nurture"
    BULK = "bulk"


class MailPurpose(StrEnum):
    """Which consent and which suppressions the sender looks at."""

    CONFIRMATION = "confirmation"
    SERVICE = "service"
    MARKETING = "marketing"


class LetterText(Model):
    """A marketer's own words for a letter of one campaign in one language; what is empty keeps the standard text."""

    __tablename__ = "letter_text"
    __table_args__ = (UniqueConstraint("campaign_id", "letter", "locale"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    letter: Mapped[str]
    locale: Mapped[str]
    subject: Mapped[str] = mapped_column(server_default="")
    heading: Mapped[str] = mapped_column(server_default="")
    body: Mapped[str] = mapped_column(server_default="")
    button: Mapped[str] = mapped_column(server_default="")
