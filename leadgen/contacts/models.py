"""People's tables: the contact, evidence of consent, answers, suppression."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word


class ConsentPurpose(StrEnum):
    """What a person agrees to; consent for one is never used for another."""

    RULES = "rules"
    MARKETING = "marketing"


class ConsentAction(StrEnum):
    """What the person did about a purpose; `expired` is what they did not do: confirm in time."""

    GIVEN = "given"
    REFUSED = "refused"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class SuppressionReason(StrEnum):
    """Why an address is not written to. Unsubscribe blocks marketing only, the rest blocks more."""

    UNSUBSCRIBE = "unsubscribe"
    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    REFUSED = "refused"
    MANUAL = "manual"


class Contact(Model):
    """One mailbox of one brand. After erasure the row stays, with everything personal gone (`erased_at`)."""

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("brand_id", "mailbox_key"),
        Index("ix_contact_address_hash", "address_hash", "brand_id"),
        Index("ix_contact_answers", "answers", postgresql_using="gin", postgresql_ops={"answers": "jsonb_path_ops"}),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    mailbox_key: Mapped[str | None]  # canonical mailbox; null after erasure
    email: Mapped[str | None]  # as typed, for sending
    address_hash: Mapped[bytes | None] = mapped_column(LargeBinary)  # keyed hash of mailbox_key, as in suppression
    first_name: Mapped[str] = mapped_column(server_default="")
    locale: Mapped[str] = mapped_column(server_default="en")
    timezone: Mapped[str] = mapped_column(server_default="")  # IANA zone of the browser; empty when unknown
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))  # question key → typed value
    email_verified_at: Mapped[datetime | None]
    marketing_at: Mapped[datetime | None]  # since when consent to marketing stands; null: none
    last_inbound_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    import_id: Mapped[int | None] = mapped_column(BigInteger)  # the file that brought them, if one did
    # What their entries, deeds and clicks add up to. Triggers keep these (migration 0011), in the transaction that
    # changes what they are made of, so that segments are counted by this table alone. Nothing else writes them, but for
    # confirming, which adds its contest where it writes the contact anyway.
    points: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    clicked_at: Mapped[datetime | None]
    contests: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))  # confirmed in
    clicks: Mapped[int] = mapped_column(server_default=text("0"))
    friends: Mapped[int] = mapped_column(server_default=text("0"))
    deeds: Mapped[int] = mapped_column(server_default=text("0"))
    works: Mapped[int] = mapped_column(server_default=text("0"))
    rewards: Mapped[int] = mapped_column(server_default=text("0"))


class ContactImport(Model):
    """A file of contacts that was taken in, or is being: how far, and what became of its lines."""

    __tablename__ = "contact_import"
    __table_args__ = (
        Index(
            "ix_contact_import_digest", "brand_id", "digest", unique=True, postgresql_where=text("finished_at IS NULL")
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    file: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # SHA-256 of the file: the same one goes on where it stopped
    started_by: Mapped[str] = mapped_column(server_default="")
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    lines: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    last_line: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    added: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    agreed: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    blocked: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    refused: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class Consent(Model):
    """Evidence of one act about one purpose; rows are only ever added."""

    __tablename__ = "consent"
    __table_args__ = (
        Index("ix_consent_contact_id", "contact_id", "id"),
        # Who left the letters are few; segments find them, and when, within this index alone.
        Index(
            "ix_consent_withdrawn",
            "brand_id",
            "contact_id",
            "at",
            postgresql_where=text("purpose = 'marketing' AND action = 'withdrawn'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    entry_id: Mapped[int | None] = mapped_column(BigInteger)
    purpose: Mapped[ConsentPurpose] = mapped_column(word(ConsentPurpose))
    action: Mapped[ConsentAction] = mapped_column(word(ConsentAction))
    at: Mapped[datetime]
    channel: Mapped[str]  # form, confirm page, code, unsubscribe page, one-click, provider, import
    # wording and its sha256, rules version, locale, state of the control, page, network address, browser
    evidence: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class ConsentSeal(Model):
    """A link of a brand's chain over the evidence of consent: each holds the hash of the one before.

    `personal_digest` stands for what erasure may blank (network address, browser, page), so that the chain can be
    recomputed afterwards; see contacts.evidence for what exactly is hashed.
    """

    __tablename__ = "consent_seal"
    __table_args__ = (UniqueConstraint("brand_id", "position"),)

    consent_id: Mapped[int] = mapped_column(ForeignKey("consent.id"), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    position: Mapped[int] = mapped_column(BigInteger)
    personal_digest: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    row_hash: Mapped[bytes] = mapped_column(LargeBinary)


class ForgottenAddress(Model):
    """What outlives the purge of an address that never confirmed: the keyed hash, and how often it was written to."""

    __tablename__ = "forgotten_address"

    address_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    mails: Mapped[int]
    last_mail_at: Mapped[datetime]
    forgotten_at: Mapped[datetime]


class ErasedAddress(Model):
    """Whom a brand was to forget, by keyed hash: what a file says that they agreed to once counts no more."""

    __tablename__ = "erased_address"

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"), primary_key=True)
    address_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    at: Mapped[datetime]


class Suppression(Model):
    """An address that is not written to, by keyed hash, so that it outlives erasure."""

    __tablename__ = "suppression"
    __table_args__ = (UniqueConstraint("brand_id", "address_hash", "reason"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    address_hash: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[SuppressionReason] = mapped_column(word(SuppressionReason))
    at: Mapped[datetime]
    detail: Mapped[str] = mapped_column(server_default="")


class Answer(Model):
    """A person's typed answer to one question of a campaign; the latest also stands in `contact.answers`."""

    __tablename__ = "answer"
    __table_args__ = (
        UniqueConstraint("entry_id", "question_id"),
        Index("ix_answer_question_id", "question_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    entry_id: Mapped[int] = mapped_column(BigInteger)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"))
    key: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)  # string, number, true/false, ISO date, or list of option ids
    at: Mapped[datetime]


class Installation(Model):
    """One row: the key of all address hashes. In the database, so that rotating SECRET_KEY keeps suppression alive."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    address_key: Mapped[bytes] = mapped_column(LargeBinary)
