"""Brands, the staff who sign in, and which of them works for which brand."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from flask_security.core import RoleMixin, UserMixin
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Table, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from leadgen.core.db import Model, db, word


class MemberRole(StrEnum):
    """What a user may do for a brand."""

    OWNER = "owner"
    ADMIN = "admin"
    FULFILMENT = "fulfilment"  # honours codes at the counter, and reaches nothing else


class Brand(Model):
    """The data controller: sender identity, look and legal address; owns contacts and campaigns."""

    __tablename__ = "brand"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    legal_name: Mapped[str]
    legal_address: Mapped[str]
    contact_email: Mapped[str]
    sender_name: Mapped[str]
    sender_email: Mapped[str]
    website: Mapped[str] = mapped_column(server_default="")
    logo: Mapped[str] = mapped_column(server_default="")
    accent: Mapped[str] = mapped_column(server_default="#0b6e6e")
    timezone: Mapped[str] = mapped_column(server_default="Europe/Paris")
    locale: Mapped[str] = mapped_column(server_default="en")
    is_tracking_clicks: Mapped[bool] = mapped_column(server_default=text("true"))  # in marketing letters
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


# Flask-Security wants global roles; ours are per brand (Membership), so these two stay empty.
user_role = Table(
    "user_role",
    db.metadata,
    Column("user_id", ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
)


class Role(Model, RoleMixin):
    """A global role, as Flask-Security's store expects one."""

    __tablename__ = "role"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]


class User(Model, UserMixin):
    """A member of staff who signs in; prospects never have an account."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(server_default="")
    password: Mapped[str]
    active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    locale: Mapped[str] = mapped_column(server_default="en")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    signed_in_at: Mapped[datetime | None]
    roles: Mapped[list[Role]] = relationship(secondary=user_role)  # type: ignore[assignment]


class Membership(Model):
    """One user's role for one brand; without it the brand does not exist for that user."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("user_id", "brand_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"))
    role: Mapped[MemberRole] = mapped_column(word(MemberRole))
