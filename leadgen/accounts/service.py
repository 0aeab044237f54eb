"""Staff and the brands that they work for: creating people, checking passwords, and who may see which brand."""

from __future__ import annotations

import re
import secrets
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select

from leadgen.accounts.models import Brand, MemberRole, Membership, User
from leadgen.core import clock, text
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _

# OWASP's profile for argon2id: 19 MiB, two passes, one lane. 43 ms of one core instead of 263 with the default.
PROFILE: dict[str, Any] = {"time_cost": 2, "memory_cost": 19_456, "parallelism": 1}
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128
EDITABLE = frozenset(
    {"name", "legal_name", "legal_address", "contact_email", "sender_name", "sender_email", "website", "accent"}
    | {"is_tracking_clicks"}
)
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_IN_THE_STUDIO = Membership.role != MemberRole.FULFILMENT
_hasher = PasswordHasher(**PROFILE)
# Compared when the address is unknown, so that the answer takes as long as for a known one.
_NOBODYS_HASH = _hasher.hash(secrets.token_urlsafe())


def create_user(
    email: str,
    password: str | None = None,
    *,
    name: str = "",
    brands: Iterable[Brand] = (),
    role: MemberRole = MemberRole.OWNER,
    locale: str = "en",
) -> tuple[User, str]:
    """Add a member of staff who works for `brands`; answers the user and the password, which is shown this once.

    Without a password a random one is made. There is never a default account. Raises Invalid (field “email” or
    “password”) and Conflict when somebody already signs in with this address.
    """
    address = canonical_email(email)
    chosen = password or secrets.token_urlsafe(12)
    check_password(chosen, email=address)
    if db.session.scalar(select(User.id).where(User.email == address)) is not None:
        raise Conflict(_("Somebody already signs in with this address."))
    user = User(
        email=address, name=name.strip(), password=_hasher.hash(chosen), fs_uniquifier=uuid.uuid4().hex, locale=locale
    )
    db.session.add(user)
    db.session.flush()
    db.session.add_all(Membership(user_id=user.id, brand_id=brand.id, role=role) for brand in brands)
    db.session.flush()
    return user, chosen


def create_first_user(email: str) -> tuple[User, str] | None:
    """The first member of staff, owner of every brand, or None when somebody is there already."""
    if db.session.scalar(select(User.id).limit(1)) is not None:
        return None
    return create_user(email, brands=db.session.scalars(select(Brand).order_by(Brand.id)).all())


def authenticate(email: str, password: str) -> User | None:
    """The active user with this address and password, else None after the same work.

    A hash of an older profile is replaced by one of the present profile.
    """
    user = db.session.scalar(select(User).where(User.email == _folded(email)))
    try:
        _hasher.verify(user.password if user else _NOBODYS_HASH, password)
    except (VerifyMismatchError, InvalidHashError):
        return None
    if user is None or not user.active:
        return None
    if _hasher.check_needs_rehash(user.password):
        user.password = _hasher.hash(password)
    user.signed_in_at = clock.now()
    return user


def change_password(user: User, current: str, new: str) -> None:
    """Give the user a new password and end all sessions. Raises Invalid (field “current” or “new”)."""
    try:
        _hasher.verify(user.password, current)
    except (VerifyMismatchError, InvalidHashError):
        raise Invalid(_("This is not your present password."), field="current") from None
    check_password(new, email=user.email, field="new")
    user.password = _hasher.hash(new)
    end_sessions(user)


def end_sessions(user: User) -> None:
    """Make every session of this user inert, on all machines, from the next request on."""
    user.fs_uniquifier = uuid.uuid4().hex


def speak(user: User, locale: str) -> None:
    """Remember the language in which the user works."""
    user.locale = locale


def brand(brand_id: int) -> Brand:
    """The brand with this id. Raises NotFound."""
    found = db.session.get(Brand, brand_id)
    if found is None:
        raise NotFound
    return found


