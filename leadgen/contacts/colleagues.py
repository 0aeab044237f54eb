"""Which contacts are a brand's own staff, by the mailbox that their sign-in address reaches."""

from __future__ import annotations

from sqlalchemy import select

from leadgen.accounts.models import Membership, User
from leadgen.contacts import address
from leadgen.core.db import db
from leadgen.core.errors import Invalid


def mailbox_keys(brand_id: int) -> list[str]:
    """The mailboxes of all who work for the brand, named as contacts name theirs, however they are written."""
    emails = select(User.email).join(Membership, Membership.user_id == User.id).where(Membership.brand_id == brand_id)
    return sorted({_key(email) for email in db.session.scalars(emails)})


def _key(email: str) -> str:
    try:
        return address.parse(email).mailbox_key
    except Invalid:  # of an account that somebody made by hand
        return email.lower()
