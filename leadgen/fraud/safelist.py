"""What a brand knows to be honest: networks, domains, households. A change lets people be looked at anew."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.fraud import looks, networks
from leadgen.fraud.models import Safe, Sighting
from leadgen.fraud.service import LOOKED_AT

NETWORK, DOMAIN, HOUSEHOLD = "network", "domain", "household"
LONGEST_NOTE = 200


def add(brand_id: int, kind: str, value: str, *, by: str, note: str = "") -> Safe:
    """Call a network (an address in it, kept as a hash), a domain or a household (as `add_of_entry` finds it) honest.

    Adding it again changes nothing. Raises Invalid(field="value") for what is none.
    """
    stored = _stored(kind, value.strip())
    values = {"brand_id": brand_id, "kind": kind, "value": stored, "note": note.strip()[:LONGEST_NOTE], "by": by}
    db.session.execute(insert(Safe).values(**values, at=clock.now()).on_conflict_do_nothing())
    _look_again(brand_id)
    return db.session.scalars(select(Safe).filter_by(brand_id=brand_id, kind=kind, value=stored)).one()


def add_of_entry(entry_id: int, kind: str, *, brand_id: int, by: str, note: str = "") -> Safe:
    """Call the network or household honest from which this entry came. Raises NotFound when it is not kept any more."""
    seen = db.session.get(Sighting, entry_id)
    value = (seen.network if kind == NETWORK else seen.address).hex() if seen is not None else ""
    if kind not in {NETWORK, HOUSEHOLD} or not value:
        raise NotFound
    return add(brand_id, kind, value, by=by, note=note)


def remove(brand_id: int, safe_id: int) -> None:
    """Take an entry of the list away. Raises NotFound."""
    gone = db.session.execute(delete(Safe).where(Safe.id == safe_id, Safe.brand_id == brand_id).returning(Safe.id))
    if gone.first() is None:
        raise NotFound
    _look_again(brand_id)


def all_of(brand_id: int) -> Sequence[Safe]:
    """The list of a brand, newest first."""
    return db.session.scalars(select(Safe).filter_by(brand_id=brand_id).order_by(Safe.id.desc())).all()


def _stored(kind: str, value: str) -> str:
    if kind == DOMAIN:
        domain = value.lower().removeprefix("@")
        if "." not in domain or "@" in domain or " " in domain or len(domain) > 253:
            raise Invalid(_("Type a domain such as school.example."), "value")
        return domain
    if kind in {NETWORK, HOUSEHOLD}:
        hashed = networks.hashed(value)[0 if kind == NETWORK else 1]
        if hashed:
            return hashed.hex()
        if len(value) == 32 and all(letter in "0123456789abcdef" for letter in value):
            return value
    raise Invalid(_("Type a network address such as 192.0.2.7."), "value")


def _look_again(brand_id: int) -> None:
    """The contests of this brand are looked at as a whole soon after the caller's commit."""
    db.session.flush()
    found = select(Campaign.id).where(Campaign.brand_id == brand_id, Campaign.status.in_(LOOKED_AT))
    looks.want_whole(db.session.scalars(found).all())