def brands() -> Sequence[Brand]:
    """All brands of this installation (commands; a door asks for `brands_of` somebody)."""
    return db.session.scalars(select(Brand).order_by(Brand.id)).all()


def brands_of(user: User) -> Sequence[Brand]:
    """The brands that the user works for, by name."""
    return db.session.scalars(
        select(Brand)
        .join(Membership, Membership.brand_id == Brand.id)
        .where(Membership.user_id == user.id, _IN_THE_STUDIO)
        .order_by(Brand.name)
    ).all()


def member_brand_ids(user: User) -> frozenset[int]:
    """Ids of the brands that exist for this user; read anew at each request, so a removal acts at once.

    For whoever only honours codes of a brand it does not exist, but in `redeemed_brand_ids`.
    """
    theirs = select(Membership.brand_id).where(Membership.user_id == user.id, _IN_THE_STUDIO)
    return frozenset(db.session.scalars(theirs))


def redeemed_brand_ids(user: User) -> frozenset[int]:
    """Ids of the brands whose codes this user may honour: as whatever member."""
    return frozenset(db.session.scalars(select(Membership.brand_id).where(Membership.user_id == user.id)))


def works_for_all_brands(user: User) -> bool:
    """Whether nobody else's brand lives in this installation: what holds for all of them is then theirs to steer."""
    return not db.session.scalar(select(Brand.id).where(Brand.id.not_in(member_brand_ids(user))).limit(1))


def member_emails(brand_id: int) -> Sequence[str]:
    """The addresses of the brand's active staff in alphabetical order, without the counter's."""
    members = select(User.email).join(Membership, Membership.user_id == User.id)
    theirs = members.where(Membership.brand_id == brand_id, _IN_THE_STUDIO, User.active)
    return db.session.scalars(theirs.order_by(User.email)).all()


def edit_brand(brand: Brand, **values: Any) -> None:
    """Change what a marketer may change of a brand (EDITABLE). Raises Invalid, with the field's name.

    The caller tells the campaigns afterwards, one floor up (`campaigns.brand_changed`).
    """
    for field in ("contact_email", "sender_email"):
        if field in values:
            values[field] = canonical_email(values[field], field=field)
    for field in ("name", "sender_name", "legal_name"):
        if not values.get(field, "").isprintable():  # the sender's name is a header: no kind of line end gets into it
            raise Invalid(_("Please keep this to one line."), field=field)
    website = text.address_parts(values.get("website", ""))
    if values.get("website") and (website.scheme not in {"https", "http"} or not website.hostname):
        raise Invalid(_("Give an address that starts with https://."), field="website")
    if "accent" in values and not _COLOUR.fullmatch(values["accent"]):
        raise Invalid(_("Write a colour such as #0b6e6e."), field="accent")
    for name in EDITABLE & values.keys():
        setattr(brand, name, values[name])
    db.session.flush()


def canonical_email(email: str, *, field: str = "email") -> str:
    """The address in the one form that is stored and compared. Raises Invalid."""
    try:
        found = validate_email(_folded(email), check_deliverability=False)
    except EmailNotValidError:
        raise Invalid(_("This does not look like an e-mail address."), field=field) from None
    return found.normalized


def check_password(password: str, *, email: str, field: str = "password") -> None:
    """Raise Invalid unless the password is 12 to 128 characters long and not made of the address (ASVS 6.2)."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(
            _("Choose a password of %(shortest)s to %(longest)s characters.")
            % {"shortest": SHORTEST_PASSWORD, "longest": LONGEST_PASSWORD},
            field=field,
        )
    folded, person = password.casefold(), email.split("@", maxsplit=1)[0]
    if (len(person) >= 4 and person in folded) or len(set(folded)) < 5:
        raise Invalid(_("This password is too easy to guess. A few unrelated words make a good one."), field=field)


def _folded(email: str) -> str:
    return unicodedata.normalize("NFKC", email).strip().casefold()
