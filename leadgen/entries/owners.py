"""The people of many entries, held before what they have done is changed."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import text

from leadgen.contacts import service as contacts
from leadgen.core.db import db

_SHARE = text("SELECT contact_id FROM entry WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE")
_OWN = text("SELECT contact_id FROM entry WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")


def hold(entry_ids: Collection[int], *, with_entries: bool = False) -> None:
    """Hold the contacts of these entries to the end of the transaction, before its first deed, work or award changes.

    Entries come first, as wherever somebody is confirmed or erased; `with_entries` when they are going to change too.
    """
    if entry_ids:
        found = db.session.scalars(_OWN if with_entries else _SHARE, {"ids": sorted(set(entry_ids))})
        contacts.hold(found.all())
