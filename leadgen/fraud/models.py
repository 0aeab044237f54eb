"""Wanted looks, sightings, signals and their sum, what staff decided, what is safe, and what people answered."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word


class Decision(StrEnum):
    """What a member of staff said of an entry; `none` leaves it to the bands."""

    NONE = "none"
    ACCEPTED = "accepted"
    HELD = "held"
    REJECTED = "rejected"


class LookKind(StrEnum):
    """What is wanted: a look at one entry, at a whole contest, or only that everybody stands as the bands say."""

    ENTRY = "entry"
    CONTEST = "contest"
    BANDS = "bands"


class Look(Model):
    """Somebody learned something and wants a look; deleted by whoever made it. The same may stand twice."""

    __tablename__ = "look"
    __table_args__ = (Index("ix_look_campaign_id", "campaign_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    kind: Mapped[LookKind] = mapped_column(word(LookKind))
    entry_id: Mapped[int | None] = mapped_column(BigInteger)


class Sighting(Model):
    """How an entry came in, as far as it may be kept: keyed hashes of the network, never the address itself."""

    __tablename__ = "sighting"
    __table_args__ = (
        Index("ix_sighting_network", "campaign_id", "network"),
        Index("ix_sighting_device", "campaign_id", "device", postgresql_where=text("device <> ''")),
    )

    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    network: Mapped[bytes]  # keyed hash of the /24 or /48
    address: Mapped[bytes]  # keyed hash of the whole address; blanked after 30 days
    network_kind: Mapped[str] = mapped_column(server_default="isp")  # isp, mobile, datacentre
    device: Mapped[str] = mapped_column(server_default="")  # of the functional cookie that the form sets
    agent: Mapped[str] = mapped_column(server_default="")  # family of the browser
    form_seconds: Mapped[float]
    has_script: Mapped[bool] = mapped_column(server_default=text("true"))
    is_trapped: Mapped[bool] = mapped_column(server_default=text("false"))  # the honeypot was filled
    timezone: Mapped[str] = mapped_column(server_default="")
    landing_host: Mapped[str] = mapped_column(server_default="")
    returns: Mapped[int] = mapped_column(server_default=text("0"))  # days on which the person's page was opened again
    returned_on: Mapped[date | None]  # the last of them, UTC


class Signal(Model):
    """One piece of evidence; `evidence` holds the numbers of its sentence."""

    __tablename__ = "signal"
    __table_args__ = (UniqueConstraint("entry_id", "code"), Index("ix_signal_campaign_id", "campaign_id", "code"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"))
    layer: Mapped[str]  # entry, pair, group
    code: Mapped[str]
    points: Mapped[int]
    evidence: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    weights_version: Mapped[int]
    at: Mapped[datetime]


class Verdict(Model):
    """The sum of an entry's signals (0 to 100) and what staff decided. A decision holds until a new code appears."""

    __tablename__ = "verdict"
    __table_args__ = (Index("ix_verdict_campaign_id", "campaign_id", "score"),)

    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    score: Mapped[int] = mapped_column(server_default=text("0"))
    decision: Mapped[Decision] = mapped_column(word(Decision), server_default="none")
    decided_codes: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))  # known when it was decided
    decided_by: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[datetime | None]
    scored_at: Mapped[datetime]


class Ruling(Model):
    """One press of a button in the review: on whom, what, why, and how to take it back within 30 days."""

    __tablename__ = "ruling"
    __table_args__ = (Index("ix_ruling_campaign_id", "campaign_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    deed: Mapped[Decision] = mapped_column(word(Decision))
    entry_ids: Mapped[list[dict[str, Any]]]  # [{"entry": id, "before": decision}], and its codes, by and at if any
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(server_default="")


class Safe(Model):
    """Networks, domains and households that a brand knows to be honest; `value` is a hash for networks."""

    __tablename__ = "safe"
    __table_args__ = (UniqueConstraint("brand_id", "kind", "value"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"))
    kind: Mapped[str]  # network, domain, household
    value: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    by: Mapped[str]
    at: Mapped[datetime]


class Appeal(Model):
    """One message of a person whose friends or entry are not counted, and our answer."""

    __tablename__ = "appeal"

    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger, index=True)
    text: Mapped[str]
    at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(server_default="")
    answered_by: Mapped[str] = mapped_column(server_default="")
    answered_at: Mapped[datetime | None]
