"""Saying afterwards who invited somebody: by staff alone, with a reason, and told in the journal (F4)."""

from __future__ import annotations

from sqlalchemy import select, text

from leadgen.campaigns.models import Campaign
from leadgen.core import text as words
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.entries import judging, points, referrals
from leadgen.entries.entering import MOST_GENERATIONS, tidy_code
from leadgen.entries.models import Entry, EntryStatus
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName

LONGEST_NOTE = 300

_MOVE = text("""
WITH RECURSIVE tree AS (
    SELECT e.id, p.id AS referrer_id, p.referrer_id AS ref2_id, p.ref2_id AS ref3_id,
           coalesce(p.root_id, p.id) AS root_id, least(p.depth + 1, :most) AS depth
    FROM entry e, entry p WHERE e.id = :entry AND p.id = :referrer
    UNION ALL
    SELECT e.id, t.id, t.referrer_id, t.ref2_id, t.root_id, least(t.depth + 1, :most)
    FROM tree t JOIN entry e ON e.referrer_id = t.id
)
UPDATE entry e SET referrer_id = t.referrer_id, ref2_id = t.ref2_id, ref3_id = t.ref3_id, root_id = t.root_id,
                   depth = t.depth
FROM tree t WHERE e.id = t.id
""")
_ABOVE = text("""
WITH RECURSIVE above AS (
    SELECT id, referrer_id FROM entry WHERE id = :entry
    UNION ALL
    SELECT e.id, e.referrer_id FROM above a JOIN entry e ON e.id = a.referrer_id
)
SELECT id FROM above
""")


def reattribute(entry_id: int, typed: str, *, by: str, note: str) -> None:
    """Credit this friend to the owner of another code, from now on; their own friends move along in the tree.

    What the friend earned the one before is taken back, what a check decided stays. Indirect points, which the friend's
    own friends earned the one before, stay there; those of later friends go to the new one. `by` is who says so, `note`
    why.
    Raises Invalid (code, note), Conflict once the contest's list is frozen, NotFound.
    """
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": points.LOCK})
    entry = db.session.get(Entry, entry_id, populate_existing=True)
    if entry is None or entry.status is EntryStatus.ERASED:
        raise NotFound
    if db.session.get_one(Campaign, entry.campaign_id).status in judging.FROZEN:
        raise Conflict(_("The list of entrants is final; who invited whom stays as it is."))
    why = words.one_line(note, LONGEST_NOTE)
    if not why:
        raise Invalid(_("Say why, in a few words."), "note")
    referrer, before = _owner(entry, typed), entry.referrer_id
    referrals.withdraw(entry.id)
    db.session.flush()
    db.session.execute(_MOVE, {"entry": entry.id, "referrer": referrer.id, "most": MOST_GENERATIONS})
    db.session.expire_all()
    referrals.judge_anew(entry_id)
    journal.record(
        FactName.ENTRY_REATTRIBUTED,
        brand_id=entry.brand_id,
        campaign_id=entry.campaign_id,
        contact_id=entry.contact_id,
        entry_id=entry.id,
        before=before,
        after=referrer.id,
        by=by,
        note=why,
    )


def _owner(entry: Entry, typed: str) -> Entry:
    code = tidy_code(typed)
    owned = select(Entry).where(Entry.code == code, Entry.campaign_id == entry.campaign_id)
    owner = db.session.scalar(owned.where(Entry.status == EntryStatus.CONFIRMED)) if code else None
    if owner is None:
        raise Invalid(_("Nobody who confirmed in this contest has this code."), "code")
    if owner.id == entry.referrer_id:
        raise Invalid(_("This person is credited already."), "code")
    if entry.id in set(db.session.scalars(_ABOVE, {"entry": owner.id})):
        raise Invalid(_("This person came through the entrant, so cannot have invited them."), "code")
    return owner
