"""Where a reward is sent: asked of its owner only, shown to staff until it is delivered, erased with the person."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from babel import Locale
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from leadgen.core import clock, i18n
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.core.i18n import gettext as _
from leadgen.entries.models import Entry, EntryStatus
from leadgen.journal.models import Fact
from leadgen.rewards.models import Award, AwardAddress, AwardState

FIELDS = ("name", "street", "postcode", "city", "country", "phone")
LONGEST: Mapping[str, int] = {"name": 100, "street": 200, "postcode": 20, "city": 100, "country": 2, "phone": 40}
_COUNTRY = re.compile(r"(?!EU|EZ|UN|ZZ|XA|XB|QO)[A-Z]{2}")  # the locale data hold unions and test areas too
# While an award is in one of these, somebody still has to send it.
NEEDED = (AwardState.EARNED, AwardState.RESERVE, AwardState.APPROVED)
# What is delivered may come back, and a decision may be undone.
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Address:
    """What a parcel needs; `country` is an ISO code, `phone` may be empty."""

    name: str
    street: str
    postcode: str
    city: str
    country: str
    phone: str = ""


def country_choices(allowed: Collection[str]) -> list[tuple[str, str]]:
    """The countries that a parcel may go to by name, in the language that is spoken: those of the contest, or any."""
    names = Locale.parse(i18n.locale()).territories
    codes = allowed or [code for code in map(str, names) if _COUNTRY.fullmatch(code)]
    return sorted(((code, str(names.get(code, code))) for code in codes), key=lambda pair: _folded(pair[1]))


def _folded(name: str) -> str:
    """As a reader looks it up: Égypte stands at E."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def read(typed: Mapping[str, str], allowed: Collection[str]) -> tuple[Address, dict[str, str]]:
    """The address as it was typed, and by field what is wrong with it; lines may be parted as people do."""
    tidy = {name: _tidy(name, typed.get(name, "")) for name in FIELDS}
    problems = {name: sentence for name in FIELDS if (sentence := _problem(name, tidy[name], allowed))}
    return Address(**tidy), problems


def _tidy(name: str, value: str) -> str:
    parts = (" ".join(part.split()) for part in value.splitlines())
    return (", " if name == "street" else " ").join(part for part in parts if part)


def _problem(name: str, value: str, allowed: Collection[str]) -> str:
    if not value and name != "phone":
        return _("Please fill this in.")
    if len(value) > LONGEST[name]:
        return _("Use %(limit)d characters at most.") % {"limit": LONGEST[name]}
    if not value.isprintable():
        return _("Please use letters, digits and usual signs only.")
    if name == "country" and value not in dict(country_choices(allowed)):
        return _("Choose a country from the list.")
    if name == "phone" and value and not (set(value) <= set("0123456789 +-./()") and any(map(str.isdigit, value))):
        return _("A phone number has digits, such as +33 6 12 34 56 78.")
    return ""


def require_there(entry_id: int) -> None:
    """Lock the entry, so that nobody is erased while their address is written. Raises NotFound for an erased one."""
    there = select(Entry.id).where(Entry.id == entry_id, Entry.status != EntryStatus.ERASED)
    if db.session.scalar(there.with_for_update(read=True)) is None:
        raise NotFound


def keep(award_id: int, address: Address) -> None:
    """Write the address of an award, in place of an earlier one."""
    values = dataclasses.asdict(address) | {"given_at": clock.now()}
    statement = insert(AwardAddress).values(award_id=award_id, **values)
    db.session.execute(statement.on_conflict_do_update(index_elements=[AwardAddress.award_id], set_=values))


def forget(facts: Sequence[Fact]) -> None:
    """Somebody is erased: where they live goes too (reaction, may run twice)."""
    contacts = [fact.contact_id for fact in facts if fact.contact_id]
    theirs = select(Award.id).join(Entry, Entry.id == Award.entry_id).where(Entry.contact_id.in_(contacts))
    db.session.execute(delete(AwardAddress).where(AwardAddress.award_id.in_(theirs)))


def served(campaign_id: int) -> int:
    """How many addresses of a campaign serve nothing any more: their awards are delivered, refused or over."""
    statement = select(func.count()).select_from(AwardAddress).join(Award, Award.id == AwardAddress.award_id)
    return db.session.scalar(statement.where(*_served(campaign_id))) or 0


def delete_served(campaign_id: int) -> int:
    """Delete these, and answer how many they were."""
    awards = select(Award.id).where(*_served(campaign_id))
    gone = delete(AwardAddress).where(AwardAddress.award_id.in_(awards)).returning(AwardAddress.award_id)
    return len(db.session.scalars(gone).all())


def clear() -> None:
    """Delete the addresses that served for the last time thirty days ago.

    The last time is the delivery; for what was not delivered, the latest of writing it, approval and end of the claim.
    """
    moments = (AwardAddress.given_at, Award.approved_at, Award.claim_until, Award.delivered_at)
    is_over = func.coalesce(Award.delivered_at, func.greatest(*moments)) < clock.now() - KEPT
    awards = select(Award.id).where(Award.state.not_in(NEEDED), AwardAddress.award_id == Award.id, is_over)
    db.session.execute(delete(AwardAddress).where(awards.exists()))
    db.session.commit()


def _served(campaign_id: int) -> tuple[ColumnElement[bool], ...]:
    return Award.campaign_id == campaign_id, Award.state.not_in(NEEDED)
